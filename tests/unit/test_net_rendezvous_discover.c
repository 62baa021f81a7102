/* SPDX-License-Identifier: MIT
 *
 * DISCOVER: which registrations, in which order, in how many bytes; cookies and pages while records come and
 * go; flavours; answers that nobody reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/wheel.h"
#include "tests/unit/rendezvous_fixture.h"

static struct fixture f;
static struct fixture_peer asker;
static struct conn *conn;
static struct rendezvous_store *store;
static uint8_t answer_bytes[RENDEZVOUS_ANSWER_MAX];
static struct rendezvous_answer answer;
static const struct span none;

static int before_with(bool guard)
{
	fixture_init(&f, guard);
	f.reserved = true;
	fixture_peer(&asker, 1);
	conn = fixture_conn(&f, &asker);
	store = &f.net.rendezvous->store;
	return 0;
}

static int before(void **state)
{
	(void)state;
	return before_with(true);
}

static int before_open(void **state)
{
	(void)state;
	return before_with(false);
}

static int after(void **state)
{
	(void)state;
	fixture_conn_free(conn);
	rendezvous_store_free(store);
	assert_int_equal(store->bytes, 0);
	assert_int_equal(f.net.rendezvous->lines.count, 0);
	fixture_free(&f);
	return 0;
}

/* Into the store behind REGISTER's back: a record of `size` bytes that begin with the peer's number. */
static void put_sized(uint32_t peer, const char *ns, enum rendezvous_kind kind, size_t size)
{
	static uint8_t record[ENVELOPE_MAX];
	uint8_t key[32] = {0};
	enum net_setting setting;
	struct rendezvous_offer offer = {
	    .peer = key, .ns = fixture_span(ns), .record = {record, size}, .kind = kind, .ttl = 7200};

	memcpy(key, &peer, sizeof(peer));
	memcpy(record, &peer, sizeof(peer));
	assert_int_not_equal(rendezvous_store_put(store, &offer, &setting), RENDEZVOUS_PUT_REFUSED);
}

static void put(uint32_t peer, const char *ns)
{
	put_sized(peer, ns, RENDEZVOUS_LEGACY, 200);
}

static void take(uint32_t peer, const char *ns)
{
	uint8_t key[32] = {0};

	memcpy(key, &peer, sizeof(peer));
	rendezvous_store_remove(store, rendezvous_store_find(store, key, fixture_span(ns)));
}

static uint32_t number_of(const struct rendezvous_registration *registration)
{
	uint32_t number;

	memcpy(&number, registration->record.bytes, sizeof(number));
	return number;
}

/* Asks on a stream of its own; the answer is in `answer`. */
static int ask(const char *ns, uint64_t limit, struct span cookie)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	fixture_discover(stream, ns, limit, cookie);
	for (int i = 0; i < 100 && wire->stream != NULL && stream->want_room; i++)
		fixture_window(stream, 32768);
	assert_true(fixture_answer(wire, &answer, answer_bytes, sizeof(answer_bytes)));
	assert_int_equal(wire->len, 0);
	assert_int_equal(answer.type, RENDEZVOUS_DISCOVER_RESPONSE);
	fixture_fin(&f, stream);
	assert_true(wire->gone);
	return answer.status;
}

/* The next registration must be this peer's. */
static void expect(uint32_t peer, const char *ns)
{
	struct rendezvous_registration registration;

	assert_true(rendezvous_answer_next(&answer, &registration));
	assert_int_equal(number_of(&registration), peer);
	assert_int_equal(registration.ns.len, strlen(ns));
	assert_memory_equal(registration.ns.bytes, ns, strlen(ns));
	assert_true(registration.ttl >= 1 && registration.ttl <= 7200);
}

static void expect_cookie(const char *ns)
{
	assert_int_equal(answer.cookie.len, 8 + strlen(ns));
	assert_memory_equal(answer.cookie.bytes + 8, ns, strlen(ns));
}

static struct span keep_cookie(void)
{
	static uint8_t kept[8][RENDEZVOUS_COOKIE_MAX];
	static unsigned turn;
	uint8_t *bytes = kept[turn++ % 8];

	memcpy(bytes, answer.cookie.bytes, answer.cookie.len);
	return (struct span){bytes, answer.cookie.len};
}

static void unknown_namespace_is_empty_with_cookie(void **state)
{
	struct span cookie;

	(void)state;
	assert_int_equal(ask("nothing", 0, none), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 0);
	expect_cookie("nothing");
	cookie = keep_cookie();
	put(2, "nothing");
	assert_int_equal(ask("nothing", 0, cookie), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	expect(2, "nothing");
}

static void newest_first_without_limit_and_cookie(void **state)
{
	(void)state;
	put(2, "a");
	put(3, "a");
	put(4, "b");
	put(5, "a");
	put(2, "a");
	assert_int_equal(ask("a", 0, none), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 3);
	expect(2, "a");
	expect(5, "a");
	expect(3, "a");
	expect_cookie("a");
	assert_int_equal(ask("a", 0, keep_cookie()), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 0);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_SERVED], 3);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 2);
	assert_true(f.charged > 600);
}

static void pages_are_oldest_first(void **state)
{
	struct span cookie;

	(void)state;
	for (uint32_t i = 2; i < 7; i++)
		put(i, "a");
	assert_int_equal(ask("a", 2, none), RENDEZVOUS_OK);
	expect(2, "a");
	expect(3, "a");
	cookie = keep_cookie();
	assert_int_equal(ask("a", 2, cookie), RENDEZVOUS_OK);
	expect(4, "a");
	expect(5, "a");
	assert_int_equal(ask("a", 0, keep_cookie()), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	expect(6, "a");
	cookie = keep_cookie();
	assert_int_equal(ask("a", 2, cookie), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 0);
	assert_memory_equal(answer.cookie.bytes, cookie.bytes, cookie.len);
}

/* Those who stay are seen once, those who register again again, those who go may be missed; nobody else
 * twice. */
static void pages_while_records_come_and_go(void **state)
{
	static uint8_t seen[4096];
	struct rendezvous_registration registration;
	uint32_t next = 2;

	(void)state;
	srandom(5);
	for (; next < 1000; next++)
		put(next, "a");
	memset(seen, 0, sizeof(seen));
	ask("a", 7, none);
	for (int page = 0; page < 400; page++) {
		struct span cookie = keep_cookie();

		while (rendezvous_answer_next(&answer, &registration))
			assert_int_equal(seen[number_of(&registration)]++, 0);
		if (next < 2000)
			put(next++, "a");
		for (int i = 0; i < 2; i++) {
			uint32_t goes = 500 + (uint32_t)random() % 300;
			uint8_t key[32] = {0};

			memcpy(key, &goes, sizeof(goes));
			if (rendezvous_store_find(store, key, fixture_span("a")) != NULL)
				take(goes, "a");
		}
		assert_int_equal(ask("a", 7, cookie), RENDEZVOUS_OK);
	}
	for (uint32_t i = 2; i < next - 1; i++)
		assert_true(seen[i] == 1 || (i >= 500 && i < 800));
}

static void cookies_of_strangers(void **state)
{
	static const uint8_t seven[7];
	uint8_t forged[9] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'a'};
	struct span cookie;

	(void)state;
	put(2, "a");
	put(3, "b");
	assert_int_equal(ask("a", 0, (struct span){seven, 7}), RENDEZVOUS_INVALID_COOKIE);
	assert_int_equal(ask("b", 1, none), RENDEZVOUS_OK);
	cookie = keep_cookie();
	assert_int_equal(ask("a", 0, cookie), RENDEZVOUS_INVALID_COOKIE);
	assert_int_equal(ask("a", 0, (struct span){forged, 9}), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	assert_int_equal(ask("a", 0, (struct span){forged, 8}), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	assert_int_equal(ask("b", 0, (struct span){cookie.bytes, 8}), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 0);
	/* After a restart: the same cookie, another key. */
	f.net.rendezvous->cookie_key[0] ^= 1;
	assert_int_equal(ask("b", 0, cookie), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_INVALID_COOKIE], 2);
}

static void all_namespaces_under_the_guard(void **state)
{
	(void)state;
	put(2, "a");
	assert_int_equal(ask(NULL, 0, none), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(answer.cookie.len, 0);
	assert_int_equal(ask("", 0, none), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_NOT_AUTHORIZED], 2);
}

static void all_namespaces_without_guard(void **state)
{
	(void)state;
	put(2, "a");
	put(3, "b");
	put(4, "");
	assert_int_equal(ask(NULL, 0, none), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 3);
	expect(4, "");
	expect(3, "b");
	expect(2, "a");
	expect_cookie("");
	take(3, "b");
	assert_int_equal(ask("", 1, none), RENDEZVOUS_OK);
	expect(2, "a");
	assert_int_equal(ask(NULL, 1, keep_cookie()), RENDEZVOUS_OK);
	expect(4, "");
}

static void bad_namespaces(void **state)
{
	char ns[257];

	(void)state;
	memset(ns, 'n', 256);
	ns[256] = 0;
	assert_int_equal(ask(ns, 0, none), RENDEZVOUS_INVALID_NAMESPACE);
	ns[255] = 0;
	assert_int_equal(ask(ns, 0, none), RENDEZVOUS_OK);
	expect_cookie(ns);
	assert_int_equal(ask("\xff", 0, none), RENDEZVOUS_INVALID_NAMESPACE);
}

static void rate_and_denial(void **state)
{
	(void)state;
	f.rate_full = true;
	assert_int_equal(ask("a", 0, none), RENDEZVOUS_UNAVAILABLE);
	f.rate_full = false;
	f.denied = true;
	assert_int_equal(ask("a", 0, none), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_RATE], 1);
}

/* rust signs records in a way of its own. */
static void flavours_go_to_their_kind(void **state)
{
	struct fixture_record record;
	struct stream *stream;

	(void)state;
	put_sized(2, "a", RENDEZVOUS_LEGACY, 200);
	put_sized(3, "a", RENDEZVOUS_STANDARD, 200);
	ask("a", 0, none); /* never registered, no muxers named: rust */
	assert_int_equal(answer.count, 1);
	expect(2, "a");
	conn->has_muxers = true; /* go or js */
	ask("a", 0, none);
	assert_int_equal(answer.count, 1);
	expect(3, "a");
	fixture_record(&f, &record, &asker, ENVELOPE_RECORD_LEGACY, 1);
	stream = fixture_stream(&f, conn);
	fixture_register(stream, "b", &record, 0);
	ask("a", 0, none); /* the latest REGISTER decides */
	expect(2, "a");
	fixture_record(&f, &record, &asker, ENVELOPE_RECORD, 1);
	fixture_register(stream, "b", &record, 0);
	ask("a", 0, none);
	expect(3, "a");
	f.net.force_kind = 2;
	ask("a", 0, none);
	expect(2, "a");
}

static void at_most_1000(void **state)
{
	(void)state;
	for (uint32_t i = 2; i < 1502; i++)
		put(i, "a");
	ask("a", 0, none);
	assert_int_equal(answer.count, 1000);
	expect(1501, "a");
	ask("a", 5000, none);
	assert_int_equal(answer.count, 1000);
	ask("a", UINT64_MAX, keep_cookie());
	assert_int_equal(answer.count, 500);
}

static void at_most_512_kib(void **state)
{
	size_t total = 0;

	(void)state;
	for (uint32_t i = 2; i < 202; i++)
		put_sized(i, "a", RENDEZVOUS_LEGACY, 8000);
	ask("a", 1000, none);
	for (int page = 0; page < 5; page++) {
		assert_true(reader_left(&answer.registrations) <= RENDEZVOUS_ANSWER_BYTES - 8);
		assert_true(answer.count == 65 || (page == 3 && answer.count == 5) || answer.count == 0);
		total += answer.count;
		ask("a", 1000, keep_cookie());
	}
	assert_int_equal(total, 200);
}

/* Whatever the windows are, the bytes are the same. */
static void any_window_gives_the_same_bytes(void **state)
{
	static uint8_t whole[65536];
	size_t whole_len = 0;

	(void)state;
	for (uint32_t i = 2; i < 52; i++)
		put_sized(i, "a", RENDEZVOUS_LEGACY, 100 + i * 7);
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
		put_sized(i, "a", RENDEZVOUS_LEGACY, 2000);
	stream->send_window = 100;
	fixture_discover(stream, "a", 0, none);
	assert_int_equal(wire->len, 100);
	for (uint32_t i = 2; i < 102; i++)
		take(i, "a");
	put_sized(7, "a", RENDEZVOUS_LEGACY, 3000);
	f.net.now += 50000;
	for (int i = 0; i < 100 && stream->want_room; i++)
		fixture_window(stream, 8192);
	assert_true(fixture_answer(wire, &answer, answer_bytes, sizeof(answer_bytes)));
	assert_int_equal(answer.count, 100);
	for (uint32_t i = 101; i >= 2; i--)
		expect(i, "a");
	assert_int_equal(store->entries.count, 1);
	ask("a", 0, none);
	assert_int_equal(answer.count, 1);
}

/* A client that asks 400 times and reads nothing. */
static void unread_answers_cost_references(void **state)
{
	static struct stream *streams[400];
	uint64_t stored, used;

	(void)state;
	for (uint32_t i = 2; i < 1002; i++)
		put_sized(i, "a", RENDEZVOUS_LEGACY, 500);
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
		put(i, "a");
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
	struct conn *other = fixture_conn(&f, &asker);

	(void)state;
	for (uint32_t i = 2; i < 1002; i++)
		put(i, "a");
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
	put(2, "a");
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

#define CASE(name)	cmocka_unit_test_setup_teardown(name, before, after)
#define CASE_OPEN(name) cmocka_unit_test_setup_teardown(name, before_open, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(unknown_namespace_is_empty_with_cookie),
	    CASE(newest_first_without_limit_and_cookie),
	    CASE(pages_are_oldest_first),
	    CASE(pages_while_records_come_and_go),
	    CASE(cookies_of_strangers),
	    CASE(all_namespaces_under_the_guard),
	    CASE_OPEN(all_namespaces_without_guard),
	    CASE(bad_namespaces),
	    CASE(rate_and_denial),
	    CASE(flavours_go_to_their_kind),
	    CASE(at_most_1000),
	    CASE(at_most_512_kib),
	    CASE(any_window_gives_the_same_bytes),
	    CASE(an_answer_is_a_snapshot),
	    CASE(unread_answers_cost_references),
	    CASE(unread_answers_end),
	    CASE(the_connection_may_end_with_answers_waiting),
	    CASE(a_million_discovers_stay_flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
