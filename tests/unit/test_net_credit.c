/* SPDX-License-Identifier: MIT
 *
 * netproc/circuit_credit.c: a window grows by what was used of it, fits what the path holds, goes back when
 * it is not needed, and gives way to others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/circuit.h"
#include "netproc/pool.h"
#include "netproc/reservation.h"
#include "tests/unit/net_fake.h"

#define LEAST	   STREAM_WINDOW_LEAST
#define ROUND_TRIP 10000u /* microseconds of each of the two connections */
#define SOON	   20000u /* within two round trips of both */
#define LATE	   41000u
#define SLOW	   5000000u

static struct net *net;
static struct relay relay;
static struct circuit_state circuits;

static void opened(struct stream *stream)
{
	stream->receive_window = LEAST;
}

static void nothing_closed(struct stream *stream, enum close_reason reason)
{
	(void)stream;
	(void)reason;
}

static const struct stream_protocol silent = {
    .id = "silent", .holds_credit = true, .stays = true, .open = opened, .closed = nothing_closed};

static int begin(void **state)
{
	(void)state;
	net = fake_net_cap(1u << 30);
	net->settings.max_window = 16u << 20;
	memset(&relay, 0, sizeof(relay));
	list_init(&circuits.all);
	list_init(&circuits.grown);
	relay.circuits = &circuits;
	net->relay = &relay;
	return limits_init(net);
}

static int end(void **state)
{
	(void)state;
	fake_net_end(net);
	return 0;
}

static struct circuit *circuit_between(uint8_t a, uint8_t b)
{
	static struct circuit all[64];
	static unsigned next;
	struct circuit *circuit = &all[next++ % 64];

	memset(circuit, 0, sizeof(*circuit));
	circuit->net = net;
	circuit_credit_init(circuit);
	for (int i = 0; i < 2; i++) {
		struct conn *conn = fake_conn(net, i == 0 ? a : b, 0x08080000u + (i == 0 ? a : b));

		conn->round_trip = ROUND_TRIP;
		circuit->half[i].stream = stream_ref(fake_stream(conn, &silent));
	}
	return circuit;
}

static struct stream *end_of(struct circuit *circuit, unsigned which)
{
	return stream_find(net, circuit->half[which].stream);
}

static void pass(uint64_t microseconds)
{
	uint64_t at = net_microseconds(net) + microseconds;

	net->now = at / 1000;
	net->now_part = at % 1000;
}

/* The source sent `len` bytes within so much time, and `waits` of what it sent wait for the destination. The
 * credit that it gets for it. */
static uint64_t sent(struct circuit *circuit, uint32_t len, uint64_t microseconds, size_t waits)
{
	struct stream *from = end_of(circuit, 0), *to = end_of(circuit, 1);
	struct fake_record *record = fake_record(circuit->half[0].stream);
	uint64_t before = record->credit, credit;

	from->receive_window -= len;
	circuit->half[0].bytes += len;
	pass(microseconds);
	to->queue.len = waits;
	circuit_credit(&circuit->half[0]);
	to->queue.len = 0;
	credit = record->credit - before;
	from->receive_window += (uint32_t)credit;
	return credit;
}

static void give(struct circuit *circuit, uint32_t bytes)
{
	circuit_credit_set(&circuit->half[0], bytes);
	end_of(circuit, 0)->receive_window = bytes;
}

static uint32_t window(const struct circuit *circuit)
{
	return circuit->half[0].window;
}

static void a_window_grows_by_what_was_used(void **state)
{
	(void)state;
	struct circuit *circuit = circuit_between(1, 2);

	for (uint32_t grown = LEAST; grown < 16u << 20; grown *= 2) {
		assert_int_equal(window(circuit), grown);
		/* The credit for having grown is no use of it. */
		sent(circuit, 0, 0, 0);
		sent(circuit, 0, 0, 0);
		assert_int_equal(window(circuit), grown);
		sent(circuit, grown / 2 - 1, SOON / 2, 0);
		assert_int_equal(window(circuit), grown);
		sent(circuit, grown / 2, SOON / 2, 0);
	}
	assert_int_equal(window(circuit), 16u << 20);
	sent(circuit, 8u << 20, SOON, 0);
	assert_int_equal(window(circuit), 16u << 20);
	assert_int_equal(net->window_extra, window(circuit) - LEAST);
	assert_int_equal(end_of(circuit, 0)->receive_window, window(circuit));
	circuit_credit_set(&circuit->half[0], LEAST);
	assert_int_equal(net->window_extra, 0);
	assert_true(list_empty(&circuits.grown));
}

static void who_needs_longer_than_the_path_keeps_its_window(void **state)
{
	(void)state;
	struct circuit *circuit = circuit_between(1, 2);

	for (int i = 0; i < 10; i++)
		sent(circuit, LEAST / 2, LATE, 0);
	assert_int_equal(window(circuit), LEAST);
	sent(circuit, LEAST / 2, SOON, 0);
	assert_int_equal(window(circuit), 2 * LEAST);
	for (int i = 0; i < 10; i++)
		sent(circuit, LEAST, LATE, 0);
	assert_int_equal(window(circuit), 2 * LEAST);
}

static void what_always_waits_is_taken_from_the_window(void **state)
{
	(void)state;
	struct circuit *circuit = circuit_between(1, 2);

	give(circuit, 8 * LEAST);
	sent(circuit, 3 * LEAST, SOON / 2, 3 * LEAST);
	sent(circuit, LEAST, SOON / 2, LEAST);
	assert_int_equal(window(circuit), 7 * LEAST);
	circuit_credit_set(&circuit->half[0], LEAST);
	circuit = circuit_between(3, 4);
	give(circuit, 8 * LEAST);
	sent(circuit, 3 * LEAST, LATE, 0);
	sent(circuit, 4 * LEAST, LATE, 2 * LEAST); /* waited, but not always */
	assert_int_equal(window(circuit), 8 * LEAST);
	circuit_credit_set(&circuit->half[0], LEAST);
	circuit = circuit_between(5, 6);
	give(circuit, 5 * LEAST / 4);
	sent(circuit, 5 * LEAST / 4, SOON, 3 * LEAST / 4);
	assert_int_equal(window(circuit), LEAST);
	assert_int_equal(net->window_extra, 0);
}

/* Twice what the path holds would be too much again. */
static void a_window_that_fitted_grows_a_little(void **state)
{
	(void)state;
	struct circuit *circuit = circuit_between(1, 2);

	give(circuit, 12 * LEAST);
	sent(circuit, 6 * LEAST, SOON, 4 * LEAST);
	assert_int_equal(window(circuit), 8 * LEAST);
	end_of(circuit, 0)->receive_window = 8 * LEAST;
	/* What was under way still waits, and says nothing. */
	sent(circuit, 4 * LEAST, SOON, LEAST);
	sent(circuit, 4 * LEAST, SOON, LEAST);
	sent(circuit, 4 * LEAST - 1, SOON, LEAST);
	assert_int_equal(window(circuit), 8 * LEAST);
	sent(circuit, 1 + LEAST, SOON, 0);
	assert_int_equal(window(circuit), 8 * LEAST);
	sent(circuit, 4 * LEAST, SOON, 0);
	assert_int_equal(window(circuit), 9 * LEAST);
	circuit_credit_set(&circuit->half[0], LEAST);
	give(circuit, 2 * LEAST);
	sent(circuit, LEAST, SOON, 0);
	assert_int_equal(window(circuit), 4 * LEAST);
}

static void who_became_slow_gives_all_back(void **state)
{
	(void)state;
	struct circuit *circuit = circuit_between(1, 2);

	give(circuit, 4 * LEAST);
	sent(circuit, 2 * LEAST, SLOW - 1, 0);
	assert_int_equal(window(circuit), 4 * LEAST);
	sent(circuit, 2 * LEAST, SLOW, 0);
	assert_int_equal(window(circuit), LEAST);
}

/* Takes all that circuits may have above the least; the last of them is used once more. */
static unsigned fill(struct circuit **first)
{
	uint64_t part = pool_cap(net) / 4 / 8;
	unsigned count = 0;

	net->settings.max_window = LEAST + part;
	for (; net->window_extra + part <= pool_cap(net) / 4; count++) {
		struct circuit *circuit =
		    circuit_between((uint8_t)(10 + 2 * count), (uint8_t)(11 + 2 * count));

		give(circuit, LEAST + (uint32_t)part);
		*first = count == 0 ? circuit : *first;
	}
	return count;
}

static void who_does_not_use_it_gives_way(void **state)
{
	(void)state;
	struct circuit *idle = NULL, *comes = circuit_between(1, 2);
	uint32_t most;

	assert_int_equal(fill(&idle), 8);
	most = window(idle);
	sent(comes, LEAST / 2, SOON, 0);
	assert_int_equal(window(comes), LEAST); /* all are young */
	assert_int_equal(window(idle), most);
	pass(SLOW);
	sent(comes, LEAST / 2, 0, 0); /* slow itself: begins anew */
	sent(comes, LEAST / 2, SOON, 0);
	assert_int_equal(window(idle), LEAST);
	assert_int_equal(window(comes), 2 * LEAST);
	assert_true(net->window_extra <= pool_cap(net) / 4);
}

static void who_uses_it_keeps_it(void **state)
{
	(void)state;
	struct circuit *used = NULL, *comes = circuit_between(1, 2);
	uint32_t most;

	fill(&used);
	most = window(used);
	pass(SLOW / 2);
	sent(used, most / 2, 0, 0); /* takes its place behind the others */
	pass(SLOW / 2);
	sent(comes, LEAST / 2, 0, 0);
	sent(comes, LEAST / 2, SOON, 0);
	assert_int_equal(window(comes), 2 * LEAST);
	assert_int_equal(window(used), most);
}

static void a_reader_that_never_read_costs_one_window(void **state)
{
	(void)state;
	struct circuit *circuit = circuit_between(1, 2);
	struct stream *to = end_of(circuit, 1);

	to->send_window = 0;
	assert_int_equal(sent(circuit, LEAST, SOON, LEAST), 0);
	to->send_window = LEAST;
	assert_int_equal(sent(circuit, 0, SOON, 0), LEAST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_window_grows_by_what_was_used),
	    TEST(who_needs_longer_than_the_path_keeps_its_window),
	    TEST(what_always_waits_is_taken_from_the_window),
	    TEST(a_window_that_fitted_grows_a_little),
	    TEST(who_became_slow_gives_all_back),
	    TEST(who_does_not_use_it_gives_way),
	    TEST(who_uses_it_keeps_it),
	    TEST(a_reader_that_never_read_costs_one_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
