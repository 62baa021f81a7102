/* SPDX-License-Identifier: MIT
 *
 * Memory of the registry: accounted to the byte, the allocator's rounding and the tables' buckets included,
 * so that the cap is what the registry really takes, and counted in the pool's account. Envelopes, namespaces
 * and entries are counted; the last who lets go frees. A range of addresses is charged for each entry as if
 * it stood alone, so that who else stands in a namespace, or came first, makes no difference. */
#include "netproc/rendezvous_store.h"

#include <stdlib.h>
#include <string.h>

#include "netproc/ip_key.h"
#include "netproc/net.h"
#include "netproc/pool.h"

#define BUCKET_COST sizeof(void *) /* tables have one bucket for each entry, or a few more */

/* What glibc takes for `size` bytes: a header of 8, rounded to 16. */
static size_t cost(size_t size)
{
	size_t rounded = (size + 8 + 15) & ~(size_t)15;

	return rounded < 32 ? 32 : rounded;
}

static void *share_alloc(struct rendezvous_store *store, size_t size, size_t extra)
{
	size_t taken = cost(size) + extra;
	void *memory;

	if (!pool_reserve(store->net, taken))
		return NULL;
	memory = calloc(1, size);
	if (memory == NULL) {
		pool_release(store->net, taken);
		return NULL;
	}
	store->bytes += taken;
	store->net->counter[NET_COUNT_RENDEZVOUS_RECORD_BYTES] = store->bytes;
	return memory;
}

static void share_free(struct rendezvous_store *store, void *memory, size_t size, size_t extra)
{
	pool_release(store->net, cost(size) + extra);
	store->bytes = saturating_sub(store->bytes, cost(size) + extra);
	store->net->counter[NET_COUNT_RENDEZVOUS_RECORD_BYTES] = store->bytes;
	free(memory);
}

static size_t namespace_size(size_t len)
{
	return sizeof(struct rendezvous_namespace) + len;
}

static size_t envelope_size(size_t len)
{
	return sizeof(struct rendezvous_envelope) + len;
}

size_t rendezvous_cost_entry(size_t ns_len)
{
	return cost(sizeof(struct rendezvous_entry)) + cost(sizeof(struct rendezvous_owner)) +
	       cost(namespace_size(ns_len)) + cost(sizeof(struct rendezvous_range)) + 4 * BUCKET_COST +
	       cost(order_chunk_size(ORDER_CHUNK_MOST));
}

size_t rendezvous_cost_envelope(size_t len)
{
	return cost(envelope_size(len));
}

/* --- ranges of addresses --- */

static size_t charge_of_envelope(const struct rendezvous_envelope *envelope)
{
	return cost(envelope_size(envelope->len)) + cost(sizeof(struct rendezvous_owner)) + BUCKET_COST;
}

static size_t charge_of_entry(const struct rendezvous_entry *entry)
{
	return cost(sizeof(*entry)) + cost(namespace_size(entry->namespace->len)) +
	       cost(order_chunk_size(ORDER_CHUNK_LEAST)) + 2 * BUCKET_COST;
}

static uint64_t range_hash(const struct rendezvous_store *store, const struct ip_key *from)
{
	uint64_t range[2] = {from->family, from->prefix >> (from->family == 4 ? 8 : 16)};

	return table_hash(store->net->hash_key, range, sizeof(range));
}

static struct rendezvous_range *range_of(const struct rendezvous_store *store, const struct ip_key *from)
{
	struct table_link *link = table_first(&store->ranges, range_hash(store, from));

	return link == NULL ? NULL : container_of(link, struct rendezvous_range, link);
}

struct rendezvous_range *rendezvous_range_find(const struct rendezvous_store *store,
					       const struct ip_key *from)
{
	return from == NULL ? NULL : range_of(store, from);
}

static struct rendezvous_range *range_hold(struct rendezvous_store *store, const struct ip_key *from)
{
	struct rendezvous_range *range = range_of(store, from);

	if (range == NULL) {
		range = share_alloc(store, sizeof(*range), BUCKET_COST);
		if (range == NULL)
			return NULL;
		table_insert(&store->ranges, &range->link, range_hash(store, from));
	}
	range->references++;
	return range;
}

static void range_release(struct rendezvous_store *store, struct rendezvous_range *range)
{
	if (--range->references > 0)
		return;
	table_remove(&store->ranges, &range->link);
	share_free(store, range, sizeof(*range), BUCKET_COST);
}

/* --- what they hold --- */

bool rendezvous_envelope_equal(const struct rendezvous_envelope *envelope, struct span record)
{
	return envelope != NULL && envelope->len == record.len &&
	       memcmp(envelope->bytes, record.bytes, record.len) == 0;
}

bool rendezvous_envelope_serves(const struct rendezvous_store *store, const struct rendezvous_owner *owner,
				const struct rendezvous_offer *offer)
{
	return rendezvous_envelope_equal(owner->latest, offer->record) &&
	       (owner->latest->range == NULL) == (offer->from == NULL) &&
	       owner->latest->range == rendezvous_range_find(store, offer->from);
}

struct rendezvous_envelope *rendezvous_envelope_new(struct rendezvous_store *store,
						    const struct rendezvous_offer *offer)
{
	struct rendezvous_envelope *envelope;

	if (offer->record.len > UINT16_MAX)
		return NULL;
	envelope = share_alloc(store, envelope_size(offer->record.len), 0);
	if (envelope == NULL)
		return NULL;
	envelope->references = 1;
	envelope->len = (uint16_t)offer->record.len;
	envelope->kind = (uint8_t)offer->kind;
	envelope->circuits = offer->circuits;
	memcpy(envelope->bytes, offer->record.bytes, offer->record.len);
	if (offer->from == NULL)
		return envelope;
	envelope->range = range_hold(store, offer->from);
	if (envelope->range == NULL) {
		share_free(store, envelope, envelope_size(envelope->len), 0);
		return NULL;
	}
	envelope->range->bytes += charge_of_envelope(envelope);
	return envelope;
}

void rendezvous_envelope_release(struct rendezvous_store *store, struct rendezvous_envelope *envelope)
{
	if (envelope == NULL || --envelope->references > 0)
		return;
	if (envelope->range != NULL) {
		envelope->range->bytes -= charge_of_envelope(envelope);
		range_release(store, envelope->range);
	}
	share_free(store, envelope, envelope_size(envelope->len), 0);
}

struct rendezvous_namespace *rendezvous_namespace_new(struct rendezvous_store *store, struct span ns)
{
	struct rendezvous_namespace *namespace;

	if (ns.len > UINT8_MAX)
		return NULL;
	namespace = share_alloc(store, namespace_size(ns.len), BUCKET_COST);
	if (namespace == NULL)
		return NULL;
	namespace->len = (uint8_t)ns.len;
	namespace->references = 1;
	if (ns.len > 0)
		memcpy(namespace->name, ns.bytes, ns.len);
	table_insert(&store->namespaces, &namespace->link,
		     table_hash(store->net->hash_key, namespace->name, namespace->len));
	return namespace;
}

void rendezvous_namespace_release(struct rendezvous_store *store, struct rendezvous_namespace *namespace)
{
	if (--namespace->references > 0)
		return;
	table_remove(&store->namespaces, &namespace->link);
	share_free(store, namespace, namespace_size(namespace->len), BUCKET_COST);
}

struct rendezvous_owner *rendezvous_owner_find(const struct rendezvous_store *store, const uint8_t peer[32])
{
	uint64_t hash = table_hash(store->net->hash_key, peer, 32);
	struct table_link *link;

	for (link = table_first(&store->owners, hash); link != NULL; link = table_next(link, hash)) {
		struct rendezvous_owner *owner = container_of(link, struct rendezvous_owner, link);

		if (memcmp(owner->peer, peer, 32) == 0)
			return owner;
	}
	return NULL;
}

struct rendezvous_owner *rendezvous_owner_new(struct rendezvous_store *store, const uint8_t peer[32])
{
	struct rendezvous_owner *owner = share_alloc(store, sizeof(*owner), BUCKET_COST);

	if (owner == NULL)
		return NULL;
	memcpy(owner->peer, peer, 32);
	table_insert(&store->owners, &owner->link, table_hash(store->net->hash_key, peer, 32));
	return owner;
}

void rendezvous_owner_delete(struct rendezvous_store *store, struct rendezvous_owner *owner)
{
	rendezvous_grace_leave(owner);
	rendezvous_envelope_release(store, owner->latest);
	table_remove(&store->owners, &owner->link);
	share_free(store, owner, sizeof(*owner), BUCKET_COST);
}

struct rendezvous_entry *rendezvous_entry_new(struct rendezvous_store *store,
					      struct rendezvous_namespace *namespace,
					      struct rendezvous_envelope *envelope)
{
	struct rendezvous_entry *entry = share_alloc(store, sizeof(*entry), BUCKET_COST);

	if (entry == NULL)
		return NULL;
	entry->references = 1;
	entry->namespace = namespace;
	entry->envelope = envelope;
	if (envelope->range != NULL)
		envelope->range->bytes += charge_of_entry(entry);
	return entry;
}

static void *chunk_take(void *owner, size_t size)
{
	return share_alloc(owner, size, 0);
}

static void chunk_give(void *owner, void *memory, size_t size)
{
	share_free(owner, memory, size, 0);
}

struct order_memory rendezvous_chunks_of(struct rendezvous_store *store)
{
	return (struct order_memory){chunk_take, chunk_give, store};
}

void rendezvous_entry_delete(struct rendezvous_store *store, struct rendezvous_entry *entry)
{
	if (entry->envelope->range != NULL)
		entry->envelope->range->bytes -= charge_of_entry(entry);
	rendezvous_envelope_release(store, entry->envelope);
	rendezvous_namespace_release(store, entry->namespace);
	share_free(store, entry, sizeof(*entry), BUCKET_COST);
}

void rendezvous_entry_hold(struct rendezvous_entry *entry)
{
	entry->references++;
}

void rendezvous_entry_release(struct rendezvous_store *store, struct rendezvous_entry *entry)
{
	if (--entry->references == 0)
		rendezvous_entry_delete(store, entry);
}
