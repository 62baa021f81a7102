/* SPDX-License-Identifier: MIT
 *
 * struct stream is the waist: protocols see only what stands here, and every muxer offers it (yamux now).
 * Calls go down by name (write, finish, reset, credit), up by callback (data, finish, closed, writable,
 * timeout). Bytes that come up are a stranger's.
 */
#ifndef NETPROC_STREAM_H
#define NETPROC_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/reasons.h"
#include "netproc/list.h"
#include "netproc/pool.h"
#include "netproc/wheel.h"

#define STREAM_WINDOW_LEAST 262144 /* credit of each direction that every stream starts with */
#define STREAM_QUEUE_MOST   65536  /* bytes that may wait in a stream, circuits aside */
#define STREAM_HEADROOM	    12 /* bytes in front of `bytes` of the data callback that may be overwritten */

struct conn;
struct net;
struct stream;

/* What a protocol is to a stream. All callbacks but `open` and `closed` may be NULL. */
struct stream_protocol {
	const char *id;	      /* as proposed in multistream-select */
	unsigned max_streams; /* inbound streams of this protocol at once on one connection; 0: as many as the
				 connection may have */
	unsigned counted;     /* 1 to 3, one number for each protocol with max_streams; else 0 */
	bool holds_credit; /* receive window is given back by stream_credit only, not when `data` returns */
	bool stays;	   /* may stay open for ever: no time limit by the muxer after negotiation */
	/* The stream speaks this protocol from now on. Inbound: `state` is NULL. Outbound: as given to
	 * stream_open. */
	void (*open)(struct stream *stream);
	/* `len` (> 0) bytes arrived; they are gone when it returns. The STREAM_HEADROOM bytes in front may be
	 * overwritten, and the bytes themselves too. */
	void (*data)(struct stream *stream, uint8_t *bytes, size_t len);
	/* The peer finished its direction: no more data. The other direction stays open. */
	void (*finish)(struct stream *stream);
	/* The stream is gone; the last callback, exactly once for each stream that was opened, whoever ended
	 * it and whyever, also from inside stream_reset and stream_finish. Frees `state`. For an outbound
	 * stream it also comes when `open` never did. */
	void (*closed)(struct stream *stream, enum close_reason reason);
	/* After stream_want_room: there is room again. */
	void (*writable)(struct stream *stream);
	/* The time of stream_set_timer is over. */
	void (*timeout)(struct stream *stream);
	/* Payload of this stream left its queue for the wire (sealed): what a circuit gives credit for. */
	void (*sent)(struct stream *stream, size_t len);
	/* Bytes of the pool that the protocol holds for the stream beside its queue: an unfinished message,
	 * an answer in progress. Asked when memory is short. NULL: next to nothing. */
	size_t (*held)(const struct stream *stream);
	/* The peer enlarged our send window. */
	void (*window)(struct stream *stream);
};

/* What a muxer offers. A connection has one from the moment on that it is agreed. */
struct stream_muxer {
	struct stream *(*open)(struct conn *conn, const struct stream_protocol *protocol, void *state);
	int (*write)(struct stream *stream, const void *bytes, size_t len);
	int (*forward)(struct stream *stream, uint8_t *bytes, size_t len);
	void (*append)(struct stream *stream, struct queue *bytes);
	void (*finish)(struct stream *stream);
	void (*reset)(struct stream *stream, enum close_reason reason);
	void (*credit)(struct stream *stream, uint32_t bytes);
};

/* A stream by number: safe to keep when the stream may end meanwhile. */
struct stream_ref {
	uint32_t slot;
	uint32_t generation;
};

struct stream {
	struct net *net;
	struct conn *conn;
	const struct stream_muxer *muxer;
	const struct stream_protocol *protocol;
	void *state; /* the protocol's */
	uint32_t slot;
	uint32_t generation;
	uint32_t id;		 /* the muxer's number */
	uint32_t send_window;	 /* bytes the peer still takes */
	uint32_t receive_window; /* bytes the peer may still send */
	uint32_t uncredited;	 /* bytes taken in and not yet given back as credit */
	uint32_t deficit;	 /* round robin of bulk */
	uint32_t recent;	 /* bytes sent lately, decaying: light or bulk */
	uint32_t recent_tick;
	bool outbound : 1;	  /* opened by us */
	bool acknowledged : 1;	  /* our ACK is out (inbound), or the peer's came (outbound) */
	bool local_finishing : 1; /* FIN follows what is queued */
	bool local_finished : 1;
	bool remote_finished : 1;
	bool want_room : 1;
	bool timer_is_protocols : 1;
	bool closing : 1;   /* inside its last callback */
	uint8_t counted;    /* the protocol's number while it counts */
	struct queue queue; /* plaintext that waits for the window or the socket */
	struct list output; /* place among the connection's streams with something to send */
	struct wheel_timer timer;
};

/* Opens a stream on an established connection and negotiates; NULL when the connection's streams are used up,
 * memory is short, or it is closing. `state` belongs to the protocol from now on (closed frees it); on NULL
 * it stays the caller's. */
struct stream *stream_open(struct conn *conn, const struct stream_protocol *protocol, void *state);
/* Queues a message; 0, or -1 when the pool refuses (nothing queued). Never more than 64 KiB may wait: check
 * stream_room for more. */
int stream_write(struct stream *stream, const void *bytes, size_t len);
/* Bytes that may be written now without waiting beyond the peer's window and 64 KiB; 0 after finish. */
size_t stream_room(const struct stream *stream);
/* Asks for one `writable` callback when stream_room is at least 4 KiB (or the queue is empty and the window
 * open). */
void stream_want_room(struct stream *stream);
/* Passes bytes of a `data` callback on to another stream without copying where it can: `bytes` must be those
 * of the callback (its headroom is overwritten). -1 when the pool refuses what had to wait. Circuits only. */
int stream_forward(struct stream *stream, uint8_t *bytes, size_t len);
/* Hands over a whole queue, which is empty afterwards; it is sent behind what waits. Circuits only. */
void stream_append(struct stream *stream, struct queue *bytes);
/* Ends our direction behind what is queued. The stream may be gone when it returns. If the peer does not
 * finish within 10 s the stream is reset, unless the protocol stays. */
void stream_finish(struct stream *stream);
/* Ends both directions at once; `closed` is called with the reason before it returns; the stream is gone
 * then. */
void stream_reset(struct stream *stream, enum close_reason reason);
/* Gives the peer `bytes` more of window (only with holds_credit). */
void stream_credit(struct stream *stream, uint32_t bytes);
/* Hands the stream to another protocol, without calling its `open` or the old one's `closed`. */
void stream_become(struct stream *stream, const struct stream_protocol *protocol, void *state);
/* One timer for the protocol; 0 milliseconds cancels. */
void stream_set_timer(struct stream *stream, uint64_t milliseconds);
struct stream_ref stream_ref(const struct stream *stream);
/* NULL when it is gone. */
struct stream *stream_find(struct net *net, struct stream_ref ref);

/* For muxers: a zeroed stream with slot and generation set, NULL at the cap; and its end. */
struct stream *stream_new(struct net *net);
void stream_delete(struct stream *stream);
/* Resets the stream after this time unless it ends before: replaces the protocol's timer. */
void stream_linger(struct stream *stream, uint64_t milliseconds);
/* 0, or -1 without memory. */
int stream_table_init(struct net *net);

#endif
