/* SPDX-License-Identifier: MIT
 *
 * netproc/rendezvous_order against an array that does the same slowly, and the depth of its tree when entries
 * go in every pattern. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/rendezvous_order.h"
#include "netproc/table.h"

#define NODES 4096
#define MANY  200000

static const uint8_t key[16] = {9};

static uint32_t priority_of(uint64_t serial)
{
	return (uint32_t)table_hash(key, &serial, sizeof(serial));
}

static size_t depth(const struct order_node *node)
{
	size_t left, right;

	if (node == NULL)
		return 0;
	left = depth(node->left);
	right = depth(node->right);
	return 1 + (left > right ? left : right);
}

static void check_same(const struct order *order, struct order_node *const *model, size_t count)
{
	struct order_node *node = order->oldest;

	for (size_t i = 0; i < count; i++, node = node->newer) {
		assert_ptr_equal(node, model[i]);
		assert_ptr_equal(node->older, i == 0 ? NULL : model[i - 1]);
	}
	assert_null(node);
	assert_ptr_equal(order->newest, count == 0 ? NULL : model[count - 1]);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(order_after(order, model[i]->serial), i + 1 == count ? NULL : model[i + 1]);
		assert_ptr_equal(order_after(order, model[i]->serial - 1), model[i]);
	}
}

static void same_as_an_array(void **state)
{
	static struct order_node nodes[NODES];
	static struct order_node *model[NODES], *spare[NODES];
	struct order order = {0};
	size_t count = 0, spares = NODES;
	uint64_t serial = 0;

	(void)state;
	srandom(4);
	for (size_t i = 0; i < NODES; i++)
		spare[i] = &nodes[i];
	for (size_t step = 0; step < 40000; step++) {
		bool add = count == 0 || (spares > 0 && random() % 100 < (step / 2000 % 2 == 0 ? 70 : 30));

		if (add) {
			serial += 1 + (uint64_t)random() % 3;
			model[count] = spare[--spares];
			order_append(&order, model[count], serial, priority_of(serial));
			count++;
		} else {
			size_t at = (size_t)random() % count;

			order_remove(&order, model[at]);
			spare[spares++] = model[at];
			memmove(&model[at], &model[at + 1], (--count - at) * sizeof(model[0]));
		}
		if (step % 500 == 0)
			check_same(&order, model, count);
	}
	check_same(&order, model, count);
}

static void empty_has_nothing(void **state)
{
	struct order order = {0};
	struct order_node node;

	(void)state;
	assert_null(order_after(&order, 0));
	order_append(&order, &node, 1, 1);
	assert_ptr_equal(order_after(&order, 0), &node);
	assert_null(order_after(&order, RENDEZVOUS_SERIAL_MAX));
	order_remove(&order, &node);
	assert_null(order.oldest);
	assert_null(order.newest);
	assert_null(order.root);
}

/* Those who register decide which entries go and in which order, so no pattern may make the tree a list. */
static void stays_shallow(void **state)
{
	struct order_node *nodes = calloc(MANY, sizeof(*nodes));
	struct order order = {0};

	(void)state;
	assert_non_null(nodes);
	for (uint64_t i = 0; i < MANY; i++)
		order_append(&order, &nodes[i], i + 1, priority_of(i + 1));
	assert_true(depth(order.root) < 64);
	for (uint64_t i = 0; i < MANY / 2; i++)
		order_remove(&order, &nodes[i]);
	assert_true(depth(order.root) < 64);
	for (uint64_t i = MANY / 2; i < MANY; i += 2)
		order_remove(&order, &nodes[i]);
	assert_true(depth(order.root) < 64);
	for (uint64_t i = MANY - 1; i > MANY / 2; i -= 2)
		order_remove(&order, &nodes[i]);
	assert_null(order.root);
	free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_as_an_array),
	    cmocka_unit_test(empty_has_nothing),
	    cmocka_unit_test(stays_shallow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
