/* SPDX-License-Identifier: MIT
 *
 * netproc/limits.c, limits_ip.c: connections of one address and of all, from the first byte to the last, and
 * who gives way in the handshake.
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

#define PUBLIC	 0x08080808u
#define HOME	 0x0a000001u
#define LOOPBACK 0x7f000001u

static struct net *net;

static int set_up(void **state)
{
	(void)state;
	net = fake_net();
	assert_int_equal(limits_init(net), 0);
	net->settings.max_connections_per_ip = net->settings.max_half_open_per_ip = 0;
	net->settings.max_handshakes_per_ip = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(net->limits->ips.count, 0);
	assert_int_equal(net->limits->connections, 0);
	assert_int_equal(net->limits->half_open, 0);
	fake_net_end(net);
	return 0;
}

static struct ip_key ip(uint32_t address)
{
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
	for (int i = 0; i < 4; i++)
		bytes[12 + i] = (uint8_t)(address >> (24 - 8 * i));
	return ip_key_of(bytes, false);
}

static enum close_reason arrive(uint32_t address)
{
	struct ip_key key = ip(address);
	return limits_accept(net, &key);
}

static void arrive_all(uint32_t address, unsigned count)
{
	while (count-- > 0)
		assert_int_equal(arrive(address), CLOSE_NONE);
}

static void establish(uint32_t address)
{
	struct ip_key key = ip(address);
	limits_half_open_end(net, &key);
}

static void leave(uint32_t address)
{
	struct ip_key key = ip(address);
	limits_closed(net, &key);
}

static void leave_all(uint32_t address, unsigned count)
{
	while (count-- > 0)
		establish(address), leave(address);
}

static void assert_refused(uint32_t address, enum close_reason reason, enum log_event event,
			   enum net_setting setting)
{
	uint64_t connections = net->limits->connections;
	unsigned events = fake_events(event);

	assert_int_equal(arrive(address), reason);
	assert_int_equal(net->limits->connections, connections);
	assert_int_equal(fake_events(event), events + 1);
	assert_int_equal(fake_event_setting(event), setting);
}

/* The handshake's end does not end the count. */
static void test_established_ones_count(void **state)
{
	(void)state;
	net->settings.max_connections_per_ip = 2;
	arrive_all(PUBLIC, 2);
	establish(PUBLIC), establish(PUBLIC);
	assert_int_equal(net->limits->half_open, 0);
	assert_refused(PUBLIC, CLOSE_LIMIT_CONNECTIONS_PER_IP, LOG_EVENT_CONNECTION_REFUSED_IP,
		       NET_SETTING_max_connections_per_ip);
	leave(PUBLIC);
	assert_int_equal(arrive(PUBLIC), CLOSE_NONE);
	leave(PUBLIC);
	leave(PUBLIC), establish(PUBLIC); /* closed in the handshake, in the other order */
	assert_int_equal(net->limits->ips.count, 0);
	leave(PUBLIC), establish(PUBLIC); /* once too often */
}

/* An eighth of the places, or eight, is kept for health checks. */
static void test_all_connections(void **state)
{
	(void)state;
	net->settings.max_connections = 16;
	for (uint32_t i = 0; i < 14; i++)
		arrive_all(PUBLIC + i, 1);
	assert_refused(PUBLIC, CLOSE_LIMIT_CONNECTIONS, LOG_EVENT_CONNECTION_REFUSED,
		       NET_SETTING_max_connections);
	leave_all(PUBLIC, 1);
	arrive_all(PUBLIC + 14, 1);
	assert_int_equal(arrive(PUBLIC), CLOSE_LIMIT_CONNECTIONS);
	arrive_all(LOOPBACK, 2);
	assert_int_equal(arrive(LOOPBACK), CLOSE_LIMIT_CONNECTIONS);
	leave_all(LOOPBACK, 2);
	for (uint32_t i = 1; i < 15; i++)
		leave_all(PUBLIC + i, 1);
}

/* From 80 % on an address that has its eighth, or sixteen, gets no more. */
static void test_share_of_a_full_relay(void **state)
{
	(void)state;
	net->settings.max_connections = 100;
	arrive_all(PUBLIC, 16);
	arrive_all(PUBLIC + 1, 15);
	arrive_all(HOME, 49);
	assert_int_equal(arrive(PUBLIC), CLOSE_NONE); /* the 81st */
	assert_refused(PUBLIC, CLOSE_LIMIT_CONNECTIONS_PER_IP, LOG_EVENT_CONNECTION_REFUSED_IP,
		       NET_SETTING_max_connections);
	arrive_all(PUBLIC + 1, 1);
	assert_int_equal(arrive(PUBLIC + 1), CLOSE_LIMIT_CONNECTIONS_PER_IP);
	arrive_all(HOME, 1);
	leave_all(PUBLIC, 17), leave_all(PUBLIC + 1, 16), leave_all(HOME, 50);
}

static void test_half_open_of_one_address(void **state)
{
	(void)state;
	arrive_all(PUBLIC, 10);
	leave_all(PUBLIC, 10);
	net->settings.max_half_open_per_ip = 3;
	arrive_all(PUBLIC, 3);
	assert_refused(PUBLIC, CLOSE_LIMIT_HALF_OPEN, LOG_EVENT_CONNECTION_REFUSED_IP,
		       NET_SETTING_max_half_open_per_ip);
	arrive_all(PUBLIC + 1, 1);
	arrive_all(HOME, 4);
	establish(PUBLIC);
	arrive_all(PUBLIC, 1);
	assert_int_equal(arrive(PUBLIC), CLOSE_LIMIT_HALF_OPEN);
	leave(PUBLIC);
	leave_all(PUBLIC, 3), leave_all(PUBLIC + 1, 1), leave_all(HOME, 4);
}

static bool holds_most(uint32_t address)
{
	struct ip_key holder, key = ip(address);

	return limits_half_open_holder(net, &holder) && ip_key_equal(&holder, &key);
}

/* A sixteenth, at least two. */
static void test_who_gives_way(void **state)
{
	(void)state;
	net->settings.max_half_open = 8;
	arrive_all(PUBLIC, 1);
	assert_false(holds_most(PUBLIC));
	arrive_all(PUBLIC, 1);
	assert_true(holds_most(PUBLIC));
	net->settings.max_half_open = 240;
	arrive_all(PUBLIC, 12);
	assert_false(holds_most(PUBLIC));
	arrive_all(PUBLIC, 1);
	assert_true(holds_most(PUBLIC));
	leave_all(PUBLIC, 15);
	assert_false(holds_most(PUBLIC));
}

/* Beyond the levels that are kept apart all stand together; the counts stay exact. */
static void test_more_than_there_are_levels(void **state)
{
	(void)state;
	net->settings.max_half_open = 1000;
	for (unsigned i = 0; i < LIMITS_LEVELS + 20; i++) {
		arrive_all(PUBLIC, 1);
		arrive_all(PUBLIC + 1, i % 2);
		assert_int_equal(net->limits->highest, i + 1 < LIMITS_LEVELS ? i + 1 : LIMITS_LEVELS - 1);
	}
	assert_true(holds_most(PUBLIC));
	for (unsigned i = LIMITS_LEVELS + 20; i-- > 0;) {
		leave_all(PUBLIC, 1);
		leave_all(PUBLIC + 1, i % 2);
		assert_int_equal(net->limits->highest, i < LIMITS_LEVELS ? i : LIMITS_LEVELS - 1);
	}
	assert_false(holds_most(PUBLIC));
}

/* A gateway in front of a container makes limits of one address void: said once, and of no other address. */
static void test_private_source_is_told_once(void **state)
{
	(void)state;
	arrive_all(PUBLIC, 1), arrive_all(LOOPBACK, 1);
	assert_int_equal(fake_events(LOG_EVENT_PRIVATE_SOURCE), 0);
	arrive_all(HOME, 2);
	assert_int_equal(fake_events(LOG_EVENT_PRIVATE_SOURCE), 1);
	leave_all(PUBLIC, 1), leave_all(LOOPBACK, 1), leave_all(HOME, 2);
}

static void test_no_memory(void **state)
{
	static const uint8_t peer[32] = {1};
	uint64_t cap = pool_cap(net);

	(void)state;
	pool_set_cap(net, 0);
	assert_int_equal(arrive(PUBLIC), CLOSE_MEMORY);
	assert_int_equal(limits_deny(net, peer), -1);
	pool_set_cap(net, cap);
	assert_false(limits_denied(net, peer));
}

#define IP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IP_TEST(test_established_ones_count),
	    IP_TEST(test_all_connections),
	    IP_TEST(test_share_of_a_full_relay),
	    IP_TEST(test_half_open_of_one_address),
	    IP_TEST(test_who_gives_way),
	    IP_TEST(test_more_than_there_are_levels),
	    IP_TEST(test_private_source_is_told_once),
	    IP_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
