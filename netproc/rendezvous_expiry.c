/* SPDX-License-Identifier: MIT
 *
 * How registrations end by time. A list for each second of the longest ttl costs two pointers a registration
 * and no search; the array of its heads is touched only where a second has some. Circuits of peers without
 * reservation end together, in the order in which their grace began. Work of one tick is bounded; what is
 * late is served with a ttl of one second until its turn comes. */
#include "netproc/rendezvous_store.h"

#include <stdlib.h>

#include "netproc/net.h"

uint32_t rendezvous_now(const struct net *net)
{
	return (uint32_t)(net->now / 1000);
}

uint32_t rendezvous_entry_left(const struct rendezvous_entry *entry, uint32_t now)
{
	return entry->expires > now + 1 ? entry->expires - now - 1 : 1;
}

void rendezvous_expiry_add(struct rendezvous_store *store, struct rendezvous_entry *entry, uint32_t ttl)
{
	struct rendezvous_entry **head;

	if (!wheel_armed(&store->timer)) {
		/* It stops when nothing is registered: all seconds up to now are empty. */
		store->expired = rendezvous_now(store->net);
		wheel_arm(store->net, &store->timer, RENDEZVOUS_EXPIRY_TICK_MS);
	}
	/* The fraction of the second that has begun is given on top: never early. */
	entry->expires = rendezvous_now(store->net) + ttl + 1;
	head = &store->expiry[entry->expires % RENDEZVOUS_EXPIRY_SECONDS];
	entry->expiry_next = *head;
	entry->expiry_link = head;
	if (*head != NULL)
		(*head)->expiry_link = &entry->expiry_next;
	*head = entry;
}

void rendezvous_expiry_remove(struct rendezvous_entry *entry)
{
	*entry->expiry_link = entry->expiry_next;
	if (entry->expiry_next != NULL)
		entry->expiry_next->expiry_link = entry->expiry_link;
	entry->expiry_link = NULL;
	entry->expiry_next = NULL;
}

void rendezvous_grace_leave(struct rendezvous_owner *owner)
{
	list_remove(&owner->grace);
}

/* All have the same grace, so the list is in order when the newest stands at its end. */
void rendezvous_grace_enter(struct rendezvous_store *store, struct rendezvous_owner *owner)
{
	list_remove(&owner->grace);
	owner->grace_ends = rendezvous_now(store->net) + RENDEZVOUS_GRACE + 1;
	list_append(&store->graces, &owner->grace);
}

void rendezvous_store_reserved(struct rendezvous_store *store, const uint8_t peer[32], bool held)
{
	struct rendezvous_owner *owner = rendezvous_owner_find(store, peer);

	if (owner == NULL)
		return;
	if (held)
		rendezvous_grace_leave(owner);
	else if (owner->entries[true] != NULL)
		rendezvous_grace_enter(store, owner);
}

static void end_by_time(struct rendezvous_store *store, struct rendezvous_entry *entry)
{
	struct net *net = store->net;
	const struct rendezvous_namespace *namespace = entry->namespace;

	net_count(net, NET_COUNT_RENDEZVOUS_EXPIRED);
	log_event(&net->log, LOG_EVENT_REGISTRATION_EXPIRED, NULL, NULL, 0, 0, 0, namespace->name,
		  namespace->len);
	rendezvous_store_remove(store, entry);
}

/* Ends those of one second; false when `most` ran out. A list may hold some of a later round after a stop of
 * the clock. */
static bool expire_second(struct rendezvous_store *store, uint32_t second, size_t *most)
{
	struct rendezvous_entry *entry = store->expiry[second % RENDEZVOUS_EXPIRY_SECONDS], *next;

	for (; entry != NULL; entry = next) {
		next = entry->expiry_next;
		if (entry->expires > second)
			continue;
		if (*most == 0)
			return false;
		--*most;
		end_by_time(store, entry);
	}
	return true;
}

static bool expire_ttls(struct rendezvous_store *store, uint32_t now, size_t *most)
{
	for (; store->expired < now; store->expired++)
		if (!expire_second(store, store->expired + 1, most))
			return false;
	return true;
}

/* The owner may be gone with its last registration; then it has left the list. */
static bool expire_graces(struct rendezvous_store *store, uint32_t now, size_t *most)
{
	while (!list_empty(&store->graces)) {
		struct rendezvous_owner *owner =
		    container_of(store->graces.next, struct rendezvous_owner, grace);

		if (owner->grace_ends > now)
			return true;
		if (owner->entries[true] == NULL) {
			rendezvous_grace_leave(owner);
			continue;
		}
		if (*most == 0)
			return false;
		--*most;
		end_by_time(store, owner->entries[true]);
	}
	return true;
}

static void expiry_fire(struct net *net, struct wheel_timer *timer)
{
	struct rendezvous_store *store = container_of(timer, struct rendezvous_store, timer);
	uint32_t now = rendezvous_now(net);
	size_t most = RENDEZVOUS_EXPIRY_STEP;
	bool done = expire_ttls(store, now, &most) && expire_graces(store, now, &most);

	if (!done)
		wheel_arm(net, timer, RENDEZVOUS_EXPIRY_AGAIN_MS);
	else if (store->entries.count > 0)
		wheel_arm(net, timer, RENDEZVOUS_EXPIRY_TICK_MS);
}

int rendezvous_expiry_init(struct rendezvous_store *store)
{
	store->expiry = calloc(RENDEZVOUS_EXPIRY_SECONDS, sizeof(*store->expiry));
	store->expired = rendezvous_now(store->net);
	store->timer.fire = expiry_fire;
	list_init(&store->graces);
	return store->expiry == NULL ? -1 : 0;
}
