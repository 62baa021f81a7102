/* SPDX-License-Identifier: MIT */
#include "netproc/rendezvous_order.h"

#include <stdbool.h>
#include <string.h>

/* The way from the root to a leaf, by height. */
struct order_path {
	struct order_chunk *chunk[ORDER_HEIGHT_MOST];
	uint32_t at[ORDER_HEIGHT_MOST]; /* the slot taken */
};

size_t order_chunk_size(size_t capacity)
{
	return sizeof(struct order_chunk) + capacity * sizeof(struct order_slot);
}

static struct order_chunk *chunk_new(const struct order_memory *memory, size_t capacity, unsigned height)
{
	struct order_chunk *chunk = memory->take(memory->owner, order_chunk_size(capacity));

	if (chunk == NULL)
		return NULL;
	*chunk = (struct order_chunk){.height = (uint16_t)height, .capacity = (uint16_t)capacity};
	return chunk;
}

static void chunk_give(const struct order_memory *memory, struct order_chunk *chunk)
{
	memory->give(memory->owner, chunk, order_chunk_size(chunk->capacity));
}

static void slot_add(struct order_chunk *chunk, uint64_t serial, void *entry)
{
	chunk->slots[chunk->count++] = (struct order_slot){serial, entry};
}

static void slot_remove(struct order_chunk *chunk, uint32_t at)
{
	chunk->count--;
	memmove(chunk->slots + at, chunk->slots + at + 1, (chunk->count - at) * sizeof(chunk->slots[0]));
}

/* The first slot with a serial above `serial`, or the count. */
static uint32_t slot_after(const struct order_chunk *chunk, uint64_t serial)
{
	uint32_t low = 0, high = chunk->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (chunk->slots[middle].serial > serial)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* --- putting at the end --- */

static struct order_chunk *last_at(const struct order *order, unsigned height)
{
	struct order_chunk *chunk = order->root;

	while (chunk->height > height)
		chunk = chunk->slots[chunk->count - 1].entry;
	return chunk;
}

static int root_add(const struct order_memory *memory, struct order *order, struct order_chunk *child,
		    uint64_t serial)
{
	struct order_chunk *old = order->root, *root;

	if (old->height + 1 >= ORDER_HEIGHT_MOST)
		return -1;
	root = chunk_new(memory, ORDER_CHUNK_MOST, old->height + 1u);
	if (root == NULL)
		return -1;
	slot_add(root, old->slots[0].serial, old);
	slot_add(root, serial, child);
	order->root = root;
	return 0;
}

/* Hangs a chunk, whose first serial will be `serial`, behind all of its height. A parent that is full gets a
 * sibling, which is hung in first: so without memory nothing has changed. */
static int chunk_add(const struct order_memory *memory, struct order *order, struct order_chunk *child,
		     uint64_t serial)
{
	struct order_chunk *parent, *sibling;

	if (child->height == order->root->height)
		return root_add(memory, order, child, serial);
	parent = last_at(order, child->height + 1u);
	if (parent->count == parent->capacity) {
		sibling = chunk_new(memory, ORDER_CHUNK_MOST, parent->height);
		if (sibling == NULL)
			return -1;
		if (chunk_add(memory, order, sibling, serial) != 0) {
			chunk_give(memory, sibling);
			return -1;
		}
		parent = sibling;
	}
	slot_add(parent, serial, child);
	return 0;
}

/* Another size for a leaf that is the root: most namespaces have a handful of members. */
static int leaf_resize(const struct order_memory *memory, struct order *order, size_t capacity)
{
	struct order_chunk *old = order->root;
	struct order_chunk *leaf = chunk_new(memory, capacity, 0);

	if (leaf == NULL)
		return -1;
	leaf->count = old->count;
	memcpy(leaf->slots, old->slots, old->count * sizeof(old->slots[0]));
	order->root = order->oldest = order->newest = leaf;
	chunk_give(memory, old);
	return 0;
}

static int leaf_add(const struct order_memory *memory, struct order *order, uint64_t serial)
{
	struct order_chunk *newest = order->newest;
	struct order_chunk *leaf =
	    chunk_new(memory, newest == NULL ? ORDER_CHUNK_LEAST : ORDER_CHUNK_MOST, 0);

	if (leaf == NULL)
		return -1;
	if (newest == NULL) {
		order->root = order->oldest = order->newest = leaf;
		return 0;
	}
	if (chunk_add(memory, order, leaf, serial) != 0) {
		chunk_give(memory, leaf);
		return -1;
	}
	leaf->older = newest;
	newest->newer = leaf;
	order->newest = leaf;
	return 0;
}

int order_append(const struct order_memory *memory, struct order *order, uint64_t serial, void *entry)
{
	const struct order_chunk *newest = order->newest;
	int made = 0;

	if (newest == NULL || newest->count == ORDER_CHUNK_MOST)
		made = leaf_add(memory, order, serial);
	else if (newest->count == newest->capacity)
		made = leaf_resize(memory, order, newest->capacity * 2u + 2);
	if (made != 0)
		return -1;
	slot_add(order->newest, serial, entry);
	return 0;
}

/* --- taking out --- */

/* Leads to the leaf in which `serial` stands, if it does; its slot there is the last at or before it. */
static void path_find(const struct order *order, uint64_t serial, struct order_path *path)
{
	struct order_chunk *chunk = order->root;

	for (;;) {
		uint32_t after = slot_after(chunk, serial);

		path->chunk[chunk->height] = chunk;
		path->at[chunk->height] = after == 0 ? 0 : after - 1;
		if (chunk->height == 0)
			return;
		chunk = chunk->slots[after == 0 ? 0 : after - 1].entry;
	}
}

static void chunk_drop(const struct order_memory *memory, struct order *order, struct order_chunk *chunk)
{
	if (chunk->height == 0) {
		if (chunk->older != NULL)
			chunk->older->newer = chunk->newer;
		else
			order->oldest = chunk->newer;
		if (chunk->newer != NULL)
			chunk->newer->older = chunk->older;
		else
			order->newest = chunk->older;
	}
	chunk_give(memory, chunk);
}

/* Takes the right neighbour's slots in when both hold less than half a chunk together. */
static bool absorb(const struct order_memory *memory, struct order *order, struct order_chunk *parent,
		   uint32_t at)
{
	struct order_chunk *left, *right;

	if (at + 1 >= parent->count)
		return false;
	left = parent->slots[at].entry;
	right = parent->slots[at + 1].entry;
	if (left->count + right->count > ORDER_CHUNK_MOST / 2)
		return false;
	memcpy(left->slots + left->count, right->slots, right->count * sizeof(right->slots[0]));
	left->count = (uint16_t)(left->count + right->count);
	chunk_drop(memory, order, right);
	slot_remove(parent, at + 1);
	return true;
}

/* After a slot went from the chunk at `height`: true when one went from its parent, too. */
static bool tidy(const struct order_memory *memory, struct order *order, const struct order_path *path,
		 unsigned height)
{
	struct order_chunk *chunk = path->chunk[height], *parent = path->chunk[height + 1];
	uint32_t at = path->at[height + 1];

	if (chunk->count == 0) {
		chunk_drop(memory, order, chunk);
		slot_remove(parent, at);
		return true;
	}
	return absorb(memory, order, parent, at) || (at > 0 && absorb(memory, order, parent, at - 1));
}

/* A root with one way to go is none; few entries hold a small one. Without memory it stays large. */
static void root_tidy(const struct order_memory *memory, struct order *order)
{
	struct order_chunk *root = order->root;

	while (root->height > 0 && root->count == 1) {
		order->root = root->slots[0].entry;
		chunk_give(memory, root);
		root = order->root;
	}
	if (root->count == 0) {
		*order = (struct order){0};
		chunk_give(memory, root);
	} else if (root->height == 0 && root->count < root->capacity / 4) {
		(void)leaf_resize(memory, order, root->capacity / 2u - 1);
	}
}

void order_remove(const struct order_memory *memory, struct order *order, uint64_t serial)
{
	struct order_path path;
	unsigned height = 0;

	if (order->root == NULL)
		return;
	path_find(order, serial, &path);
	if (path.chunk[0]->slots[path.at[0]].serial != serial)
		return;
	slot_remove(path.chunk[0], path.at[0]);
	while (height < order->root->height && tidy(memory, order, &path, height))
		height++;
	root_tidy(memory, order);
}

/* --- walks --- */

struct order_place order_oldest(const struct order *order)
{
	return (struct order_place){order->oldest, 0};
}

struct order_place order_newest(const struct order *order)
{
	return (struct order_place){order->newest, order->newest == NULL ? 0 : order->newest->count - 1u};
}

struct order_place order_after(const struct order *order, uint64_t serial)
{
	const struct order_chunk *chunk = order->root;
	uint32_t after = 0;

	while (chunk != NULL) {
		after = slot_after(chunk, serial);
		if (chunk->height == 0)
			break;
		chunk = chunk->slots[after == 0 ? 0 : after - 1].entry;
	}
	if (chunk != NULL && after == chunk->count)
		return (struct order_place){chunk->newer, 0};
	return (struct order_place){chunk, after};
}

void *order_entry(struct order_place place)
{
	return place.chunk == NULL ? NULL : place.chunk->slots[place.at].entry;
}

struct order_place order_newer(struct order_place place)
{
	if (place.at + 1 < place.chunk->count)
		return (struct order_place){place.chunk, place.at + 1};
	return (struct order_place){place.chunk->newer, 0};
}

struct order_place order_older(struct order_place place)
{
	const struct order_chunk *older = place.chunk->older;

	if (place.at > 0)
		return (struct order_place){place.chunk, place.at - 1};
	return (struct order_place){older, older == NULL ? 0 : older->count - 1u};
}
