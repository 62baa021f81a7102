/* SPDX-License-Identifier: MIT
 *
 * What goes out from queues: control frames first, then light streams, then bulk in turn (deficit round
 * robin; Shreedhar and Varghese 1995). Sealed bytes cannot be reordered, so only as much is sealed as the
 * socket is about to take (conn_sealed_most).
 */
#include <string.h>

#include "netproc/net.h"
#include "netproc/noise.h"
#include "netproc/yamux.h"

#define YAMUX_CONTROL_MOST 65536u /* bytes of control that may wait */
#define YAMUX_PONGS_MOST   8u
#define YAMUX_LIGHT_QUEUED 16384u /* a stream with more waiting is bulk */
#define YAMUX_LIGHT_RECENT 65536u /* and so is one that sent more lately */
#define YAMUX_QUANTUM	   16384u /* bytes of a bulk stream's turn */
#define YAMUX_DECAY	   64u	  /* milliseconds in which what was sent lately halves */

void yamux_control(struct conn *conn, enum yamux_type type, unsigned flags, uint32_t id, uint32_t length)
{
	struct yamux_session *session = &conn->yamux;
	uint8_t frame[YAMUX_HEADER];

	if (!conn_alive(conn))
		return;
	yamux_run_end(conn->net, conn);
	if (session->control.len >= YAMUX_CONTROL_MOST || session->pongs > YAMUX_PONGS_MOST) {
		conn_pump(conn);
		if (session->control.len >= YAMUX_CONTROL_MOST || session->pongs > YAMUX_PONGS_MOST) {
			conn_doom(conn, CLOSE_NOT_READING);
			return;
		}
	}
	yamux_frame_write(frame, (uint8_t)type, (uint16_t)flags, id, length);
	if (queue_append(conn->net, &session->control, frame, sizeof(frame)) != 0)
		conn_doom(conn, CLOSE_MEMORY);
	else
		conn_want_flush(conn);
}

/* Counts `len` bytes into what the stream sent lately, after letting the past fade. */
static void yamux_recent(struct stream *stream, uint32_t len)
{
	uint32_t tick = (uint32_t)(stream->net->now / YAMUX_DECAY), past = tick - stream->recent_tick;

	stream->recent = past > 31 ? 0 : stream->recent >> past;
	stream->recent_tick = tick;
	stream->recent += len < UINT32_MAX - stream->recent ? len : 0;
}

bool yamux_is_light(const struct stream *stream)
{
	uint32_t past = (uint32_t)(stream->net->now / YAMUX_DECAY) - stream->recent_tick;
	uint32_t recent = past > 31 ? 0 : stream->recent >> past;

	return stream->queue.len <= YAMUX_LIGHT_QUEUED && recent <= YAMUX_LIGHT_RECENT;
}

void yamux_sent(struct stream *stream, uint32_t len)
{
	stream->send_window -= len;
	yamux_recent(stream, len);
	if (stream->protocol->sent != NULL)
		stream->protocol->sent(stream, len);
}

static bool yamux_may_send(const struct stream *stream)
{
	return stream->queue.len > 0 && stream->send_window > 0;
}

void yamux_schedule(struct stream *stream)
{
	struct yamux_session *session = &stream->conn->yamux;

	if (!conn_alive(stream->conn))
		return;
	if (!yamux_may_send(stream))
		return;
	if (!list_in(&stream->output))
		list_append(yamux_is_light(stream) ? &session->light : &session->bulk, &stream->output);
	conn_want_flush(stream->conn);
}

int yamux_write(struct stream *stream, const void *bytes, size_t len)
{
	if (stream->local_finishing || stream->closing || !conn_alive(stream->conn))
		return -1;
	if (stream->queue.len >= STREAM_QUEUE_MOST)
		conn_pump(stream->conn);
	if (stream->queue.len >= STREAM_QUEUE_MOST ||
	    queue_append(stream->net, &stream->queue, bytes, len) != 0)
		return -1;
	yamux_schedule(stream);
	return 0;
}

void yamux_append(struct stream *stream, struct queue *bytes)
{
	queue_move(&stream->queue, bytes);
	yamux_schedule(stream);
}

/* One frame of at most `most` bytes of the stream's queue, appended at `out` (header and payload); returns
 * its whole length. */
static size_t yamux_gather(struct stream *stream, uint8_t *out, size_t most)
{
	size_t len = stream->queue.len;

	if (len > most)
		len = most;
	if (len > stream->send_window)
		len = stream->send_window;
	if (len == 0)
		return 0;
	yamux_frame_write(out, YAMUX_DATA, 0, stream->id, (uint32_t)len);
	queue_take(stream->net, &stream->queue, out + YAMUX_HEADER, len);
	yamux_sent(stream, (uint32_t)len);
	return YAMUX_HEADER + len;
}

/* Tells the protocol that there is room, sends the FIN that waited: whatever follows a frame of the stream.
 */
static void yamux_after(struct net *net, struct stream_ref ref)
{
	struct stream *stream = stream_find(net, ref);

	if (stream == NULL)
		return;
	if (stream->want_room &&
	    (stream_room(stream) >= 4096 || (stream->queue.len == 0 && stream->send_window > 0))) {
		stream->want_room = false;
		if (stream->protocol->writable != NULL)
			stream->protocol->writable(stream);
		stream = stream_find(net, ref);
	}
	if (stream != NULL)
		yamux_stream_send_finish(stream);
}

void yamux_window_grew(struct stream *stream)
{
	struct stream_ref ref = stream_ref(stream);
	struct net *net = stream->net;

	yamux_schedule(stream);
	if (stream->protocol->window != NULL)
		stream->protocol->window(stream);
	yamux_after(net, ref);
}

/* A turn of the first stream of a list; it goes back to the end while it has more. Returns the bytes
 * gathered. */
static size_t yamux_turn(struct conn *conn, struct list *from, uint8_t *out, size_t room)
{
	struct list *entry = list_shift(from);
	struct stream *stream = container_of(entry, struct stream, output);
	struct stream_ref ref = stream_ref(stream);
	size_t most = room - YAMUX_HEADER, len;

	if (from == &conn->yamux.bulk) {
		stream->deficit += YAMUX_QUANTUM;
		if (most > stream->deficit)
			most = stream->deficit;
	}
	len = yamux_gather(stream, out, most);
	stream = stream_find(conn->net, ref);
	if (stream == NULL)
		return len;
	if (from == &conn->yamux.bulk)
		stream->deficit -= len > YAMUX_HEADER ? (uint32_t)(len - YAMUX_HEADER) : 0;
	if (yamux_may_send(stream))
		list_append(yamux_is_light(stream) ? &conn->yamux.light : &conn->yamux.bulk, &stream->output);
	else
		stream->deficit = 0;
	yamux_after(conn->net, ref);
	return len;
}

static size_t yamux_gather_control(struct conn *conn, uint8_t *out, size_t room)
{
	struct yamux_session *session = &conn->yamux;
	size_t len = session->control.len < room ? session->control.len : room - room % YAMUX_HEADER;

	queue_take(conn->net, &session->control, out, len);
	if (session->control.len == 0)
		session->pongs = 0;
	return len;
}

/* One record's worth of frames. */
static size_t yamux_gather_record(struct conn *conn, uint8_t *out)
{
	struct yamux_session *session = &conn->yamux;
	size_t len = yamux_gather_control(conn, out, NOISE_RECORD_MOST);

	while (NOISE_RECORD_MOST - len > YAMUX_HEADER && conn_alive(conn)) {
		struct list *from = !list_empty(&session->light) ? &session->light : &session->bulk;

		if (list_empty(from))
			break;
		len += yamux_turn(conn, from, out + len, NOISE_RECORD_MOST - len);
	}
	return len;
}

void yamux_output(struct conn *conn)
{
	struct yamux_session *session = &conn->yamux;
	/* A callback in the middle may come back here for this connection: what it gathers then goes behind
	 * what is gathered now. */
	uint8_t *out = conn->net->conns->gather;

	if (conn->net->conns->gathering)
		return;
	conn->net->conns->gathering = true;
	while (conn_alive(conn) && conn->out_len < conn_sealed_most(conn) &&
	       (session->control.len > 0 || !list_empty(&session->light) || !list_empty(&session->bulk))) {
		size_t len = yamux_gather_record(conn, out);

		if (len == 0)
			break;
		noise_send(conn, out, len);
	}
	conn->net->conns->gathering = false;
}
