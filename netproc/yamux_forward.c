/* SPDX-License-Identifier: MIT
 *
 * The short way of a relayed byte: frames for one connection that follow one another in the plain scratch get
 * their new headers in place and are sealed as one run, straight from where they were opened. What the
 * destination cannot take now waits in its stream's queue.
 */
#include "netproc/net.h"
#include "netproc/noise.h"
#include "netproc/yamux.h"

#define FORWARD_LIGHT 4096u /* bytes of a delivery that may be a light circuit's */
#define FORWARD_SHORT 512u  /* and of one that somebody waits for: pieces of bulk are longer */

/* Control frames stand before payload that is sealed now; what they may not overtake (FIN behind queued
 * bytes) is not there. */
static void yamux_run_control(struct conn *conn)
{
	uint8_t frames[YAMUX_HEADER * 64];

	while (conn->yamux.control.len > 0 && conn_alive(conn)) {
		size_t len =
		    conn->yamux.control.len < sizeof(frames) ? conn->yamux.control.len : sizeof(frames);

		queue_take(conn->net, &conn->yamux.control, frames, len);
		noise_send(conn, frames, len);
	}
	conn->yamux.pongs = 0;
}

void yamux_run_end(struct net *net, const struct conn *conn)
{
	struct conn_run *run = &net->conns->run;
	struct conn *destination = run->conn;

	if (destination == NULL || (conn != NULL && conn != destination))
		return;
	run->conn = NULL;
	if (!conn_alive(destination))
		return;
	yamux_run_control(destination);
	noise_send(destination, run->start, (size_t)(run->end - run->start));
}

size_t yamux_run_len(const struct conn *conn)
{
	const struct conn_run *run = &conn->net->conns->run;

	return run->conn == conn ? (size_t)(run->end - run->start) : 0;
}

/* Adds a frame whose payload is `bytes` to the run, or begins a new one with it. */
static void yamux_run_add(struct stream *stream, uint8_t *bytes, size_t len)
{
	struct conn_run *run = &stream->net->conns->run;
	uint8_t *header = bytes - YAMUX_HEADER;

	if (run->conn != stream->conn || run->end != header) {
		yamux_run_end(stream->net, NULL);
		run->conn = stream->conn;
		run->start = header;
	}
	yamux_frame_write(header, YAMUX_DATA, 0, stream->id, (uint32_t)len);
	run->end = bytes + len;
	yamux_sent(stream, (uint32_t)len);
}

/* True while payload may be sealed at once: nothing of the stream waits, and little of the connection. */
static bool yamux_may_run(struct stream *stream)
{
	struct conn *conn = stream->conn;

	if (stream->queue.len > 0 || stream->send_window == 0 || !list_empty(&conn->yamux.light) ||
	    (!list_empty(&conn->yamux.bulk) && !yamux_is_light(stream)))
		return false;
	if (conn->out_len + yamux_run_len(conn) < conn_sealed_most(conn))
		return true;
	yamux_run_end(stream->net, conn);
	conn_flush(conn);
	return conn_alive(conn) && conn->out_len < conn_sealed_most(conn);
}

int yamux_forward(struct stream *stream, uint8_t *bytes, size_t len)
{
	struct stream_ref ref = stream_ref(stream);
	struct net *net = stream->net;

	if (!conn_alive(stream->conn) || stream->local_finishing)
		return -1;
	/* Small messages of a quiet stream. A thousand bulk streams are each slow, but what many of them sent
	 * is read at once. */
	if (len <= FORWARD_LIGHT && !net->conns->bulk_read && yamux_is_light(stream)) {
		net->conns->light_at = net->now;
		if (len <= FORWARD_SHORT)
			net->conns->short_at = net->now;
	}
	while (len > 0 && yamux_may_run(stream)) {
		size_t part = len < stream->send_window ? len : stream->send_window;

		/* A second part of the same bytes ends the run first: its header overwrites what has been
		 * sealed by then. */
		if (part > CONN_SEALED_MOST)
			part = CONN_SEALED_MOST;
		yamux_run_add(stream, bytes, part);
		bytes += part;
		len -= part;
		if (stream_find(net, ref) == NULL)
			return 0;
	}
	if (len == 0)
		return 0;
	if (queue_append(net, &stream->queue, bytes, len) != 0)
		return -1;
	yamux_schedule(stream);
	return 0;
}
