/* SPDX-License-Identifier: MIT
 *
 * Yamux, the client's side (odd stream ids), as a pure state machine: plain bytes in, frames out, callbacks
 * between. hashicorp/yamux, spec.md. Called by the session below it and by everything that uses streams above
 * it. Trusts nothing of the other side: a frame that the rules forbid ends the mux with a reason, so a test
 * sees a relay's mistake.
 *
 * A stream belongs to whoever opened it or took it in `incoming`; that owner calls mux_release exactly once.
 * No stream and no mux may be freed from inside a callback of its own.
 */
#ifndef PROBE_MUX_H
#define PROBE_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/bytes.h"
#include "proto/yamux_frame.h"

#define MUX_FRAME_MAX 16384 /* payload bytes of one frame that we send, unless told otherwise */

struct mux;
struct mux_stream;

struct mux_stream_events {
	void (*data)(struct mux_stream *stream, const uint8_t *bytes, size_t len);
	void (*finish)(struct mux_stream *stream); /* the other side will send nothing more */
	void (*reset)(
	    struct mux_stream *stream); /* nothing more goes either way; also when the session ends */
	void (*writable)(struct mux_stream *stream); /* credit came after there was none */
};

struct mux_stream {
	struct mux *mux;
	struct mux_stream *next;
	const struct mux_stream_events *events;
	void *user;
	uint64_t received; /* payload bytes in all */
	uint32_t id;
	uint32_t send_window;	 /* what may be sent now */
	uint32_t receive_window; /* what the other side may send now */
	uint32_t credit_due;	 /* taken and not given back yet */
	uint16_t flags_due;	 /* SYN or ACK for the next frame */
	bool hold_credit;	 /* a reader that stops: no credit is given back */
	bool acknowledged;
	bool finish_sent;
	bool finish_received;
	bool dead; /* reset by either side */
};

struct mux_events {
	/* A stream that the other side opened. NULL: it is reset. The callee sets `events` and `user` and
	 * owns it. */
	void (*incoming)(void *owner, struct mux_stream *stream);
	void (*pong)(void *owner, uint32_t value);
	void (*go_away)(void *owner, uint32_t code);
};

struct mux_counters {
	uint64_t pings; /* received, and answered unless `mute` */
	uint64_t pongs;
	uint64_t resets; /* received */
	uint64_t finishes;
	uint64_t strays; /* frames for streams that are not there */
};

struct mux {
	struct bytes *out;
	const struct mux_events *events;
	void *owner;
	struct mux_stream **table;
	size_t table_size; /* a power of two */
	size_t count;
	const char *failure; /* NULL while it lives */
	struct mux_counters counters;
	struct mux_stream *payload_stream;
	struct yamux_frame frame;
	uint32_t payload_left;
	uint32_t next_id;
	uint32_t frame_max;
	uint32_t window; /* what each stream's reader allows; above YAMUX_WINDOW it is granted with the first
			    frame */
	uint32_t pings_open;
	uint8_t header[YAMUX_HEADER];
	uint8_t header_len;
	bool mute;  /* leave pings unanswered */
	bool ended; /* GoAway came */
};

void mux_start(struct mux *m, struct bytes *out, const struct mux_events *events, void *owner);
/* Resets nothing on the wire: every stream's owner hears `reset`, then the tables go. Owners still release.
 */
void mux_stop(struct mux *m, const char *why);
void mux_free(struct mux *m);
void mux_input(struct mux *m, const uint8_t *bytes, size_t len);

/* Any frame, as it is, for tests too. `payload` may be NULL. */
void mux_frame(struct mux *m, uint8_t type, uint16_t flags, uint32_t stream, uint32_t length,
	       const uint8_t *payload, size_t len);
void mux_ping(struct mux *m, uint32_t value);
void mux_go_away(struct mux *m, uint32_t code);

/* The first frame of the stream carries the SYN: the first data, as rust sends it. */
struct mux_stream *mux_open(struct mux *m, const struct mux_stream_events *events, void *user);
/* Sends SYN (or ACK) now, on a window update, when nothing has been sent yet. */
void mux_announce(struct mux_stream *s);
/* Takes what the window allows and returns how much that was; `writable` follows when it was less. */
size_t mux_write(struct mux_stream *s, const uint8_t *bytes, size_t len);
void mux_finish(struct mux_stream *s);
void mux_reset(struct mux_stream *s);
/* With hold_credit: gives back what was taken so far. */
void mux_give_credit(struct mux_stream *s);
/* The owner forgets the stream; what is still open is reset. */
void mux_release(struct mux_stream *s);

/* Between mux.c and mux_input.c. */
struct mux_stream *mux_find(const struct mux *m, uint32_t id);
struct mux_stream *mux_add(struct mux *m, uint32_t id, uint16_t flags_due);
void mux_fail(struct mux *m, const char *why);

#endif
