/* SPDX-License-Identifier: MIT
 *
 * What the registry has room for: caps of a peer, of a namespace and of all, the bytes, and the share of one
 * range of addresses, so that many identities behind few addresses do not take the place of all others. */
#include "netproc/limits.h"
#include "netproc/net.h"
#include "netproc/pool.h"
#include "netproc/rendezvous_store.h"

/* True, with the setting, when one more registration would be too many. */
static bool count_full(const struct rendezvous_store *store, const struct rendezvous_owner *owner,
		       const struct rendezvous_namespace *namespace, enum net_setting *refused_by)
{
	const struct net_settings *settings = &store->net->settings;

	if (owner != NULL && owner->count >= settings->max_registrations_per_peer)
		*refused_by = NET_SETTING_max_registrations_per_peer;
	else if (namespace != NULL && namespace->live >= settings->max_registrations_per_namespace)
		*refused_by = NET_SETTING_max_registrations_per_namespace;
	else if (store->entries.count >= settings->max_registrations)
		*refused_by = NET_SETTING_max_registrations;
	else
		return false;
	return true;
}

/* True when taking `old` out gives back at least what its successor of `len` bytes takes. */
static bool frees_enough(const struct rendezvous_entry *old, size_t len)
{
	const struct rendezvous_envelope *envelope = old->envelope;
	uint32_t holders = old->owner->latest == envelope ? 2 : 1;

	return old->references == 1 && envelope->references <= holders && len <= envelope->len;
}

/* Bytes that the registry may take, and the setting that says so: a quarter of the pool is the most. */
static uint64_t bytes_most(const struct rendezvous_store *store, enum net_setting *setting)
{
	uint64_t quarter = pool_cap(store->net) / 4;
	uint64_t most = store->net->settings.max_registration_bytes;

	*setting = quarter < most ? NET_SETTING_max_memory : NET_SETTING_max_registration_bytes;
	return quarter < most ? quarter : most;
}

/* An eighth of the bytes is kept for those who register again, so that a full registry still takes refreshed
 * records. */
static bool bytes_full(const struct rendezvous_store *store, const struct rendezvous_offer *offer,
		       const struct rendezvous_owner *owner, const struct rendezvous_entry *old,
		       enum net_setting *refused_by)
{
	uint64_t most = bytes_most(store, refused_by);
	uint64_t need = rendezvous_cost_entry(offer->ns.len);

	if (owner == NULL || !rendezvous_envelope_serves(store, owner, offer))
		need += rendezvous_cost_envelope(offer->record.len);
	if (old == NULL)
		return saturating_add(store->bytes, need) > most - most / 8;
	return !frees_enough(old, offer->record.len) && saturating_add(store->bytes, need) > most;
}

/* True when the record takes the place of another of its peer and needs no more than that gives back. A peer
 * with one record for all its registrations may bring another: then it has two until all are registered
 * again.
 */
static bool takes_no_more(const struct rendezvous_store *store, const struct rendezvous_offer *offer,
			  const struct rendezvous_owner *owner, const struct rendezvous_entry *old)
{
	const struct rendezvous_envelope *latest = owner->latest;

	return rendezvous_envelope_serves(store, owner, offer) || frees_enough(old, offer->record.len) ||
	       (latest->references == owner->count + 1 && offer->record.len <= latest->len);
}

/* Where a total is nearly reached, one range of addresses may not add to an eighth of it. */
static bool over_share(const struct rendezvous_store *store, const struct rendezvous_offer *offer,
		       const struct rendezvous_owner *owner, const struct rendezvous_entry *old,
		       enum net_setting *refused_by)
{
	const struct rendezvous_range *range = rendezvous_range_find(store, offer->from);
	uint64_t most = store->net->settings.max_registrations, share;

	if (range == NULL ||
	    (old != NULL && old->envelope->range == range && takes_no_more(store, offer, owner, old)))
		return false;
	*refused_by = NET_SETTING_max_registrations;
	if (limits_over_share(store->entries.count, most, range->count, &share))
		return true;
	most = bytes_most(store, refused_by);
	return limits_over_share(store->bytes, most, range->bytes, &share);
}

enum rendezvous_put rendezvous_room(const struct rendezvous_store *store,
				    const struct rendezvous_offer *offer,
				    const struct rendezvous_owner *owner,
				    const struct rendezvous_namespace *namespace,
				    const struct rendezvous_entry *old, enum net_setting *refused_by)
{
	if (old == NULL && count_full(store, owner, namespace, refused_by))
		return RENDEZVOUS_PUT_REFUSED;
	if (bytes_full(store, offer, owner, old, refused_by))
		return RENDEZVOUS_PUT_REFUSED;
	if (over_share(store, offer, owner, old, refused_by))
		return RENDEZVOUS_PUT_OVER_SHARE;
	return old == NULL ? RENDEZVOUS_PUT_NEW : RENDEZVOUS_PUT_AGAIN;
}
