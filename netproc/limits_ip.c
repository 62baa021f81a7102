/* SPDX-License-Identifier: MIT
 *
 * The table of IP keys, and their order by half-open connections.
 */
#include <string.h>

#include "netproc/limits_state.h"
#include "netproc/net.h"
#include "netproc/pool.h"

static uint64_t hash_of(const struct net *net, const struct ip_key *key)
{
	uint8_t bytes[9];
	memcpy(bytes, &key->prefix, sizeof(key->prefix));
	bytes[8] = key->family;
	return table_hash(net->hash_key, bytes, sizeof(bytes));
}

static struct limits_ip *find_hashed(struct net *net, const struct ip_key *key, uint64_t hash)
{
	struct table_link *link = table_first(&net->limits->ips, hash);
	for (; link != NULL; link = table_next(link, hash)) {
		struct limits_ip *ip = container_of(link, struct limits_ip, link);
		if (ip_key_equal(&ip->key, key))
			return ip;
	}
	return NULL;
}

struct limits_ip *limits_ip_find(struct net *net, const struct ip_key *key)
{
	return find_hashed(net, key, hash_of(net, key));
}

static void limits_ip_due(struct net *net, struct wheel_timer *timer)
{
	limits_ip_settle(net, container_of(timer, struct limits_ip, timer));
}

struct limits_ip *limits_ip_get(struct net *net, const struct ip_key *key)
{
	uint64_t hash = hash_of(net, key);
	struct limits_ip *ip = find_hashed(net, key, hash);
	if (ip != NULL)
		return ip;
	ip = pool_alloc(net, sizeof(*ip));
	if (ip == NULL)
		return NULL;
	ip->key = *key;
	ip->timer.fire = limits_ip_due;
	table_insert(&net->limits->ips, &ip->link, hash);
	return ip;
}

static uint64_t missing_most(const struct net *net, const struct limits_ip *ip)
{
	uint64_t most = bucket_missing(&ip->handshakes, net);
	uint64_t reserves = bucket_missing(&ip->reserves, net);
	uint64_t connects = bucket_missing(&ip->connects, net);
	if (reserves > most)
		most = reserves;
	return connects > most ? connects : most;
}

void limits_ip_settle(struct net *net, struct limits_ip *ip)
{
	if (ip->connections > 0 || ip->half_open > 0 || ip->reservations > 0 || ip->circuits > 0)
		return;
	uint64_t missing = missing_most(net, ip);
	if (missing > 0) {
		wheel_arm(net, &ip->timer, missing / 1000 + 1);
		return;
	}
	wheel_cancel(&ip->timer);
	list_remove(&ip->level);
	table_remove(&net->limits->ips, &ip->link);
	pool_free(net, ip, sizeof(*ip));
}

static unsigned level_of(const struct limits_ip *ip)
{
	return ip->half_open < LIMITS_LEVELS ? ip->half_open : LIMITS_LEVELS - 1;
}

void limits_ip_half_open(struct net *net, struct limits_ip *ip, bool more)
{
	struct limits *limits = net->limits;
	ip->half_open += more ? 1 : UINT32_MAX;
	limits->half_open += more ? 1 : UINT64_MAX;
	list_remove(&ip->level);
	unsigned level = level_of(ip);
	if (level > 0)
		list_append(&limits->levels[level], &ip->level);
	if (level > limits->highest)
		limits->highest = level;
	while (limits->highest > 0 && list_empty(&limits->levels[limits->highest]))
		limits->highest--;
}
