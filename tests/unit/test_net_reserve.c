/* SPDX-License-Identifier: MIT
 *
 * RESERVE and the registry of those who reserved: what is counted by which reason, who is told of whose
 * reservation, which connection is found, and what is left when memory ends in the middle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/connect_fixture.h"

#include "netproc/hop.h"
#include "netproc/limits.h"
#include "netproc/limits_state.h"
#include "netproc/reservation.h"

static struct net *net;

static struct {
	uint8_t peer[32];
	bool held;
	unsigned calls;
} watched;

static void watch(struct net *of, const uint8_t peer[32], bool held)
{
	assert_ptr_equal(of, net);
	memcpy(watched.peer, peer, sizeof(watched.peer));
	watched.held = held;
	watched.calls++;
}

static int set_up(void **state)
{
	(void)state;
	net = connect_world();
	net->hooks.reserved = watch;
	memset(&watched, 0, sizeof(watched));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	connect_world_end(net);
	assert_int_equal(net->limits->ips.count, 0);
	assert_int_equal(net->relay->reservations.count, 0);
	return 0;
}

static struct stream_ref reserve(struct conn *conn)
{
	static const uint8_t bytes[] = {2, 8, 0};
	struct stream *stream = fake_stream(conn, &hop_protocol);
	struct stream_ref ref = stream_ref(stream);

	fake_data(stream, bytes, sizeof(bytes));
	return ref;
}

/* The counters of one answer. */
static void assert_counted(enum net_counter class, enum net_counter why)
{
	static const enum net_counter all[] = {
	    NET_COUNT_RESERVE_OK,
	    NET_COUNT_RESERVE_ERROR,
	    NET_COUNT_RESERVE_REJECTED,
	    NET_COUNT_RESERVE_REFUSED_DENIED,
	    NET_COUNT_RESERVE_REFUSED_IP,
	    NET_COUNT_RESERVE_REFUSED_LIMIT,
	    NET_COUNT_RESERVE_REFUSED_MALFORMED,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(net->counter[all[i]], all[i] == class || all[i] == why);
		net->counter[all[i]] = 0;
	}
}

static void test_answers_are_counted_by_reason(void **state)
{
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC), *b = fake_conn(net, 2, CONNECT_PUBLIC);

	(void)state;
	assert_int_equal(connect_status(reserve(a)), CIRCUIT_OK);
	assert_counted(NET_COUNT_RESERVE_OK, NET_COUNT_RESERVE_OK);
	net->settings.max_reservations_per_ip = 1;
	assert_int_equal(connect_status(reserve(b)), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_counted(NET_COUNT_RESERVE_REJECTED, NET_COUNT_RESERVE_REFUSED_IP);
	net->settings.max_reservations_per_ip = 0;
	net->settings.max_reservations = 1;
	assert_int_equal(connect_status(reserve(b)), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_counted(NET_COUNT_RESERVE_REJECTED, NET_COUNT_RESERVE_REFUSED_LIMIT);
	net->draining = true;
	assert_int_equal(connect_status(reserve(a)), CIRCUIT_RESERVATION_REFUSED);
	assert_counted(NET_COUNT_RESERVE_REJECTED, NET_COUNT_RESERVE_REFUSED_LIMIT);
	net->draining = false;
	net->settings.reserve_rate_per_peer = 1;
	assert_int_equal(connect_status(reserve(a)), CIRCUIT_OK);
	assert_counted(NET_COUNT_RESERVE_OK, NET_COUNT_RESERVE_OK);
	assert_int_equal(connect_status(reserve(a)), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_counted(NET_COUNT_RESERVE_REJECTED, NET_COUNT_RESERVE_REFUSED_LIMIT);
	net->settings.reserve_rate_per_peer = 0;
	limits_deny(net, b->peer);
	assert_int_equal(connect_status(reserve(b)), CIRCUIT_PERMISSION_DENIED);
	assert_counted(NET_COUNT_RESERVE_REJECTED, NET_COUNT_RESERVE_REFUSED_DENIED);
	connect_forgive(net, b->peer);
	fake_refuse_write(true);
	struct stream_ref ref = reserve(a);
	fake_refuse_write(false);
	assert_int_equal(fake_record(ref)->reason, CLOSE_MEMORY);
	assert_counted(NET_COUNT_RESERVE_ERROR, NET_COUNT_RESERVE_ERROR);
}

/* What is no request at all. */
static void test_no_request(void **state)
{
	static const struct {
		uint8_t bytes[4];
		size_t len;
		enum circuit_status status;
		enum close_reason reason;
	} rows[] = {
	    {{2, 8, 2}, 3, CIRCUIT_UNEXPECTED_MESSAGE, CLOSE_MESSAGE_UNEXPECTED},
	    {{2, 0x28, 100}, 3, CIRCUIT_MALFORMED_MESSAGE, CLOSE_MESSAGE_MALFORMED},
	    {{0x82, 0}, 2, CIRCUIT_MALFORMED_MESSAGE, CLOSE_MESSAGE_MALFORMED},
	    {{0x81, 0x20}, 2, CIRCUIT_MALFORMED_MESSAGE, CLOSE_MESSAGE_TOO_LONG},
	    {{4, 8}, 2, CIRCUIT_MALFORMED_MESSAGE, CLOSE_MESSAGE_MALFORMED}, /* and the end */
	};
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream *stream = fake_stream(a, &hop_protocol);
		struct stream_ref ref = stream_ref(stream);

		fake_data(stream, rows[i].bytes, rows[i].len);
		fake_finish(stream);
		assert_int_equal(connect_status(ref), rows[i].status);
		assert_counted(NET_COUNT_RESERVE_REJECTED, NET_COUNT_RESERVE_REFUSED_MALFORMED);
		assert_int_equal(net->closed[rows[i].reason], 1);
		memset(net->closed, 0, sizeof(net->closed));
	}
	assert_null(a->reservation);
}

/* Idle time begins anew with each request. */
static void test_request_is_activity(void **state)
{
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC);

	(void)state;
	a->active = 0;
	reserve(a);
	assert_int_equal(a->active, net->now / 1000);
}

static void test_no_memory_for_a_stream(void **state)
{
	static const uint8_t first_of_many[] = {0x80, 0x10, 8};
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC);
	uint64_t cap = pool_cap(net);
	struct stream *stream = fake_stream(a, &hop_protocol);
	struct stream_ref ref = stream_ref(stream);
	size_t held = hop_protocol.held(stream);

	(void)state;
	pool_set_cap(net, 0);
	fake_data(stream, first_of_many, 3);
	pool_set_cap(net, cap);
	assert_int_equal(fake_record(ref)->reason, CLOSE_MEMORY);
	pool_set_cap(net, sizeof(struct stream) + held / 2);
	assert_null(fake_stream(a, &hop_protocol));
	pool_set_cap(net, cap);
	assert_int_equal(fake_any(fake_any_count() - 1)->reason, CLOSE_MEMORY);
	stream = fake_stream(a, &hop_protocol);
	fake_data(stream, first_of_many, 3);
	assert_true(hop_protocol.held(stream) >= held + 2048);
}

/* Each beginning and each end once, by the peer whose it is: rendezvous lists circuits by it. */
static void test_who_is_told_of_whom(void **state)
{
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC), *a2 = fake_conn(net, 1, CONNECT_PUBLIC),
		    *b = fake_conn(net, 2, CONNECT_PUBLIC);

	(void)state;
	reserve(a), reserve(b);
	assert_memory_equal(watched.peer, b->peer, 32);
	assert_true(watched.held && watched.calls == 2);
	reserve(a), reserve(a2);
	assert_int_equal(watched.calls, 2);
	assert_int_equal(fake_events(LOG_EVENT_RESERVATION_RENEWED), 2);
	fake_conn_close(a);
	assert_int_equal(watched.calls, 2);
	fake_conn_close(a2);
	assert_memory_equal(watched.peer, a->peer, 32);
	assert_true(!watched.held && watched.calls == 3);
	assert_false(reservation_held(net, a->peer));
	assert_true(reservation_held(net, b->peer));
	assert_int_equal(net->counter[NET_COUNT_RESERVATIONS], 1);
	assert_int_equal(net->counter[NET_COUNT_RESERVATIONS_OPENED], 2);
	assert_int_equal(net->counter[NET_COUNT_RESERVATIONS_CLOSED], 1);
	assert_int_equal(fake_events(LOG_EVENT_RESERVATION_ENDED), 1);
}

/* Told an hour it has a quarter of an hour more, and the idle time from then on. */
static void test_end_by_time(void **state)
{
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC);

	(void)state;
	reserve(a);
	a->active = 0;
	fake_pass(net, 4500000 - 100);
	assert_true(reservation_held(net, a->peer));
	fake_pass(net, 300);
	assert_false(reservation_held(net, a->peer));
	assert_int_equal(a->active, net->now / 1000);
	assert_memory_equal(watched.peer, a->peer, 32);
	assert_false(watched.held);
}

static void test_which_connection_is_found(void **state)
{
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC), *a2 = fake_conn(net, 1, CONNECT_PUBLIC),
		    *a3 = fake_conn(net, 1, CONNECT_PUBLIC), *b = fake_conn(net, 2, CONNECT_PUBLIC);

	(void)state;
	assert_null(reservation_older(net, a->peer, a));
	reserve(a), reserve(a2), reserve(b);
	assert_ptr_equal(reservation_find(net, a->peer), a2);
	assert_ptr_equal(reservation_older(net, a->peer, a2), a);
	assert_ptr_equal(reservation_older(net, a->peer, a3), a2); /* it holds none */
	assert_ptr_equal(reservation_older(net, a->peer, b), a2);
	a2->doomed = true;
	assert_ptr_equal(reservation_find(net, a->peer), a);
	a->state = CONN_HANDSHAKE;
	assert_null(reservation_find(net, a->peer));
	a->state = CONN_READY;
	a2->doomed = false;
}

/* Refused at each piece of memory that it takes, and nothing is left of it. */
static void test_no_memory(void **state)
{
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC), *a2 = fake_conn(net, 1, CONNECT_PUBLIC);
	uint64_t cap = pool_cap(net), used = pool_used(net), refused = 0;

	(void)state;
	for (uint64_t more = 0; more < 4096; more += 16) {
		pool_set_cap(net, used + more);
		if (reservation_grant(a) != RESERVATION_REFUSED)
			break;
		refused++;
		assert_int_equal(pool_used(net), used);
		assert_int_equal(net->limits->reservations, 0);
		assert_int_equal(a->keep, 0);
		assert_int_equal(net->counter[NET_COUNT_RESERVE_REFUSED_LIMIT], refused);
	}
	assert_true(refused > 3);
	assert_true(watched.held);
	pool_set_cap(net, pool_used(net));
	assert_int_equal(reservation_grant(a2), RESERVATION_REFUSED);
	assert_int_equal(net->counter[NET_COUNT_RESERVE_REFUSED_LIMIT], refused + 1);
	assert_int_equal(reservation_grant(a), RESERVATION_RENEWED);
	pool_set_cap(net, cap);
}

/* An operator is told once that clients elsewhere are named a private address, and not for a client here. */
static void test_private_address_is_told_once(void **state)
{
	(void)state;
	reserve(fake_conn(net, 1, 0x7f000001));
	assert_int_equal(fake_events(LOG_EVENT_PRIVATE_ADDRESS), 0);
	reserve(fake_conn(net, 2, CONNECT_PUBLIC));
	reserve(fake_conn(net, 3, CONNECT_PUBLIC));
	assert_int_equal(fake_events(LOG_EVENT_PRIVATE_ADDRESS), 1);
}

static struct circuit_message answer_to(struct stream_ref ref)
{
	const struct fake_record *record = fake_record(ref);
	struct reader r = reader_of(record->said, record->len);
	struct span whole = reader_span(&r);
	struct circuit_message m;

	assert_int_equal(hop_message_parse(whole.bytes, whole.len, &m), 0);
	return m;
}

/* One that leaves no room for our id is left out; with none left, the one of this connection is named. */
static void test_addresses_that_do_not_fit(void **state)
{
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC);
	struct circuit_message m;

	(void)state;
	net->self.addr_count = 2;
	net->self.addrs[0].len = sizeof(net->self.addrs[0].bytes);
	assert_int_equal(multiaddr_from_text(&net->self.addrs[1], "/ip4/8.8.4.4/tcp/4001"), 0);
	m = answer_to(reserve(a));
	assert_int_equal(m.addr_count, 1);
	net->self.addr_count = 1;
	m = answer_to(reserve(a));
	assert_int_equal(m.addr_count, 1);
	assert_memory_equal(m.addrs[0].bytes, "\x04\xc0\xa8\x01\x02", 5);
	net->now_unix = UINT64_MAX - 1;
	assert_true(answer_to(reserve(a)).expire == UINT64_MAX);
}

#define RESERVE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RESERVE_TEST(test_answers_are_counted_by_reason), RESERVE_TEST(test_no_request),
	    RESERVE_TEST(test_request_is_activity),	      RESERVE_TEST(test_no_memory_for_a_stream),
	    RESERVE_TEST(test_who_is_told_of_whom),	      RESERVE_TEST(test_end_by_time),
	    RESERVE_TEST(test_which_connection_is_found),     RESERVE_TEST(test_no_memory),
	    RESERVE_TEST(test_private_address_is_told_once),  RESERVE_TEST(test_addresses_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
