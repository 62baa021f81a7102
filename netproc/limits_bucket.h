/* SPDX-License-Identifier: MIT
 *
 * A token bucket in one number: the moment at which it will be full again. Taking a token moves that moment
 * on by what a token costs in time; it is refused when the moment would lie further ahead than a whole burst.
 * Used by limits only.
 */
#ifndef NETPROC_LIMITS_BUCKET_H
#define NETPROC_LIMITS_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "netproc/net.h"

#define BUCKET_SECOND	 UINT64_C(1000000) /* microseconds */
#define BUCKET_DEBT_MOST (3600 * BUCKET_SECOND)

/* Zeroed is full. */
struct bucket {
	uint64_t full_at; /* microseconds of net->now */
};

static inline uint64_t bucket_now(const struct net *net)
{
	return net->now * 1000;
}

/* Microseconds until it is full. */
static inline uint64_t bucket_missing(const struct bucket *bucket, const struct net *net)
{
	return saturating_sub(bucket->full_at, bucket_now(net));
}

/* One token of `cost` microseconds out of a burst of `burst` microseconds. */
static inline bool bucket_take(struct bucket *bucket, const struct net *net, uint64_t cost, uint64_t burst)
{
	uint64_t missing = saturating_add(bucket_missing(bucket, net), cost);
	if (missing > burst)
		return false;
	bucket->full_at = bucket_now(net) + missing;
	return true;
}

/* Takes without asking: what is known only when it is spent. The debt is bounded. */
static inline void bucket_spend(struct bucket *bucket, const struct net *net, uint64_t cost)
{
	uint64_t missing = saturating_add(bucket_missing(bucket, net), cost);
	bucket->full_at = bucket_now(net) + (missing < BUCKET_DEBT_MOST ? missing : BUCKET_DEBT_MOST);
}

#endif
