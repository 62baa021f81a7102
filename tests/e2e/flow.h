/* SPDX-License-Identifier: MIT
 *
 * Bytes on their way through a circuit, each checked where it arrives: for tests of what delays, loses or
 * mixes them up. Called by the test_*.c of abuse and of hostile neighbours.
 */
#ifndef TESTS_E2E_FLOW_H
#define TESTS_E2E_FLOW_H

#include "tests/e2e/fixture.h"

struct flow {
	struct client *sender;
	struct exchange *from;
	uint64_t len; /* to send in all */
	uint64_t sent;
	uint64_t received;
	bool wrong; /* a byte came that was not sent */
};

/* `flow` must stay where it is while bytes arrive at `to`. */
void flow_begin(struct flow *flow, struct client *sender, struct exchange *from, struct exchange *to,
		uint64_t len);
/* Sends what the window takes now, while little waits for the socket. */
void flow_push(struct flow *flow);
bool flow_done(const struct flow *flow);

/* Runs all flows to their ends, with all clients: the milliseconds it took. */
int64_t flow_run(struct client **clients, size_t client_count, struct flow *flows, size_t count,
		 int timeout_ms);
/* Sends `len` bytes from a and has them back from b: the milliseconds it took. */
int64_t flow_round_trip(struct client **clients, size_t client_count, struct exchange *a, struct exchange *b,
			size_t len);

#endif
