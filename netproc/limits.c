/* SPDX-License-Identifier: MIT
 *
 * Limits of connections: totals, one address, half-open ones; the denied peers. Reservations and circuits:
 * limits_circuit.c; rates of a peer: limits_peer.c.
 */
#include "netproc/limits.h"

#include <stdlib.h>
#include <string.h>

#include "netproc/limits_state.h"
#include "netproc/net.h"
#include "netproc/pool.h"

#define HANDSHAKE_BURST (8 * BUCKET_SECOND)
#define HALF_OPEN_SHARE 16 /* part of the half-open connections from which on an IP key gives way */
#define HALF_OPEN_LEAST 2

int limits_init(struct net *net)
{
	struct limits *limits = calloc(1, sizeof(*limits));
	if (limits == NULL)
		return -1;
	for (size_t i = 0; i < LIMITS_LEVELS; i++)
		list_init(&limits->levels[i]);
	struct table *tables[] = {&limits->ips, &limits->peers, &limits->pairs, &limits->denied};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (table_init(tables[i]) != 0) {
			while (i-- > 0)
				table_free(tables[i]);
			free(limits);
			return -1;
		}
	}
	net->limits = limits;
	return 0;
}

void limits_warn(struct net *net, enum log_event event, uint64_t limit, enum net_setting setting)
{
	log_event(&net->log, event, NULL, NULL, limit, (uint64_t)setting, 0, NULL, 0);
}

/* The last few places are loopback's, so that a full relay does not look like a dead one to its own health
 * check. */
static bool places_left(const struct net *net, const struct ip_key *ip)
{
	uint64_t most = net->settings.max_connections;
	uint64_t kept = most / 8 < LIMITS_LOOPBACK ? most / 8 : LIMITS_LOOPBACK;
	return net->limits->connections < (ip->loopback ? most : most - kept);
}

/* More connections than one address may have, or more than its share when the relay is nearly full. */
static bool too_many_of_one(struct net *net, const struct limits_ip *ip)
{
	uint64_t most = net->settings.max_connections_per_ip;
	uint64_t share;
	if (ip->key.exempt)
		return false;
	if (most > 0 && ip->connections >= most) {
		limits_warn(net, LOG_EVENT_CONNECTION_REFUSED_IP, most, NET_SETTING_max_connections_per_ip);
		return true;
	}
	if (!limits_over_share(net->limits->connections, net->settings.max_connections, ip->connections,
			       &share))
		return false;
	limits_warn(net, LOG_EVENT_CONNECTION_REFUSED_IP, share, NET_SETTING_max_connections);
	return true;
}

static bool handshakes_too_fast(struct net *net, struct limits_ip *ip)
{
	uint64_t rate = net->settings.max_handshakes_per_ip;
	if (ip->key.exempt || rate == 0 ||
	    bucket_take(&ip->handshakes, net, BUCKET_SECOND / rate, HANDSHAKE_BURST))
		return false;
	limits_warn(net, LOG_EVENT_RATE_REFUSED, rate, NET_SETTING_max_handshakes_per_ip);
	return true;
}

static enum close_reason refusal_of_one(struct net *net, struct limits_ip *ip)
{
	uint64_t half_open = net->settings.max_half_open_per_ip;
	if (too_many_of_one(net, ip))
		return CLOSE_LIMIT_CONNECTIONS_PER_IP;
	if (!ip->key.exempt && half_open > 0 && ip->half_open >= half_open) {
		limits_warn(net, LOG_EVENT_CONNECTION_REFUSED_IP, half_open,
			    NET_SETTING_max_half_open_per_ip);
		return CLOSE_LIMIT_HALF_OPEN;
	}
	return handshakes_too_fast(net, ip) ? CLOSE_LIMIT_HANDSHAKES_PER_IP : CLOSE_NONE;
}

/* A gateway in front of a container makes all clients one address: said once, since limits of one address
 * then mean nothing. */
static void tell_private(struct net *net, const struct ip_key *ip)
{
	if (!ip->exempt || ip->loopback || net->limits->told_private)
		return;
	net->limits->told_private = true;
	log_event(&net->log, LOG_EVENT_PRIVATE_SOURCE, NULL, NULL, 0, 0, 0, NULL, 0);
}

enum close_reason limits_accept(struct net *net, const struct ip_key *key)
{
	if (!places_left(net, key)) {
		limits_warn(net, LOG_EVENT_CONNECTION_REFUSED, net->settings.max_connections,
			    NET_SETTING_max_connections);
		return CLOSE_LIMIT_CONNECTIONS;
	}
	if (net->limits->half_open >= net->settings.max_half_open)
		return CLOSE_LIMIT_HALF_OPEN;
	struct limits_ip *ip = limits_ip_get(net, key);
	if (ip == NULL)
		return CLOSE_MEMORY;
	enum close_reason refusal = refusal_of_one(net, ip);
	if (refusal != CLOSE_NONE) {
		limits_ip_settle(net, ip);
		return refusal;
	}
	tell_private(net, key);
	ip->connections++;
	net->limits->connections++;
	limits_ip_half_open(net, ip, true);
	return CLOSE_NONE;
}

void limits_half_open_end(struct net *net, const struct ip_key *key)
{
	struct limits_ip *ip = limits_ip_find(net, key);
	if (ip == NULL || ip->half_open == 0)
		return;
	limits_ip_half_open(net, ip, false);
	limits_ip_settle(net, ip);
}

void limits_closed(struct net *net, const struct ip_key *key)
{
	struct limits_ip *ip = limits_ip_find(net, key);
	if (ip == NULL || ip->connections == 0)
		return;
	ip->connections--;
	net->limits->connections--;
	limits_ip_settle(net, ip);
}

bool limits_half_open_full(const struct net *net)
{
	return net->limits->half_open >= net->settings.max_half_open;
}

/* Few enough to look at: each holds a sixteenth. */
bool limits_half_open_holder(const struct net *net, struct ip_key *holder)
{
	const struct limits *limits = net->limits;
	uint64_t share = net->settings.max_half_open / HALF_OPEN_SHARE;
	if (share < HALF_OPEN_LEAST)
		share = HALF_OPEN_LEAST;
	for (unsigned level = limits->highest; level > 0; level--) {
		const struct list *head = &limits->levels[level];
		for (const struct list *at = head->next; at != head; at = at->next) {
			const struct limits_ip *ip = container_of(at, struct limits_ip, level);
			if (ip->half_open < share)
				return false;
			if (ip->key.exempt)
				continue;
			*holder = ip->key;
			return true;
		}
	}
	return false;
}

bool limits_denied(struct net *net, const uint8_t peer[32])
{
	struct limits *limits = net->limits;
	if (limits->denied.count == 0)
		return false;
	uint64_t hash = table_hash(net->hash_key, peer, 32);
	struct table_link *link = table_first(&limits->denied, hash);
	for (; link != NULL; link = table_next(link, hash)) {
		if (memcmp(container_of(link, struct limits_denied, link)->key, peer, 32) == 0)
			return true;
	}
	return false;
}

int limits_deny(struct net *net, const uint8_t peer[32])
{
	if (limits_denied(net, peer))
		return 0;
	struct limits_denied *denied = pool_alloc(net, sizeof(*denied));
	if (denied == NULL)
		return -1;
	memcpy(denied->key, peer, 32);
	table_insert(&net->limits->denied, &denied->link, table_hash(net->hash_key, peer, 32));
	return 0;
}
