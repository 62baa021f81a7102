/* SPDX-License-Identifier: MIT
 *
 * netproc/limits_circuit.c: every cap of reservations and circuits at its edge, what counts as one pair or
 * one route, and that what was refused or ended is not counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/limits.h"
#include "netproc/limits_state.h"

#define PUBLIC 0x08080808u
#define HOME   0x0a000001u

static struct net *net;

static int set_up(void **state)
{
	(void)state;
	net = fake_net();
	assert_int_equal(limits_init(net), 0);
	net->settings.max_circuits_per_pair = net->settings.max_circuits_per_peer = 0;
	net->settings.max_circuits_per_source_ip = net->settings.max_circuits = 0;
	net->settings.max_reservations_per_ip = net->settings.max_reservations = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(net->limits->circuits, 0);
	assert_int_equal(net->limits->reservations, 0);
	assert_int_equal(net->limits->pairs.count, 0);
	assert_int_equal(net->limits->peers.count, 0);
	assert_int_equal(net->limits->ips.count, 0);
	fake_net_end(net);
	return 0;
}

/* --- reservations --- */

static void reserve(const struct conn *conn, unsigned count)
{
	while (count-- > 0)
		assert_int_equal(limits_reserve(net, conn), CIRCUIT_OK);
}

static void reserve_end(const struct conn *conn, unsigned count)
{
	while (count-- > 0)
		limits_reserve_end(net, &conn->ip);
}

static void assert_not_reserved(const struct conn *conn, enum net_setting setting, enum net_counter counter)
{
	uint64_t before = net->counter[counter];

	assert_int_equal(limits_reserve(net, conn), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_int_equal(fake_event_setting(LOG_EVENT_RESERVATION_REFUSED), setting);
	assert_int_equal(net->counter[counter], before + 1);
}

static void test_reservations_of_one_address(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *home = fake_conn(net, 2, HOME);

	(void)state;
	net->settings.max_reservations_per_ip = 2;
	reserve(a, 2);
	assert_not_reserved(a, NET_SETTING_max_reservations_per_ip, NET_COUNT_RESERVE_REFUSED_IP);
	reserve(home, 3);
	net->settings.max_reservations_per_ip = 0;
	reserve(a, 1);
	reserve_end(a, 3), reserve_end(home, 3);
	reserve_end(a, 1); /* once too often */
}

/* From 80 % on whoever has its eighth, or sixteen, gets no more; at 100 % nobody does. */
static void test_share_of_all_reservations(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1),
		    *home = fake_conn(net, 3, HOME), *late = fake_conn(net, 4, PUBLIC + 2);

	(void)state;
	net->settings.max_reservations = 100;
	reserve(a, 16), reserve(b, 15), reserve(home, 49);
	reserve(a, 1);
	assert_not_reserved(a, NET_SETTING_max_reservations, NET_COUNT_RESERVE_REFUSED_LIMIT);
	reserve(b, 1);
	assert_not_reserved(b, NET_SETTING_max_reservations, NET_COUNT_RESERVE_REFUSED_LIMIT);
	reserve(home, 18);
	assert_not_reserved(home, NET_SETTING_max_reservations, NET_COUNT_RESERVE_REFUSED_LIMIT);
	size_t known = net->limits->ips.count;
	assert_not_reserved(late, NET_SETTING_max_reservations, NET_COUNT_RESERVE_REFUSED_LIMIT);
	assert_int_equal(net->limits->ips.count, known);
	reserve_end(a, 17), reserve_end(b, 16), reserve_end(home, 67);
}

/* --- circuits --- */

static void circuits(const struct conn *a, const struct conn *b, unsigned count)
{
	while (count-- > 0)
		assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
}

static void end(const struct conn *a, const struct conn *b, unsigned count)
{
	struct limits_circuit circuit = limits_circuit_of(a, b);

	while (count-- > 0)
		limits_connect_end(net, &circuit);
}

static void assert_not_connected(const struct conn *a, const struct conn *b, enum net_setting setting)
{
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_int_equal(fake_event_setting(LOG_EVENT_CIRCUIT_REFUSED), setting);
}

/* A pair is two connections, whichever asks; another connection on either side makes another pair. */
static void test_what_is_one_pair(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1),
		    *c = fake_conn(net, 3, PUBLIC + 2);

	(void)state;
	net->settings.max_circuits_per_pair = 1;
	circuits(a, b, 1), circuits(c, a, 1), circuits(c, b, 1);
	assert_not_connected(a, b, NET_SETTING_max_circuits_per_pair);
	assert_not_connected(b, a, NET_SETTING_max_circuits_per_pair);
	assert_not_connected(a, c, NET_SETTING_max_circuits_per_pair);
	a->generation = 2; /* another connection in its place */
	circuits(a, b, 1);
	end(a, b, 1);
	a->generation = 1;
	end(a, b, 1), end(c, a, 1), end(c, b, 1);
}

/* A route leads from one address to one peer. */
static void test_what_is_one_route(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *same = fake_conn(net, 2, PUBLIC),
		    *b = fake_conn(net, 3, PUBLIC + 1), *six = fake_conn(net, 4, PUBLIC),
		    *to = fake_conn(net, 5, PUBLIC + 2), *to_other = fake_conn(net, 6, PUBLIC + 2),
		    *home = fake_conn(net, 7, HOME);

	(void)state;
	six->ip.family = 6;
	net->settings.max_circuits_per_source_ip = 1;
	circuits(a, to, 1), circuits(b, to, 1), circuits(six, to, 1), circuits(a, to_other, 1);
	assert_not_connected(a, to, NET_SETTING_max_circuits_per_source_ip);
	assert_not_connected(same, to, NET_SETTING_max_circuits_per_source_ip);
	circuits(home, to, 2);
	end(a, to, 1), end(b, to, 1), end(six, to, 1), end(a, to_other, 1), end(home, to, 2);
}

/* The share of all circuits is that of the address that asks. */
static void test_share_of_all_circuits(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1),
		    *home = fake_conn(net, 3, HOME);

	(void)state;
	net->settings.max_circuits = 100;
	circuits(a, b, 16), circuits(home, b, 65);
	assert_not_connected(a, b, NET_SETTING_max_circuits);
	circuits(b, a, 1), circuits(home, b, 18);
	assert_not_connected(b, a, NET_SETTING_max_circuits);
	end(a, b, 16), end(b, a, 1), end(home, b, 83);
}

/* Three quarters of the streams of either connection. */
static void test_streams_of_either_end(void **state)
{
	struct conn *ends[2] = {fake_conn(net, 1, PUBLIC), fake_conn(net, 2, PUBLIC + 1)};
	static const struct {
		uint64_t setting;
		uint32_t most;
	} rows[] = {{100, 75}, {512, 384}, {4096, 384}};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		net->settings.max_streams = rows[i / 2].setting;
		ends[i % 2]->yamux.count = rows[i / 2].most - 1;
		circuits(ends[0], ends[1], 1);
		end(ends[0], ends[1], 1);
		ends[i % 2]->yamux.count++;
		assert_not_connected(ends[0], ends[1], NET_SETTING_max_streams);
		ends[i % 2]->yamux.count = 0;
	}
}

/* A connection with 128 circuits keeps half as many, rounded up, to each other one. */
static void test_busy_connections(void **state)
{
	struct conn *ends[2] = {fake_conn(net, 1, PUBLIC), fake_conn(net, 2, PUBLIC + 1)};

	(void)state;
	net->settings.max_circuits_per_pair = 3;
	for (size_t i = 0; i < 2; i++) {
		circuits(ends[0], ends[1], 1);
		ends[i]->circuits = 128;
		circuits(ends[0], ends[1], 1);
		assert_not_connected(ends[0], ends[1], NET_SETTING_max_circuits_per_pair);
		ends[i]->circuits = 127;
		circuits(ends[0], ends[1], 1);
		assert_not_connected(ends[0], ends[1], NET_SETTING_max_circuits_per_pair);
		ends[i]->circuits = 0;
		end(ends[0], ends[1], 3);
	}
}

/* Tried on another connection the circuit is counted there; on the same one it stays. */
static void test_a_circuit_that_moves(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1),
		    *b2 = fake_conn(net, 2, PUBLIC + 1);
	struct limits_circuit circuit = limits_circuit_of(a, b);
	uint64_t cap = pool_cap(net);

	(void)state;
	net->settings.max_circuits_per_pair = 1;
	circuits(a, b, 1);
	pool_set_cap(net, 0);
	limits_connect_move(net, &circuit, b); /* needs no memory: nothing changes */
	pool_set_cap(net, cap);
	assert_not_connected(a, b, NET_SETTING_max_circuits_per_pair);
	limits_connect_move(net, &circuit, b2);
	circuits(a, b, 1);
	assert_not_connected(a, b2, NET_SETTING_max_circuits_per_pair);
	limits_connect_end(net, &circuit);
	end(a, b, 1);
	end(a, b, 1); /* once too often */
}

/* At whichever piece of memory it ends, nothing is left of the attempt. */
static void test_no_memory(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1);
	uint64_t cap = pool_cap(net), refused = 0;

	(void)state;
	assert_int_equal(pool_used(net), 0);
	pool_set_cap(net, 0);
	assert_not_reserved(a, NET_SETTING_max_memory, NET_COUNT_RESERVE_REFUSED_LIMIT);
	for (uint64_t most = 16; most < 8192; most += 16) {
		pool_set_cap(net, most);
		if (limits_connect(net, a, b) == CIRCUIT_OK)
			break;
		refused++;
		assert_int_equal(fake_event_setting(LOG_EVENT_CIRCUIT_REFUSED), NET_SETTING_max_memory);
		assert_int_equal(pool_used(net), 0);
		assert_int_equal(net->limits->pairs.count + net->limits->peers.count, 0);
	}
	assert_true(refused > 20);
	assert_int_equal(net->limits->pairs.count, 2);
	pool_set_cap(net, cap);
	end(a, b, 1);
}

#define CIRCUIT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CIRCUIT_TEST(test_reservations_of_one_address),
	    CIRCUIT_TEST(test_share_of_all_reservations),
	    CIRCUIT_TEST(test_what_is_one_pair),
	    CIRCUIT_TEST(test_what_is_one_route),
	    CIRCUIT_TEST(test_share_of_all_circuits),
	    CIRCUIT_TEST(test_streams_of_either_end),
	    CIRCUIT_TEST(test_busy_connections),
	    CIRCUIT_TEST(test_a_circuit_that_moves),
	    CIRCUIT_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
