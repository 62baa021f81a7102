/* SPDX-License-Identifier: MIT
 *
 * The echo. A ping in one piece needs no memory; one in pieces holds a small state until it is whole.
 */
#include "netproc/ping.h"

#include <string.h>

#include "netproc/net.h"
#include "netproc/protocol_list.h"

#define PING_SIZE 32

struct ping {
	size_t have;
	uint8_t bytes[PING_SIZE];
};

static void forget_piece(struct stream *stream)
{
	if (stream->state != NULL)
		pool_free(stream->net, stream->state, sizeof(struct ping));
	stream->state = NULL;
}

static void ping_open(struct stream *stream)
{
	(void)stream; /* the peer speaks first */
}

static void ping_closed(struct stream *stream, enum close_reason reason)
{
	(void)reason;
	forget_piece(stream);
}

/* False: the stream is gone. A peer that sends pings and takes no echo is cut once the stream's queue is
 * full. */
static bool echo(struct stream *stream, const uint8_t *bytes)
{
	if (stream_write(stream, bytes, PING_SIZE) != 0) {
		stream_reset(stream, CLOSE_NOT_READING);
		return false;
	}
	net_count(stream->net, NET_COUNT_PING_ECHOED);
	return true;
}

/* Completes the ping that came in pieces; returns how many bytes it took, or SIZE_MAX when the stream is
 * gone. */
static size_t take_piece(struct stream *stream, const uint8_t *bytes, size_t len)
{
	struct ping *ping = stream->state;
	if (ping == NULL)
		ping = stream->state = pool_alloc(stream->net, sizeof(*ping));
	if (ping == NULL) {
		stream_reset(stream, CLOSE_MEMORY);
		return SIZE_MAX;
	}
	size_t piece = PING_SIZE - ping->have;
	if (piece > len)
		piece = len;
	memcpy(ping->bytes + ping->have, bytes, piece);
	ping->have += piece;
	if (ping->have < PING_SIZE)
		return piece;
	uint8_t whole[PING_SIZE];
	memcpy(whole, ping->bytes, PING_SIZE);
	forget_piece(stream);
	return echo(stream, whole) ? piece : SIZE_MAX;
}

static void ping_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t used = PING_SIZE;
		if (stream->state != NULL || len < PING_SIZE)
			used = take_piece(stream, bytes, len);
		else if (!echo(stream, bytes))
			return;
		if (used == SIZE_MAX)
			return;
		bytes += used;
		len -= used;
	}
}

static void ping_finish(struct stream *stream)
{
	stream_finish(stream);
}

/* Clients leave half a minute and more between pings on one stream: it stays. js opens a new one for each
 * ping. */
const struct stream_protocol ping_protocol = {
    .id = PING_PROTOCOL,
    .max_streams = 4,
    .counted = 1,
    .stays = true,
    .open = ping_open,
    .data = ping_data,
    .finish = ping_finish,
    .closed = ping_closed,
};
