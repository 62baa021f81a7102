/* SPDX-License-Identifier: MIT
 *
 * netproc/limits_peer.c: each rate to the token and the millisecond, by which setting it refuses, and how
 * long it is remembered.
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
	return limits_init(net);
}

static int tear_down(void **state)
{
	(void)state;
	fake_net_end(net);
	assert_int_equal(net->limits->peers.count, 0);
	assert_int_equal(net->limits->ips.count, 0);
	return 0;
}

static void assert_refused(bool allowed, enum net_setting setting, uint64_t events)
{
	assert_false(allowed);
	assert_int_equal(fake_events(LOG_EVENT_RATE_REFUSED), events);
	assert_int_equal(fake_event_setting(LOG_EVENT_RATE_REFUSED), setting);
}

/* A refused attempt costs nothing, so that a client that goes on asking gets its next token in time. */
static void test_requests_of_the_relay(void **state)
{
	static const struct {
		bool (*ask)(struct net *net, const struct conn *conn);
		enum net_setting setting;
		uint64_t token; /* milliseconds */
		bool of_ip;
	} rows[] = {
	    {limits_reserve_rate, NET_SETTING_reserve_rate_per_peer, 120000, false},
	    {limits_reserve_rate, NET_SETTING_reserve_rate_per_ip, 60000, true},
	    {limits_connect_rate, NET_SETTING_connect_rate_per_peer, 120000, false},
	    {limits_connect_rate, NET_SETTING_connect_rate_per_ip, 60000, true},
	};
	struct conn *a = fake_conn(net, 1, PUBLIC), *same_ip = fake_conn(net, 2, PUBLIC),
		    *same_peer = fake_conn(net, 1, PUBLIC + 1), *home = fake_conn(net, 3, HOME);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t *setting = net_setting_at(&net->settings, rows[i].setting);
		unsigned events = fake_events(LOG_EVENT_RATE_REFUSED);

		*setting = 3;
		for (int n = 0; n < 3; n++)
			assert_true(rows[i].ask(net, a));
		assert_refused(rows[i].ask(net, a), rows[i].setting, events + 1);
		assert_int_equal(rows[i].ask(net, same_ip), !rows[i].of_ip);
		assert_int_equal(rows[i].ask(net, same_peer), rows[i].of_ip);
		for (int n = 0; n < 4 && rows[i].of_ip; n++)
			assert_true(rows[i].ask(net, home));
		fake_pass(net, rows[i].token - 1);
		assert_false(rows[i].ask(net, a));
		fake_pass(net, 1);
		assert_true(rows[i].ask(net, a));
		assert_false(rows[i].ask(net, a));
		*setting = 0;
		assert_true(rows[i].ask(net, a));
		fake_pass(net, 3 * rows[i].token - 1000);
		assert_int_not_equal(net->limits->peers.count + net->limits->ips.count, 0);
		fake_pass(net, 2000);
		assert_int_equal(net->limits->peers.count + net->limits->ips.count, 0);
	}
}

static void test_requests_of_rendezvous(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC);

	(void)state;
	net->settings.rendezvous_rate = 10;
	for (int i = 0; i < 500; i++)
		assert_true(limits_rendezvous_rate(net, a));
	assert_refused(limits_rendezvous_rate(net, a), NET_SETTING_rendezvous_rate, 1);
	assert_true(limits_rendezvous_answers(net, a));
	assert_true(limits_rendezvous_rate(net, b));
	fake_pass(net, 99);
	assert_false(limits_rendezvous_rate(net, a));
	fake_pass(net, 1);
	assert_true(limits_rendezvous_rate(net, a));
	assert_false(limits_rendezvous_rate(net, a));
	fake_pass(net, 49000);
	assert_int_equal(net->limits->peers.count, 1);
	net->settings.rendezvous_rate = 0;
	for (int i = 0; i < 1000; i++)
		assert_true(limits_rendezvous_rate(net, b));
}

/* What was answered is known only afterwards: the next request is refused for it. */
static void test_answers_of_rendezvous(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC);

	(void)state;
	net->settings.rendezvous_rate = 0;
	net->settings.rendezvous_answer_rate = 1000;
	limits_rendezvous_answer(net, a, 16000);
	assert_true(limits_rendezvous_rate(net, a));
	limits_rendezvous_answer(net, a, 1);
	assert_refused(limits_rendezvous_rate(net, a), NET_SETTING_rendezvous_answer_rate, 1);
	assert_refused(limits_rendezvous_answers(net, a), NET_SETTING_rendezvous_answer_rate, 2);
	assert_true(limits_rendezvous_answers(net, b));
	fake_pass(net, 1);
	assert_true(limits_rendezvous_answers(net, a));
	assert_true(limits_rendezvous_rate(net, a));
	limits_rendezvous_answer(net, a, UINT64_MAX); /* the debt is an hour at most */
	fake_pass(net, 3600000 - 16001);
	assert_false(limits_rendezvous_answers(net, a));
	fake_pass(net, 1);
	assert_true(limits_rendezvous_answers(net, a));
	limits_rendezvous_answer(net, a, 100000);
	net->settings.rendezvous_answer_rate = 0;
	assert_true(limits_rendezvous_answers(net, a));
	limits_rendezvous_answer(net, b, 1); /* without a rate nothing is remembered */
	assert_int_equal(net->limits->peers.count, 1);
}

static void test_vouchers_of_a_connection(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC);

	(void)state;
	for (int i = 0; i < 16; i++)
		assert_true(limits_voucher(net, a));
	assert_false(limits_voucher(net, a));
	fake_pass(net, 999);
	assert_false(limits_voucher(net, a));
	fake_pass(net, 1);
	assert_true(limits_voucher(net, a));
	assert_false(limits_voucher(net, a));
}

/* A quarter of a second ahead delays credit, eight seconds refuse a circuit; of a peer, and of all. */
static void test_bandwidth(void **state)
{
	static const enum net_setting settings[] = {NET_SETTING_max_bandwidth_per_peer,
						    NET_SETTING_max_bandwidth};
	const uint8_t a[32] = {1}, b[32] = {2};

	(void)state;
	for (int all = 0; all < 2; all++) {
		*net_setting_at(&net->settings, settings[all]) = 1000;
		limits_bandwidth_spend(net, a, 250);
		assert_true(limits_bandwidth(net, a));
		limits_bandwidth_spend(net, a, 1);
		assert_false(limits_bandwidth(net, a));
		assert_int_equal(limits_bandwidth(net, b), !all);
		fake_pass(net, 1);
		assert_true(limits_bandwidth(net, a));
		limits_bandwidth_spend(net, a, 7750);
		assert_int_equal(limits_bandwidth_far(net, a), NET_SETTING_COUNT);
		limits_bandwidth_spend(net, a, 1);
		assert_int_equal(limits_bandwidth_far(net, a), settings[all]);
		assert_int_equal(limits_bandwidth_far(net, b), all ? settings[all] : NET_SETTING_COUNT);
		limits_bandwidth_spend(net, a, UINT64_MAX); /* no sum goes round */
		assert_int_equal(limits_bandwidth_far(net, a), settings[all]);
		*net_setting_at(&net->settings, settings[all]) = 0;
		assert_true(limits_bandwidth(net, a));
		assert_int_equal(limits_bandwidth_far(net, a), NET_SETTING_COUNT);
	}
	limits_bandwidth_spend(net, b, 1000000); /* without a cap nothing is remembered */
	assert_int_equal(net->limits->peers.count, 1);
	net->settings.max_bandwidth_per_peer = 1000;
	limits_bandwidth_spend(net, b, 2000);
	fake_pass(net, 3000);
	assert_int_equal(net->limits->peers.count, 1);
}

/* Whoever finds its buckets full before their timer does ends the timer, too. */
static void test_nothing_is_left_of_what_was_forgotten(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1);
	struct limits_circuit circuit = limits_circuit_of(a, b);

	(void)state;
	net->settings.connect_rate_per_peer = net->settings.connect_rate_per_ip = 3;
	assert_true(limits_connect_rate(net, a));
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	net->now += 200000; /* no turn of the wheel yet */
	limits_connect_end(net, &circuit);
	assert_int_equal(net->limits->peers.count, 0);
	assert_int_equal(net->limits->ips.count, 0);
	uint64_t used = pool_used(net);
	fake_pass(net, 1000);
	assert_int_equal(pool_used(net), used);
}

/* A peer that asks goes on being counted for what it has. */
static void test_who_has_circuits_is_not_forgotten(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1);
	struct limits_circuit circuit = limits_circuit_of(a, b);

	(void)state;
	net->settings.connect_rate_per_peer = net->settings.connect_rate_per_ip = 30;
	net->settings.max_circuits_per_peer = 1;
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	assert_true(limits_connect_rate(net, a));
	fake_pass(net, 3600000);
	assert_int_equal(limits_peer_find(net, a->peer)->circuits, 1);
	assert_int_equal(limits_ip_find(net, &a->ip)->circuits, 1);
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	limits_connect_end(net, &circuit);
}

/* The cap of the pool refuses elsewhere: nobody is refused for a rate that cannot be remembered. */
static void test_no_memory(void **state)
{
	struct conn *a = fake_conn(net, 1, PUBLIC);
	uint64_t cap = pool_cap(net);

	(void)state;
	net->settings.reserve_rate_per_peer = net->settings.connect_rate_per_peer = 1;
	net->settings.reserve_rate_per_ip = net->settings.connect_rate_per_ip = 1;
	net->settings.max_bandwidth_per_peer = 1;
	pool_set_cap(net, 0);
	for (int i = 0; i < 3; i++)
		assert_true(limits_reserve_rate(net, a) && limits_connect_rate(net, a) &&
			    limits_rendezvous_rate(net, a));
	limits_rendezvous_answer(net, a, UINT64_MAX);
	limits_bandwidth_spend(net, a->peer, UINT64_MAX);
	assert_true(limits_rendezvous_answers(net, a) && limits_bandwidth(net, a->peer));
	pool_set_cap(net, cap);
}

#define RATE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RATE_TEST(test_requests_of_the_relay),
	    RATE_TEST(test_requests_of_rendezvous),
	    RATE_TEST(test_answers_of_rendezvous),
	    RATE_TEST(test_vouchers_of_a_connection),
	    RATE_TEST(test_bandwidth),
	    RATE_TEST(test_nothing_is_left_of_what_was_forgotten),
	    RATE_TEST(test_who_has_circuits_is_not_forgotten),
	    RATE_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
