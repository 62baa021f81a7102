/* SPDX-License-Identifier: MIT
 *
 * One transport connection: socket, buffers, deadlines, close reason; and who is at the other end. Called by accept (makes it), loop
 * (reads and writes when it may), noise and yamux (layers above, through conn_layer), protocols (who is this?).
 * Every byte that comes up is a stranger's.
 */
#ifndef NETPROC_CONN_H
#define NETPROC_CONN_H

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/reasons.h"
#include "netproc/aead.h"
#include "netproc/ip_key.h"
#include "netproc/pool.h"
#include "netproc/wheel.h"
#include "netproc/yamux_session.h"
#include "proto/multiaddr.h"

#define CONN_SEALED_MOST 65536 /* bytes sealed and unsent above which payload waits as plaintext (design.md 6) */

struct conn;
struct handshake;
struct net;
struct reservation;

/* What the layer that reads a connection now does: security negotiation, Noise handshake, muxer negotiation, muxer. */
struct conn_layer {
	/* Takes raw bytes from the front; returns how many it used. The rest is offered again with more behind it. */
	size_t (*input)(struct conn *conn, uint8_t *bytes, size_t len);
	/* The socket takes bytes again and less than CONN_SEALED_MOST waits. NULL: nothing to do. */
	void (*output)(struct conn *conn);
};

enum conn_state { CONN_HANDSHAKE, CONN_READY, CONN_CLOSED };

struct conn_ref {
	uint32_t slot;
	uint32_t generation;
};

struct conn {
	struct event event;
	struct net *net;
	const struct conn_layer *layer;
	struct conn *next_ready; /* the loop's lists */
	struct conn *next_flush;
	struct conn *next_closed;
	struct handshake *handshake; /* until established */
	struct pool_buffer *held;    /* bytes of an unfinished record */
	struct pool_buffer *out_first; /* sealed and unsent */
	struct pool_buffer *out_last;
	uint32_t out_len;
	uint32_t slot;
	uint32_t generation;
	int fd;
	uint8_t state;	/* enum conn_state */
	uint8_t reason; /* enum close_reason, once closed */
	bool readable : 1;
	bool writable : 1;
	bool in_ready : 1;
	bool in_flush : 1;
	bool bulk : 1;	     /* its last reads were large */
	bool waiting : 1;    /* for keyproc or for a handshake step: not read meanwhile */
	bool ended : 1;	     /* the peer sent its FIN */
	bool has_muxers : 1; /* its Noise payload named muxers: go or js */
	bool registered_kind : 1; /* rendezvous: its latest REGISTER decides */
	bool kind_standard : 1;
	bool drain_output : 1; /* close once the output is written */
	uint16_t local_port;
	uint16_t round_trip; /* milliseconds, at most 65535; 0: not known */
	uint16_t circuits;
	uint16_t keep; /* reservation and circuits: not idle while above 0 */
	struct cipher receive;
	struct cipher send;
	uint8_t peer[32]; /* Ed25519 public key, once established */
	struct ip_key ip;
	uint8_t remote[16]; /* IPv6, or IPv4 mapped */
	uint16_t remote_port;
	uint32_t held_since; /* seconds of net->now when the unfinished record began */
	uint32_t active;     /* seconds of net->now of the last request */
	uint32_t born;	     /* seconds of net->now at accept */
	struct reservation *reservation; /* what this connection holds */
	struct wheel_timer timer;
	struct yamux_session yamux;
};

/* --- for protocols --- */

/* Peer id from the key. */
void conn_peer_id(const struct conn *conn, struct peer_id *id);
/* The address we see, /ip4|ip6/tcp. */
void conn_remote_addr(const struct conn *conn, struct multiaddr *addr);
/* The local address of this very connection (getsockname). 0 or -1. */
int conn_local_addr(const struct conn *conn, struct multiaddr *addr);
/* True when the client reads the standard flavour of peer records (protocol.md 8.6). */
bool conn_kind_standard(const struct conn *conn);
/* A request happened: not idle. */
void conn_touch(struct conn *conn);
struct conn_ref conn_ref(const struct conn *conn);
/* NULL when it is gone or closing. */
struct conn *conn_find(struct net *net, struct conn_ref ref);
/* Live streams of any kind. */
unsigned conn_streams(const struct conn *conn);
/* Closes: streams get `closed`, hooks are called, the socket is closed; the memory lives until the end of the turn. */
void conn_close(struct conn *conn, enum close_reason reason);

#endif
