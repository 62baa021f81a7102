/* SPDX-License-Identifier: MIT */
#include "net_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "netproc/circuit.h"
#include "netproc/key.h"
#include "netproc/limits.h"
#include "netproc/limits_state.h"
#include "netproc/memory.h"
#include "netproc/noise.h"
#include "netproc/relay.h"
#include "netproc/rendezvous.h"
#include "netproc/rendezvous_state.h"
#include "netproc/reservation.h"
#include "netproc/stream.h"
#include "netproc/upgrade.h"
#include "netproc/yamux.h"

/* What is costly to make is made once and used by one world after the other. */
static struct net base;
static uint64_t kept; /* bytes of the pool that stay */
static struct imsg_channel nobody = {.fd = -1, .peer = IMSG_PROCESS_PARENT};

static struct world_identity identities[WORLD_PEERS];

static void world_identities(void)
{
	for (unsigned peer = 0; peer < WORLD_PEERS; peer++) {
		uint8_t seed[32];

		memset(seed, (int)peer + 1, sizeof(seed));
		crypto_sign_seed_keypair(identities[peer].key, identities[peer].secret, seed);
	}
}

const struct world_identity *world_identity(unsigned peer)
{
	return &identities[peer];
}

static void world_settings(struct net *net)
{
	for (size_t i = 0; i < NET_SETTING_COUNT; i++)
		((uint64_t *)&net->settings)[i] = net_setting_rows[i].preset[SETTING_PROFILE_DUSK];
	net->settings.max_streams = 24;
	net->settings.max_circuits = 6;
	net->settings.max_circuits_per_pair = 3;
	net->settings.max_window = 1u << 20;
	net->settings.max_registrations_per_peer = 4;
	net->settings.max_handshakes_per_ip = 0;
	net->settings.limit_private_ips = 0;
	net->settings.voucher = 0; /* nobody plays keyproc */
}

static void world_make_base(void)
{
	if (base.wheel != NULL)
		return;
	FUZZ_ASSERT(sodium_init() >= 0);
	signal(SIGPIPE, SIG_IGN); /* as netproc does */
	world_identities();
	base.now = 1000000;
	base.now_unix = 1700000000;
	FUZZ_ASSERT(poller_init(&base) == 0);
	base.wheel = wheel_new(base.now);
	base.pool = pool_new(8u << 20);
	world_settings(&base);
	base.self.addr_count = 1;
	multiaddr_from_text(&base.self.addrs[0], "/dns4/relay.example/tcp/4001");
	memset(base.self.key, 7, 32);
	peer_id_from_ed25519(&base.self.id, base.self.key);
	log_init(&base.log, &nobody, IMSG_NET_LOG, LOG_LEVEL_ERROR);
	FUZZ_ASSERT(limits_init(&base) == 0 && aead_init(&base) == 0 && stream_table_init(&base) == 0);
	FUZZ_ASSERT(conn_table_init(&base) == 0 && key_init(&base, &nobody) == 0 && relay_init(&base) == 0);
	FUZZ_ASSERT(rendezvous_init(&base) == 0);
	base.hooks.reserved = rendezvous_peer;
	circuit_state(&base); /* made with the first circuit, kept for ever */
	kept = pool_used(&base);
}

/* State is one for all worlds: time goes on, and what one left behind (buckets, registrations) has run out
 * before the next. */
void world_begin(struct world *world)
{
	world_make_base();
	memset(world, 0, sizeof(*world));
	for (unsigned i = 0; i < WORLD_PEERS; i++)
		world->far[i] = -1;
}

struct net *world_net(void)
{
	return &base;
}

struct conn *world_connect(struct world *world, unsigned peer)
{
	struct sockaddr_in6 from = {.sin6_family = AF_INET6};
	struct conn *conn = conn_find(world_net(), world->conn[peer]);
	int pair[2];

	if (conn != NULL)
		conn_close(conn, CLOSE_DRAIN);
	if (world->far[peer] >= 0)
		close(world->far[peer]);
	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	world->far[peer] = pair[1];
	from.sin6_addr.s6_addr[0] = 0x20;
	from.sin6_addr.s6_addr[7] = (uint8_t)peer;
	struct ip_key ip = ip_key_of(from.sin6_addr.s6_addr, false);
	FUZZ_ASSERT(limits_accept(world_net(), &ip) == CLOSE_NONE);
	conn = conn_new(world_net(), pair[0], &from, 4001, &upgrade_security);
	FUZZ_ASSERT(conn != NULL);
	conn->writable = true;
	conn->readable = true;
	world->conn[peer] = conn_ref(conn);
	return conn;
}

/* --- a connection past its handshake: its records are not sealed on the way in --- */

static size_t world_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	return conn->upper->input(conn, bytes, len);
}

static void world_output(struct conn *conn)
{
	conn->upper->output(conn);
}

static void world_closed(struct conn *conn, enum close_reason reason)
{
	conn->upper->closed(conn, reason);
}

static const struct conn_layer world_layer = {
    .input = world_input, .output = world_output, .closed = world_closed};

struct conn *world_connect_ready(struct world *world, unsigned peer)
{
	struct conn *conn = world_connect(world, peer);

	memcpy(conn->peer, world_identity(peer)->key, sizeof(conn->peer));
	conn->has_muxers = peer == 1;
	conn->state = CONN_READY;
	conn->layer = &world_layer;
	list_remove(&conn->opening);
	limits_half_open_end(world_net(), &conn->ip);
	net_count(world_net(), NET_COUNT_CONNECTIONS_READY);
	world->opened[peer] = 0;
	yamux_start(conn);
	return conn;
}

void world_vanish(struct world *world, unsigned peer)
{
	struct conn *conn = conn_find(world_net(), world->conn[peer]);

	if (world->far[peer] < 0)
		return;
	close(world->far[peer]);
	world->far[peer] = -1;
	if (conn != NULL && !conn->waiting)
		conn_read(conn, CONN_READ_HANDSHAKE);
}

void world_deliver(struct world *world, unsigned peer, const uint8_t *bytes, size_t len)
{
	struct conn *conn = conn_find(world_net(), world->conn[peer]);
	uint8_t *plain = world_net()->conns->plain + CONN_HEADROOM;

	if (conn == NULL || conn->upper == NULL || len == 0)
		return;
	memcpy(plain, bytes, len);
	conn->upper->input(conn, plain, len);
}

static void world_drain(struct world *world)
{
	uint8_t nowhere[65536];

	for (unsigned i = 0; i < WORLD_PEERS; i++)
		while (world->far[i] >= 0 && !world->stalled[i] &&
		       read(world->far[i], nowhere, sizeof(nowhere)) > 0)
			;
}

void world_turn(struct world *world, uint64_t milliseconds)
{
	struct net *net = world_net();
	struct list *entry;

	while ((entry = list_shift(&net->conns->steps)) != NULL)
		noise_step(container_of(entry, struct conn, ready));
	while ((entry = list_shift(&net->conns->flush)) != NULL) {
		struct conn *conn = container_of(entry, struct conn, flush);

		conn->writable = true;
		conn_pump(conn);
	}
	world_drain(world);
	memory_turn(net);
	conn_reap(net);
	net->now += milliseconds;
	net->now_unix += milliseconds / 1000;
	wheel_turn(net, SIZE_MAX);
	conn_reap(net);
}

void world_end(struct world *world)
{
	struct net *net = world_net();

	for (unsigned i = 0; i < WORLD_PEERS; i++) {
		struct conn *conn = conn_find(net, world->conn[i]);

		if (conn != NULL)
			conn_close(conn, CLOSE_DRAIN);
		if (world->far[i] >= 0)
			close(world->far[i]);
		world->far[i] = -1;
	}
	world_turn(world, 120000);
	FUZZ_ASSERT(net->counter[NET_COUNT_STREAMS] == 0 && net->counter[NET_COUNT_CIRCUITS] == 0);
	FUZZ_ASSERT(net->counter[NET_COUNT_RESERVATIONS] == 0 && net->counter[NET_COUNT_CONNECTIONS] == 0);
	FUZZ_ASSERT(net->conns->run.conn == NULL && net->window_extra == 0);
}

/* --- what is left --- */

struct left {
	const char *name;
	uint64_t count;
};

static const char *left_gauge(const struct net *net, uint64_t *count)
{
	for (size_t i = 0; i < NET_COUNTER_COUNT; i++) {
		bool stays = i == NET_COUNT_POOL_CAP || i == NET_COUNT_POOL_BYTES || i == NET_COUNT_POOL_KEPT;

		*count = net->counter[i];
		if (net_counter_rows[i].type == COUNTER_TYPE_GAUGE && !stays && *count != 0)
			return net_counter_rows[i].metric;
	}
	return NULL;
}

static const char *left_inside(const struct net *net, uint64_t *count)
{
	const struct left all[] = {
	    {"limits: connections", net->limits->connections},
	    {"limits: half open", net->limits->half_open},
	    {"limits: reservations", net->limits->reservations},
	    {"limits: circuits", net->limits->circuits},
	    {"limits: addresses", net->limits->ips.count},
	    {"limits: peers", net->limits->peers.count},
	    {"limits: pairs", net->limits->pairs.count},
	    {"reservations", net->relay->reservations.count},
	    {"stops", net->relay->stops.count},
	    {"rendezvous: entries", net->rendezvous->store.entries.count},
	    {"rendezvous: owners", net->rendezvous->store.owners.count},
	    {"rendezvous: namespaces", net->rendezvous->store.namespaces.count},
	    {"rendezvous: answers", net->rendezvous->lines.count},
	    {"window bytes", net->window_extra},
	    {"bytes of the pool", pool_used(net) - kept},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		*count = all[i].count;
		if (*count != 0)
			return all[i].name;
	}
	return NULL;
}

#define LEFT_STEPS	 400
#define LEFT_STEP_MILLIS 660000 /* 73 hours in all: longer than the longest registration */

const char *world_left(uint64_t *count)
{
	struct net *net = world_net();
	const char *name;

	key_flush(net); /* nobody waits for an answer any more: drops the requests */
	for (unsigned i = 0; i < LEFT_STEPS; i++) {
		net->now += LEFT_STEP_MILLIS;
		net->now_unix += LEFT_STEP_MILLIS / 1000;
		wheel_turn(net, SIZE_MAX);
	}
	name = left_gauge(net, count);
	return name != NULL ? name : left_inside(net, count);
}
