/* SPDX-License-Identifier: MIT
 *
 * Circuit Relay v2 as a whole: state of reservations and circuits, made at start. hop.c answers RESERVE and
 * CONNECT, stop.c asks the destination, reservation.c is the registry, circuit.c the forwarding pair.
 * Included by those and by main.
 */
#ifndef NETPROC_RELAY_H
#define NETPROC_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netproc/conn.h"
#include "netproc/stream.h"
#include "proto/circuit_message.h"

extern const struct stream_protocol hop_protocol;
extern const struct stream_protocol stop_protocol;
extern const struct stream_protocol circuit_protocol;

/* Registry and hooks (conn_closed); 0, or -1 without memory. */
int relay_init(struct net *net);

/* The connection on which STOP streams to this peer open: the newest that reserved; NULL: no reservation. */
struct conn *reservation_find(struct net *net, const uint8_t peer[32]);
/* Another reserving connection of the peer, older than `conn`; NULL: none. */
struct conn *reservation_older(struct net *net, const uint8_t peer[32], const struct conn *conn);
/* True while the peer holds a reservation: rendezvous asks. */
bool reservation_held(struct net *net, const uint8_t peer[32]);

/* Makes the pair once both STATUS OK are queued: each stream becomes circuit_protocol; bytes that came early
 * behind the last message follow in order and leave both queues empty. limits_connect has counted it; the
 * circuit ends that count, also on failure, when both streams are reset. Either stream may have its
 * remote_finished set already. */
void circuit_start(struct stream *source, struct queue *source_early, struct stream *destination,
		   struct queue *destination_early);
/* SIGUSR1: logs the ten busiest peers. */
void circuit_report(struct net *net);

#endif
