/* SPDX-License-Identifier: MIT
 *
 * The destination's side of a circuit: STOP streams that the relay opens. libp2p specs, relay/circuit-v2.md.
 * Called by tests and load generators; client.c has negotiated the protocol by then.
 */
#ifndef PROBE_ACCEPT_STOP_H
#define PROBE_ACCEPT_STOP_H

#include "probe/client.h"
#include "proto/circuit_message.h"

struct stop_request {
	struct peer_id source;
	struct circuit_limit limit;
};

/* 1: the relay's CONNECT is there. 0: not yet. -1: it will not come, or is wrong. */
int accept_stop_read(struct exchange *x, struct stop_request *request);
void accept_stop_answer(struct exchange *x, int status);
/* The next STOP stream of `c` with its request, whether or not answered; the caller answers, closes and frees
 * it. NULL with `error`. Runs the loop of all `clients` while it waits; c must be among them. */
struct exchange *accept_stop(struct client *c, struct client **clients, size_t count,
			     struct stop_request *request);
/* The same without waiting: NULL when none is ready. */
struct exchange *accept_stop_ready(struct client *c, struct stop_request *request);

#endif
