/* SPDX-License-Identifier: MIT */
#include "netproc/pool.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "netproc/net.h"

/* Bytes kept in free lists for the next taker; the rest goes back to malloc. */
#define POOL_RETAINED_MOST (16u << 20)
#define POOL_IDLE_MS	   60000      /* a buffer that was kept so long without need goes */
#define POOL_TRIM	   (2u << 20) /* bytes freed, above which malloc is told to give back what it can */
#define QUEUE_FIRST_BUFFER 1024u
#define QUEUE_LARGE_BUFFER 16384u

struct pool {
	uint64_t cap;
	uint64_t used;
	uint64_t retained;
	uint64_t freed;	  /* bytes of buffers given to malloc since it last gave back */
	uint64_t idle_at; /* of net->now: when what was not needed goes */
	struct pool_buffer *free[POOL_CLASSES];
	size_t kept[POOL_CLASSES];  /* buffers in each list */
	size_t spare[POOL_CLASSES]; /* the fewest that were there since the last look */
};

struct pool *pool_new(uint64_t cap)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool != NULL)
		pool->cap = cap;
	return pool;
}

void pool_set_cap(struct net *net, uint64_t cap)
{
	net->pool->cap = cap;
}

static size_t pool_class_size(unsigned class)
{
	return (size_t)POOL_SMALLEST << class;
}

static struct pool_buffer *pool_shift(struct pool *pool, unsigned class)
{
	struct pool_buffer *buffer = pool->free[class];

	if (buffer == NULL)
		return NULL;
	pool->free[class] = buffer->next;
	pool->retained -= pool_class_size(class);
	if (--pool->kept[class] < pool->spare[class])
		pool->spare[class] = pool->kept[class];
	return buffer;
}

static void pool_let_go(struct pool *pool, struct pool_buffer *buffer)
{
	pool->freed += pool_class_size(buffer->kind);
	free(buffer);
}

/* malloc gives back only what is free at its top, and one small piece there is enough to keep all. */
static void pool_trim(struct pool *pool)
{
	if (pool->freed < POOL_TRIM)
		return;
	malloc_trim(0);
	pool->freed = 0;
}

/* What is kept makes way for `size` bytes in use: both together stay under the cap. */
static void pool_make_way(struct pool *pool, size_t size)
{
	for (unsigned class = POOL_CLASSES; class -- > 0;)
		while (pool->retained > saturating_sub(pool->cap, pool->used + size) &&
		       pool->free[class] != NULL)
			pool_let_go(pool, pool_shift(pool, class));
}

static void pool_tell(struct net *net)
{
	net->counter[NET_COUNT_POOL_BYTES] = net->pool->used;
	net->counter[NET_COUNT_POOL_KEPT] = net->pool->retained;
}

void pool_idle(struct net *net)
{
	struct pool *pool = net->pool;

	if (net->now < pool->idle_at)
		return;
	pool->idle_at = net->now + POOL_IDLE_MS;
	for (unsigned class = 0; class < POOL_CLASSES; class ++) {
		for (size_t spare = pool->spare[class]; spare > 0; spare--)
			pool_let_go(pool, pool_shift(pool, class));
		pool->spare[class] = pool->kept[class];
	}
	pool_trim(pool);
	pool_tell(net);
}

/* True when `size` more bytes fit under the cap; counts the refusal otherwise. */
static bool pool_admit(struct net *net, size_t size)
{
	struct pool *pool = net->pool;

	if (size > saturating_sub(pool->cap, pool->used)) {
		net_count(net, NET_COUNT_POOL_REFUSED);
		return false;
	}
	return true;
}

static void pool_charge(struct net *net, uint64_t used)
{
	net->pool->used = used;
	pool_tell(net);
}

struct pool_buffer *pool_take(struct net *net, size_t capacity)
{
	struct pool *pool = net->pool;
	struct pool_buffer *buffer;
	size_t size;
	unsigned class = 0;

	while (class < POOL_CLASSES && pool_class_size(class) < capacity + sizeof(*buffer))
		class ++;
	if (class == POOL_CLASSES)
		return NULL;
	size = pool_class_size(class);
	if (!pool_admit(net, size))
		return NULL;
	buffer = pool_shift(pool, class);
	if (buffer == NULL) {
		pool_make_way(pool, size);
		buffer = malloc(size);
	}
	if (buffer == NULL)
		return NULL;
	pool_charge(net, pool->used + size);
	buffer->next = NULL;
	buffer->capacity = (uint32_t)(size - sizeof(*buffer));
	buffer->start = 0;
	buffer->end = 0;
	buffer->kind = class;
	return buffer;
}

void pool_give(struct net *net, struct pool_buffer *buffer)
{
	struct pool *pool = net->pool;
	size_t size;

	if (buffer == NULL)
		return;
	size = pool_class_size(buffer->kind);
	if (pool->retained + size > POOL_RETAINED_MOST) {
		pool_let_go(pool, buffer);
	} else {
		buffer->next = pool->free[buffer->kind];
		pool->free[buffer->kind] = buffer;
		pool->kept[buffer->kind]++;
		pool->retained += size;
	}
	pool_charge(net, pool->used - size);
}

void *pool_alloc(struct net *net, size_t size)
{
	void *state;

	if (!pool_admit(net, size))
		return NULL;
	pool_make_way(net->pool, size);
	state = calloc(1, size);
	if (state != NULL)
		pool_charge(net, net->pool->used + size);
	return state;
}

void pool_free(struct net *net, void *state, size_t size)
{
	if (state == NULL)
		return;
	pool_charge(net, net->pool->used - size);
	free(state);
}

bool pool_reserve(struct net *net, size_t size)
{
	if (!pool_admit(net, size))
		return false;
	pool_make_way(net->pool, size);
	pool_charge(net, net->pool->used + size);
	return true;
}

void pool_release(struct net *net, size_t size)
{
	pool_charge(net, net->pool->used - size);
}

uint64_t pool_used(const struct net *net)
{
	return net->pool->used;
}

uint64_t pool_retained(const struct net *net)
{
	return net->pool->retained;
}

uint64_t pool_cap(const struct net *net)
{
	return net->pool->cap;
}

bool pool_above(const struct net *net, unsigned percent)
{
	return net->pool->used > net->pool->cap / 100 * percent;
}

static void queue_push(struct queue *queue, struct pool_buffer *buffer)
{
	if (queue->last != NULL)
		queue->last->next = buffer;
	else
		queue->first = buffer;
	queue->last = buffer;
}

/* All the buffers that `len` more bytes need, so that an append happens whole or not at all. */
static int queue_reserve(struct net *net, const struct queue *queue, size_t len, struct pool_buffer **more)
{
	size_t room = queue->last != NULL ? queue->last->capacity - queue->last->end : 0;
	struct pool_buffer **at = more;

	*more = NULL;
	while (room < len) {
		size_t want = len - room;

		if (want > QUEUE_LARGE_BUFFER - sizeof(struct pool_buffer) || queue->len > QUEUE_LARGE_BUFFER)
			want = QUEUE_LARGE_BUFFER - sizeof(struct pool_buffer);
		else if (want < QUEUE_FIRST_BUFFER - sizeof(struct pool_buffer) && queue->len > 0)
			want = QUEUE_FIRST_BUFFER - sizeof(struct pool_buffer);
		*at = pool_take(net, want);
		if (*at == NULL) {
			while (*more != NULL) {
				struct pool_buffer *next = (*more)->next;

				pool_give(net, *more);
				*more = next;
			}
			return -1;
		}
		room += (*at)->capacity;
		at = &(*at)->next;
	}
	return 0;
}

/* As many of the bytes as fit into the last buffer. */
static size_t queue_fill(struct queue *queue, const uint8_t *bytes, size_t len)
{
	struct pool_buffer *last = queue->last;
	size_t room = last != NULL ? last->capacity - last->end : 0;
	size_t part = room < len ? room : len;

	if (part > 0)
		memcpy(last->bytes + last->end, bytes, part);
	if (last != NULL)
		last->end += (uint32_t)part;
	return part;
}

int queue_append(struct net *net, struct queue *queue, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	struct pool_buffer *more;
	size_t put;

	if (queue_reserve(net, queue, len, &more) != 0)
		return -1;
	queue->len += len;
	put = queue_fill(queue, from, len);
	while (more != NULL) {
		struct pool_buffer *next = more;

		more = next->next;
		next->next = NULL;
		queue_push(queue, next);
		put += queue_fill(queue, from + put, len - put);
	}
	return 0;
}

void queue_take(struct net *net, struct queue *queue, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	queue->len -= len;
	while (len > 0 && queue->first != NULL) {
		struct pool_buffer *first = queue->first;
		size_t have = first->end - first->start;
		size_t part = have < len ? have : len;

		memcpy(to, first->bytes + first->start, part);
		first->start += (uint32_t)part;
		to += part;
		len -= part;
		if (first->start == first->end) {
			queue->first = first->next;
			if (queue->first == NULL)
				queue->last = NULL;
			pool_give(net, first);
		}
	}
}

void queue_move(struct queue *to, struct queue *from)
{
	if (from->first == NULL)
		return;
	queue_push(to, from->first);
	to->last = from->last;
	to->len += from->len;
	*from = (struct queue){0};
}

void queue_clear(struct net *net, struct queue *queue)
{
	while (queue->first != NULL) {
		struct pool_buffer *next = queue->first->next;

		pool_give(net, queue->first);
		queue->first = next;
	}
	queue->last = NULL;
	queue->len = 0;
}
