/* SPDX-License-Identifier: MIT
 *
 * One DISCOVER from its admission to the last byte of its answer. rendezvous_discover.c makes it and gives it
 * its turn, rendezvous_reply.c takes the snapshot and writes it. Included by those two only. What it was
 * asked with has been checked.
 */
#ifndef NETPROC_RENDEZVOUS_REPLY_H
#define NETPROC_RENDEZVOUS_REPLY_H

#include "netproc/conn.h"
#include "netproc/list.h"
#include "netproc/rendezvous_state.h"
#include "netproc/stream.h"

/* A connection's answers: some run, the rest stands in line. */
struct rendezvous_line {
	struct table_link link;
	struct conn_ref conn;
	struct list waiting;
	struct list turn; /* among those that wait for a turn of the loop */
	uint32_t running;
	bool busy; /* turns are being given now */
};

struct rendezvous_reply {
	struct list waiting;
	struct stream *stream;
	struct rendezvous_line *line;
	rendezvous_answered answered;
	struct rendezvous_entry **entries; /* the snapshot, once it runs */
	uint32_t count;
	uint32_t taken; /* second of net->now of the snapshot: lengths must not change while it is written */
	uint32_t piece; /* next to write: 0 the head, then the registrations, last the tail */
	uint32_t written; /* bytes of that piece */
	uint64_t after;
	uint64_t limit;
	uint64_t cookie;      /* serial that the answer's cookie names */
	size_t registrations; /* bytes that they take in the answer */
	bool newest_first;
	bool running;
	uint8_t ns_len;
	uint8_t ns[];
};

/* Takes what answers the request now; 0, or -1 without memory. */
int rendezvous_reply_take(struct rendezvous_reply *reply);
/* Lets the snapshot go and frees it. */
void rendezvous_reply_free(struct rendezvous_reply *reply);
/* One that runs. DONE: everything is written, and it still exists. */
enum rendezvous_progress rendezvous_reply_encode(struct rendezvous_reply *reply);

#endif
