/* SPDX-License-Identifier: MIT
 *
 * Limits of reservations and circuits. All is asked before anything is counted, so that a refusal leaves no
 * trace.
 */
#include <string.h>

#include "netproc/limits.h"
#include "netproc/limits_state.h"
#include "netproc/net.h"
#include "netproc/pool.h"

#define CIRCUITS_MANY 128 /* circuits of a connection from which a pair may have half */

enum pair_kind { PAIR_CONNECTIONS = 1, PAIR_ROUTE = 2 };

struct pair_key {
	uint8_t bytes[44];
};

/* --- reservations --- */

static enum circuit_status reservation_refused(struct net *net, uint64_t limit, enum net_setting setting)
{
	bool of_ip = setting == NET_SETTING_max_reservations_per_ip;
	net_count(net, of_ip ? NET_COUNT_RESERVE_REFUSED_IP : NET_COUNT_RESERVE_REFUSED_LIMIT);
	limits_warn(net, LOG_EVENT_RESERVATION_REFUSED, limit, setting);
	return CIRCUIT_RESOURCE_LIMIT_EXCEEDED;
}

static enum circuit_status reservation_fits(struct net *net, const struct limits_ip *ip)
{
	uint64_t most = net->settings.max_reservations;
	uint64_t most_of_ip = net->settings.max_reservations_per_ip;
	uint64_t share;
	if (most > 0 && net->limits->reservations >= most)
		return reservation_refused(net, most, NET_SETTING_max_reservations);
	if (ip->key.exempt)
		return CIRCUIT_OK;
	if (most_of_ip > 0 && ip->reservations >= most_of_ip)
		return reservation_refused(net, most_of_ip, NET_SETTING_max_reservations_per_ip);
	if (limits_over_share(net->limits->reservations, most, ip->reservations, &share))
		return reservation_refused(net, share, NET_SETTING_max_reservations);
	return CIRCUIT_OK;
}

enum circuit_status limits_reserve(struct net *net, const struct conn *conn)
{
	struct limits_ip *ip = limits_ip_get(net, &conn->ip);
	if (ip == NULL)
		return reservation_refused(net, pool_cap(net), NET_SETTING_max_memory);
	enum circuit_status status = reservation_fits(net, ip);
	if (status == CIRCUIT_OK) {
		ip->reservations++;
		net->limits->reservations++;
	}
	limits_ip_settle(net, ip);
	return status;
}

void limits_reserve_end(struct net *net, const struct ip_key *key)
{
	struct limits_ip *ip = limits_ip_find(net, key);
	if (ip == NULL || ip->reservations == 0)
		return;
	ip->reservations--;
	net->limits->reservations--;
	limits_ip_settle(net, ip);
}

/* --- combinations --- */

/* Between two connections, whichever of them asked. */
static struct pair_key key_of_connections(struct conn_ref a, struct conn_ref b)
{
	struct pair_key key = {.bytes = {PAIR_CONNECTIONS}};
	bool swap = a.slot > b.slot || (a.slot == b.slot && a.generation > b.generation);
	memcpy(key.bytes + 4, swap ? &b : &a, sizeof(a));
	memcpy(key.bytes + 4 + sizeof(a), swap ? &a : &b, sizeof(a));
	return key;
}

/* From one IP key to one destination. */
static struct pair_key key_of_route(const struct ip_key *ip, const uint8_t destination[32])
{
	struct pair_key key = {.bytes = {PAIR_ROUTE, ip->family}};
	memcpy(key.bytes + 4, &ip->prefix, sizeof(ip->prefix));
	memcpy(key.bytes + 12, destination, 32);
	return key;
}

static struct limits_pair *pair_find(struct net *net, const struct pair_key *key)
{
	uint64_t hash = table_hash(net->hash_key, key->bytes, sizeof(key->bytes));
	struct table_link *link = table_first(&net->limits->pairs, hash);
	for (; link != NULL; link = table_next(link, hash)) {
		struct limits_pair *pair = container_of(link, struct limits_pair, link);
		if (memcmp(pair->key, key->bytes, sizeof(key->bytes)) == 0)
			return pair;
	}
	return NULL;
}

static uint32_t pair_count(struct net *net, const struct pair_key *key)
{
	const struct limits_pair *pair = pair_find(net, key);
	return pair == NULL ? 0 : pair->count;
}

static bool pair_add(struct net *net, const struct pair_key *key)
{
	struct limits_pair *pair = pair_find(net, key);
	if (pair == NULL) {
		pair = pool_alloc(net, sizeof(*pair));
		if (pair == NULL)
			return false;
		memcpy(pair->key, key->bytes, sizeof(pair->key));
		table_insert(&net->limits->pairs, &pair->link,
			     table_hash(net->hash_key, key->bytes, sizeof(key->bytes)));
	}
	pair->count++;
	return true;
}

static void pair_drop(struct net *net, const struct pair_key *key)
{
	struct limits_pair *pair = pair_find(net, key);
	if (pair == NULL || --pair->count > 0)
		return;
	table_remove(&net->limits->pairs, &pair->link);
	pool_free(net, pair, sizeof(*pair));
}

/* --- circuits --- */

static bool circuit_refused(struct net *net, uint64_t limit, enum net_setting setting)
{
	limits_warn(net, LOG_EVENT_CIRCUIT_REFUSED, limit, setting);
	return false;
}

/* rust-yamux ends a connection at 512 streams: three quarters of what a connection may have leave room for
 * all else. */
static bool streams_fit(struct net *net, const struct conn *source, const struct conn *destination)
{
	uint64_t most = (net->settings.max_streams < 512 ? net->settings.max_streams : 512) * 3 / 4;
	if (conn_streams(source) < most && conn_streams(destination) < most)
		return true;
	return circuit_refused(net, most, NET_SETTING_max_streams);
}

static bool totals_fit(struct net *net, const struct conn *source)
{
	uint64_t most = net->settings.max_circuits;
	uint64_t share;
	if (most > 0 && net->limits->circuits >= most)
		return circuit_refused(net, most, NET_SETTING_max_circuits);
	if (pool_above(net, POOL_FULL))
		return circuit_refused(net, pool_cap(net), NET_SETTING_max_memory);
	const struct limits_ip *ip = source->ip.exempt ? NULL : limits_ip_find(net, &source->ip);
	if (ip != NULL && limits_over_share(net->limits->circuits, most, ip->circuits, &share))
		return circuit_refused(net, share, NET_SETTING_max_circuits);
	return true;
}

static bool peer_fits(struct net *net, const uint8_t key[32])
{
	uint64_t most = net->settings.max_circuits_per_peer;
	const struct limits_peer *peer = limits_peer_find(net, key);
	if (most == 0 || peer == NULL || peer->circuits < most)
		return true;
	return circuit_refused(net, most, NET_SETTING_max_circuits_per_peer);
}

/* The client opens one more every two minutes and closes none: a busy connection keeps fewer to each other
 * one. */
static bool connections_fit(struct net *net, const struct conn *source, const struct conn *destination)
{
	uint64_t most = net->settings.max_circuits_per_pair;
	if (most == 0)
		return true;
	if (source->circuits >= CIRCUITS_MANY || destination->circuits >= CIRCUITS_MANY)
		most = (most + 1) / 2;
	struct pair_key key = key_of_connections(conn_ref(source), conn_ref(destination));
	return pair_count(net, &key) < most || circuit_refused(net, most, NET_SETTING_max_circuits_per_pair);
}

static bool route_fits(struct net *net, const struct conn *source, const struct conn *destination)
{
	uint64_t most = net->settings.max_circuits_per_source_ip;
	if (most == 0 || source->ip.exempt)
		return true;
	struct pair_key key = key_of_route(&source->ip, destination->peer);
	return pair_count(net, &key) < most ||
	       circuit_refused(net, most, NET_SETTING_max_circuits_per_source_ip);
}

/* Each circuit begins with a window that nobody gave credit for. */
static bool bandwidth_fits(struct net *net, const struct conn *source)
{
	enum net_setting setting = limits_bandwidth_far(net, source->peer);
	return setting == NET_SETTING_COUNT ||
	       circuit_refused(net, *net_setting_at(&net->settings, setting), setting);
}

struct limits_circuit limits_circuit_of(const struct conn *source, const struct conn *destination)
{
	struct limits_circuit circuit = {
	    .source_ip = source->ip,
	    .source_conn = conn_ref(source),
	    .destination_conn = conn_ref(destination),
	};
	memcpy(circuit.source, source->peer, sizeof(circuit.source));
	memcpy(circuit.destination, destination->peer, sizeof(circuit.destination));
	return circuit;
}

/* Makes every entry that will count this circuit; NULL ones are left out. */
static bool count_circuit(struct net *net, const struct limits_circuit *circuit)
{
	struct pair_key connections = key_of_connections(circuit->source_conn, circuit->destination_conn);
	struct pair_key route = key_of_route(&circuit->source_ip, circuit->destination);
	struct limits_ip *ip = limits_ip_get(net, &circuit->source_ip);
	struct limits_peer *source = limits_peer_get(net, circuit->source);
	struct limits_peer *destination = limits_peer_get(net, circuit->destination);
	bool paired = ip != NULL && source != NULL && destination != NULL && pair_add(net, &connections);
	if (paired && pair_add(net, &route)) {
		ip->circuits++;
		source->circuits++;
		destination->circuits++;
		net->limits->circuits++;
		return true;
	}
	if (paired)
		pair_drop(net, &connections);
	if (ip != NULL)
		limits_ip_settle(net, ip);
	if (source != NULL)
		limits_peer_settle(net, source);
	if (destination != NULL && destination != source)
		limits_peer_settle(net, destination);
	return circuit_refused(net, pool_cap(net), NET_SETTING_max_memory);
}

enum circuit_status limits_connect(struct net *net, const struct conn *source, const struct conn *destination)
{
	struct limits_circuit circuit = limits_circuit_of(source, destination);
	bool allowed = totals_fit(net, source) && peer_fits(net, source->peer) &&
		       peer_fits(net, destination->peer) && streams_fit(net, source, destination) &&
		       connections_fit(net, source, destination) && route_fits(net, source, destination) &&
		       bandwidth_fits(net, source) && count_circuit(net, &circuit);
	return allowed ? CIRCUIT_OK : CIRCUIT_RESOURCE_LIMIT_EXCEEDED;
}

static void peer_end(struct net *net, const uint8_t key[32])
{
	struct limits_peer *peer = limits_peer_find(net, key);
	if (peer == NULL || peer->circuits == 0)
		return;
	peer->circuits--;
	limits_peer_settle(net, peer);
}

void limits_connect_end(struct net *net, const struct limits_circuit *circuit)
{
	struct pair_key connections = key_of_connections(circuit->source_conn, circuit->destination_conn);
	struct pair_key route = key_of_route(&circuit->source_ip, circuit->destination);
	struct limits_ip *ip = limits_ip_find(net, &circuit->source_ip);
	pair_drop(net, &connections);
	pair_drop(net, &route);
	peer_end(net, circuit->source);
	peer_end(net, circuit->destination);
	net->limits->circuits = saturating_sub(net->limits->circuits, 1);
	if (ip == NULL || ip->circuits == 0)
		return;
	ip->circuits--;
	limits_ip_settle(net, ip);
}

void limits_connect_move(struct net *net, struct limits_circuit *circuit, const struct conn *destination)
{
	struct conn_ref moved = conn_ref(destination);
	struct pair_key before = key_of_connections(circuit->source_conn, circuit->destination_conn);
	struct pair_key after = key_of_connections(circuit->source_conn, moved);
	if (memcmp(&before, &after, sizeof(before)) == 0)
		return;
	pair_drop(net, &before);
	circuit->destination_conn = moved;
	pair_add(net, &after); /* without memory one circuit of this pair goes uncounted */
}
