/* SPDX-License-Identifier: MIT
 *
 * The one accounted pool of buffers, with a hard cap: partial records, sealed output, bytes that wait in a
 * stream. Below it the queue, a chain of pool buffers. Used by conn, stream, yamux, hop, rendezvous. An idle
 * connection holds none.
 */
#ifndef NETPROC_POOL_H
#define NETPROC_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_SMALLEST 256 /* bytes of the smallest buffer, header included */
#define POOL_TIGHT    80  /* per cent of the cap: above it whoever holds most goes */
#define POOL_FULL     85  /* above it no new circuit: later, so that no holder shuts others out */
#define POOL_CLASSES  11  /* each twice the one before: up to 256 KiB */

struct net;
struct pool;

struct pool_buffer {
	struct pool_buffer *next;
	uint32_t capacity; /* bytes at `bytes` */
	uint32_t start;	   /* first byte in use */
	uint32_t end;	   /* behind the last */
	uint32_t kind;	   /* class */
	uint8_t bytes[];
};

/* NULL without memory. */
struct pool *pool_new(uint64_t cap);
void pool_set_cap(struct net *net, uint64_t cap);
/* A buffer with at least `capacity` bytes (at most 256 KiB less the header); NULL at the cap or without
 * memory. */
struct pool_buffer *pool_take(struct net *net, size_t capacity);
void pool_give(struct net *net, struct pool_buffer *buffer);
/* Plain bytes of state, counted under the same cap (stream and protocol state); zeroed; NULL at the cap. */
void *pool_alloc(struct net *net, size_t size);
void pool_free(struct net *net, void *state, size_t size);
/* Gives back to malloc, now and then, what no taker has needed for a while; and malloc to the kernel, when
 * that is much. */
void pool_idle(struct net *net);
/* Counts what the kernel holds for us under the same cap. False, nothing counted, at the cap. */
bool pool_reserve(struct net *net, size_t size);
void pool_release(struct net *net, size_t size);
uint64_t pool_used(const struct net *net);
/* Bytes kept for the next taker, beside those in use and under the same cap. */
uint64_t pool_retained(const struct net *net);
uint64_t pool_cap(const struct net *net);
/* True above `percent` of the cap. */
bool pool_above(const struct net *net, unsigned percent);

/* Bytes in order, charged by capacity. Zeroed is empty. */
struct queue {
	struct pool_buffer *first;
	struct pool_buffer *last;
	size_t len;
};

/* 0, or -1 when the pool refuses (then nothing was appended). */
int queue_append(struct net *net, struct queue *queue, const void *bytes, size_t len);
/* Copies the first `len` bytes out and drops them; len is at most queue->len. */
void queue_take(struct net *net, struct queue *queue, void *bytes, size_t len);
/* Moves all of `from` behind what is in `to`, without copying. */
void queue_move(struct queue *to, struct queue *from);
void queue_clear(struct net *net, struct queue *queue);

#endif
