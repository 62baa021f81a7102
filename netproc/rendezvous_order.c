/* SPDX-License-Identifier: MIT */
#include "netproc/rendezvous_order.h"

#include <stddef.h>

/* The new node's serial is the largest, so its place is on the right spine: above the first node there with a
 * lower priority, which becomes its left. */
static void treap_append(struct order *order, struct order_node *node)
{
	struct order_node **link = &order->root;

	while (*link != NULL && (*link)->priority >= node->priority)
		link = &(*link)->right;
	node->left = *link;
	node->right = NULL;
	*link = node;
}

/* All serials of `left` are below all of `right`. */
static void treap_merge(struct order_node **link, struct order_node *left, struct order_node *right)
{
	while (left != NULL && right != NULL) {
		if (left->priority >= right->priority) {
			*link = left;
			link = &left->right;
			left = left->right;
		} else {
			*link = right;
			link = &right->left;
			right = right->left;
		}
	}
	*link = left != NULL ? left : right;
}

static void treap_remove(struct order *order, struct order_node *node)
{
	struct order_node **link = &order->root;

	while (*link != NULL && *link != node)
		link = node->serial < (*link)->serial ? &(*link)->left : &(*link)->right;
	if (*link != NULL)
		treap_merge(link, node->left, node->right);
}

void order_append(struct order *order, struct order_node *node, uint64_t serial, uint32_t priority)
{
	node->serial = serial & RENDEZVOUS_SERIAL_MAX;
	node->priority = priority & 0xffffff;
	node->older = order->newest;
	node->newer = NULL;
	if (order->newest != NULL)
		order->newest->newer = node;
	else
		order->oldest = node;
	order->newest = node;
	treap_append(order, node);
}

void order_remove(struct order *order, struct order_node *node)
{
	treap_remove(order, node);
	if (node->older != NULL)
		node->older->newer = node->newer;
	else
		order->oldest = node->newer;
	if (node->newer != NULL)
		node->newer->older = node->older;
	else
		order->newest = node->older;
	node->older = node->newer = node->left = node->right = NULL;
}

struct order_node *order_after(const struct order *order, uint64_t serial)
{
	struct order_node *node = order->root, *found = NULL;

	while (node != NULL) {
		if (node->serial > serial) {
			found = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}
