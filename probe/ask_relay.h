/* SPDX-License-Identifier: MIT
 *
 * The client of Circuit Relay v2's hop protocol: RESERVE and CONNECT. libp2p specs, relay/circuit-v2.md. Each
 * request can be sent and read without waiting (ask_relay_send_*, ask_relay_read), as load generators do, or
 * in one call that waits. Called by steps.c, tests and load generators. Copies what it keeps; trusts nothing
 * of the relay.
 */
#ifndef PROBE_ASK_RELAY_H
#define PROBE_ASK_RELAY_H

#include <stdbool.h>

#include "probe/client.h"
#include "proto/circuit_message.h"
#include "proto/multiaddr.h"

struct relay_answer {
	int status;
	bool has_reservation;
	uint64_t expire;
	struct circuit_limit limit;
	size_t addr_count;
	struct multiaddr addrs[CIRCUIT_ADDRS_MAX];
	uint8_t voucher[VOUCHER_ENVELOPE_MAX];
	size_t voucher_len;
};

void ask_relay_send_reserve(struct exchange *x);
void ask_relay_send_connect(struct exchange *x, const struct peer_id *destination);
/* 1: answered. 0: not yet. -1: there will be no answer that makes sense. Bytes behind the answer stay in the
 * inbox. */
int ask_relay_read(struct exchange *x, struct relay_answer *a);
/* NULL when a careful client would take this for a reservation of `me` at `relay`, else what is wrong. `now`:
 * unix seconds. */
const char *ask_relay_check(const struct relay_answer *a, const struct peer_id *relay,
			    const struct peer_id *me, uint64_t now);

/* RESERVE with the request's stream finished at once, as rust does, or left open, as go does. Waits for the
 * answer. 0 whatever the status; -1 with the client's error. */
int ask_reserve(struct client *c, bool finish, struct relay_answer *a);
/* CONNECT; with status OK `x` is the circuit, else it has ended. The caller closes it. The destination's side
 * has to be served meanwhile: `others` are clients that the loop runs too. */
int ask_connect(struct client *c, struct exchange *x, const struct peer_id *destination,
		struct client **others, size_t count, struct relay_answer *a);
const char *circuit_status_name(int status);

#endif
