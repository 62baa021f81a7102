/* SPDX-License-Identifier: MIT
 *
 * Registrations in the order of their serials: a B+ tree that only grows at its end, since serials only grow.
 * Its leaves form a list, for walks in either direction. An entry is put at the end and may be taken out
 * anywhere; each touches one short array on each of three or four levels, whatever others did before. Used by
 * rendezvous_store and rendezvous_reply; what an entry is, is theirs.
 */
#ifndef NETPROC_RENDEZVOUS_ORDER_H
#define NETPROC_RENDEZVOUS_ORDER_H

#include <stddef.h>
#include <stdint.h>

#define RENDEZVOUS_SERIAL_MAX ((UINT64_C(1) << 40) - 1)
#define ORDER_CHUNK_LEAST     2 /* slots; each size is twice the one before and two more */
#define ORDER_CHUNK_MOST      62
#define ORDER_HEIGHT_MOST     12 /* 40 bits of serials fill fewer, however sparse */

struct order_slot {
	uint64_t serial; /* in a leaf: of the entry; above: at most the first one below, and more than all
			    before it */
	void *entry;	 /* above the leaves: the chunk below */
};

struct order_chunk {
	struct order_chunk *older; /* leaves only */
	struct order_chunk *newer;
	uint16_t height;   /* 0: a leaf */
	uint16_t count;	   /* at least 1 */
	uint16_t capacity; /* ORDER_CHUNK_MOST, but for a leaf that is the root */
	struct order_slot slots[];
};

/* Zeroed is empty. */
struct order {
	struct order_chunk *root;
	struct order_chunk *oldest;
	struct order_chunk *newest;
};

/* Where chunks come from: accounted by the caller. `take` may return NULL. */
struct order_memory {
	void *(*take)(void *owner, size_t size);
	void (*give)(void *owner, void *memory, size_t size);
	void *owner;
};

/* A place in the order; chunk NULL: behind either end. Good until the order changes. */
struct order_place {
	const struct order_chunk *chunk;
	uint32_t at;
};

/* `serial` is above every one in the order. 0, or -1 without memory; then nothing has changed. */
int order_append(const struct order_memory *memory, struct order *order, uint64_t serial, void *entry);
/* Nothing happens when it is not there. */
void order_remove(const struct order_memory *memory, struct order *order, uint64_t serial);
struct order_place order_oldest(const struct order *order);
struct order_place order_newest(const struct order *order);
/* The oldest with a serial above `serial`. */
struct order_place order_after(const struct order *order, uint64_t serial);
/* NULL behind either end. */
void *order_entry(struct order_place place);
struct order_place order_newer(struct order_place place);
struct order_place order_older(struct order_place place);
/* Bytes of a chunk with that many slots. */
size_t order_chunk_size(size_t capacity);

#endif
