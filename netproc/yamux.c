/* SPDX-License-Identifier: MIT
 *
 * What comes in: frames, parsed as a stream of bytes (a frame may span many records), each kind by its row of
 * a table.
 */
#include "netproc/yamux.h"

#include <sodium.h>
#include <string.h>

#include "netproc/negotiate.h"
#include "netproc/net.h"

/* Budgets of a connection, by the second. Honest clients stay far below: rust opens 400 streams at once, js
 * gives credit after every chunk that it reads (so credit is cheap). */
#define YAMUX_PINGS_A_SECOND  64u
#define YAMUX_OPENS_A_SECOND  8u      /* times the streams that a connection may have */
#define YAMUX_FRAMES_A_SECOND 320000u /* frames without payload, in units of one that gives credit */
#define YAMUX_FRAME_COST      16u     /* of one that does not */
#define YAMUX_FLAGS_KNOWN     (YAMUX_SYN | YAMUX_ACK | YAMUX_FIN | YAMUX_RST)

/* Ends the session for a violation: says so, as far as the socket takes it, and closes. */
static void yamux_violation(struct conn *conn, enum close_reason reason)
{
	if (!conn_alive(conn))
		return;
	yamux_go_away(conn, YAMUX_GO_AWAY_PROTOCOL);
	conn_close(conn, reason);
}

static void yamux_budget_refill(struct conn *conn)
{
	struct yamux_session *session = &conn->yamux;
	uint32_t second = (uint32_t)(conn->net->now / 1000);

	if (session->budget_second == second)
		return;
	session->budget_second = second;
	session->budget_pings = YAMUX_PINGS_A_SECOND;
	session->budget_opens = YAMUX_OPENS_A_SECOND * (uint32_t)conn->net->settings.max_streams;
	session->budget_frames = YAMUX_FRAMES_A_SECOND;
}

/* --- streams --- */

/* SYN: 0, or -1 when the session is over. A stream too many is answered with a reset, and its frames are
 * drained. */
static int yamux_syn(struct conn *conn, uint32_t id)
{
	struct yamux_session *session = &conn->yamux;
	struct stream *stream;

	if ((id & 1) == 0 || id == 0) {
		yamux_violation(conn, CLOSE_YAMUX_STREAM_ID);
		return -1;
	}
	/* Numbers need not come in order (rust numbers a stream before it says so), but a live one cannot
	 * begin again. */
	if (yamux_find(session, id) != NULL) {
		yamux_violation(conn, CLOSE_YAMUX_STREAM_DUPLICATE);
		return -1;
	}
	if (session->budget_opens == 0) {
		yamux_violation(conn, CLOSE_YAMUX_STREAM_FLOOD);
		return -1;
	}
	session->budget_opens--;
	stream = yamux_stream_new(conn, id);
	if (stream == NULL || negotiate_inbound(stream) != 0) {
		if (stream != NULL) {
			yamux_remove(session, stream);
			stream_delete(stream);
		}
		conn->net->closed[CLOSE_STREAM_LIMIT]++;
		yamux_control(conn, YAMUX_WINDOW_UPDATE, YAMUX_RST, id, 0);
		return conn_alive(conn) ? 0 : -1;
	}
	stream->acknowledged = true;
	yamux_control(conn, YAMUX_WINDOW_UPDATE, YAMUX_ACK, id, 0);
	return conn_alive(conn) ? 0 : -1;
}

/* FIN and RST, once the frame's payload has been delivered. */
static void yamux_end_flags(struct conn *conn, uint32_t id, unsigned flags)
{
	struct stream *stream;

	if ((flags & (YAMUX_FIN | YAMUX_RST)) == 0)
		return;
	stream = yamux_find(&conn->yamux, id);
	if (stream == NULL)
		return;
	if (flags & YAMUX_RST)
		yamux_stream_end(stream, CLOSE_REMOTE_RESET);
	else
		yamux_stream_remote_finish(stream);
}

/* --- frames, by type --- */

/* What a data frame may hold. Its sender may not know yet that the stream is gone: what is under way then is
 * at most a grown window, and is drained. */
static uint32_t yamux_data_most(const struct conn *conn, const struct stream *stream, unsigned flags)
{
	uint64_t grown = conn->net->settings.max_window;

	if (stream != NULL)
		return stream->receive_window;
	return (flags & YAMUX_SYN) != 0 || grown < YAMUX_WINDOW ? YAMUX_WINDOW : (uint32_t)grown;
}

static void yamux_data(struct conn *conn, const struct yamux_frame *frame)
{
	struct yamux_session *session = &conn->yamux;
	struct stream *stream = yamux_find(session, frame->stream);

	/* Checked before a stream is made for it, and before anything is kept (RUSTSEC CVE-2026-32314). */
	if (frame->length > yamux_data_most(conn, stream, frame->flags)) {
		yamux_violation(conn, CLOSE_YAMUX_WINDOW_OVERRUN);
		return;
	}
	if ((frame->flags & YAMUX_SYN) != 0) {
		if (yamux_syn(conn, frame->stream) != 0)
			return;
		stream = yamux_find(session, frame->stream);
	}
	if (stream != NULL && (stream->remote_finished || (frame->flags & YAMUX_RST) != 0)) {
		session->frame_stream = 0;
	} else {
		session->frame_stream = stream != NULL ? stream->id : 0;
		if (stream != NULL)
			stream->receive_window -= frame->length;
	}
	session->frame_left = frame->length;
	session->frame_flags = frame->flags & (YAMUX_FIN | YAMUX_RST);
	session->frame_id = frame->stream;
	if (frame->length == 0)
		yamux_end_flags(conn, frame->stream, frame->flags);
}

static void yamux_window(struct conn *conn, const struct yamux_frame *frame)
{
	struct stream *stream;

	if ((frame->flags & YAMUX_SYN) != 0 && yamux_syn(conn, frame->stream) != 0)
		return;
	stream = yamux_find(&conn->yamux, frame->stream);
	if (stream == NULL)
		return;
	/* With RST the length is go's error code, not credit. */
	if ((frame->flags & YAMUX_RST) == 0 && frame->length > 0) {
		if (frame->length > UINT32_MAX - stream->send_window) {
			yamux_violation(conn, CLOSE_YAMUX_WINDOW_OVERFLOW);
			return;
		}
		stream->send_window += frame->length;
		yamux_window_grew(stream);
	}
	if (conn_alive(conn))
		yamux_end_flags(conn, frame->stream, frame->flags);
}

static void yamux_pong(struct conn *conn, uint32_t value)
{
	struct yamux_session *session = &conn->yamux;

	if (!session->ping_out || value != session->ping_value)
		return;
	session->ping_out = false;
	conn_timed(conn, net_microseconds(conn->net) - session->ping_sent);
}

static void yamux_ping(struct conn *conn, const struct yamux_frame *frame)
{
	struct yamux_session *session = &conn->yamux;

	if (frame->flags & YAMUX_ACK) {
		yamux_pong(conn, frame->length);
		return;
	}
	if ((frame->flags & YAMUX_SYN) == 0)
		return;
	if (session->budget_pings == 0) {
		yamux_violation(conn, CLOSE_YAMUX_PING_FLOOD);
		return;
	}
	session->budget_pings--;
	session->pongs++;
	net_count(conn->net, NET_COUNT_YAMUX_PINGS);
	yamux_control(conn, YAMUX_PING, YAMUX_ACK, 0, frame->length);
}

static void yamux_gone_away(struct conn *conn, const struct yamux_frame *frame)
{
	(void)frame;
	conn_close(conn, CLOSE_REMOTE_GO_AWAY);
}

static void (*const yamux_frames[])(struct conn *conn, const struct yamux_frame *frame) = {
    [YAMUX_DATA] = yamux_data,
    [YAMUX_WINDOW_UPDATE] = yamux_window,
    [YAMUX_PING] = yamux_ping,
    [YAMUX_GO_AWAY] = yamux_gone_away,
};

/* Frames with payload pay by their bytes already. */
static bool yamux_affordable(struct yamux_session *session, const struct yamux_frame *frame)
{
	bool credit = frame->type == YAMUX_WINDOW_UPDATE && frame->length > 0 && frame->flags == 0;
	uint32_t cost = frame->type == YAMUX_DATA && frame->length > 0 ? 0 : credit ? 1 : YAMUX_FRAME_COST;

	if (session->budget_frames < cost)
		return false;
	session->budget_frames -= cost;
	return true;
}

/* One header. */
static void yamux_frame(struct conn *conn, const uint8_t header[YAMUX_HEADER])
{
	struct yamux_frame frame = yamux_frame_read(header);
	struct yamux_session *session = &conn->yamux;
	enum close_reason reason = CLOSE_NONE;

	if (frame.version != 0)
		reason = CLOSE_YAMUX_VERSION;
	else if (frame.type > YAMUX_GO_AWAY)
		reason = CLOSE_YAMUX_TYPE;
	else if ((frame.flags & ~(unsigned)YAMUX_FLAGS_KNOWN) != 0)
		reason = CLOSE_YAMUX_FLAGS;
	else if ((frame.type <= YAMUX_WINDOW_UPDATE) != (frame.stream != 0))
		reason = CLOSE_YAMUX_STREAM_ID;
	yamux_budget_refill(conn);
	if (reason == CLOSE_NONE && !yamux_affordable(session, &frame))
		reason = CLOSE_YAMUX_FRAME_FLOOD;
	if (reason != CLOSE_NONE)
		yamux_violation(conn, reason);
	else
		yamux_frames[frame.type](conn, &frame);
}

/* --- payload --- */

static void yamux_deliver(struct conn *conn, uint8_t *bytes, size_t len)
{
	struct net *net = conn->net;
	struct stream *stream =
	    conn->yamux.frame_stream != 0 ? yamux_find(&conn->yamux, conn->yamux.frame_stream) : NULL;
	const struct stream_protocol *protocol;
	struct stream_ref ref;

	if (stream == NULL) {
		net_add(net, NET_COUNT_STREAM_DRAINED_BYTES, len);
		return;
	}
	ref = stream_ref(stream);
	protocol = stream->protocol;
	stream->uncredited += (uint32_t)len;
	if (protocol->data != NULL)
		protocol->data(stream, bytes, len);
	stream = stream_find(net, ref);
	if (stream == NULL || stream->protocol->holds_credit || stream->uncredited < YAMUX_WINDOW / 2)
		return;
	yamux_stream_credit(stream, stream->uncredited);
	stream->uncredited = 0;
}

/* Payload of the current frame: as much as is here; returns how much that was. */
static size_t yamux_payload(struct conn *conn, uint8_t *bytes, size_t len)
{
	struct yamux_session *session = &conn->yamux;
	size_t part = session->frame_left < len ? session->frame_left : len;

	session->frame_left -= (uint32_t)part;
	yamux_deliver(conn, bytes, part);
	if (conn_alive(conn) && session->frame_left == 0)
		yamux_end_flags(conn, session->frame_id, session->frame_flags);
	return part;
}

/* A header that may have begun in an earlier record; returns how many bytes it took. */
static size_t yamux_header(struct conn *conn, const uint8_t *bytes, size_t len)
{
	struct yamux_session *session = &conn->yamux;
	size_t part = YAMUX_HEADER - (size_t)session->partial_len;
	uint8_t header[YAMUX_HEADER];

	if (session->partial_len == 0 && len >= YAMUX_HEADER) {
		yamux_frame(conn, bytes);
		return YAMUX_HEADER;
	}
	if (part > len)
		part = len;
	memcpy(session->partial + session->partial_len, bytes, part);
	session->partial_len = (uint8_t)(session->partial_len + part);
	if (session->partial_len == YAMUX_HEADER) {
		memcpy(header, session->partial, YAMUX_HEADER);
		session->partial_len = 0;
		yamux_frame(conn, header);
	}
	return part;
}

static size_t yamux_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	size_t used = 0;

	while (used < len && conn_alive(conn)) {
		if (conn->yamux.frame_left > 0)
			used += yamux_payload(conn, bytes + used, len - used);
		else
			used += yamux_header(conn, bytes + used, len - used);
	}
	yamux_run_end(conn->net, NULL);
	return len;
}

static void yamux_closed(struct conn *conn, enum close_reason reason)
{
	struct yamux_session *session = &conn->yamux;
	uint32_t i;

	yamux_run_end(conn->net, conn);
	for (i = 0; session->count > 0;) {
		if (session->streams[i] == NULL)
			i++;
		else
			yamux_stream_end(session->streams[i],
					 reason == CLOSE_NONE ? CLOSE_REMOTE_CLOSED : reason);
		if (session->places > 0 && i >= session->places)
			i = 0;
	}
	yamux_table_free(conn->net, session);
	queue_clear(conn->net, &session->control);
}

static const struct conn_layer yamux_layer = {
    .input = yamux_input, .output = yamux_output, .closed = yamux_closed};

void yamux_start(struct conn *conn)
{
	conn->upper = &yamux_layer;
	conn->muxer = &yamux_muxer;
	conn->yamux.next_local = 2;
	list_init(&conn->yamux.light);
	list_init(&conn->yamux.bulk);
}

void yamux_go_away(struct conn *conn, enum yamux_go_away code)
{
	if (conn->state != CONN_READY || !conn_alive(conn))
		return;
	yamux_control(conn, YAMUX_GO_AWAY, 0, 0, (uint32_t)code);
	conn_pump(conn);
}
