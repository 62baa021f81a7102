/* SPDX-License-Identifier: MIT */
#include "netproc/memory.h"

#include <stdlib.h>

#include "netproc/conn.h"
#include "netproc/net.h"
#include "netproc/pool.h"
#include "netproc/sort.h"
#include "netproc/stream.h"

#define MEMORY_HOLDER                                                                                        \
	4096 /* bytes from which a connection counts: a quiet one with its small state is nobody's burden */
#define MEMORY_EVERY 50 /* milliseconds between looks */

struct memory_holder {
	struct conn *conn;
	uint64_t bytes;
	uint64_t weight; /* bytes times milliseconds without progress */
};

static uint64_t memory_held_by_stream(const struct stream *stream)
{
	size_t (*held)(const struct stream *of) = stream->protocol->held;

	return stream->queue.len + (held != NULL ? held(stream) : 0);
}

static uint64_t memory_held(const struct conn *conn)
{
	uint64_t bytes =
	    conn->out_len + conn->yamux.control.len + (conn->held != NULL ? conn->held->capacity : 0);
	uint32_t i;

	for (i = 0; i < conn->yamux.places; i++)
		if (conn->yamux.streams[i] != NULL)
			bytes += memory_held_by_stream(conn->yamux.streams[i]);
	return bytes;
}

static struct memory_holder memory_holder(struct net *net, struct conn *conn)
{
	uint64_t bytes = memory_held(conn);
	uint32_t since = (uint32_t)net->now - conn->progress;

	return (struct memory_holder){.conn = conn, .bytes = bytes, .weight = bytes * ((uint64_t)since + 1)};
}

/* Those that hold anything; the caller frees. */
static struct memory_holder *memory_collect(struct net *net, size_t *count)
{
	const struct conn_table *table = net->conns;
	struct memory_holder *holders = calloc(net->counter[NET_COUNT_CONNECTIONS] + 1, sizeof(*holders));
	uint32_t slot;

	*count = 0;
	for (slot = 0; holders != NULL && slot < table->places; slot++) {
		struct conn *conn = table->place[slot].conn;

		if (conn == NULL || !conn_alive(conn))
			continue;
		holders[*count] = memory_holder(net, conn);
		*count += holders[*count].bytes >= MEMORY_HOLDER ? 1 : 0;
	}
	return holders;
}

static int memory_by_ip(const void *a, const void *b)
{
	const struct ip_key *left = &((const struct memory_holder *)a)->conn->ip;
	const struct ip_key *right = &((const struct memory_holder *)b)->conn->ip;

	if (left->family != right->family)
		return left->family < right->family ? -1 : 1;
	return left->prefix < right->prefix ? -1 : left->prefix > right->prefix ? 1 : 0;
}

static int memory_by_weight(const void *a, const void *b)
{
	uint64_t left = ((const struct memory_holder *)a)->weight,
		 right = ((const struct memory_holder *)b)->weight;

	return left < right ? 1 : left > right ? -1 : 0;
}

/* The stretch of entries, sorted by IP key, whose sum is largest. */
static struct memory_holder *memory_largest(struct memory_holder *holders, size_t count, size_t *length)
{
	struct memory_holder *best = holders;
	uint64_t most = 0;
	size_t from, to;

	*length = 0;
	for (from = 0; from < count; from = to) {
		uint64_t sum = 0;

		for (to = from; to < count && memory_by_ip(&holders[from], &holders[to]) == 0; to++)
			sum += holders[to].bytes;
		if (sum > most) {
			most = sum;
			best = &holders[from];
			*length = to - from;
		}
	}
	return best;
}

/* Returns how many went. */
static size_t memory_close(struct net *net, struct memory_holder *holders, size_t count)
{
	size_t length, i;
	struct memory_holder *largest;

	sort(holders, count, sizeof(*holders), memory_by_ip);
	largest = memory_largest(holders, count, &length);
	sort(largest, length, sizeof(*largest), memory_by_weight);
	for (i = 0; i < length && pool_above(net, POOL_TIGHT); i++) {
		log_event(&net->log, LOG_EVENT_MEMORY_CLOSED, NULL, NULL, largest[i].bytes, 0, 0, NULL, 0);
		conn_close(largest[i].conn, CLOSE_MEMORY);
	}
	return i;
}

static void memory_warn(struct net *net)
{
	if (net->now < net->memory_warned_at + MEMORY_EVERY)
		return;
	net->memory_warned_at = net->now;
	log_event(&net->log, LOG_EVENT_MEMORY_PRESSURE, NULL, NULL, pool_used(net), pool_cap(net), 0, NULL,
		  0);
}

/* A flood fills what is left within milliseconds: as long as closing helps, nothing delays the next look. */
void memory_turn(struct net *net)
{
	struct memory_holder *holders;
	size_t count, closed = 0;

	if (!pool_above(net, POOL_TIGHT))
		return;
	memory_warn(net);
	if (net->now < net->memory_at)
		return;
	holders = memory_collect(net, &count);
	if (holders != NULL)
		closed = memory_close(net, holders, count);
	free(holders);
	net->memory_at = closed > 0 ? net->now : net->now + MEMORY_EVERY;
}
