/* SPDX-License-Identifier: MIT
 *
 * netproc/rendezvous_order against an array that does the same slowly; the height of its tree and the bytes
 * of its chunks when entries go in every pattern; and memory that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/rendezvous_order.h"

#define ENTRIES 4096
#define MANY	200000

static size_t bytes; /* of all chunks */
static bool refuses;

static void *take(void *owner, size_t size)
{
	(void)owner;
	if (refuses)
		return NULL;
	bytes += size;
	return malloc(size);
}

static void give(void *owner, void *memory, size_t size)
{
	(void)owner;
	bytes -= size;
	free(memory);
}

static const struct order_memory memory = {take, give, NULL};

/* An entry is its own serial here. */
static int append(struct order *order, uint64_t *entry, uint64_t serial)
{
	*entry = serial;
	return order_append(&memory, order, serial, entry);
}

static void check_same(const struct order *order, uint64_t *const *model, size_t count)
{
	struct order_place up = order_oldest(order), down = order_newest(order);

	for (size_t i = 0; i < count; i++, up = order_newer(up), down = order_older(down)) {
		assert_ptr_equal(order_entry(up), model[i]);
		assert_ptr_equal(order_entry(down), model[count - 1 - i]);
		assert_ptr_equal(order_entry(order_after(order, *model[i])),
				 i + 1 == count ? NULL : model[i + 1]);
		assert_ptr_equal(order_entry(order_after(order, *model[i] - 1)), model[i]);
	}
	assert_null(order_entry(up));
	assert_null(order_entry(down));
}

/* Fills and empties by turns, from one entry to thousands; now and then without memory. */
static void same_as_an_array(void **state)
{
	static uint64_t entries[ENTRIES];
	static uint64_t *model[ENTRIES], *spare[ENTRIES];
	struct order order = {0};
	size_t count = 0, spares = ENTRIES;
	uint64_t serial = 0;

	(void)state;
	srandom(4);
	for (size_t i = 0; i < ENTRIES; i++)
		spare[i] = &entries[i];
	for (size_t step = 0; step < 60000; step++) {
		bool add = count == 0 || (spares > 0 && random() % 100 < (step / 3000 % 2 == 0 ? 80 : 20));

		refuses = random() % 16 == 0;
		if (add) {
			serial += 1 + (uint64_t)random() % 3;
			model[count] = spare[spares - 1];
			if (append(&order, model[count], serial) == 0) {
				count++;
				spares--;
			} else {
				assert_true(refuses);
			}
		} else {
			size_t at = (size_t)random() % count;

			order_remove(&memory, &order, *model[at]);
			spare[spares++] = model[at];
			memmove(&model[at], &model[at + 1], (--count - at) * sizeof(model[0]));
		}
		if (step % 500 == 0 || count < 20)
			check_same(&order, model, count);
	}
	refuses = false;
	while (count > 0)
		order_remove(&memory, &order, *model[--count]);
	assert_int_equal(bytes, 0);
}

static void empty_has_nothing(void **state)
{
	struct order order = {0};
	uint64_t entry;

	(void)state;
	assert_null(order_entry(order_after(&order, 0)));
	assert_null(order_entry(order_oldest(&order)));
	assert_null(order_entry(order_newest(&order)));
	order_remove(&memory, &order, 7);
	assert_int_equal(append(&order, &entry, 5), 0);
	assert_int_equal(bytes, order_chunk_size(ORDER_CHUNK_LEAST));
	order_remove(&memory, &order, 4);
	order_remove(&memory, &order, 6);
	assert_ptr_equal(order_entry(order_after(&order, 4)), &entry);
	assert_null(order_entry(order_after(&order, RENDEZVOUS_SERIAL_MAX)));
	order_remove(&memory, &order, 5);
	assert_null(order.root);
	assert_int_equal(bytes, 0);
}

static void without_memory_nothing_changes(void **state)
{
	struct order order = {0};
	static uint64_t entries[100];

	(void)state;
	refuses = true;
	assert_int_equal(append(&order, &entries[0], 1), -1);
	for (uint64_t i = 0; i < 100; i++) {
		refuses = true;
		if (append(&order, &entries[i], i + 1) == 0)
			continue;
		assert_null(order_entry(order_after(&order, i)));
		refuses = false;
		assert_int_equal(append(&order, &entries[i], i + 1), 0);
	}
	for (uint64_t i = 0; i < 100; i++)
		assert_ptr_equal(order_entry(order_after(&order, i)), &entries[i]);
	refuses = true; /* taking out needs none */
	for (uint64_t i = 0; i < 100; i++)
		order_remove(&memory, &order, i + 1);
	assert_int_equal(bytes, 0);
	refuses = false;
}

/* Those who register decide which entries go and in which order: no pattern may make the tree a list or keep
 * chunks for few. */
static void stays_shallow_and_dense(void **state)
{
	uint64_t *entries = calloc(MANY, sizeof(*entries));
	struct order order = {0};
	size_t left = MANY;

	(void)state;
	assert_non_null(entries);
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(append(&order, &entries[i], i + 1), 0);
	assert_true(bytes / MANY <= 18);
	assert_true(order.root->height < 5);
	for (uint64_t i = 0; i < MANY; i++)
		if (i % 61 != 0) { /* one is left of each chunk */
			order_remove(&memory, &order, i + 1);
			left--;
			assert_true(order.root->height < 5);
		}
	assert_true(bytes / left <= 80);
	for (uint64_t i = 0; i < MANY; i += 61)
		order_remove(&memory, &order, i + 1);
	assert_null(order.root);
	assert_int_equal(bytes, 0);
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_as_an_array),
	    cmocka_unit_test(empty_has_nothing),
	    cmocka_unit_test(without_memory_nothing_changes),
	    cmocka_unit_test(stays_shallow_and_dense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
