/* SPDX-License-Identifier: MIT
 *
 * What limits keep: entries for each IP key, each peer, and each counted combination. Only limits*.c look
 * inside. An entry lives while something is counted in it or one of its buckets is not full; then it is
 * freed, so that memory follows what is there now.
 */
#ifndef NETPROC_LIMITS_STATE_H
#define NETPROC_LIMITS_STATE_H

#include "imsg/events.h"
#include "imsg/settings.h"
#include "netproc/ip_key.h"
#include "netproc/limits_bucket.h"
#include "netproc/list.h"
#include "netproc/table.h"
#include "netproc/wheel.h"

#define LIMITS_LEVELS	257 /* IP keys sorted by half-open connections; the last place holds all above */
#define LIMITS_LOOPBACK 8   /* connections kept for loopback: health checks */

struct limits_ip {
	struct table_link link;
	struct list level; /* among those with as many half-open connections */
	struct ip_key key;
	uint32_t connections;
	uint32_t half_open;
	uint32_t reservations;
	uint32_t circuits; /* as source */
	struct bucket handshakes;
	struct bucket reserves;
	struct bucket connects;
	struct wheel_timer timer;
};

struct limits_peer {
	struct table_link link;
	uint8_t key[32];
	uint32_t circuits; /* as source and as destination */
	struct bucket reserves;
	struct bucket connects;
	struct bucket requests; /* rendezvous */
	struct bucket answers;
	struct bucket relayed; /* bytes credited to it for circuits */
	struct wheel_timer timer;
};

/* A combination that is only counted: two connections, or an IP key and a destination. */
struct limits_pair {
	struct table_link link;
	uint32_t count;
	uint8_t key[44];
};

struct limits_denied {
	struct table_link link;
	uint8_t key[32];
};

struct limits {
	struct table ips;
	struct table peers;
	struct table pairs;
	struct table denied;
	struct bucket relayed; /* bytes credited for circuits in all */
	uint64_t connections;
	uint64_t half_open;
	uint64_t reservations;
	uint64_t circuits;
	unsigned highest; /* no list of `levels` above it holds anything */
	bool told_private;
	struct list levels[LIMITS_LEVELS];
};

/* Says why a request was refused and which setting lifts it. */
void limits_warn(struct net *net, enum log_event event, uint64_t limit, enum net_setting setting);

/* NULL: nothing is counted for it. */
struct limits_ip *limits_ip_find(struct net *net, const struct ip_key *key);
/* Made when missing; NULL without memory. */
struct limits_ip *limits_ip_get(struct net *net, const struct ip_key *key);
/* After each change: frees an entry that says nothing any more, or waits until its buckets are full. */
void limits_ip_settle(struct net *net, struct limits_ip *ip);
/* Counts half-open connections up or down and keeps the entry in its list. */
void limits_ip_half_open(struct net *net, struct limits_ip *ip, bool more);

struct limits_peer *limits_peer_find(struct net *net, const uint8_t key[32]);
struct limits_peer *limits_peer_get(struct net *net, const uint8_t key[32]);
void limits_peer_settle(struct net *net, struct limits_peer *peer);

#endif
