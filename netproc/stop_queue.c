/* SPDX-License-Identifier: MIT
 *
 * The ring of sources in front of each destination.
 */
#include "netproc/stop_queue.h"

#include <string.h>

#include "netproc/net.h"
#include "netproc/reservation.h"

struct stop_destination *stop_destination_get(struct net *net, const uint8_t peer[32])
{
	struct table *stops = &net->relay->stops;
	uint64_t hash = table_hash(net->hash_key, peer, 32);
	struct table_link *link = table_first(stops, hash);
	for (; link != NULL; link = table_next(link, hash)) {
		struct stop_destination *found = container_of(link, struct stop_destination, link);
		if (memcmp(found->peer, peer, sizeof(found->peer)) == 0)
			return found;
	}
	struct stop_destination *destination = pool_alloc(net, sizeof(*destination));
	if (destination == NULL)
		return NULL;
	memcpy(destination->peer, peer, sizeof(destination->peer));
	list_init(&destination->ring);
	table_insert(stops, &destination->link, hash);
	return destination;
}

void stop_destination_settle(struct net *net, struct stop_destination *destination)
{
	if (destination->running > 0 || destination->waiting > 0 || destination->taking)
		return;
	table_remove(&net->relay->stops, &destination->link);
	pool_free(net, destination, sizeof(*destination));
}

static void key_of(const struct conn *source, uint8_t key[32])
{
	if (source->ip.exempt) {
		memcpy(key, source->peer, 32);
		return;
	}
	memset(key, 0, 32);
	key[0] = source->ip.family;
	memcpy(key + 8, &source->ip.prefix, sizeof(source->ip.prefix));
}

/* At most STOP_WAITING_MOST groups stand in a ring: walked. */
static struct stop_group *group_get(struct net *net, struct stop_destination *destination,
				    const uint8_t key[32])
{
	struct list *place = destination->ring.next;
	for (; place != &destination->ring; place = place->next) {
		struct stop_group *found = container_of(place, struct stop_group, place);
		if (memcmp(found->key, key, sizeof(found->key)) == 0)
			return found;
	}
	struct stop_group *group = pool_alloc(net, sizeof(*group));
	if (group == NULL)
		return NULL;
	memcpy(group->key, key, sizeof(group->key));
	list_init(&group->waiting);
	list_append(&destination->ring, &group->place);
	return group;
}

struct stop_group *stop_queue_append(struct net *net, struct stop_destination *destination,
				     const struct conn *source, struct list *entry)
{
	uint8_t key[32];
	if (destination->waiting >= STOP_WAITING_MOST)
		return NULL;
	key_of(source, key);
	struct stop_group *group = group_get(net, destination, key);
	if (group == NULL || group->count >= STOP_WAITING_PER_SOURCE)
		return NULL;
	list_append(&group->waiting, entry);
	group->count++;
	destination->waiting++;
	return group;
}

void stop_queue_remove(struct net *net, struct stop_destination *destination, struct stop_group *group,
		       struct list *entry)
{
	list_remove(entry);
	destination->waiting--;
	if (--group->count > 0)
		return;
	list_remove(&group->place);
	pool_free(net, group, sizeof(*group));
}

struct list *stop_queue_shift(struct net *net, struct stop_destination *destination)
{
	if (destination->waiting == 0)
		return NULL;
	struct stop_group *group = container_of(destination->ring.next, struct stop_group, place);
	struct list *entry = group->waiting.next;
	/* To the end of the ring: the next turn is another's. */
	list_remove(&group->place);
	list_append(&destination->ring, &group->place);
	stop_queue_remove(net, destination, group, entry);
	return entry;
}
