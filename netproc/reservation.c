/* SPDX-License-Identifier: MIT
 *
 * One entry for each peer that holds a reservation, in it one for each connection that asked, newest first:
 * rust clients accept STOP only where they reserved, and a client that came back must win over its own dead
 * connection (libp2p specs, relay/circuit-v2.md).
 */
#include "netproc/reservation.h"

#include <stdlib.h>
#include <string.h>

#include "netproc/limits.h"
#include "netproc/list.h"
#include "netproc/net.h"

/* Clients renew by their own clock; one that is slow comes late. */
#define GRACE_SHARE 4u	 /* of the life that was told, at most */
#define GRACE_MOST  900u /* seconds */

struct reservation_holder {
	struct table_link link;
	uint8_t peer[32];
	struct ip_key ip; /* who limits counted: the first connection */
	uint64_t connections;
	struct list newest; /* of struct reservation */
};

struct reservation {
	struct list place;
	struct reservation_holder *holder;
	struct conn *conn; /* whose end ends this */
	struct wheel_timer timer;
};

static struct reservation_holder *holder_find(const struct net *net, const uint8_t peer[32])
{
	uint64_t hash = table_hash(net->hash_key, peer, 32);
	struct table_link *link = table_first(&net->relay->reservations, hash);
	for (; link != NULL; link = table_next(link, hash)) {
		struct reservation_holder *holder = container_of(link, struct reservation_holder, link);
		if (memcmp(holder->peer, peer, sizeof(holder->peer)) == 0)
			return holder;
	}
	return NULL;
}

static void say(struct net *net, enum log_event event, const uint8_t peer[32])
{
	struct peer_id id;
	peer_id_from_ed25519(&id, peer);
	struct log_peer who = {id.bytes, id.len};
	log_event(&net->log, event, &who, NULL, net->counter[NET_COUNT_RESERVATIONS], 0, 0, NULL, 0);
}

static void tell_watcher(struct net *net, const uint8_t peer[32], bool held)
{
	if (net->hooks.reserved != NULL)
		net->hooks.reserved(net, peer, held);
}

/* --- holders --- */

static struct reservation_holder *holder_new(struct net *net, const struct conn *conn)
{
	struct reservation_holder *holder = pool_alloc(net, sizeof(*holder));
	if (holder == NULL)
		return NULL;
	memcpy(holder->peer, conn->peer, sizeof(holder->peer));
	holder->ip = conn->ip;
	list_init(&holder->newest);
	table_insert(&net->relay->reservations, &holder->link, table_hash(net->hash_key, conn->peer, 32));
	net_count(net, NET_COUNT_RESERVATIONS);
	net_count(net, NET_COUNT_RESERVATIONS_OPENED);
	return holder;
}

/* Out of the table before anybody is told: who is told may ask. */
static void holder_end(struct net *net, struct reservation_holder *holder, enum log_event event)
{
	uint8_t peer[32];
	memcpy(peer, holder->peer, sizeof(peer));
	table_remove(&net->relay->reservations, &holder->link);
	limits_reserve_end(net, &holder->ip);
	net_drop(net, NET_COUNT_RESERVATIONS);
	net_count(net, NET_COUNT_RESERVATIONS_CLOSED);
	pool_free(net, holder, sizeof(*holder));
	say(net, event, peer);
	tell_watcher(net, peer, false);
}

/* --- one connection's part --- */

/* Takes the part of one connection away; the holder stays, perhaps with none. */
static struct reservation_holder *reservation_drop(struct net *net, struct reservation *reservation)
{
	struct reservation_holder *holder = reservation->holder;
	wheel_cancel(&reservation->timer);
	list_remove(&reservation->place);
	holder->connections--;
	reservation->conn->reservation = NULL;
	reservation->conn->keep--;
	pool_free(net, reservation, sizeof(*reservation));
	return holder;
}

static void reservation_end(struct net *net, struct reservation *reservation, enum log_event event)
{
	struct reservation_holder *holder = reservation_drop(net, reservation);
	if (holder->connections == 0)
		holder_end(net, holder, event);
}

/* The client did not renew. Its connection has the idle time from now, since it was in use until now. */
static void reservation_due(struct net *net, struct wheel_timer *timer)
{
	struct reservation *reservation = container_of(timer, struct reservation, timer);
	conn_touch(reservation->conn);
	reservation_end(net, reservation, LOG_EVENT_RESERVATION_EXPIRED);
}

static struct reservation *reservation_new(struct net *net, struct conn *conn,
					   struct reservation_holder *holder)
{
	struct reservation *reservation = pool_alloc(net, sizeof(*reservation));
	if (reservation == NULL)
		return NULL;
	reservation->holder = holder;
	reservation->conn = conn;
	reservation->timer.fire = reservation_due;
	conn->reservation = reservation;
	conn->keep++;
	holder->connections++;
	return reservation;
}

static uint64_t life(const struct net *net)
{
	uint64_t told = net->settings.reservation_ttl;
	uint64_t grace = told / GRACE_SHARE;
	return told + (grace < GRACE_MOST ? grace : GRACE_MOST);
}

/* To the front, for another whole life. */
static void reservation_renew(struct net *net, struct reservation *reservation)
{
	struct list *newest = &reservation->holder->newest;
	list_remove(&reservation->place);
	list_append(newest->next, &reservation->place);
	wheel_arm(net, &reservation->timer, life(net) * 1000);
}

static void drop_oldest_above(struct net *net, struct reservation_holder *holder)
{
	while (holder->connections > net->settings.max_reservations_per_peer)
		reservation_drop(net, container_of(holder->newest.prev, struct reservation, place));
}

/* --- granting --- */

static enum reservation_result no_memory(struct net *net)
{
	net_count(net, NET_COUNT_RESERVE_REFUSED_LIMIT);
	return RESERVATION_REFUSED;
}

static enum reservation_result grant_first(struct net *net, struct conn *conn)
{
	if (limits_reserve(net, conn) != CIRCUIT_OK)
		return RESERVATION_REFUSED;
	struct reservation_holder *holder = holder_new(net, conn);
	if (holder == NULL) {
		limits_reserve_end(net, &conn->ip);
		return no_memory(net);
	}
	struct reservation *reservation = reservation_new(net, conn, holder);
	if (reservation == NULL) {
		holder_end(net, holder, LOG_EVENT_RESERVATION_ENDED);
		return no_memory(net);
	}
	reservation_renew(net, reservation);
	say(net, LOG_EVENT_RESERVATION_ACCEPTED, conn->peer);
	tell_watcher(net, conn->peer, true);
	return RESERVATION_NEW;
}

enum reservation_result reservation_grant(struct conn *conn)
{
	struct net *net = conn->net;
	struct reservation_holder *holder = holder_find(net, conn->peer);
	if (holder == NULL)
		return grant_first(net, conn);
	if (conn->reservation == NULL && reservation_new(net, conn, holder) == NULL)
		return no_memory(net);
	reservation_renew(net, conn->reservation);
	drop_oldest_above(net, holder);
	net_count(net, NET_COUNT_RESERVATIONS_RENEWED);
	say(net, LOG_EVENT_RESERVATION_RENEWED, conn->peer);
	return RESERVATION_RENEWED;
}

/* --- finding --- */

/* The first usable one behind `place`; one that is closing still stands here until its hook ran. */
static struct conn *next_ready(const struct reservation_holder *holder, const struct list *place,
			       const struct conn *but)
{
	for (place = place->next; place != &holder->newest; place = place->next) {
		struct conn *conn = container_of(place, struct reservation, place)->conn;
		if (conn->state == CONN_READY && conn_alive(conn) && conn != but)
			return conn;
	}
	return NULL;
}

struct conn *reservation_find(struct net *net, const uint8_t peer[32])
{
	const struct reservation_holder *holder = holder_find(net, peer);
	return holder == NULL ? NULL : next_ready(holder, &holder->newest, NULL);
}

struct conn *reservation_older(struct net *net, const uint8_t peer[32], const struct conn *conn)
{
	const struct reservation_holder *holder = holder_find(net, peer);
	if (holder == NULL)
		return NULL;
	const struct reservation *reservation = conn->reservation;
	bool among = reservation != NULL && reservation->holder == holder;
	return next_ready(holder, among ? &reservation->place : &holder->newest, conn);
}

bool reservation_held(struct net *net, const uint8_t peer[32])
{
	return holder_find(net, peer) != NULL;
}

/* --- the hook --- */

static void relay_conn_closed(struct net *net, struct conn *conn)
{
	if (conn->reservation != NULL)
		reservation_end(net, conn->reservation, LOG_EVENT_RESERVATION_ENDED);
}

int relay_init(struct net *net)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	if (relay == NULL)
		return -1;
	if (table_init(&relay->reservations) != 0 || table_init(&relay->stops) != 0) {
		table_free(&relay->reservations);
		free(relay);
		return -1;
	}
	net->relay = relay;
	net->hooks.conn_closed = relay_conn_closed;
	return 0;
}
