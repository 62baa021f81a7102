/* SPDX-License-Identifier: MIT
 *
 * One yamux stream with its protocol agreed by multistream-select, and what came on it so far.
 * multistream-select 1.0. Called by every ask_*.c and accept_stop.c, by tests and load generators. Event
 * driven: `changed` is called whenever there is something new to look at; client.c waits for it. Once open, a
 * `data` callback may take the bytes instead of the inbox. Trusts nothing of the other side.
 */
#ifndef PROBE_EXCHANGE_H
#define PROBE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/bytes.h"
#include "probe/mux.h"
#include "proto/buf.h"

enum exchange_state {
	EXCHANGE_HEADER,   /* waiting for the other side's multistream-select header */
	EXCHANGE_PROTOCOL, /* waiting for its answer, or its proposal when it opened the stream */
	EXCHANGE_OPEN,
	EXCHANGE_REFUSED, /* `na`: exchange_propose may try another protocol */
	EXCHANGE_BROKEN	  /* not multistream-select */
};

struct exchange {
	struct mux_stream *stream; /* NULL once closed */
	const char *protocol;
	enum exchange_state state;
	bool inbound;
	bool finished; /* the other side finished */
	bool reset;
	struct bytes inbox;
	void (*changed)(struct exchange *x);
	void (*data)(struct exchange *x, const uint8_t *bytes, size_t len);
	void *user;
};

/* Opens a stream and sends header and proposal; set `changed`, `data` and `user` afterwards. -1 when the
 * session is over. */
int exchange_open(struct exchange *x, struct mux *mux, const char *protocol);
/* The same without a byte sent: a test says what goes out. */
int exchange_open_silent(struct exchange *x, struct mux *mux, const char *protocol);
/* Answers on a stream that the other side opened: `protocol` is echoed, everything else gets `na`. */
void exchange_accept(struct exchange *x, struct mux_stream *stream, const char *protocol);
void exchange_propose(struct exchange *x, const char *protocol);

/* How much the window took. */
size_t exchange_write(struct exchange *x, const void *bytes, size_t len);
/* 1: `message` is the next length-prefixed message, inside the inbox, until exchange_took. 0: not whole yet.
 * -1: none will come (too long, bad prefix, stream over). */
int exchange_message(struct exchange *x, size_t most, struct span *message);
void exchange_took(struct exchange *x, struct span message);
/* Nothing more can come: finished, reset, refused or closed. */
bool exchange_over(const struct exchange *x);
void exchange_finish(struct exchange *x);
void exchange_reset(struct exchange *x);
/* Gives the stream up (a reset unless both sides finished) and frees the inbox. */
void exchange_close(struct exchange *x);

#endif
