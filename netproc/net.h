/* SPDX-License-Identifier: MIT
 *
 * All state of netproc hangs off one struct net: no globals, so that several loops can exist in one process
 * later. Included by every file of netproc; it knows only what lies below everything: settings, identity,
 * clock, counters, the hash key. Trusts the parent's configuration after main has checked it.
 */
#ifndef NETPROC_NET_H
#define NETPROC_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/catalogue.h"
#include "imsg/log.h"
#include "proto/multiaddr.h"
#include "proto/peer_id.h"

struct aead;
struct conn;
struct conn_table;
struct key;
struct limits;
struct loop;
struct net;
struct pool;
struct relay;
struct rendezvous;
struct stream_table;
struct wheel;

/* What the relay says of itself; made at start, never changed. */
struct net_self {
	struct peer_id id;
	uint8_t key[32];	     /* Ed25519, public */
	uint8_t noise_key[32];	     /* keyproc's Noise static key, public */
	uint8_t noise_signature[64]; /* of the identity over it */
	size_t addr_count;
	struct multiaddr addrs[IMSG_ADDRS]; /* external addresses, without /p2p */
	uint32_t record_len;		    /* 0: none */
	uint8_t record[IMSG_RECORD_MAX];    /* signed peer record of identify */
};

/* Told to whoever watches connections: relay registers at start. */
struct net_hooks {
	void (*conn_established)(struct net *net, struct conn *conn);
	void (*conn_closed)(struct net *net, struct conn *conn); /* its streams are gone already */
	/* The peer of this key got its first, or lost its last, reservation. */
	void (*reserved)(struct net *net, const uint8_t peer[32], bool held);
};

struct net {
	struct net_settings settings;
	struct net_self self;
	uint64_t now;	      /* monotonic milliseconds, read once a turn */
	uint64_t now_part;    /* and microseconds of the millisecond */
	uint64_t now_unix;    /* seconds, read once a turn */
	uint8_t hash_key[16]; /* of every table keyed by what a stranger chose */
	uint32_t force_kind;  /* rendezvous: 0 by client, 1 standard, 2 legacy */
	bool draining;
	uint64_t memory_at; /* net->now from which on memory is looked at again */
	uint64_t memory_warned_at;
	uint64_t window_extra; /* bytes of circuit windows above their least, in all */
	uint64_t counter[NET_COUNTER_COUNT];
	uint64_t closed[CLOSE_REASON_COUNT];
	struct net_hooks hooks;
	struct log_sink log;
	int poller; /* epoll; poller.c */
	struct aead *aead;
	struct conn_table *conns;
	struct key *key;
	struct limits *limits;
	struct loop *loop;
	struct pool *pool;
	struct relay *relay;
	struct rendezvous *rendezvous;
	struct stream_table *streams;
	struct wheel *wheel;
};

static inline void net_count(struct net *net, enum net_counter counter)
{
	net->counter[counter]++;
}

static inline void net_add(struct net *net, enum net_counter counter, uint64_t n)
{
	net->counter[counter] += n;
}

/* `now` for what is timed: monotonic too. */
static inline uint64_t net_microseconds(const struct net *net)
{
	return net->now * 1000 + net->now_part;
}

/* Gauges go both ways; below zero is our own broken invariant and stays at zero. */
static inline void net_drop(struct net *net, enum net_counter counter)
{
	if (net->counter[counter] > 0)
		net->counter[counter]--;
}

/* a + b and a - b that stop at the ends of the range. */
static inline uint64_t saturating_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t saturating_sub(uint64_t a, uint64_t b)
{
	return a < b ? 0 : a - b;
}

#endif
