/* SPDX-License-Identifier: MIT */
#include "net_world.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "netproc/key.h"
#include "netproc/limits.h"
#include "netproc/memory.h"
#include "netproc/noise.h"
#include "netproc/relay.h"
#include "netproc/rendezvous.h"
#include "netproc/stream.h"
#include "netproc/upgrade.h"
#include "netproc/yamux.h"

/* What is costly to make is made once and used by one world after the other. */
static struct net base;
static struct imsg_channel nobody = {.fd = -1, .peer = IMSG_PROCESS_PARENT};

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
	if (base.base != NULL)
		return;
	FUZZ_ASSERT(sodium_init() >= 0);
	base.now = 1000000;
	base.now_unix = 1700000000;
	base.base = event_base_new();
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

	memset(conn->peer, (int)peer + 1, sizeof(conn->peer));
	conn->has_muxers = peer == 1;
	conn->state = CONN_READY;
	conn->layer = &world_layer;
	list_remove(&conn->opening);
	limits_half_open_end(world_net(), &conn->ip);
	net_count(world_net(), NET_COUNT_CONNECTIONS_READY);
	yamux_start(conn);
	return conn;
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
		while (world->far[i] >= 0 && read(world->far[i], nowhere, sizeof(nowhere)) > 0)
			;
}

void world_turn(struct world *world, uint64_t milliseconds)
{
	struct net *net = world_net();
	struct list *entry;

	while ((entry = list_shift(&net->conns->steps)) != NULL)
		noise_step((struct conn *)((char *)entry - offsetof(struct conn, ready)));
	while ((entry = list_shift(&net->conns->flush)) != NULL) {
		struct conn *conn = (struct conn *)((char *)entry - offsetof(struct conn, flush));

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
