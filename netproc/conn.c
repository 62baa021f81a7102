/* SPDX-License-Identifier: MIT */
#include "netproc/conn.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netproc/limits.h"
#include "netproc/net.h"
#include "netproc/table.h"

#define CONN_CHECK_EVERY    15000u   /* milliseconds between looks at an established connection */
#define CONN_RECORD_SECONDS 60u	     /* time for a record, once begun */
#define CONN_ROUND_TRIP	    1000000u /* the longest that is believed, in microseconds */
#define CONN_RISE	    64u	     /* one part of so many that it rises by, at each look */

int conn_table_init(struct net *net)
{
	struct conn_table *table = calloc(1, sizeof(*table));

	net->conns = table;
	if (table == NULL)
		return -1;
	table->raw = malloc(CONN_SCRATCH);
	table->plain = malloc(CONN_SCRATCH);
	table->gather = malloc(CONN_SCRATCH);
	table->first_free = UINT32_MAX;
	list_init(&table->light);
	list_init(&table->bulk);
	list_init(&table->steps);
	list_init(&table->opening);
	list_init(&table->flush);
	list_init(&table->later);
	list_init(&table->doomed);
	list_init(&table->closed);
	return table->raw != NULL && table->plain != NULL && table->gather != NULL ? 0 : -1;
}

static int conn_table_grow(struct conn_table *table)
{
	uint32_t places = table->places == 0 ? 256 : table->places * 2, i;
	struct conn_place *place;

	if (table->places >= 1u << 30)
		return -1;
	place = realloc(table->place, places * sizeof(*place));
	if (place == NULL)
		return -1;
	for (i = places; i-- > table->places;) {
		place[i] = (struct conn_place){.next_free = table->first_free};
		table->first_free = i;
	}
	table->place = place;
	table->places = places;
	return 0;
}

static void conn_ready(struct poller_watch *watch, unsigned what)
{
	struct conn *conn = container_of(watch, struct conn, watch);

	if (what & POLLER_END)
		conn->ending = true;
	if (what & (POLLER_READ | POLLER_END))
		conn->readable = true;
	if (what & POLLER_WRITE)
		conn->writable = true;
	conn_schedule(conn);
}

static uint32_t conn_seconds(const struct net *net)
{
	return (uint32_t)(net->now / 1000);
}

/* Looks at what may take too long on an established connection, and comes back. */
static void conn_check(struct conn *conn)
{
	uint32_t now = conn_seconds(conn->net);

	if (conn->held != NULL && now - conn->held_since >= CONN_RECORD_SECONDS)
		conn_close(conn, CLOSE_RECORD_TIMEOUT);
	else if (conn->keep == 0 && now - conn->active >= conn->net->settings.idle_timeout)
		conn_close(conn, CLOSE_IDLE);
	else
		conn_watch(conn);
}

void conn_watch(struct conn *conn)
{
	uint64_t idle = conn->net->settings.idle_timeout * 1000;

	wheel_arm(conn->net, &conn->timer, idle < CONN_CHECK_EVERY ? idle : CONN_CHECK_EVERY);
}

static void conn_fire(struct net *net, struct wheel_timer *timer)
{
	struct conn *conn = container_of(timer, struct conn, timer);

	(void)net;
	if (conn->state == CONN_HANDSHAKE)
		conn_close(conn, CLOSE_HANDSHAKE_TIMEOUT);
	else
		conn_check(conn);
}

struct conn *conn_new(struct net *net, int fd, const struct sockaddr_in6 *from, uint16_t local_port,
		      const struct conn_layer *layer)
{
	struct conn_table *table = net->conns;
	struct conn *conn;

	if (table->first_free == UINT32_MAX && conn_table_grow(table) != 0)
		return NULL;
	if (!pool_reserve(net, CONN_KERNEL))
		return NULL;
	conn = pool_alloc(net, sizeof(*conn));
	if (conn == NULL) {
		pool_release(net, CONN_KERNEL);
		return NULL;
	}
	conn->net = net;
	conn->fd = fd;
	conn->layer = layer;
	memcpy(conn->remote, &from->sin6_addr, 16);
	conn->remote_port = ntohs(from->sin6_port);
	conn->local_port = local_port;
	conn->ip = ip_key_of(conn->remote, net->settings.limit_private_ips != 0);
	conn->active = conn_seconds(net);
	conn->progress = (uint32_t)net->now;
	conn->timer.fire = conn_fire;
	conn->watch.ready = conn_ready;
	if (poller_add(net, fd, &conn->watch) != 0) {
		pool_free(net, conn, sizeof(*conn));
		pool_release(net, CONN_KERNEL);
		return NULL;
	}
	list_append(&table->opening, &conn->opening);
	conn->slot = table->first_free;
	table->first_free = table->place[conn->slot].next_free;
	table->place[conn->slot].conn = conn;
	conn->generation = ++table->place[conn->slot].generation;
	wheel_arm(net, &conn->timer, net->settings.handshake_timeout * 1000);
	net_count(net, NET_COUNT_CONNECTIONS);
	net_count(net, NET_COUNT_CONNECTIONS_ACCEPTED);
	return conn;
}

void conn_timed(struct conn *conn, uint64_t microseconds)
{
	uint32_t took = microseconds < CONN_ROUND_TRIP ? (uint32_t)microseconds : CONN_ROUND_TRIP;
	uint32_t most = conn->round_trip + conn->round_trip / CONN_RISE + 1;

	if (took == 0)
		took = 1;
	conn->round_trip = conn->round_trip == 0 || took < most ? took : most;
}

struct conn_ref conn_ref(const struct conn *conn)
{
	return (struct conn_ref){.slot = conn->slot, .generation = conn->generation};
}

struct conn *conn_find(struct net *net, struct conn_ref ref)
{
	const struct conn_table *table = net->conns;
	struct conn *conn;

	if (ref.slot >= table->places || table->place[ref.slot].generation != ref.generation)
		return NULL;
	conn = table->place[ref.slot].conn;
	return conn != NULL && conn_alive(conn) ? conn : NULL;
}

bool conn_alive(const struct conn *conn)
{
	return conn->state != CONN_CLOSED && !conn->doomed;
}

void conn_schedule(struct conn *conn)
{
	struct conn_table *table = conn->net->conns;

	if (!conn_alive(conn) || conn->waiting || list_in(&conn->ready))
		return;
	list_append(conn->bulk ? &table->bulk : &table->light, &conn->ready);
}

void conn_doom(struct conn *conn, enum close_reason reason)
{
	if (!conn_alive(conn))
		return;
	conn->doomed = true;
	conn->reason = (uint8_t)reason;
	list_append(&conn->net->conns->doomed, &conn->ended);
}

static void conn_drop_buffers(struct conn *conn)
{
	pool_give(conn->net, conn->held);
	conn->held = NULL;
	while (conn->out_first != NULL) {
		struct pool_buffer *next = conn->out_first->next;

		pool_give(conn->net, conn->out_first);
		conn->out_first = next;
	}
	conn->out_last = NULL;
	conn->out_len = 0;
}

static void conn_log_closed(struct conn *conn, bool was_ready)
{
	struct net *net = conn->net;
	struct peer_id id;
	struct log_peer peer;

	log_event(&net->log, LOG_EVENT_CONNECTION_CLOSED, NULL, NULL, conn->reason, 0, 0, NULL, 0);
	if (!was_ready)
		return;
	conn_peer_id(conn, &id);
	peer = (struct log_peer){id.bytes, id.len};
	log_event(&net->log, LOG_EVENT_PEER_DISCONNECTED, &peer, NULL,
		  net->counter[NET_COUNT_CONNECTIONS_READY], 0, 0, NULL, 0);
}

void conn_close(struct conn *conn, enum close_reason reason)
{
	struct net *net = conn->net;
	bool was_ready = conn->state == CONN_READY;

	if (conn->state == CONN_CLOSED)
		return;
	if (!conn->doomed)
		conn->reason = (uint8_t)reason;
	conn->state = CONN_CLOSED;
	wheel_cancel(&conn->timer);
	list_remove(&conn->ready);
	list_remove(&conn->flush);
	list_remove(&conn->opening);
	list_remove(&conn->ended);
	if (conn->layer->closed != NULL)
		conn->layer->closed(conn, conn->reason);
	if (was_ready && net->hooks.conn_closed != NULL)
		net->hooks.conn_closed(net, conn);
	if (!was_ready)
		limits_half_open_end(net, &conn->ip);
	limits_closed(net, &conn->ip);
	net_drop(net, NET_COUNT_CONNECTIONS);
	if (was_ready)
		net_drop(net, NET_COUNT_CONNECTIONS_READY);
	net->closed[conn->reason]++;
	close(conn->fd);
	conn->fd = -1;
	conn_drop_buffers(conn);
	conn_log_closed(conn, was_ready);
	list_append(&net->conns->closed, &conn->ended);
}

void conn_reap(struct net *net)
{
	struct conn_table *table = net->conns;
	struct list *entry;

	while ((entry = list_shift(&table->doomed)) != NULL) {
		struct conn *conn = container_of(entry, struct conn, ended);

		conn_close(conn, conn->reason);
	}
	while ((entry = list_shift(&table->closed)) != NULL) {
		struct conn *conn = container_of(entry, struct conn, ended);

		table->place[conn->slot].conn = NULL;
		table->place[conn->slot].next_free = table->first_free;
		table->first_free = conn->slot;
		sodium_memzero(&conn->receive, sizeof(conn->receive));
		sodium_memzero(&conn->send, sizeof(conn->send));
		pool_free(net, conn, sizeof(*conn));
		pool_release(net, CONN_KERNEL);
	}
}

void conn_peer_id(const struct conn *conn, struct peer_id *id)
{
	peer_id_from_ed25519(id, conn->peer);
}

static void conn_addr(struct multiaddr *addr, const uint8_t ip[16], uint16_t port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(ip, mapped, sizeof(mapped)) == 0)
		multiaddr_from_ip(addr, ip + 12, 4, port);
	else
		multiaddr_from_ip(addr, ip, 16, port);
}

void conn_remote_addr(const struct conn *conn, struct multiaddr *addr)
{
	conn_addr(addr, conn->remote, conn->remote_port);
}

int conn_local_addr(const struct conn *conn, struct multiaddr *addr)
{
	struct sockaddr_in6 local = {0};
	socklen_t len = sizeof(local);
	uint8_t ip[16] = {[10] = 0xff, [11] = 0xff};

	if (getsockname(conn->fd, (struct sockaddr *)&local, &len) != 0)
		return -1;
	if (local.sin6_family == AF_INET)
		memcpy(ip + 12, &((struct sockaddr_in *)&local)->sin_addr, 4);
	else
		memcpy(ip, &local.sin6_addr, 16);
	conn_addr(addr, ip, conn->local_port);
	return 0;
}

bool conn_kind_standard(const struct conn *conn)
{
	if (conn->net->force_kind != 0)
		return conn->net->force_kind == 1;
	return conn->registered_kind ? conn->kind_standard : conn->has_muxers;
}

void conn_touch(struct conn *conn)
{
	conn->active = conn_seconds(conn->net);
}

unsigned conn_streams(const struct conn *conn)
{
	return conn->yamux.count;
}
