/* SPDX-License-Identifier: MIT
 *
 * Registrations in the order of their serials: a list, for walks in either direction, and a treap over the
 * same nodes, for "the first behind this serial". An entry is always put at the end, since serials only grow,
 * and may be taken out anywhere; each is O(log n), and nothing is ever moved or rebuilt. Used by
 * rendezvous_store; nodes stand inside registrations. Trusts its caller: priorities must not be guessable,
 * else who chooses which entries go chooses the depth.
 */
#ifndef NETPROC_RENDEZVOUS_ORDER_H
#define NETPROC_RENDEZVOUS_ORDER_H

#include <stdint.h>

#define RENDEZVOUS_SERIAL_MAX ((UINT64_C(1) << 40) - 1)

struct order_node {
	struct order_node *older;
	struct order_node *newer;
	struct order_node *left; /* smaller serials */
	struct order_node *right;
	uint64_t serial : 40;
	uint64_t priority : 24;
};

/* Zeroed is empty. */
struct order {
	struct order_node *oldest;
	struct order_node *newest;
	struct order_node *root;
};

/* `serial` is above every one in the order. */
void order_append(struct order *order, struct order_node *node, uint64_t serial, uint32_t priority);
void order_remove(struct order *order, struct order_node *node);
/* The oldest node with a serial above `serial`; NULL: none. */
struct order_node *order_after(const struct order *order, uint64_t serial);

#endif
