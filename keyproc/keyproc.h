/* SPDX-License-Identifier: MIT
 *
 * The state of the process and the handlers of its messages (the rows of IMSG_TO_KEYPROC name them).
 * Called by main.c and by tests that play the other processes. Trusts the parent's intentions but not its
 * bytes; netproc not at all.
 */
#ifndef KEYPROC_KEYPROC_H
#define KEYPROC_KEYPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/imsg.h"
#include "imsg/log.h"

/* Signatures and exchanges of one second above which something is wrong: more than one core can do. An alarm,
 * never a refusal: a refusal would let one stranger stop everybody's handshakes. */
#define KEY_RATE_ALARM 20000

struct keyproc {
	struct imsg_channel parent;
	struct imsg_channel net;
	struct imsg_table table;
	struct log_sink log;
	struct imsg_key_conf conf;
	struct imsg_addr addrs[IMSG_ADDRS];
	uint32_t addr_count;
	bool configured;
	bool started;  /* KEY_START has come */
	bool net_gone; /* netproc ended: only the parent is served */
	int error;     /* of a channel; not 0 ends the process */
	struct imsg_key_stats stats;
	uint64_t second;    /* of the monotonic clock */
	uint64_t in_second; /* operations done in it */
};

/* The rows of this process, with its handlers. */
extern const struct imsg_row key_rows[];
extern const size_t key_row_count;

/* Tells the time in: a new second starts a new count of operations and new budgets of the log. */
void key_tick(struct keyproc *k, uint64_t second);

#define KEY_HANDLER(type, sender, payload, phase, times, handler)                                            \
	int handler(void *context, uint64_t id, const void *payload_bytes);
IMSG_TO_KEYPROC(KEY_HANDLER)
#undef KEY_HANDLER

#endif
