/* SPDX-License-Identifier: MIT
 *
 * netproc/table: what goes in is found and comes out, and no call does more work in a large table than in a
 * small one. Steps are counted from outside: buckets made or merged by a call, and the links of the chains
 * that it can have walked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/table.h"

#define ENTRIES 200000

struct entry {
	struct table_link link;
	uint32_t number;
	bool in;
};

static const uint8_t key[16] = {1, 2, 3};

static uint64_t hash_of(uint32_t number)
{
	return table_hash(key, &number, sizeof(number));
}

static struct entry *find(const struct table *table, uint32_t number)
{
	uint64_t hash = hash_of(number);
	struct table_link *link;

	for (link = table_first(table, hash); link != NULL; link = table_next(link, hash)) {
		struct entry *entry = container_of(link, struct entry, link);

		if (entry->number == number)
			return entry;
	}
	return NULL;
}

static size_t chain_longest(const struct table *table)
{
	size_t longest = 0, seen = 0;

	for (size_t bucket = 0, segment = 0, start = 0; bucket < table->buckets; bucket++) {
		size_t size = segment == 0 ? 16 : start, len = 0;

		if (bucket - start == size) {
			segment++;
			start = bucket;
		}
		for (struct table_link *link = table->segments[segment][bucket - start]; link;
		     link = link->next)
			len++;
		longest = len > longest ? len : longest;
		seen += len;
	}
	assert_int_equal(seen, table->count);
	return longest;
}

static size_t distance(size_t a, size_t b)
{
	return a > b ? a - b : b - a;
}

static void fill(struct table *table, struct entry *entries, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		size_t before = table->buckets;

		entries[i] = (struct entry){.number = i, .in = true};
		table_insert(table, &entries[i].link, hash_of(i));
		assert_true(distance(before, table->buckets) <= 2);
	}
}

static void drain(struct table *table, struct entry *entries, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		size_t before = table->buckets;

		table_remove(table, &entries[i].link);
		entries[i].in = false;
		assert_true(distance(before, table->buckets) <= 2);
	}
}

static void finds_what_is_in(void **state)
{
	struct entry *entries = calloc(1000, sizeof(*entries));
	struct table table;

	(void)state;
	assert_non_null(entries);
	assert_int_equal(table_init(&table), 0);
	fill(&table, entries, 0, 1000);
	for (uint32_t i = 0; i < 1000; i += 2)
		drain(&table, entries, i, i + 1);
	assert_int_equal(table.count, 500);
	for (uint32_t i = 0; i < 1100; i++)
		assert_ptr_equal(find(&table, i), i < 1000 && i % 2 == 1 ? &entries[i] : NULL);
	table_free(&table);
	free(entries);
}

static void same_hash_entries_are_all_walked(void **state)
{
	struct entry entries[40];
	struct table table;
	size_t seen = 0;

	(void)state;
	assert_int_equal(table_init(&table), 0);
	for (uint32_t i = 0; i < 40; i++) {
		entries[i].number = i;
		table_insert(&table, &entries[i].link, i % 2 ? 7 : 7 + 1024);
	}
	for (struct table_link *link = table_first(&table, 7); link != NULL; link = table_next(link, 7)) {
		assert_int_equal(container_of(link, struct entry, link)->number % 2, 1);
		seen++;
	}
	assert_int_equal(seen, 20);
	table_free(&table);
}

static void no_step_grows_with_the_table(void **state)
{
	struct entry *entries = calloc(ENTRIES, sizeof(*entries));
	struct table table;

	(void)state;
	assert_non_null(entries);
	assert_int_equal(table_init(&table), 0);
	for (uint32_t size = 1000; size <= ENTRIES; size *= size < 100000 ? 10 : 2) {
		fill(&table, entries, (uint32_t)table.count, size);
		/* Load is at most 1, so a chain above 16 is a broken hash or split. */
		assert_true(chain_longest(&table) <= 16);
		assert_true(table.buckets >= table.count);
	}
	for (uint32_t i = 0; i < ENTRIES; i += 20000) {
		drain(&table, entries, i, i + 20000);
		assert_true(chain_longest(&table) <= 16);
		assert_null(find(&table, i + 10000));
		if (i + 20000 < ENTRIES)
			assert_non_null(find(&table, i + 20000));
	}
	assert_int_equal(table.buckets, 16);
	assert_true(table.segment_count <= 2);
	table_free(&table);
	free(entries);
}

static void removing_twice_changes_nothing(void **state)
{
	struct entry entry = {.number = 5};
	struct table table;

	(void)state;
	assert_int_equal(table_init(&table), 0);
	table_insert(&table, &entry.link, hash_of(5));
	table_remove(&table, &entry.link);
	table_remove(&table, &entry.link);
	assert_int_equal(table.count, 0);
	table_free(&table);
	table_free(&table);
}

static void hash_is_siphash_and_keyed(void **state)
{
	/* The vector of the SipHash paper: key 00..0f, message 00..0e. */
	uint8_t paper_key[16], message[15];
	static const uint8_t want[8] = {0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1};
	uint64_t hash;

	(void)state;
	for (uint8_t i = 0; i < 16; i++)
		paper_key[i] = i;
	memcpy(message, paper_key, sizeof(message));
	hash = table_hash(paper_key, message, sizeof(message));
	assert_memory_equal(&hash, want, sizeof(want));
	paper_key[0] ^= 1;
	assert_int_not_equal(table_hash(paper_key, message, sizeof(message)), hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_is_in),
	    cmocka_unit_test(same_hash_entries_are_all_walked),
	    cmocka_unit_test(no_step_grows_with_the_table),
	    cmocka_unit_test(removing_twice_changes_nothing),
	    cmocka_unit_test(hash_is_siphash_and_keyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
