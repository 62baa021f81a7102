/* SPDX-License-Identifier: MIT
 *
 * netproc/memory.c: whose connections go when memory is short, in which order, how many, and how often it is
 * looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/limits.h"
#include "netproc/memory.h"

#define PUBLIC 0x08080808u
#define CAP    1000000u
#define PLACES 8

static struct net *net;
static struct conn_place places[PLACES];
static struct conn_table table;

/* What is held in bytes that go with the connection. */
static void give_back(struct net *of, struct conn *conn)
{
	pool_release(of, conn->out_len);
	conn->out_len = 0;
}

static int set_up(void **state)
{
	(void)state;
	net = fake_net_cap(CAP);
	memset(places, 0, sizeof(places));
	table = (struct conn_table){.place = places, .places = PLACES};
	net->conns = &table;
	net->hooks.conn_closed = give_back;
	net->counter[NET_COUNT_CONNECTIONS] = PLACES;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_net_end(net);
	return 0;
}

/* A connection with so many bytes sealed and unsent, whose peer took the last ones so long ago. */
static struct conn *holder(unsigned place, uint32_t address, uint32_t bytes, uint32_t since)
{
	struct conn *conn = fake_conn(net, (uint8_t)place, address);

	places[place].conn = conn;
	conn->progress = (uint32_t)net->now - since;
	conn->out_len = bytes;
	assert_true(pool_reserve(net, bytes));
	return conn;
}

static void assert_closed(const struct conn *conn, bool closed)
{
	assert_int_equal(conn_alive(conn), !closed);
}

/* The address whose connections hold most together, not the one with the largest. Of those the one goes whose
 * bytes times time are most, and no more of them than needed. */
static void test_who_goes(void **state)
{
	struct conn *large = holder(1, PUBLIC, 190000, 5000), *one = holder(2, PUBLIC + 1, 150000, 0),
		    *slow = holder(3, PUBLIC + 1, 100000, 10000),
		    *slower = holder(5, PUBLIC + 1, 50000, 9000),
		    *home = holder(6, PUBLIC + 2, 250000, 20000);

	(void)state;
	places[4].conn = fake_conn(net, 4, PUBLIC + 1);
	assert_true(pool_reserve(net, 60000));
	memory_turn(net); /* 80 %: not above */
	assert_int_equal(fake_events(LOG_EVENT_MEMORY_CLOSED), 0);
	assert_true(pool_reserve(net, 10000));
	memory_turn(net);
	assert_closed(slow, true);
	assert_closed(slower, false), assert_closed(one, false), assert_closed(large, false);
	assert_int_equal(fake_events(LOG_EVENT_MEMORY_CLOSED), 1);
	assert_true(pool_reserve(net, 130000)); /* 84 %; now 250000 of one connection are most */
	memory_turn(net);
	assert_closed(home, true);
	assert_closed(slower, false), assert_closed(one, false), assert_closed(large, false);
	assert_true(pool_reserve(net, 230000));
	memory_turn(net);
	assert_closed(slower, true);
	assert_closed(one, false), assert_closed(large, false);
	pool_release(net, 430000);
}

/* All of the address go before anybody else's is looked at. */
static void test_no_more_than_one_address_at_a_time(void **state)
{
	struct conn *a = holder(0, PUBLIC, 30000, 1), *b = holder(7, PUBLIC, 30000, 2),
		    *other = holder(3, PUBLIC + 1, 50000, 100);

	(void)state;
	other->ip = a->ip;
	other->ip.family = 6; /* the same number, and another address */
	assert_true(pool_reserve(net, 800000));
	memory_turn(net);
	assert_closed(a, true), assert_closed(b, true), assert_closed(other, false);
	memory_turn(net); /* it helped, so the next look is at once */
	assert_closed(other, true);
	pool_release(net, 800000);
}

/* Progress is counted in the low half of the clock, which goes round. */
static void test_time_goes_round(void **state)
{
	struct conn *before = holder(1, PUBLIC, 50000, 0), *after = holder(2, PUBLIC, 50000, 0);

	(void)state;
	net->now += (UINT64_C(1) << 32) - (uint32_t)net->now; /* the low half is 0 now */
	before->progress = UINT32_MAX - 5000;
	after->progress = UINT32_MAX - 1000;
	assert_true(pool_reserve(net, 705000));
	memory_turn(net);
	assert_closed(before, true), assert_closed(after, false);
	pool_release(net, 705000);
	give_back(net, after);
	fake_conn_close(after);
	net->now = 1000000;
}

/* A quiet connection is nobody's burden, and one that is closed or about to be is none any more. */
static void test_who_is_passed_by(void **state)
{
	struct conn *small = holder(1, PUBLIC, 4095, 60000), *doomed = holder(2, PUBLIC + 1, 50000, 60000);

	(void)state;
	doomed->doomed = true;
	assert_true(pool_reserve(net, 790000));
	memory_turn(net);
	assert_closed(small, false);
	assert_int_equal(doomed->state, CONN_READY);
	doomed->doomed = false;
	doomed->state = CONN_CLOSED;
	net->now += 50;
	memory_turn(net);
	assert_int_equal(fake_events(LOG_EVENT_MEMORY_CLOSED), 0);
	doomed->state = CONN_READY;
	small->out_len++;
	assert_true(pool_reserve(net, 1));
	give_back(net, doomed);
	assert_true(pool_reserve(net, 50000));
	net->now += 50;
	memory_turn(net);
	assert_closed(small, true);
	pool_release(net, 840000);
}

/* While closing helps nobody it is looked at, and said, each 50 ms only. */
static void test_how_often(void **state)
{
	(void)state;
	assert_true(pool_reserve(net, 850000));
	memory_turn(net);
	assert_int_equal(fake_events(LOG_EVENT_MEMORY_PRESSURE), 1);
	struct conn *late = holder(1, PUBLIC, 50000, 1000);
	net->now += 49;
	memory_turn(net);
	assert_closed(late, false);
	assert_int_equal(fake_events(LOG_EVENT_MEMORY_PRESSURE), 1);
	net->now++;
	memory_turn(net);
	assert_closed(late, true);
	assert_int_equal(fake_events(LOG_EVENT_MEMORY_PRESSURE), 2);
	pool_release(net, 850000);
}

static size_t held_by_protocol(const struct stream *stream)
{
	(void)stream;
	return 3000;
}

static void opened(struct stream *stream)
{
	(void)stream;
}

static void closed(struct stream *stream, enum close_reason reason)
{
	(void)stream, (void)reason;
}

/* Everything that a connection can hold counts: here each part is needed to be above 4096. */
static void test_what_counts(void **state)
{
	static const struct stream_protocol holding = {
	    .open = opened, .closed = closed, .held = held_by_protocol};
	static const struct stream_protocol plain = {.open = opened, .closed = closed};
	struct pool_buffer *record;
	struct conn *conn = holder(1, PUBLIC, 0, 1000);
	struct stream *streams[4] = {NULL, fake_stream(conn, &plain), NULL, fake_stream(conn, &holding)};

	(void)state;
	record = pool_take(net, 400);
	conn->held = record;
	conn->out_len = 200;
	assert_int_equal(queue_append(net, &conn->yamux.control, "1234567890", 10), 0);
	assert_int_equal(queue_append(net, &streams[1]->queue, "1234567890", 10), 0);
	conn->out_len = 4096 - 10 - 10 - 3000 - record->capacity;
	conn->yamux.streams = streams;
	conn->yamux.places = 4;
	for (int part = 0; part <= 5; part++) {
		uint64_t rest = 810000 - pool_used(net);

		assert_true(pool_reserve(net, rest));
		conn->out_len -= part == 1;
		conn->yamux.control.len -= part == 2;
		streams[1]->queue.len -= part == 3;
		streams[3]->protocol = part == 4 ? &plain : &holding;
		conn->held = part == 5 ? NULL : record;
		if (part > 0) {
			net->now += 50;
			memory_turn(net);
			assert_closed(conn, false);
		}
		conn->out_len += part == 1;
		conn->yamux.control.len += part == 2;
		streams[1]->queue.len += part == 3;
		pool_release(net, rest);
	}
	streams[3]->protocol = &holding;
	conn->held = record;
	net->hooks.conn_closed = NULL;
	uint64_t rest = 810000 - pool_used(net);
	assert_true(pool_reserve(net, rest));
	net->now += 50;
	memory_turn(net);
	assert_closed(conn, true);
	assert_int_equal(fake_any(0)->reason, CLOSE_MEMORY);
	pool_release(net, rest);
	pool_give(net, record);
	queue_clear(net, &conn->yamux.control);
}

#define MEMORY_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MEMORY_TEST(test_who_goes),	       MEMORY_TEST(test_no_more_than_one_address_at_a_time),
	    MEMORY_TEST(test_time_goes_round), MEMORY_TEST(test_who_is_passed_by),
	    MEMORY_TEST(test_how_often),       MEMORY_TEST(test_what_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
