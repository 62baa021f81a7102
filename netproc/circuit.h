/* SPDX-License-Identifier: MIT
 *
 * The forwarding pair. Only circuit*.c look inside; hop makes circuits through relay.h. The halves know each
 * other by number and only deliver, credit, finish and reset, so that they may live in different loops one
 * day. What it carries is not looked at.
 */
#ifndef NETPROC_CIRCUIT_H
#define NETPROC_CIRCUIT_H

#include "netproc/limits.h"
#include "netproc/list.h"
#include "netproc/net.h"
#include "netproc/relay.h"
#include "netproc/wheel.h"

struct circuit;

/* One end: a stream that delivers into the other end's stream. */
struct circuit_half {
	struct circuit *circuit;
	struct stream_ref stream;
	bool gone;     /* its closed came */
	bool finished; /* the peer's FIN was passed on */
	uint32_t
	    window;  /* bytes the peer may have under way: grows while the path is long and the reader fast */
	bool fitted; /* to the path: grows in small steps */
	uint32_t settle;     /* bytes until what was taken from the window shows; then an epoch begins */
	uint32_t standing;   /* the least that waited for the other end since epoch_at */
	uint64_t epoch_at;   /* net_microseconds */
	uint64_t epoch_from; /* `bytes` at that time */
	struct list grown;   /* among the windows above their least, in the order of use */
	uint32_t unpaid;     /* of the window that the stream began with: not yet counted as bandwidth */
	uint64_t bytes;	     /* taken in */
};

struct circuit {
	struct net *net;
	struct list all;	     /* place in the list of all circuits: report */
	struct circuit_half half[2]; /* source, destination */
	struct limits_circuit counted;
	uint64_t began; /* net->now */
	uint64_t moved; /* net->now when bytes last moved, or a reader showed that it reads */
	bool ending;
	struct wheel_timer timer; /* duration, or how long it may stay half-closed */
	struct wheel_timer wait;  /* for bandwidth */
};

/* State of all circuits: what relay->circuits points to. */
struct circuit_state {
	struct list all;
	struct list grown; /* halves with windows above their least */
};

/* circuit_credit.c: gives the half's peer as much window as the other end can take, in lumps. Called when
 * bytes left for the other end and when its window grew. */
void circuit_credit(struct circuit_half *half);
/* Bytes came from the half's peer: those of its first window, which was no credit of ours, are paid for now.
 */
void circuit_credit_pay(struct circuit_half *half, size_t len);
void circuit_credit_init(struct circuit *circuit);
/* Gives the half another window, and counts it. */
void circuit_credit_set(struct circuit_half *half, uint32_t window);
/* Bytes that the half's window may grow to now; its present one where it may not. */
uint32_t circuit_credit_window(const struct circuit_half *half);
struct circuit_state *circuit_state(struct net *net);

/* circuit.c, for circuit_start.c: what a circuit logs, its timer, and the FIN of one end. */
void circuit_log(struct circuit *circuit, enum log_event event);
void circuit_timer(struct net *net, struct wheel_timer *timer);
void circuit_finish(struct stream *stream);

static inline struct circuit_half *circuit_other(struct circuit_half *half)
{
	return &half->circuit->half[half == &half->circuit->half[0] ? 1 : 0];
}

#endif
