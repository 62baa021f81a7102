/* SPDX-License-Identifier: MIT */
#include "netproc/stream.h"

#include <stdlib.h>
#include <string.h>

#include "netproc/conn.h"
#include "netproc/net.h"

/* A table of pointers by slot, with a list of free slots: streams are found by number and generation in one
 * step. */
struct stream_place {
	struct stream *stream; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

struct stream_table {
	struct stream_place *place;
	uint32_t places;
	uint32_t first_free; /* UINT32_MAX: none */
};

int stream_table_init(struct net *net)
{
	net->streams = calloc(1, sizeof(*net->streams));
	if (net->streams == NULL)
		return -1;
	net->streams->first_free = UINT32_MAX;
	return 0;
}

/* Doubles the table; its pages are touched as slots come into use. */
static int stream_table_grow(struct stream_table *table)
{
	uint32_t places = table->places == 0 ? 256 : table->places * 2, i;
	struct stream_place *place;

	if (table->places >= 1u << 30)
		return -1;
	place = realloc(table->place, places * sizeof(*place));
	if (place == NULL)
		return -1;
	for (i = places; i-- > table->places;) {
		place[i] = (struct stream_place){.next_free = table->first_free};
		table->first_free = i;
	}
	table->place = place;
	table->places = places;
	return 0;
}

struct stream *stream_new(struct net *net)
{
	struct stream_table *table = net->streams;
	struct stream *stream;
	uint32_t slot;

	if (table->first_free == UINT32_MAX && stream_table_grow(table) != 0)
		return NULL;
	stream = pool_alloc(net, sizeof(*stream));
	if (stream == NULL)
		return NULL;
	slot = table->first_free;
	table->first_free = table->place[slot].next_free;
	table->place[slot].stream = stream;
	stream->net = net;
	stream->slot = slot;
	stream->generation = ++table->place[slot].generation;
	net_count(net, NET_COUNT_STREAMS);
	return stream;
}

void stream_delete(struct stream *stream)
{
	struct net *net = stream->net;
	struct stream_table *table = net->streams;

	wheel_cancel(&stream->timer);
	queue_clear(net, &stream->queue);
	table->place[stream->slot].stream = NULL;
	table->place[stream->slot].next_free = table->first_free;
	table->first_free = stream->slot;
	net_drop(net, NET_COUNT_STREAMS);
	pool_free(net, stream, sizeof(*stream));
}

struct stream_ref stream_ref(const struct stream *stream)
{
	return (struct stream_ref){.slot = stream->slot, .generation = stream->generation};
}

struct stream *stream_find(struct net *net, struct stream_ref ref)
{
	const struct stream_table *table = net->streams;

	if (ref.slot >= table->places || table->place[ref.slot].stream == NULL ||
	    table->place[ref.slot].generation != ref.generation)
		return NULL;
	return table->place[ref.slot].stream;
}

struct stream *stream_open(struct conn *conn, const struct stream_protocol *protocol, void *state)
{
	return conn->muxer == NULL ? NULL : conn->muxer->open(conn, protocol, state);
}

int stream_write(struct stream *stream, const void *bytes, size_t len)
{
	return stream->muxer->write(stream, bytes, len);
}

int stream_forward(struct stream *stream, uint8_t *bytes, size_t len)
{
	return stream->muxer->forward(stream, bytes, len);
}

void stream_append(struct stream *stream, struct queue *bytes)
{
	stream->muxer->append(stream, bytes);
}

void stream_finish(struct stream *stream)
{
	stream->muxer->finish(stream);
}

void stream_reset(struct stream *stream, enum close_reason reason)
{
	stream->muxer->reset(stream, reason);
}

void stream_credit(struct stream *stream, uint32_t bytes)
{
	stream->muxer->credit(stream, bytes);
}

size_t stream_room(const struct stream *stream)
{
	size_t most = stream->send_window < STREAM_QUEUE_MOST ? stream->send_window : STREAM_QUEUE_MOST;

	if (stream->local_finishing || stream->queue.len >= most)
		return 0;
	return most - stream->queue.len;
}

void stream_want_room(struct stream *stream)
{
	stream->want_room = true;
}

void stream_become(struct stream *stream, const struct stream_protocol *protocol, void *state)
{
	stream->protocol = protocol;
	stream->state = state;
	stream_set_timer(stream, 0);
}

static void stream_fire(struct net *net, struct wheel_timer *timer)
{
	struct stream *stream = container_of(timer, struct stream, timer);

	(void)net;
	if (stream->timer_is_protocols && stream->protocol->timeout != NULL)
		stream->protocol->timeout(stream);
	else
		stream_reset(stream, CLOSE_MESSAGE_TIMEOUT);
}

void stream_set_timer(struct stream *stream, uint64_t milliseconds)
{
	stream->timer.fire = stream_fire;
	stream->timer_is_protocols = milliseconds != 0;
	if (milliseconds == 0)
		wheel_cancel(&stream->timer);
	else
		wheel_arm(stream->net, &stream->timer, milliseconds);
}

void stream_linger(struct stream *stream, uint64_t milliseconds)
{
	stream->timer.fire = stream_fire;
	stream->timer_is_protocols = false;
	wheel_arm(stream->net, &stream->timer, milliseconds);
}
