/* SPDX-License-Identifier: MIT
 *
 * How streams of rendezvous end or go on: by each of their times, without memory, when an answer makes room
 * for the next; and that cookies are sealed with a key of this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/pool.h"
#include "netproc/rendezvous_cookie.h"
#include "tests/unit/rendezvous_asker.h"

static const struct span none;
static struct fixture_record record;

static int before(void **state)
{
	asker_before(state);
	fixture_record(&f, &record, &asker_peer, ENVELOPE_RECORD_LEGACY, 1);
	for (uint32_t i = 2; i < 52; i++)
		asker_put_sized(i, "a", RENDEZVOUS_LEGACY, 1000);
	return 0;
}

static struct fixture_wire *begin(uint32_t window)
{
	struct stream *stream = fixture_stream(&f, conn);

	stream->send_window = window;
	return fixture_wire(&f, stream);
}

static struct fixture_wire *discovering(uint32_t window)
{
	struct fixture_wire *wire = begin(window);

	fixture_discover(wire->stream, "a", 0, none);
	return wire;
}

static void assert_gone(const struct fixture_wire *wire, enum close_reason reason)
{
	assert_true(wire->gone);
	assert_int_equal(wire->reason, reason);
}

/* A reader that is slow is not one that does not read. */
static void each_progress_gives_time(void **state)
{
	struct fixture_wire *wire = discovering(100);

	(void)state;
	for (int i = 0; i < 5; i++) {
		fixture_sleep(&f, 50000);
		fixture_window(wire->stream, 4096);
	}
	assert_false(wire->gone);
	fixture_sleep(&f, 61000);
	assert_gone(wire, CLOSE_NOT_READING);
}

/* Once answered there is the long time between requests, also for what was answered late. */
static void time_between_requests(void **state)
{
	struct fixture_wire *late = discovering(100), *checked;

	(void)state;
	rendezvous_turn(&f.net);
	f.net.rendezvous->checks = 0;
	checked = begin(FIXTURE_WINDOW);
	fixture_register(checked->stream, "b", &record, 0);
	assert_int_equal(checked->len, 0);
	rendezvous_turn(&f.net);
	assert_int_equal(fixture_status(checked), RENDEZVOUS_OK);
	fixture_window(late->stream, FIXTURE_WINDOW);
	assert_int_equal(fixture_status(late), RENDEZVOUS_OK);
	fixture_sleep(&f, 290000);
	assert_false(late->finished || checked->finished);
	fixture_sleep(&f, 11000);
	assert_true(late->finished && checked->finished);
}

/* After our FIN the peer has ten seconds; what we said and is not sent yet has a minute. */
static void time_behind_our_end(void **state)
{
	struct fixture_wire *sent = begin(FIXTURE_WINDOW), *unsent = begin(FIXTURE_WINDOW);

	(void)state;
	fixture_sleep(&f, 30100); /* neither asked anything */
	assert_true(sent->finished && unsent->finished);
	unsent->stream->local_finished = false;
	fixture_sleep(&f, 9700);
	assert_false(sent->gone);
	fixture_sleep(&f, 500);
	assert_gone(sent, CLOSE_MESSAGE_TIMEOUT);
	fixture_sleep(&f, 49000);
	assert_false(unsent->gone);
	fixture_sleep(&f, 2000);
	assert_gone(unsent, CLOSE_MESSAGE_TIMEOUT);
}

static void an_answer_makes_room_for_the_next(void **state)
{
	struct fixture_wire *wires[RENDEZVOUS_ANSWERS_MOST + 2];

	(void)state;
	for (size_t i = 0; i < RENDEZVOUS_ANSWERS_MOST + 2; i++)
		wires[i] = discovering(100);
	assert_int_equal(wires[RENDEZVOUS_ANSWERS_MOST]->len, 0);
	fixture_window(wires[0]->stream, FIXTURE_WINDOW);
	assert_int_equal(fixture_status(wires[0]), RENDEZVOUS_OK);
	assert_int_equal(wires[RENDEZVOUS_ANSWERS_MOST]->len, 100);
	assert_int_equal(wires[RENDEZVOUS_ANSWERS_MOST + 1]->len, 0);
	f.refuse = true; /* one that ends in the middle does, too */
	fixture_window(wires[1]->stream, FIXTURE_WINDOW);
	f.refuse = false;
	assert_gone(wires[1], CLOSE_MEMORY);
	assert_true(rendezvous_store_find(store, (uint8_t[32]){2}, fixture_span("a"))->references ==
		    1 + RENDEZVOUS_ANSWERS_MOST - 1);
}

/* Answered badly and over, at its turn, with the peer gone before: nothing of it is touched again. */
static void a_bad_record_at_its_turn(void **state)
{
	struct fixture_wire *wire;
	uint64_t used;

	(void)state;
	record.bytes[record.len - 1] ^= 1;
	rendezvous_turn(&f.net);
	for (int fin = 0; fin < 2; fin++) {
		used = pool_used(&f.net);
		f.net.rendezvous->checks = 0;
		wire = begin(FIXTURE_WINDOW);
		fixture_register(wire->stream, "b", &record, 0);
		if (fin)
			fixture_fin(&f, wire->stream);
		assert_false(wire->finished);
		rendezvous_turn(&f.net);
		assert_int_equal(fixture_status(wire), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
		assert_true(wire->finished);
		assert_int_equal(wire->gone, fin);
		fixture_sleep(&f, 10200);
		assert_true(wire->gone);
		assert_int_equal(pool_used(&f.net), used);
		fixture_sleep(&f, 310000);
	}
}

static void no_memory_for_a_stream(void **state)
{
	uint64_t cap = pool_cap(&f.net);
	size_t refused = 0;

	(void)state;
	pool_set_cap(&f.net, pool_used(&f.net) + sizeof(struct stream) + 64);
	(void)fixture_stream(&f, conn);
	pool_set_cap(&f.net, cap);
	for (size_t slot = 0; slot < f.wire_count; slot++)
		refused += f.wires[slot].gone && f.wires[slot].reason == CLOSE_MEMORY;
	assert_int_equal(refused, 1);
}

static void what_is_held_counts_what_waits(void **state)
{
	struct fixture_wire *wire = discovering(100);
	size_t held = rendezvous_protocol.held(wire->stream);
	uint8_t more[1000] = {0};

	(void)state;
	fixture_data(wire->stream, more, sizeof(more));
	assert_int_equal(rendezvous_protocol.held(wire->stream), held + sizeof(more));
}

/* Who can open cookies sees how many register. */
static void cookies_have_a_key(void **state)
{
	static const uint8_t zero[8];
	uint8_t key[16];

	(void)state;
	rendezvous_cookie_key(key, f.net.hash_key);
	assert_memory_equal(f.net.rendezvous->cookie_key, key, sizeof(key));
	assert_memory_not_equal(key, zero, 8);
	assert_memory_not_equal(key + 8, zero, 8);
	assert_memory_not_equal(key, key + 8, 8);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, asker_after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(each_progress_gives_time),
	    CASE(time_between_requests),
	    CASE(time_behind_our_end),
	    CASE(an_answer_makes_room_for_the_next),
	    CASE(a_bad_record_at_its_turn),
	    CASE(no_memory_for_a_stream),
	    CASE(what_is_held_counts_what_waits),
	    CASE(cookies_have_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
