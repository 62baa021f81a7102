/* SPDX-License-Identifier: MIT
 *
 * The table of peers, and what a peer or its address may ask in a time.
 */
#include <string.h>

#include "netproc/conn.h"
#include "netproc/limits.h"
#include "netproc/limits_state.h"
#include "netproc/net.h"
#include "netproc/pool.h"

#define PEER_TOKEN	(120 * BUCKET_SECOND) /* rust-libp2p: one more every two minutes */
#define IP_TOKEN	(60 * BUCKET_SECOND)
#define VOUCHER_TOKEN	BUCKET_SECOND
#define VOUCHER_BURST	(16 * BUCKET_SECOND)
#define REQUEST_BURST	(50 * BUCKET_SECOND)
#define ANSWER_BURST	(16 * BUCKET_SECOND)
#define BANDWIDTH_AHEAD (BUCKET_SECOND / 4) /* of credit that may be out before it is earned */
#define BANDWIDTH_FAR	(8 * BUCKET_SECOND) /* more than credit alone makes: first windows of many circuits */

static struct limits_peer *find_hashed(struct net *net, const uint8_t key[32], uint64_t hash)
{
	struct table_link *link = table_first(&net->limits->peers, hash);
	for (; link != NULL; link = table_next(link, hash)) {
		struct limits_peer *peer = container_of(link, struct limits_peer, link);
		if (memcmp(peer->key, key, sizeof(peer->key)) == 0)
			return peer;
	}
	return NULL;
}

struct limits_peer *limits_peer_find(struct net *net, const uint8_t key[32])
{
	return find_hashed(net, key, table_hash(net->hash_key, key, 32));
}

static void limits_peer_due(struct net *net, struct wheel_timer *timer)
{
	limits_peer_settle(net, container_of(timer, struct limits_peer, timer));
}

struct limits_peer *limits_peer_get(struct net *net, const uint8_t key[32])
{
	uint64_t hash = table_hash(net->hash_key, key, 32);
	struct limits_peer *peer = find_hashed(net, key, hash);
	if (peer != NULL)
		return peer;
	peer = pool_alloc(net, sizeof(*peer));
	if (peer == NULL)
		return NULL;
	memcpy(peer->key, key, sizeof(peer->key));
	peer->timer.fire = limits_peer_due;
	table_insert(&net->limits->peers, &peer->link, hash);
	return peer;
}

static uint64_t missing_most(const struct net *net, const struct limits_peer *peer)
{
	const struct bucket *buckets[] = {&peer->reserves, &peer->connects, &peer->requests, &peer->answers,
					  &peer->relayed};
	uint64_t most = 0;
	for (size_t i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++) {
		uint64_t missing = bucket_missing(buckets[i], net);
		if (missing > most)
			most = missing;
	}
	return most;
}

void limits_peer_settle(struct net *net, struct limits_peer *peer)
{
	if (peer->circuits > 0)
		return;
	uint64_t missing = missing_most(net, peer);
	if (missing > 0) {
		wheel_arm(net, &peer->timer, missing / 1000 + 1);
		return;
	}
	wheel_cancel(&peer->timer);
	table_remove(&net->limits->peers, &peer->link);
	pool_free(net, peer, sizeof(*peer));
}

/* One token of `place` inside the peer's entry out of `capacity` tokens. Without memory nobody is refused for
 * it: the cap of the pool says no elsewhere. */
static bool take_of_peer(struct net *net, const uint8_t key[32], size_t place, uint64_t token,
			 uint64_t capacity)
{
	struct limits_peer *peer = capacity == 0 ? NULL : limits_peer_get(net, key);
	if (peer == NULL)
		return true;
	struct bucket *bucket = (struct bucket *)((char *)peer + place);
	bool taken = bucket_take(bucket, net, token, token * capacity);
	limits_peer_settle(net, peer);
	return taken;
}

static bool take_of_ip(struct net *net, const struct ip_key *key, size_t place, uint64_t capacity)
{
	struct limits_ip *ip = capacity == 0 || key->exempt ? NULL : limits_ip_get(net, key);
	if (ip == NULL)
		return true;
	struct bucket *bucket = (struct bucket *)((char *)ip + place);
	bool taken = bucket_take(bucket, net, IP_TOKEN, IP_TOKEN * capacity);
	limits_ip_settle(net, ip);
	return taken;
}

static bool refused(struct net *net, uint64_t rate, enum net_setting setting)
{
	limits_warn(net, LOG_EVENT_RATE_REFUSED, rate, setting);
	return false;
}

bool limits_reserve_rate(struct net *net, const struct conn *conn)
{
	const struct net_settings *settings = &net->settings;
	if (!take_of_peer(net, conn->peer, offsetof(struct limits_peer, reserves), PEER_TOKEN,
			  settings->reserve_rate_per_peer))
		return refused(net, settings->reserve_rate_per_peer, NET_SETTING_reserve_rate_per_peer);
	if (!take_of_ip(net, &conn->ip, offsetof(struct limits_ip, reserves), settings->reserve_rate_per_ip))
		return refused(net, settings->reserve_rate_per_ip, NET_SETTING_reserve_rate_per_ip);
	return true;
}

bool limits_voucher(struct net *net, struct conn *conn)
{
	struct bucket bucket = {conn->vouchers};
	bool taken = bucket_take(&bucket, net, VOUCHER_TOKEN, VOUCHER_BURST);
	conn->vouchers = bucket.full_at;
	return taken;
}

bool limits_connect_rate(struct net *net, const struct conn *source)
{
	const struct net_settings *settings = &net->settings;
	if (!take_of_peer(net, source->peer, offsetof(struct limits_peer, connects), PEER_TOKEN,
			  settings->connect_rate_per_peer))
		return refused(net, settings->connect_rate_per_peer, NET_SETTING_connect_rate_per_peer);
	if (!take_of_ip(net, &source->ip, offsetof(struct limits_ip, connects),
			settings->connect_rate_per_ip))
		return refused(net, settings->connect_rate_per_ip, NET_SETTING_connect_rate_per_ip);
	return true;
}

/* Answers are charged when they are made, so the debt of the last one refuses the next request. */
static bool answers_in_debt(struct net *net, const uint8_t key[32])
{
	const struct limits_peer *peer = limits_peer_find(net, key);
	return peer != NULL && bucket_missing(&peer->answers, net) > ANSWER_BURST;
}

bool limits_rendezvous_answers(struct net *net, const struct conn *conn)
{
	uint64_t rate = net->settings.rendezvous_answer_rate;
	return rate == 0 || !answers_in_debt(net, conn->peer) ||
	       refused(net, rate, NET_SETTING_rendezvous_answer_rate);
}

bool limits_rendezvous_rate(struct net *net, const struct conn *conn)
{
	const struct net_settings *settings = &net->settings;
	uint64_t rate = settings->rendezvous_rate;
	if (!limits_rendezvous_answers(net, conn))
		return false;
	if (rate == 0)
		return true;
	/* The burst is fifty times the rate, whatever the rate. */
	if (!take_of_peer(net, conn->peer, offsetof(struct limits_peer, requests), BUCKET_SECOND / rate,
			  REQUEST_BURST / (BUCKET_SECOND / rate)))
		return refused(net, rate, NET_SETTING_rendezvous_rate);
	return true;
}

void limits_rendezvous_answer(struct net *net, const struct conn *conn, uint64_t bytes)
{
	uint64_t rate = net->settings.rendezvous_answer_rate;
	struct limits_peer *peer = rate == 0 ? NULL : limits_peer_get(net, conn->peer);
	if (peer == NULL)
		return;
	uint64_t cost = bytes > UINT64_MAX / BUCKET_SECOND ? UINT64_MAX : bytes * BUCKET_SECOND / rate;
	bucket_spend(&peer->answers, net, cost);
	limits_peer_settle(net, peer);
}

/* --- bandwidth: it delays credit, so a lump that is due may overdraw the bucket once --- */

static uint64_t cost_of(uint64_t bytes, uint64_t rate)
{
	return bytes > UINT64_MAX / BUCKET_SECOND ? UINT64_MAX : bytes * BUCKET_SECOND / rate;
}

bool limits_bandwidth(struct net *net, const uint8_t peer_key[32])
{
	const struct limits_peer *peer;
	if (net->settings.max_bandwidth > 0 && bucket_missing(&net->limits->relayed, net) > BANDWIDTH_AHEAD)
		return false;
	if (net->settings.max_bandwidth_per_peer == 0)
		return true;
	peer = limits_peer_find(net, peer_key);
	return peer == NULL || bucket_missing(&peer->relayed, net) <= BANDWIDTH_AHEAD;
}

enum net_setting limits_bandwidth_far(struct net *net, const uint8_t peer_key[32])
{
	const struct limits_peer *peer = NULL;
	if (net->settings.max_bandwidth > 0 && bucket_missing(&net->limits->relayed, net) > BANDWIDTH_FAR)
		return NET_SETTING_max_bandwidth;
	if (net->settings.max_bandwidth_per_peer > 0)
		peer = limits_peer_find(net, peer_key);
	if (peer != NULL && bucket_missing(&peer->relayed, net) > BANDWIDTH_FAR)
		return NET_SETTING_max_bandwidth_per_peer;
	return NET_SETTING_COUNT;
}

void limits_bandwidth_spend(struct net *net, const uint8_t peer_key[32], uint64_t bytes)
{
	struct limits_peer *peer;
	if (net->settings.max_bandwidth > 0)
		bucket_spend(&net->limits->relayed, net, cost_of(bytes, net->settings.max_bandwidth));
	peer = net->settings.max_bandwidth_per_peer > 0 ? limits_peer_get(net, peer_key) : NULL;
	if (peer == NULL)
		return;
	bucket_spend(&peer->relayed, net, cost_of(bytes, net->settings.max_bandwidth_per_peer));
	limits_peer_settle(net, peer);
}
