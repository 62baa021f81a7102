/* SPDX-License-Identifier: MIT
 *
 * Every cap and rate: the only place that says no. Called by accept, yamux, hop, rendezvous. Counts what it
 * allowed; whoever was allowed tells when it ended. Refusals name the setting that lifts them (a WARN event,
 * at most one a minute each).
 */
#ifndef NETPROC_LIMITS_H
#define NETPROC_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "imsg/reasons.h"
#include "netproc/conn.h"
#include "netproc/ip_key.h"
#include "proto/circuit_message.h"

struct net;

/* 0, or -1 without memory. */
int limits_init(struct net *net);

/* Above 80 % of a total (0: none) nobody may hold more than an eighth of it, or 16. `share` is told. */
static inline bool limits_over_share(uint64_t held, uint64_t total, uint64_t own, uint64_t *share)
{
	*share = total / 8 > 16 ? total / 8 : 16;
	return total > 0 && held * 10 > total * 8 && own >= *share;
}

/* A connection was accepted: CLOSE_NONE and counted, or why it is closed at once. A few places are kept for
 * loopback. */
enum close_reason limits_accept(struct net *net, const struct ip_key *ip);
/* It leaves the handshake for good or ends in it. */
void limits_half_open_end(struct net *net, const struct ip_key *ip);
void limits_closed(struct net *net, const struct ip_key *ip);
/* True while no connection may be added to those in the handshake: limits_accept refuses then. */
bool limits_half_open_full(const struct net *net);
/* The IP key that holds most of them, if it holds a sixteenth of what there may be: it gives way to others.
 * Exempt sources never do. */
bool limits_half_open_holder(const struct net *net, struct ip_key *holder);

/* RESERVE of a peer that holds none yet (renewals and further connections of a holder never come here).
 * CIRCUIT_OK and counted, or the status to answer, with its reason counted. */
enum circuit_status limits_reserve(struct net *net, const struct conn *conn);
void limits_reserve_end(struct net *net, const struct ip_key *ip);
/* Rate of RESERVE, all kinds (profile libp2p; off by default). */
bool limits_reserve_rate(struct net *net, const struct conn *conn);
/* May keyproc be asked for one more voucher for this connection? 16 at once, then one a second: one
 * connection never fills the requests that may be out. */
bool limits_voucher(struct net *net, struct conn *conn);

/* What a circuit is counted by, as plain data: either connection may be gone when it ends. */
struct limits_circuit {
	uint8_t source[32]; /* peers */
	uint8_t destination[32];
	struct ip_key source_ip;
	struct conn_ref source_conn;
	struct conn_ref destination_conn;
};
/* CONNECT from `source` to `destination`'s connection. CIRCUIT_OK and counted, or the status to answer. */
enum circuit_status limits_connect(struct net *net, const struct conn *source,
				   const struct conn *destination);
/* The key of the circuit between the two, for limits_connect_end. */
struct limits_circuit limits_circuit_of(const struct conn *source, const struct conn *destination);
void limits_connect_end(struct net *net, const struct limits_circuit *circuit);
/* STOP is tried on another connection of the same destination: the count between two connections moves along.
 */
void limits_connect_move(struct net *net, struct limits_circuit *circuit, const struct conn *destination);
bool limits_connect_rate(struct net *net, const struct conn *source);

/* A rendezvous request of this connection's peer; may its answer begin, which was admitted before others had
 * been charged; and the bytes of that answer. */
bool limits_rendezvous_rate(struct net *net, const struct conn *conn);
bool limits_rendezvous_answers(struct net *net, const struct conn *conn);
void limits_rendezvous_answer(struct net *net, const struct conn *conn, uint64_t bytes);

/* May this peer be given credit for a circuit now? False: later (a token bucket in total, and one for each
 * peer). */
bool limits_bandwidth(struct net *net, const uint8_t peer[32]);
/* The setting of a cap that the peer, or all together, are so far ahead of that a new circuit would only make
 * it worse; NET_SETTING_COUNT for none. Its value is the rate. */
enum net_setting limits_bandwidth_far(struct net *net, const uint8_t peer[32]);
/* It was given credit for so many bytes, or sent them without. */
void limits_bandwidth_spend(struct net *net, const uint8_t peer[32], uint64_t bytes);

/* True for a peer of DUSK_RELAY_DENY_PEERS. */
bool limits_denied(struct net *net, const uint8_t peer[32]);
int limits_deny(struct net *net, const uint8_t peer[32]);

#endif
