/* SPDX-License-Identifier: MIT
 *
 * One channel between two processes: SOCK_SEQPACKET, non-blocking, one datagram is one message, read and
 * write only. Called by every process of the daemon. Trusts nothing of what it reads: checks in this order
 * who sent it, the row, the phase, repetition, the exact size; then the row's handler checks the values and
 * acts. Never carries a descriptor.
 */
#ifndef IMSG_IMSG_H
#define IMSG_IMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/catalogue.h"

/* Fixed descriptor numbers after exec. */
#define IMSG_FD_PARENT 3
#define IMSG_FD_PEER   4 /* keyproc: netproc's channel; netproc: keyproc's channel */
#define IMSG_FD_KEYDIR 5 /* keyproc: the key's directory, until it has started */
#define IMSG_FD_LISTEN 5 /* netproc: the first listener */
#define IMSG_FD_HTTP   4 /* metrics: the listener of its page */

enum imsg_process { IMSG_PROCESS_PARENT, IMSG_PROCESS_KEYPROC, IMSG_PROCESS_NETPROC, IMSG_PROCESS_METRICS };
enum imsg_phase { IMSG_PHASE_START, IMSG_PHASE_RUN, IMSG_PHASE_ANY };

enum imsg_result {
	IMSG_OK,
	IMSG_AGAIN,  /* nothing to read, or no room to write: try when poll says so */
	IMSG_CLOSED, /* the other process is gone */
	IMSG_BREACH, /* the sender broke the catalogue: `breach` names how */
	IMSG_ERROR   /* errno */
};

struct imsg_row {
	const char *name;
	uint16_t type;
	uint16_t sender;   /* enum imsg_process */
	uint16_t receiver; /* enum imsg_process */
	uint16_t phase;	   /* enum imsg_phase */
	uint16_t once;
	uint16_t size; /* bytes of the payload, exactly */
	int (*handle)(void *context, uint64_t id,
		      const void *payload); /* NULL in tables of other receivers */
};

/* What a receiver reads with: its own rows (made from IMSG_TO_<self>), the context for its handlers, the
 * phase it is in. */
struct imsg_table {
	const struct imsg_row *rows;
	size_t count;
	void *context;
	enum imsg_phase phase;
	bool seen[IMSG_TYPE_COUNT]; /* for rows that come once */
};

struct imsg_channel {
	int fd;
	enum imsg_process peer; /* who is at the other end: identity is the descriptor */
	const char *breach;	/* after IMSG_BREACH */
};

/* X(name, text): how a message can break the catalogue. A handler returns 0 or one of these; any other value
 * reads as VALUE. */
#define IMSG_BREACHES(X)                                                                                     \
	X(NONE, "none")                                                                                      \
	X(VALUE, "a value outside its range")                                                                \
	X(PADDING, "bytes that must be zero are not")                                                        \
	X(UNREAD, "more requests than it reads answers")                                                     \
	X(HEADER, "not a message")                                                                           \
	X(ROW, "a message that it may not send")                                                             \
	X(PHASE, "a message at the wrong time")                                                              \
	X(REPEATED, "a message that comes once, again")                                                      \
	X(SIZE, "a message of the wrong size")

enum imsg_breach {
#define IMSG_BREACH_ENUM(name, text) IMSG_BREACH_##name,
	IMSG_BREACHES(IMSG_BREACH_ENUM)
#undef IMSG_BREACH_ENUM
	    IMSG_BREACH_COUNT
};

/* The text of a breach; that of VALUE beyond the list. */
const char *imsg_breach_text(enum imsg_breach why);

/* What a channel asks of the kernel for datagrams on their way: IMSG_OUTSTANDING of the longest answer (the
 * kernel charges about 1.8 kB for each) do not fit in its default of 208 KiB. The kernel doubles it, and caps
 * it at net.core.wmem_max. */
#define IMSG_SEND_BUFFER 212992

/* Prepares an inherited or new socket: a SEQPACKET socket, made non-blocking, with room for IMSG_OUTSTANDING
 * answers. Before the lock only. 0, or -1 with errno. */
int imsg_channel_open(struct imsg_channel *channel, int fd, enum imsg_process peer);
/* Sends one message; `payload` is `size` bytes of the row's struct. IMSG_AGAIN: the channel is full, nothing
 * was sent. */
enum imsg_result imsg_send(struct imsg_channel *channel, enum imsg_type type, uint64_t id,
			   const void *payload, size_t size);
/* Reads one message, checks it against the table and calls its handler. */
enum imsg_result imsg_receive(struct imsg_channel *channel, struct imsg_table *table);
/* The check alone, on bytes already read, aligned for a uint64_t: for fuzzers and tests too. */
enum imsg_result imsg_dispatch(struct imsg_channel *channel, struct imsg_table *table,
			       const uint8_t *datagram, size_t len);
/* Writes a whole datagram as imsg_send would, without any check: for tests, fuzzers and hostile peers. Its
 * length; 0 when too long. */
size_t imsg_compose(uint8_t out[IMSG_MAX], enum imsg_type type, uint64_t id, const void *payload,
		    size_t size);
/* All rows without handlers, for tests, logs and documents. */
extern const struct imsg_row imsg_rows[];
extern const size_t imsg_row_count;
/* "unknown" for a number outside the list. */
const char *imsg_type_name(uint16_t type);
/* The row of a type, without handler; NULL outside the list. */
const struct imsg_row *imsg_row_of(uint16_t type);

/* One row of a receiver's table, for use with IMSG_TO_<self>: see keyproc/main.c. */
#define IMSG_ROW_OF(self, type_, sender_, payload_, phase_, times_, handler_)                                \
	{.name = #type_,                                                                                     \
	 .type = IMSG_##type_,                                                                               \
	 .sender = IMSG_PROCESS_##sender_,                                                                   \
	 .receiver = IMSG_PROCESS_##self,                                                                    \
	 .phase = IMSG_PHASE_##phase_,                                                                       \
	 .once = IMSG_TIMES_##times_,                                                                        \
	 .size = sizeof(payload_),                                                                           \
	 .handle = handler_},
#define IMSG_TIMES_ONCE 1
#define IMSG_TIMES_MANY 0

#endif
