/* SPDX-License-Identifier: MIT
 *
 * The bytes of a connection: one read into the scratch, what is unfinished held in a pool buffer, what is
 * sealed written in order.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "netproc/conn.h"
#include "netproc/net.h"

#define CONN_WRITE_PIECES 16
#define CONN_OUT_SMALL	  1024u
#define CONN_OUT_LARGE	  65536u
#define CONN_WHOLE_MOST	  7u

static enum close_reason conn_error_reason(int error)
{
	switch (error) {
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return CLOSE_DEAD;
	case ECONNRESET:
	case EPIPE:
		return CLOSE_REMOTE_CLOSED;
	default:
		return CLOSE_SOCKET_ERROR;
	}
}

/* Keeps the `len` bytes that no layer used yet. */
static void conn_hold(struct conn *conn, const uint8_t *bytes, size_t len, bool progress)
{
	struct pool_buffer *held = conn->held;

	if (len == 0 || !conn_alive(conn)) {
		pool_give(conn->net, held);
		conn->held = NULL;
		return;
	}
	if (held == NULL || progress)
		conn->held_since = (uint32_t)(conn->net->now / 1000);
	if (held != NULL && held->capacity < len) {
		pool_give(conn->net, held);
		held = NULL;
	}
	if (held == NULL)
		held = pool_take(conn->net, len);
	conn->held = held;
	if (held == NULL) {
		conn_doom(conn, CLOSE_MEMORY);
		return;
	}
	memcpy(held->bytes, bytes, len);
	held->end = (uint32_t)len;
}

/* Lets the layers have `len` bytes of the raw scratch. */
static void conn_feed(struct conn *conn, uint8_t *bytes, size_t len)
{
	size_t used = 0;

	while (used < len && conn_alive(conn) && !conn->waiting) {
		size_t took = conn->layer->input(conn, bytes + used, len - used);

		if (took == 0)
			break;
		used += took;
	}
	conn_hold(conn, bytes + used, len - used, used > 0);
}

/* A larger buffer with what is held: each is twice the one before, so that growing costs no more than what
 * comes. False without memory. */
static bool conn_held_grow(struct conn *conn, size_t len)
{
	struct pool_buffer *held = conn->held, *larger;

	if (held->capacity >= len)
		return true;
	larger = pool_take(conn->net, len);
	if (larger == NULL) {
		conn_doom(conn, CLOSE_MEMORY);
		return false;
	}
	memcpy(larger->bytes, held->bytes, held->end);
	larger->end = held->end;
	pool_give(conn->net, held);
	conn->held = larger;
	return true;
}

/* True when the layer can use nothing yet: what was read goes behind what is held, and what is held stays
 * where it is. However small the pieces, each byte of a record is copied a few times only. */
static bool conn_held_append(struct conn *conn, const uint8_t *bytes, size_t len)
{
	struct pool_buffer *held = conn->held;
	uint8_t front[2];
	size_t known = held->end < sizeof(front) ? held->end : sizeof(front);
	size_t more = sizeof(front) - known < len ? sizeof(front) - known : len;

	if (conn->layer->needs == NULL)
		return false;
	memcpy(front, held->bytes, known);
	memcpy(front + known, bytes, more);
	if (held->end + len >= conn->layer->needs(front, known + more))
		return false;
	if (conn_held_grow(conn, held->end + len)) {
		memcpy(conn->held->bytes + conn->held->end, bytes, len);
		conn->held->end += (uint32_t)len;
	}
	return true;
}

/* Copies what was held in front of what will be read; returns its length. */
static size_t conn_unhold(struct conn *conn, uint8_t *raw)
{
	if (conn->held == NULL)
		return 0;
	memcpy(raw, conn->held->bytes, conn->held->end);
	return conn->held->end;
}

void conn_resume(struct conn *conn)
{
	uint8_t *raw = conn->net->conns->raw + CONN_HEADROOM;
	size_t held = conn_unhold(conn, raw);

	if (held > 0)
		conn_feed(conn, raw, held);
	if (conn->readable || conn->writable)
		conn_schedule(conn);
}

/* After a short read the socket is empty; an end that was announced is told by the reads behind it. */
void conn_read(struct conn *conn, size_t most)
{
	struct net *net = conn->net;
	uint8_t *raw = net->conns->raw + CONN_HEADROOM;
	size_t held = conn->held != NULL ? conn->held->end : 0;
	ssize_t got = read(conn->fd, raw + held, most);

	net_count(net, NET_COUNT_READ_CALLS);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		conn->readable = errno == EINTR;
		return;
	}
	if (got <= 0) {
		conn_close(conn, got == 0 ? CLOSE_REMOTE_CLOSED : conn_error_reason(errno));
		return;
	}
	net_add(net, NET_COUNT_READ_BYTES, (uint64_t)got);
	conn->bulk = (size_t)got >= CONN_READ_LIGHT / 4;
	net->conns->bulk_read = conn->bulk;
	conn->readable = (size_t)got == most || conn->ending;
	if (held == 0 || !conn_held_append(conn, raw + held, (size_t)got))
		conn_feed(conn, raw, conn_unhold(conn, raw) + (size_t)got);
}

uint8_t *conn_out_room(struct conn *conn, size_t len)
{
	struct pool_buffer *last = conn->out_last;
	size_t capacity;

	if (last != NULL && last->capacity - last->end >= len)
		return last->bytes + last->end;
	capacity = last != NULL && conn->out_len >= CONN_OUT_SMALL ? CONN_OUT_LARGE : CONN_OUT_SMALL;
	capacity -= sizeof(*last);
	last = pool_take(conn->net, capacity < len ? len : capacity);
	if (last == NULL) {
		conn_doom(conn, CLOSE_MEMORY);
		return NULL;
	}
	if (conn->out_len == 0)
		conn->progress = (uint32_t)conn->net->now;
	if (conn->out_last != NULL)
		conn->out_last->next = last;
	else
		conn->out_first = last;
	conn->out_last = last;
	return last->bytes;
}

void conn_out_add(struct conn *conn, size_t len)
{
	conn->out_last->end += (uint32_t)len;
	conn->out_len += (uint32_t)len;
	conn_want_flush(conn);
}

void conn_want_flush(struct conn *conn)
{
	if (conn_alive(conn) && !list_in(&conn->flush))
		list_append(&conn->net->conns->flush, &conn->flush);
}

/* Sealed bytes cannot be reordered, so what may be ahead of a light circuit's stays small until the socket
 * has shown that nothing stays there; then larger runs save calls. */
size_t conn_sealed_most(const struct conn *conn)
{
	return conn->whole == CONN_WHOLE_MOST ? CONN_SEALED_RUN : CONN_SEALED_MOST;
}

static void conn_blocked(struct conn *conn)
{
	conn->writable = false;
	conn->whole = 0;
}

static void conn_took_whole(struct conn *conn, size_t len)
{
	if (len >= CONN_SEALED_MOST && conn->whole < CONN_WHOLE_MOST)
		conn->whole++;
}

static void conn_written(struct conn *conn, size_t len)
{
	conn->out_len -= (uint32_t)len;
	conn->progress = (uint32_t)conn->net->now;
	while (len > 0 && conn->out_first != NULL) {
		struct pool_buffer *first = conn->out_first;
		size_t have = first->end - first->start;

		if (len < have) {
			first->start += (uint32_t)len;
			return;
		}
		len -= have;
		conn->out_first = first->next;
		if (conn->out_first == NULL)
			conn->out_last = NULL;
		pool_give(conn->net, first);
	}
}

/* A peer that is gone may have sent something before: reads tell how it ended. */
static void conn_write_failed(struct conn *conn, int error)
{
	if (error == EINTR)
		return;
	conn_blocked(conn);
	if (error == EAGAIN)
		return;
	if (conn_error_reason(error) != CLOSE_REMOTE_CLOSED) {
		conn_doom(conn, conn_error_reason(error));
		return;
	}
	conn->ending = true;
	conn->readable = true;
	conn_schedule(conn);
}

/* One call; `total` becomes what it was to write. */
static ssize_t conn_write(struct conn *conn, size_t *total)
{
	struct iovec piece[CONN_WRITE_PIECES];
	const struct pool_buffer *buffer = conn->out_first;
	int count = 0;

	net_count(conn->net, NET_COUNT_WRITE_CALLS);
	if (buffer->next == NULL) {
		*total = buffer->end - buffer->start;
		return write(conn->fd, buffer->bytes + buffer->start, *total);
	}
	for (*total = 0; buffer != NULL && count < CONN_WRITE_PIECES; buffer = buffer->next) {
		piece[count].iov_base = (void *)(buffer->bytes + buffer->start);
		piece[count].iov_len = buffer->end - buffer->start;
		*total += piece[count++].iov_len;
	}
	return writev(conn->fd, piece, count);
}

void conn_flush(struct conn *conn)
{
	while (conn->out_len > 0 && conn->writable && conn_alive(conn)) {
		size_t total;
		ssize_t put = conn_write(conn, &total);

		if (put < 0) {
			conn_write_failed(conn, errno);
			continue;
		}
		net_add(conn->net, NET_COUNT_WRITE_BYTES, (uint64_t)put);
		conn_written(conn, (size_t)put);
		if ((size_t)put < total)
			conn_blocked(conn);
		else
			conn_took_whole(conn, total);
	}
}

/* The rest in the next turn: others wait too. */
static void conn_want_later(struct conn *conn)
{
	list_remove(&conn->flush);
	list_append(&conn->net->conns->later, &conn->flush);
}

void conn_flush_next(struct net *net)
{
	struct list *entry;

	while ((entry = list_shift(&net->conns->later)) != NULL)
		list_append(&net->conns->flush, entry);
}

void conn_pump(struct conn *conn)
{
	const uint64_t *written = &conn->net->counter[NET_COUNT_WRITE_BYTES];
	const uint64_t began = *written;
	const struct conn_layer *layer;

	/* A handshake step that is due brings more to send: one write for both. */
	if (conn->waiting)
		return;
	do {
		conn_flush(conn);
		layer = conn->layer;
		if (!conn_alive(conn) || !conn->writable || layer->output == NULL)
			return;
		if (*written - began >= CONN_PUMP_MOST) {
			conn_want_later(conn);
			return;
		}
		layer->output(conn);
	} while (conn->out_len > 0 && conn_alive(conn));
}
