/* SPDX-License-Identifier: MIT
 *
 * netproc/stop_queue.c: who counts as one source, how many may wait, whose turn it is, and what stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/reservation.h"
#include "netproc/stop_queue.h"

#define PUBLIC 0x08080808u
#define HOME   0x0a000001u

static struct net *net;
static struct stop_destination *destination;

static struct entry {
	struct list place;
	struct stop_group *group;
} entries[STOP_WAITING_MOST + 1];

static int set_up(void **state)
{
	static const uint8_t peer[32] = {9};

	(void)state;
	memset(entries, 0, sizeof(entries));
	net = fake_net();
	assert_int_equal(relay_init(net), 0);
	destination = stop_destination_get(net, peer);
	assert_non_null(destination);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (list_in(&entries[i].place))
			stop_queue_remove(net, destination, entries[i].group, &entries[i].place);
	assert_int_equal(destination->waiting, 0);
	assert_true(list_empty(&destination->ring));
	stop_destination_settle(net, destination);
	assert_int_equal(net->relay->stops.count, 0);
	fake_net_end(net);
	return 0;
}

static bool append(unsigned index, const struct conn *source)
{
	entries[index].group = stop_queue_append(net, destination, source, &entries[index].place);
	return entries[index].group != NULL;
}

static void fill(unsigned first, unsigned count, const struct conn *source)
{
	for (unsigned i = first; i < first + count; i++)
		assert_true(append(i, source));
}

/* Identities are free, addresses are not; behind a gateway all have one, which says nothing. */
static void test_source_is_an_address_or_a_peer(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *same = fake_conn(net, 2, PUBLIC),
		    *next = fake_conn(net, 1, PUBLIC + 1), *home = fake_conn(net, 1, HOME),
		    *home_too = fake_conn(net, 2, HOME), *six = fake_conn(net, 1, PUBLIC);

	(void)state;
	fill(0, STOP_WAITING_PER_SOURCE, a);
	assert_false(append(200, a));
	assert_false(append(200, same));
	assert_true(append(200, next));
	six->ip.family = 6;
	assert_true(append(201, six));
	fill(40, STOP_WAITING_PER_SOURCE, home);
	assert_false(append(202, home));
	assert_true(append(202, home_too));
	assert_ptr_not_equal(entries[202].group, entries[40].group);
	assert_ptr_not_equal(entries[200].group, entries[0].group);
}

/* Above as many, whoever asks. */
static void test_all_together_are_bounded(void **state)
{
	const unsigned sources = STOP_WAITING_MOST / STOP_WAITING_PER_SOURCE;
	struct conn *late = fake_conn(net, 1, PUBLIC + 100);

	(void)state;
	for (unsigned i = 0; i < sources; i++)
		fill(i * STOP_WAITING_PER_SOURCE, STOP_WAITING_PER_SOURCE, fake_conn(net, 1, PUBLIC + i));
	assert_int_equal(destination->waiting, STOP_WAITING_MOST);
	assert_false(append(STOP_WAITING_MOST, late));
	stop_queue_remove(net, destination, entries[5].group, &entries[5].place);
	assert_true(append(STOP_WAITING_MOST, late));
}

static void assert_turn(int index)
{
	assert_ptr_equal(stop_queue_shift(net, destination), index < 0 ? NULL : &entries[index].place);
}

/* One of each source, the longest waiting first. */
static void test_sources_in_turn(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1),
		    *c = fake_conn(net, 3, PUBLIC + 2);

	(void)state;
	fill(0, 4, a);
	fill(4, 2, b);
	fill(6, 1, c);
	assert_turn(0);
	assert_turn(4);
	assert_turn(6);
	assert_turn(1);
	fill(6, 1, c);
	assert_turn(5);
	assert_turn(2);
	assert_turn(6);
	assert_turn(3);
	assert_turn(-1);
	assert_int_equal(destination->waiting, 0);
}

/* It goes only when nothing of it is in use. */
static void test_destination_stays_as_long_as_needed(void **state)
{
	static const uint8_t peer[32] = {9}, other[32] = {8};

	(void)state;
	assert_ptr_equal(stop_destination_get(net, peer), destination);
	struct stop_destination *second = stop_destination_get(net, other);
	assert_ptr_not_equal(second, destination);
	destination->running = 1;
	stop_destination_settle(net, destination);
	destination->running = 0;
	destination->taking = true;
	stop_destination_settle(net, destination);
	destination->taking = false;
	fill(0, 1, fake_conn(net, 1, PUBLIC));
	stop_destination_settle(net, destination);
	assert_int_equal(net->relay->stops.count, 2);
	assert_ptr_equal(stop_destination_get(net, peer), destination);
	stop_destination_settle(net, second);
	assert_int_equal(net->relay->stops.count, 1);
}

static void test_no_memory(void **state)
{
	static const uint8_t other[32] = {8};
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1);
	uint64_t cap = pool_cap(net);

	(void)state;
	fill(0, 1, a);
	pool_set_cap(net, 0);
	assert_null(stop_destination_get(net, other));
	assert_false(append(1, b));
	assert_true(append(1, a));
	pool_set_cap(net, cap);
	assert_int_equal(destination->waiting, 2);
	assert_int_equal(net->relay->stops.count, 1);
}

#define QUEUE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    QUEUE_TEST(test_source_is_an_address_or_a_peer),
	    QUEUE_TEST(test_all_together_are_bounded),
	    QUEUE_TEST(test_sources_in_turn),
	    QUEUE_TEST(test_destination_stays_as_long_as_needed),
	    QUEUE_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
