/* SPDX-License-Identifier: MIT
 *
 * netproc/limits*: what is refused, by which setting, and that nothing stays behind.
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
#include "netproc/memory.h"
#include "netproc/pool.h"

#define PUBLIC 0x08080808u

static struct net *world(void)
{
	struct net *net = fake_net();
	assert_int_equal(limits_init(net), 0);
	return net;
}

static struct ip_key ip4(uint32_t address, bool limit_private)
{
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
	for (int i = 0; i < 4; i++)
		bytes[12 + i] = (uint8_t)(address >> (24 - 8 * i));
	return ip_key_of(bytes, limit_private);
}

static struct ip_key ip6(uint16_t first, uint8_t last)
{
	uint8_t bytes[16] = {(uint8_t)(first >> 8), (uint8_t)first, [15] = last};
	return ip_key_of(bytes, false);
}

static void keys_of_addresses(void **state)
{
	(void)state;
	struct ip_key a = ip6(0x2001, 1), b = ip6(0x2001, 2), c = ip6(0x2002, 1), d = ip4(0x20010000, false);
	assert_true(ip_key_equal(&a, &b));
	assert_false(ip_key_equal(&a, &c));
	assert_false(ip_key_equal(&a, &d));
	static const struct {
		uint32_t address;
		bool exempt;
	} rows[] = {
	    {0x0a000001, true},	 {0x0b000001, false}, {0xac100001, true},  {0xac1f0001, true},
	    {0xac200001, false}, {0xc0a80101, true},  {0xc0a90101, false}, {0x7f000001, true},
	    {0xa9fe0101, true},	 {0x64400001, true},  {0x647fffff, true},  {0x64800001, false},
	    {0x643fffff, false}, {0x08080808, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ip4(rows[i].address, false).exempt, rows[i].exempt);
		assert_false(ip4(rows[i].address, true).exempt);
	}
	assert_true(ip4(0x7f000001, true).loopback);
	assert_true(ip6(0, 1).loopback);
	assert_true(ip6(0xfd00, 1).exempt);
	assert_true(ip6(0xfe80, 1).exempt);
	assert_false(ip6(0x2001, 1).exempt);
	assert_false(ip6(0xfec0, 1).exempt);
}

static void connections_of_one_address(void **state)
{
	(void)state;
	struct net *net = world();
	struct ip_key ip = ip4(PUBLIC, false), other = ip4(PUBLIC + 1, false), home = ip4(0x0a000001, false);
	net->settings.max_connections_per_ip = 3;
	for (int i = 0; i < 3; i++)
		assert_int_equal(limits_accept(net, &ip), CLOSE_NONE);
	assert_int_equal(limits_accept(net, &ip), CLOSE_LIMIT_CONNECTIONS_PER_IP);
	assert_int_equal(fake_events(LOG_EVENT_CONNECTION_REFUSED_IP), 1);
	assert_int_equal(fake_event_setting(LOG_EVENT_CONNECTION_REFUSED_IP),
			 NET_SETTING_max_connections_per_ip);
	assert_int_equal(limits_accept(net, &other), CLOSE_NONE);
	for (int i = 0; i < 10; i++)
		assert_int_equal(limits_accept(net, &home), CLOSE_NONE);
	assert_int_equal(fake_events(LOG_EVENT_PRIVATE_SOURCE), 1);
	for (int i = 0; i < 3; i++) {
		limits_half_open_end(net, &ip);
		limits_closed(net, &ip);
	}
	limits_closed(net, &ip); /* once too often: no harm */
	assert_int_equal(limits_accept(net, &ip), CLOSE_NONE);
	limits_half_open_end(net, &ip), limits_closed(net, &ip);
	limits_half_open_end(net, &other), limits_closed(net, &other);
	for (int i = 0; i < 10; i++)
		limits_half_open_end(net, &home), limits_closed(net, &home);
	fake_net_end(net);
}

static void places_for_loopback_and_shares(void **state)
{
	(void)state;
	struct net *net = world();
	struct ip_key self = ip4(0x7f000001, false);
	net->settings.max_connections = 200;
	net->settings.max_handshakes_per_ip = 0;
	struct ip_key greedy = ip4(PUBLIC, false);
	for (int i = 0; i < 100; i++) /* below 80 % one address may have much */
		assert_int_equal(limits_accept(net, &greedy), CLOSE_NONE);
	for (uint32_t i = 1; i <= 61; i++) {
		struct ip_key ip = ip4(PUBLIC + i, false);
		assert_int_equal(limits_accept(net, &ip), CLOSE_NONE);
	}
	assert_int_equal(limits_accept(net, &greedy), CLOSE_LIMIT_CONNECTIONS_PER_IP);
	for (uint32_t i = 62; i <= 92; i++) {
		struct ip_key ip = ip4(PUBLIC + i, false);
		assert_int_equal(limits_accept(net, &ip), CLOSE_NONE);
	}
	struct ip_key last = ip4(PUBLIC + 93, false);
	assert_int_equal(limits_accept(net, &last), CLOSE_LIMIT_CONNECTIONS);
	for (int i = 0; i < 8; i++)
		assert_int_equal(limits_accept(net, &self), CLOSE_NONE);
	assert_int_equal(limits_accept(net, &self), CLOSE_LIMIT_CONNECTIONS);
}

static void half_open_until(struct net *net, const struct ip_key *ip, uint32_t count)
{
	while (count-- > 0)
		assert_int_equal(limits_accept(net, ip), CLOSE_NONE);
}

static void half_open_less(struct net *net, const struct ip_key *ip, uint32_t count)
{
	while (count-- > 0)
		limits_half_open_end(net, ip), limits_closed(net, ip);
}

/* A sixteenth of the half-open connections is enough to be the one that gives way, one less is not. */
static void half_open_ones(void **state)
{
	(void)state;
	struct net *net = world();
	struct ip_key a = ip4(PUBLIC, false), b = ip4(PUBLIC + 1, false), home = ip4(0x0a000001, false),
		      holder;
	net->settings.max_half_open = 64;
	half_open_until(net, &a, 4);
	half_open_until(net, &home, 20);
	assert_false(limits_half_open_full(net));
	for (uint32_t i = 0; i < 20; i++) {
		struct ip_key other = ip4(PUBLIC + 10 + i, false);
		half_open_until(net, &other, 2);
	}
	assert_true(limits_half_open_full(net));
	assert_int_equal(limits_accept(net, &b), CLOSE_LIMIT_HALF_OPEN);
	assert_true(limits_half_open_holder(net, &holder)); /* exempt ones hold more, and never give way */
	assert_true(ip_key_equal(&holder, &a));
	half_open_less(net, &a, 1);
	assert_false(limits_half_open_full(net));
	half_open_until(net, &b, 1);
	assert_true(limits_half_open_full(net));
	assert_false(limits_half_open_holder(net, &holder)); /* a crowd: nobody gives way */
	half_open_less(net, &home, 20);
	half_open_until(net, &b, 20);
	assert_true(limits_half_open_holder(net, &holder));
	assert_true(ip_key_equal(&holder, &b));
	half_open_less(net, &b, 21);
	half_open_less(net, &a, 3);
	for (uint32_t i = 0; i < 20; i++) {
		struct ip_key other = ip4(PUBLIC + 10 + i, false);
		half_open_less(net, &other, 2);
	}
	assert_false(limits_half_open_holder(net, &holder));
	fake_net_end(net);
}

static void handshakes_of_one_address(void **state)
{
	(void)state;
	struct net *net = world();
	struct ip_key ip = ip4(PUBLIC, false);
	net->settings.max_handshakes_per_ip = 5;
	for (int i = 0; i < 40; i++) {
		assert_int_equal(limits_accept(net, &ip), CLOSE_NONE);
		limits_half_open_end(net, &ip), limits_closed(net, &ip);
	}
	assert_int_equal(limits_accept(net, &ip), CLOSE_LIMIT_HANDSHAKES_PER_IP);
	assert_int_equal(fake_event_setting(LOG_EVENT_RATE_REFUSED), NET_SETTING_max_handshakes_per_ip);
	fake_pass(net, 1000);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(limits_accept(net, &ip), CLOSE_NONE);
		limits_half_open_end(net, &ip), limits_closed(net, &ip);
	}
	assert_int_equal(limits_accept(net, &ip), CLOSE_LIMIT_HANDSHAKES_PER_IP);
	assert_int_equal(net->limits->ips.count, 1);
	fake_pass(net, 60000);
	assert_int_equal(net->limits->ips.count, 0); /* the bucket is full: nothing to remember */
	fake_net_end(net);
}

static void reservations(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC),
		    *c = fake_conn(net, 3, PUBLIC + 1);
	net->settings.max_reservations_per_ip = 1;
	net->settings.max_reservations = 2;
	assert_int_equal(limits_reserve(net, a), CIRCUIT_OK);
	assert_int_equal(limits_reserve(net, b), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_int_equal(fake_event_setting(LOG_EVENT_RESERVATION_REFUSED),
			 NET_SETTING_max_reservations_per_ip);
	assert_int_equal(limits_reserve(net, c), CIRCUIT_OK);
	assert_int_equal(limits_reserve(net, b), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_int_equal(fake_event_setting(LOG_EVENT_RESERVATION_REFUSED), NET_SETTING_max_reservations);
	limits_reserve_end(net, &a->ip);
	assert_int_equal(limits_reserve(net, b), CIRCUIT_OK);
	limits_reserve_end(net, &b->ip);
	limits_reserve_end(net, &c->ip);
	fake_net_end(net);
}

static void end_circuit(struct net *net, const struct conn *a, const struct conn *b)
{
	struct limits_circuit circuit = limits_circuit_of(a, b);
	limits_connect_end(net, &circuit);
}

static enum net_setting refusing_setting(struct net *net, const struct conn *a, const struct conn *b)
{
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	return (enum net_setting)fake_event_setting(LOG_EVENT_CIRCUIT_REFUSED);
}

static void circuits_between_two(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1),
		    *a2 = fake_conn(net, 1, PUBLIC);
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	assert_int_equal(limits_connect(net, b, a), CIRCUIT_OK);
	assert_int_equal(limits_connect(net, b, a), CIRCUIT_OK);
	assert_int_equal(refusing_setting(net, a, b), NET_SETTING_max_circuits_per_pair);
	assert_int_equal(refusing_setting(net, b, a), NET_SETTING_max_circuits_per_pair);
	assert_int_equal(limits_connect(net, a2, b),
			 CIRCUIT_OK); /* the peer came back on another connection */
	struct limits_circuit moved = limits_circuit_of(b, a2);
	assert_int_equal(limits_connect(net, b, a2), CIRCUIT_OK);
	end_circuit(net, a, b);
	limits_connect_move(net, &moved, a);
	assert_int_equal(refusing_setting(net, a, b), NET_SETTING_max_circuits_per_pair);
	limits_connect_end(net, &moved);
	end_circuit(net, a2, b);
	b->circuits = 128;
	end_circuit(net, a, b);
	assert_int_equal(refusing_setting(net, a, b), NET_SETTING_max_circuits_per_pair);
	end_circuit(net, b, a);
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	end_circuit(net, b, a);
	end_circuit(net, a, b);
	assert_int_equal(net->limits->circuits, 0);
	fake_net_end(net);
}

static void circuits_of_peers_and_addresses(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC),
		    *c = fake_conn(net, 3, PUBLIC + 1);
	struct conn *d = fake_conn(net, 4, 0x0a000001);
	net->settings.max_circuits_per_peer = 2;
	assert_int_equal(limits_connect(net, a, c), CIRCUIT_OK);
	assert_int_equal(limits_connect(net, c, a), CIRCUIT_OK);
	assert_int_equal(refusing_setting(net, a, b), NET_SETTING_max_circuits_per_peer);
	assert_int_equal(refusing_setting(net, b, a), NET_SETTING_max_circuits_per_peer);
	end_circuit(net, a, c), end_circuit(net, c, a);
	net->settings.max_circuits_per_peer = 0;
	net->settings.max_circuits_per_source_ip = 2;
	assert_int_equal(limits_connect(net, a, c), CIRCUIT_OK);
	assert_int_equal(limits_connect(net, b, c), CIRCUIT_OK);
	assert_int_equal(refusing_setting(net, a, c), NET_SETTING_max_circuits_per_source_ip);
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(limits_connect(net, d, c), CIRCUIT_OK);
	net->settings.max_circuits = 7;
	assert_int_equal(refusing_setting(net, c, b), NET_SETTING_max_circuits);
	net->settings.max_circuits = 0;
	c->yamux.count = 384;
	assert_int_equal(refusing_setting(net, b, c), NET_SETTING_max_streams);
	c->yamux.count = 0;
	end_circuit(net, a, c), end_circuit(net, b, c), end_circuit(net, a, b);
	for (int i = 0; i < 4; i++)
		end_circuit(net, d, c);
	assert_int_equal(net->limits->pairs.count, 0);
	assert_int_equal(net->limits->peers.count, 0);
	fake_net_end(net);
}

static void rates(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC);
	for (int i = 0; i < 1000; i++)
		assert_true(limits_reserve_rate(net, a) && limits_connect_rate(net, a));
	net->settings.reserve_rate_per_peer = 3;
	net->settings.connect_rate_per_ip = 3;
	for (int i = 0; i < 3; i++)
		assert_true(limits_reserve_rate(net, a) && limits_connect_rate(net, a));
	assert_false(limits_reserve_rate(net, a));
	assert_true(limits_reserve_rate(net, b));
	assert_false(limits_connect_rate(net, b));
	fake_pass(net, 60001);
	assert_true(limits_connect_rate(net, b));
	assert_false(limits_reserve_rate(net, a));
	fake_pass(net, 60001);
	assert_true(limits_reserve_rate(net, a));
	for (int i = 0; i < 1000; i++)
		assert_true(limits_rendezvous_rate(net, a));
	assert_false(limits_rendezvous_rate(net, a));
	assert_true(limits_rendezvous_rate(net, b));
	limits_rendezvous_answer(net, b, UINT64_MAX);
	assert_false(limits_rendezvous_rate(net, b));
	assert_int_equal(fake_event_setting(LOG_EVENT_RATE_REFUSED), NET_SETTING_rendezvous_answer_rate);
	fake_pass(net, 3600000);
	assert_true(limits_rendezvous_rate(net, b));
	fake_net_end(net);
}

/* Somewhat ahead of a cap delays credit; far ahead opens no new circuit. */
static void bandwidth(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC),
		    *c = fake_conn(net, 3, PUBLIC);
	limits_bandwidth_spend(net, a->peer, UINT64_MAX); /* no cap */
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	net->settings.max_bandwidth_per_peer = 1000;
	net->settings.max_bandwidth = 2000;
	limits_bandwidth_spend(net, a->peer, 7900);
	assert_false(limits_bandwidth(net, a->peer));
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	limits_bandwidth_spend(net, a->peer, 200);
	assert_int_equal(refusing_setting(net, a, b), NET_SETTING_max_bandwidth_per_peer);
	assert_int_equal(limits_connect(net, c, b), CIRCUIT_OK);
	limits_bandwidth_spend(net, b->peer, 8000);
	assert_int_equal(refusing_setting(net, c, b), NET_SETTING_max_bandwidth);
	fake_pass(net, 9000);
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	for (int i = 0; i < 3; i++)
		end_circuit(net, a, b);
	end_circuit(net, c, b);
	fake_pass(net, 60000);
	assert_int_equal(net->limits->peers.count, 0);
	fake_net_end(net);
}

/* Who holds most goes before anybody is refused a circuit. */
static void eviction_comes_before_refusal(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC + 1),
		    *holder = fake_conn(net, 3, PUBLIC + 2);
	struct conn_place place = {.conn = holder};
	struct conn_table table = {.place = &place, .places = 1};
	size_t percent = pool_cap(net) / 100, base = 79 * percent;
	net->conns = &table;
	holder->out_len = 1 << 20;
	assert_true(pool_reserve(net, base));
	memory_turn(net);
	assert_true(conn_alive(holder));
	assert_true(pool_reserve(net, 3 * percent));
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_OK);
	end_circuit(net, a, b);
	memory_turn(net);
	assert_false(conn_alive(holder));
	assert_true(pool_reserve(net, 4 * percent));
	assert_int_equal(limits_connect(net, a, b), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_int_equal(fake_event_setting(LOG_EVENT_CIRCUIT_REFUSED), NET_SETTING_max_memory);
	pool_release(net, base + 7 * percent);
	fake_net_end(net);
}

static void denied(void **state)
{
	(void)state;
	struct net *net = world();
	uint8_t peer[32] = {7}, other[32] = {8};
	assert_false(limits_denied(net, peer));
	assert_int_equal(limits_deny(net, peer), 0);
	assert_int_equal(limits_deny(net, peer), 0);
	assert_true(limits_denied(net, peer));
	assert_false(limits_denied(net, other));
	assert_int_equal(net->limits->denied.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_of_addresses),
	    cmocka_unit_test(connections_of_one_address),
	    cmocka_unit_test(places_for_loopback_and_shares),
	    cmocka_unit_test(half_open_ones),
	    cmocka_unit_test(handshakes_of_one_address),
	    cmocka_unit_test(reservations),
	    cmocka_unit_test(circuits_between_two),
	    cmocka_unit_test(circuits_of_peers_and_addresses),
	    cmocka_unit_test(rates),
	    cmocka_unit_test(bandwidth),
	    cmocka_unit_test(eviction_comes_before_refusal),
	    cmocka_unit_test(denied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
