/* SPDX-License-Identifier: MIT
 *
 * The life of an answer to DISCOVER: a snapshot that is written as the window opens; one that nobody reads,
 * and a million of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rendezvous_asker.h"

static const struct span none;

/* Whatever the windows are, the bytes are the same. */
static void any_window_gives_the_same_bytes(void **state)
{
	static uint8_t whole[65536];
	size_t whole_len = 0;

	(void)state;
	for (uint32_t i = 2; i < 52; i++)
		asker_put_sized(i, "a", RENDEZVOUS_LEGACY, 100 + i * 7);
	for (uint32_t window = 1; window < 20000; window = window * 3 + 1) {
		struct stream *stream = fixture_stream(&f, conn);
		struct fixture_wire *wire = fixture_wire(&f, stream);

		if (window > 1) {
			stream->send_window = 64;
			fixture_discover(stream, "a", 0, none);
			for (int i = 0; i < 100000 && stream->want_room; i++)
				fixture_window(stream, window);
		} else {
			fixture_discover(stream, "a", 0, none);
		}
		if (whole_len == 0) {
			whole_len = wire->len;
			memcpy(whole, wire->bytes, wire->len);
		}
		assert_int_equal(wire->len, whole_len);
		assert_memory_equal(wire->bytes, whole, whole_len);
		fixture_fin(&f, stream);
	}
}

static void an_answer_is_a_snapshot(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	for (uint32_t i = 2; i < 102; i++)
		asker_put_sized(i, "a", RENDEZVOUS_LEGACY, 2000);
	stream->send_window = 100;
	fixture_discover(stream, "a", 0, none);
	assert_int_equal(wire->len, 100);
	for (uint32_t i = 2; i < 102; i++)
		asker_take(i, "a");
	asker_put_sized(7, "a", RENDEZVOUS_LEGACY, 3000);
	f.net.now += 50000;
	for (int i = 0; i < 100 && stream->want_room; i++)
		fixture_window(stream, 8192);
	assert_true(fixture_answer(wire, &answer, answer_bytes, sizeof(answer_bytes)));
	assert_int_equal(answer.count, 100);
	for (uint32_t i = 101; i >= 2; i--)
		asker_expect(i, "a");
	assert_int_equal(store->entries.count, 1);
	asker_ask("a", 0, none);
	assert_int_equal(answer.count, 1);
}

/* A client that asks 400 times and reads nothing. */
static void unread_answers_cost_references(void **state)
{
	static struct stream *streams[400];
	uint64_t stored, used;

	(void)state;
	for (uint32_t i = 2; i < 1002; i++)
		asker_put_sized(i, "a", RENDEZVOUS_LEGACY, 500);
	stored = store->bytes;
	used = pool_used(&f.net);
	for (int i = 0; i < 400; i++) {
		streams[i] = fixture_stream(&f, conn);
		streams[i]->send_window = 64;
		fixture_discover(streams[i], "a", 0, none);
	}
	assert_int_equal(store->bytes, stored);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 8);
	assert_true(pool_used(&f.net) - used < 400 * 1024);
	/* One reads: the next one's turn comes. */
	for (int i = 0; i < 100 && streams[0]->want_room; i++)
		fixture_window(streams[0], 65536);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 9);
	/* One goes: again. */
	fixture_rst(streams[3]);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 10);
	/* One that waits goes: nothing. */
	fixture_rst(streams[300]);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 10);
	for (int i = 0; i < 400; i++)
		if (i != 3 && i != 300)
			streams[i]->send_window = FIXTURE_WINDOW;
	for (int round = 0; round < 3000; round++)
		for (int i = 0; i < 400; i++)
			if (i != 3 && i != 300 && streams[i]->want_room)
				fixture_window(streams[i], 65536);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 399);
	for (int i = 0; i < 400; i++)
		if (i != 3 && i != 300) {
			assert_true(fixture_answer(fixture_wire(&f, streams[i]), &answer, answer_bytes,
						   sizeof(answer_bytes)));
			assert_int_equal(answer.count, 1000);
		}
	assert_int_equal(f.net.rendezvous->lines.count, 0);
}

/* Unread answers do not stay for ever, and the ones behind them neither. */
static void unread_answers_end(void **state)
{
	(void)state;
	for (uint32_t i = 2; i < 1002; i++)
		asker_put(i, "a");
	for (int i = 0; i < 20; i++) {
		struct stream *stream = fixture_stream(&f, conn);

		stream->send_window = 64;
		fixture_discover(stream, "a", 0, none);
	}
	fixture_sleep(&f, 61000);
	for (size_t i = 0; i < f.wire_count; i++)
		assert_null(f.wires[i].stream);
	assert_int_equal(f.net.rendezvous->lines.count, 0);
}

static void the_connection_may_end_with_answers_waiting(void **state)
{
	struct conn *other = fixture_conn(&f, &asker_peer);

	(void)state;
	for (uint32_t i = 2; i < 1002; i++)
		asker_put(i, "a");
	for (int i = 0; i < 50; i++) {
		struct stream *stream = fixture_stream(&f, other);

		stream->send_window = 64;
		fixture_discover(stream, "a", 0, none);
	}
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 8);
	fixture_conn_free(other);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 8);
	assert_int_equal(f.net.rendezvous->lines.count, 0);
}

/* GHSA-v5hw-cv9c-rpg7: every DISCOVER stored its cookie. */
static void a_million_discovers_stay_flat(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	uint64_t used, stored;

	(void)state;
	f.discard = true;
	asker_put(2, "a");
	fixture_discover(stream, "a", 0, none);
	used = pool_used(&f.net);
	stored = store->bytes;
	for (int i = 0; i < 1000000; i++) {
		stream->send_window = FIXTURE_WINDOW;
		fixture_discover(stream, "a", (uint64_t)i % 2, none);
	}
	assert_int_equal(pool_used(&f.net), used);
	assert_int_equal(store->bytes, stored);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 1000001);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, asker_before, asker_after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(any_window_gives_the_same_bytes),
	    CASE(an_answer_is_a_snapshot),
	    CASE(unread_answers_cost_references),
	    CASE(unread_answers_end),
	    CASE(the_connection_may_end_with_answers_waiting),
	    CASE(a_million_discovers_stay_flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
