/* SPDX-License-Identifier: MIT
 *
 * Yamux, the muxer: session, streams, windows, output. hashicorp/yamux spec.md. Called by
 * upgrade (yamux_start), by protocols through stream.h, by main at the end (yamux_go_away). Frames are a
 * stranger's: every length is checked against the window before anything is kept, every kind of frame has a
 * budget.
 */
#ifndef NETPROC_YAMUX_H
#define NETPROC_YAMUX_H

#include <stddef.h>
#include <stdint.h>

#include "netproc/conn.h"
#include "netproc/stream.h"
#include "proto/yamux_frame.h"

extern const struct stream_muxer yamux_muxer;

/* From now on the records of this connection carry yamux frames. */
void yamux_start(struct conn *conn);
/* Says GoAway(0), as the last thing before a connection is closed. */
void yamux_go_away(struct conn *conn, enum yamux_go_away code);

/* --- between the files of yamux --- */

/* yamux_table.c: streams of a session by id. */
struct stream *yamux_find(const struct yamux_session *session, uint32_t id);
int yamux_insert(struct net *net, struct yamux_session *session,
		 struct stream *stream); /* 0 or -1 at the pool's cap */
void yamux_remove(struct yamux_session *session, const struct stream *stream);
void yamux_table_free(struct net *net, struct yamux_session *session);

/* yamux_output.c */
/* A frame without payload, sent ahead of payload that waits. */
void yamux_control(struct conn *conn, enum yamux_type type, unsigned flags, uint32_t id, uint32_t length);
/* Puts the stream into the list it belongs to, if it has something that may go out. */
void yamux_schedule(struct stream *stream);
/* The peer takes more: what waited may go, and the protocol is told. */
void yamux_window_grew(struct stream *stream);
/* Seals what may go out: control, light streams, bulk in turn. */
void yamux_output(struct conn *conn);
/* Few bytes wait and few were sent lately: goes before bulk. */
bool yamux_is_light(const struct stream *stream);
/* `len` bytes of payload are sealed now. */
void yamux_sent(struct stream *stream, uint32_t len);
int yamux_write(struct stream *stream, const void *bytes, size_t len);
void yamux_append(struct stream *stream, struct queue *bytes);

/* yamux_forward.c: runs of frames sealed from where they were opened. */
int yamux_forward(struct stream *stream, uint8_t *bytes, size_t len);
/* Seals the run that is being gathered, if it is this connection's (or anybody's: NULL). */
void yamux_run_end(struct net *net, const struct conn *conn);
/* Bytes of the run that is being gathered for this connection. */
size_t yamux_run_len(const struct conn *conn);

/* yamux_stream.c */
/* A stream for a new id; NULL (counted) at the connection's or the pool's limit. */
struct stream *yamux_stream_new(struct conn *conn, uint32_t id);
/* The stream is over: closed is called, its memory freed. */
void yamux_stream_end(struct stream *stream, enum close_reason reason);
/* The peer's FIN came. */
void yamux_stream_remote_finish(struct stream *stream);
/* Our FIN goes out once nothing waits in front of it; the stream may be gone afterwards. */
void yamux_stream_send_finish(struct stream *stream);
void yamux_stream_credit(struct stream *stream, uint32_t bytes);

#endif
