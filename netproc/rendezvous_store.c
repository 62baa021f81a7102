/* SPDX-License-Identifier: MIT */
#include "netproc/rendezvous_store.h"

#include <stdlib.h>
#include <string.h>

#include "netproc/net.h"
#include "netproc/pool.h"

int rendezvous_store_init(struct rendezvous_store *store, struct net *net)
{
	*store = (struct rendezvous_store){.net = net, .chunks = rendezvous_chunks_of(store)};
	if (rendezvous_expiry_init(store) == 0 && table_init(&store->namespaces) == 0 &&
	    table_init(&store->owners) == 0 && table_init(&store->entries) == 0 &&
	    table_init(&store->ranges) == 0)
		return 0;
	rendezvous_store_free(store);
	return -1;
}

void rendezvous_store_free(struct rendezvous_store *store)
{
	for (size_t i = 0; store->expiry != NULL && i < RENDEZVOUS_EXPIRY_SECONDS; i++)
		while (store->expiry[i] != NULL)
			rendezvous_store_remove(store, store->expiry[i]);
	wheel_cancel(&store->timer);
	table_free(&store->namespaces);
	table_free(&store->owners);
	table_free(&store->entries);
	table_free(&store->ranges);
	free(store->expiry);
	store->expiry = NULL;
}

struct rendezvous_namespace *rendezvous_store_namespace(const struct rendezvous_store *store, struct span ns)
{
	uint64_t hash = table_hash(store->net->hash_key, ns.bytes, ns.len);
	struct table_link *link;

	for (link = table_first(&store->namespaces, hash); link != NULL; link = table_next(link, hash)) {
		struct rendezvous_namespace *namespace =
		    container_of(link, struct rendezvous_namespace, link);

		if (namespace->len == ns.len &&
		    (ns.len == 0 || memcmp(namespace->name, ns.bytes, ns.len) == 0))
			return namespace;
	}
	return NULL;
}

static uint64_t entry_hash(const struct rendezvous_store *store, const struct rendezvous_owner *owner,
			   const struct rendezvous_namespace *namespace)
{
	uintptr_t pair[2] = {(uintptr_t)owner, (uintptr_t) namespace};

	return table_hash(store->net->hash_key, pair, sizeof(pair));
}

static struct rendezvous_entry *find(const struct rendezvous_store *store,
				     const struct rendezvous_owner *owner,
				     const struct rendezvous_namespace *namespace)
{
	struct table_link *link;
	uint64_t hash;

	if (owner == NULL || namespace == NULL)
		return NULL;
	hash = entry_hash(store, owner, namespace);
	for (link = table_first(&store->entries, hash); link != NULL; link = table_next(link, hash)) {
		struct rendezvous_entry *entry = container_of(link, struct rendezvous_entry, link);

		if (entry->owner == owner && entry->namespace == namespace)
			return entry;
	}
	return NULL;
}

struct rendezvous_entry *rendezvous_store_find(const struct rendezvous_store *store, const uint8_t peer[32],
					       struct span ns)
{
	return find(store, rendezvous_owner_find(store, peer), rendezvous_store_namespace(store, ns));
}

const struct rendezvous_envelope *rendezvous_store_known(const struct rendezvous_store *store,
							 const uint8_t peer[32], struct span record)
{
	const struct rendezvous_owner *owner = rendezvous_owner_find(store, peer);

	return owner != NULL && rendezvous_envelope_equal(owner->latest, record) ? owner->latest : NULL;
}

static void owner_link(struct rendezvous_owner *owner, struct rendezvous_entry *entry)
{
	struct rendezvous_entry **head = &owner->entries[entry->envelope->circuits];

	entry->owner = owner;
	entry->owner_next = *head;
	entry->owner_link = head;
	if (*head != NULL)
		(*head)->owner_link = &entry->owner_next;
	*head = entry;
	owner->count++;
}

static void owner_unlink(struct rendezvous_entry *entry)
{
	*entry->owner_link = entry->owner_next;
	if (entry->owner_next != NULL)
		entry->owner_next->owner_link = entry->owner_link;
	entry->owner->count--;
	entry->owner = NULL;
	entry->owner_next = NULL;
	entry->owner_link = NULL;
}

static bool serves_all(const struct rendezvous_store *store)
{
	return store->net->settings.privacy_guard == 0;
}

/* Gives it the next serial and puts it into the orders; 0, or -1 without memory. */
static int orders_add(struct rendezvous_store *store, struct rendezvous_entry *entry)
{
	enum rendezvous_kind kind = entry->envelope->kind;
	struct order *order = &entry->namespace->order[kind];
	uint64_t serial = ++store->serial;

	entry->serial = serial;
	if (order_append(&store->chunks, order, serial, entry) != 0)
		return -1;
	if (!serves_all(store) || order_append(&store->chunks, &store->all[kind], serial, entry) == 0)
		return 0;
	order_remove(&store->chunks, order, serial);
	return -1;
}

static void orders_remove(struct rendezvous_store *store, const struct rendezvous_entry *entry)
{
	enum rendezvous_kind kind = entry->envelope->kind;

	order_remove(&store->chunks, &entry->namespace->order[kind], entry->serial);
	if (serves_all(store))
		order_remove(&store->chunks, &store->all[kind], entry->serial);
}

static void count_entry(struct rendezvous_store *store, const struct rendezvous_entry *entry)
{
	net_count(store->net, NET_COUNT_RENDEZVOUS_REGISTERED);
	if (entry->namespace->live++ == 0)
		net_count(store->net, NET_COUNT_RENDEZVOUS_NAMESPACES);
	if (entry->envelope->range != NULL)
		entry->envelope->range->count++;
}

static void uncount_entry(struct rendezvous_store *store, const struct rendezvous_entry *entry)
{
	net_drop(store->net, NET_COUNT_RENDEZVOUS_REGISTERED);
	if (--entry->namespace->live == 0)
		net_drop(store->net, NET_COUNT_RENDEZVOUS_NAMESPACES);
	if (entry->envelope->range != NULL)
		entry->envelope->range->count--;
}

void rendezvous_store_remove(struct rendezvous_store *store, struct rendezvous_entry *entry)
{
	struct rendezvous_owner *owner = entry->owner;

	table_remove(&store->entries, &entry->link);
	orders_remove(store, entry);
	rendezvous_expiry_remove(entry);
	owner_unlink(entry);
	uncount_entry(store, entry);
	if (owner->count == 0)
		rendezvous_owner_delete(store, owner);
	rendezvous_entry_release(store, entry);
}

static struct rendezvous_namespace *namespace_hold(struct rendezvous_store *store, struct span ns)
{
	struct rendezvous_namespace *namespace = rendezvous_store_namespace(store, ns);

	if (namespace == NULL)
		return rendezvous_namespace_new(store, ns);
	namespace->references++;
	return namespace;
}

static struct rendezvous_envelope *envelope_hold(struct rendezvous_store *store,
						 const struct rendezvous_owner *owner,
						 const struct rendezvous_offer *offer)
{
	if (!rendezvous_envelope_serves(store, owner, offer))
		return rendezvous_envelope_new(store, offer);
	owner->latest->references++;
	return owner->latest;
}

/* An entry in the orders, with what stands in the store already or is made for it; NULL without memory, and
 * nothing is left of it. */
static struct rendezvous_entry *entry_make(struct rendezvous_store *store,
					   const struct rendezvous_owner *owner,
					   const struct rendezvous_offer *offer)
{
	struct rendezvous_namespace *namespace = namespace_hold(store, offer->ns);
	struct rendezvous_envelope *envelope = envelope_hold(store, owner, offer);
	struct rendezvous_entry *entry = NULL;

	if (namespace != NULL && envelope != NULL)
		entry = rendezvous_entry_new(store, namespace, envelope);
	if (entry == NULL) {
		if (namespace != NULL)
			rendezvous_namespace_release(store, namespace);
		rendezvous_envelope_release(store, envelope);
		return NULL;
	}
	if (orders_add(store, entry) == 0)
		return entry;
	rendezvous_entry_delete(store, entry);
	return NULL;
}

static void latest_set(struct rendezvous_store *store, struct rendezvous_owner *owner,
		       struct rendezvous_envelope *envelope)
{
	if (owner->latest == envelope)
		return;
	rendezvous_envelope_release(store, owner->latest);
	owner->latest = envelope;
	envelope->references++;
}

/* The new one is in before the old one goes, so that peer and namespace stay. */
static void exchange(struct rendezvous_store *store, const struct rendezvous_offer *offer,
		     struct rendezvous_owner *owner, struct rendezvous_entry *entry,
		     struct rendezvous_entry *old)
{
	owner_link(owner, entry);
	rendezvous_expiry_add(store, entry, offer->ttl);
	count_entry(store, entry);
	if (old != NULL)
		rendezvous_store_remove(store, old);
	table_insert(&store->entries, &entry->link, entry_hash(store, owner, entry->namespace));
	latest_set(store, owner, entry->envelope);
	if (entry->envelope->circuits && !offer->reserved)
		rendezvous_grace_enter(store, owner);
}

enum rendezvous_put rendezvous_store_put(struct rendezvous_store *store, const struct rendezvous_offer *offer,
					 enum net_setting *refused_by)
{
	struct rendezvous_owner *owner = rendezvous_owner_find(store, offer->peer);
	const struct rendezvous_namespace *namespace = rendezvous_store_namespace(store, offer->ns);
	struct rendezvous_entry *old = find(store, owner, namespace), *entry;

	enum rendezvous_put put = rendezvous_room(store, offer, owner, namespace, old, refused_by);

	if (put > RENDEZVOUS_PUT_AGAIN)
		return put;
	*refused_by = NET_SETTING_max_memory;
	if (store->serial >= RENDEZVOUS_SERIAL_MAX)
		return RENDEZVOUS_PUT_REFUSED;
	if (owner == NULL)
		owner = rendezvous_owner_new(store, offer->peer);
	if (owner == NULL)
		return RENDEZVOUS_PUT_REFUSED;
	entry = entry_make(store, owner, offer);
	if (entry != NULL) {
		exchange(store, offer, owner, entry, old);
		return put;
	}
	if (owner->count == 0)
		rendezvous_owner_delete(store, owner);
	return RENDEZVOUS_PUT_REFUSED;
}
