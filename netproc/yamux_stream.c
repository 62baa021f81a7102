/* SPDX-License-Identifier: MIT
 *
 * The life of a yamux stream: made, half-closed from either side, reset, over. hashicorp/yamux, spec.md.
 */
#include "netproc/negotiate.h"
#include "netproc/net.h"
#include "netproc/yamux.h"

#define YAMUX_MEASURE 5000000u /* microseconds between pings of ours */
#define YAMUX_LINGER  10000u   /* milliseconds for the peer to finish after we did */

struct stream *yamux_stream_new(struct conn *conn, uint32_t id)
{
	struct net *net = conn->net;
	struct stream *stream;

	if (conn->yamux.count >= net->settings.max_streams)
		return NULL;
	stream = stream_new(net);
	if (stream == NULL)
		return NULL;
	stream->conn = conn;
	stream->muxer = &yamux_muxer;
	stream->id = id;
	stream->send_window = YAMUX_WINDOW;
	stream->receive_window = YAMUX_WINDOW;
	if (yamux_insert(net, &conn->yamux, stream) != 0) {
		stream_delete(stream);
		return NULL;
	}
	return stream;
}

/* A connection whose last stream ended gives the table back: idle ones hold nothing. */
void yamux_stream_end(struct stream *stream, enum close_reason reason)
{
	struct conn *conn = stream->conn;
	struct net *net = stream->net;

	if (stream->closing)
		return;
	stream->closing = true;
	yamux_run_end(net, conn);
	list_remove(&stream->output);
	yamux_remove(&conn->yamux, stream);
	if (conn->yamux.frame_stream == stream->id)
		conn->yamux.frame_stream = 0;
	if (stream->counted != 0)
		conn->yamux.counted[stream->counted]--;
	if (reason != CLOSE_NONE && reason != CLOSE_REMOTE_RESET) {
		net->closed[reason]++;
		if (conn_alive(conn))
			log_event(&net->log, LOG_EVENT_STREAM_CLOSED, NULL, NULL, reason, 0, 0, NULL, 0);
	}
	stream->protocol->closed(stream, reason);
	stream_delete(stream);
	if (conn->yamux.count == 0)
		yamux_table_free(net, &conn->yamux);
}

void yamux_stream_send_finish(struct stream *stream)
{
	if (!stream->local_finishing || stream->local_finished || stream->queue.len > 0)
		return;
	stream->local_finished = true;
	yamux_control(stream->conn, YAMUX_DATA, YAMUX_FIN, stream->id, 0);
	if (stream->remote_finished)
		yamux_stream_end(stream, CLOSE_NONE);
}

void yamux_stream_remote_finish(struct stream *stream)
{
	struct stream_ref ref = stream_ref(stream);
	struct net *net = stream->net;

	if (stream->remote_finished)
		return;
	stream->remote_finished = true;
	if (stream->protocol->finish != NULL)
		stream->protocol->finish(stream);
	stream = stream_find(net, ref);
	if (stream != NULL && stream->local_finished)
		yamux_stream_end(stream, CLOSE_NONE);
}

static void yamux_stream_finish(struct stream *stream)
{
	if (stream->local_finishing)
		return;
	stream->local_finishing = true;
	if (!stream->protocol->stays && !stream->remote_finished)
		stream_linger(stream, YAMUX_LINGER);
	yamux_stream_send_finish(stream);
}

static void yamux_stream_reset(struct stream *stream, enum close_reason reason)
{
	if (stream->closing)
		return;
	/* A peer that merely did not finish after our answer did nothing wrong: the stream ends quietly. */
	if (stream->local_finished && reason == CLOSE_MESSAGE_TIMEOUT)
		reason = CLOSE_NONE;
	yamux_control(stream->conn, YAMUX_WINDOW_UPDATE, YAMUX_RST, stream->id, 0);
	yamux_stream_end(stream, reason);
}

/* Times the round trip while bulk flows, a few times a minute: windows grow by it. */
static void yamux_measure(struct conn *conn)
{
	struct yamux_session *session = &conn->yamux;
	uint64_t now = net_microseconds(conn->net);

	if (session->ping_out || (session->ping_sent != 0 && now - session->ping_sent < YAMUX_MEASURE))
		return;
	session->ping_out = true;
	session->ping_sent = now;
	yamux_control(conn, YAMUX_PING, YAMUX_SYN, 0, ++session->ping_value);
}

void yamux_stream_credit(struct stream *stream, uint32_t bytes)
{
	unsigned flags = stream->acknowledged || stream->outbound ? 0 : YAMUX_ACK;

	stream->acknowledged = true;
	stream->receive_window += bytes;
	yamux_control(stream->conn, YAMUX_WINDOW_UPDATE, flags, stream->id, bytes);
	yamux_measure(stream->conn);
}

static struct stream *yamux_stream_open(struct conn *conn, const struct stream_protocol *protocol,
					void *state)
{
	struct stream *stream;

	if (!conn_alive(conn) || conn->state != CONN_READY || conn->yamux.next_local > UINT32_MAX - 2)
		return NULL;
	stream = yamux_stream_new(conn, conn->yamux.next_local);
	if (stream == NULL)
		return NULL;
	stream->outbound = true;
	if (negotiate_outbound(stream, protocol, state) != 0) {
		yamux_remove(&conn->yamux, stream);
		list_remove(&stream->output);
		stream_delete(stream);
		return NULL;
	}
	conn->yamux.next_local += 2;
	yamux_control(conn, YAMUX_WINDOW_UPDATE, YAMUX_SYN, stream->id, 0);
	return stream;
}

const struct stream_muxer yamux_muxer = {
    .open = yamux_stream_open,
    .write = yamux_write,
    .forward = yamux_forward,
    .append = yamux_append,
    .finish = yamux_stream_finish,
    .reset = yamux_stream_reset,
    .credit = yamux_stream_credit,
};
