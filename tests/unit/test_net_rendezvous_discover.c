/* SPDX-License-Identifier: MIT
 *
 * DISCOVER: which registrations, in which order, in how many bytes; cookies and pages while records come and
 * go; flavours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/wheel.h"
#include "tests/unit/rendezvous_asker.h"

static const struct span none;

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
	assert_int_equal(asker_ask("nothing", 0, none), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 0);
	expect_cookie("nothing");
	cookie = keep_cookie();
	asker_put(2, "nothing");
	assert_int_equal(asker_ask("nothing", 0, cookie), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	asker_expect(2, "nothing");
}

static void newest_first_without_limit_and_cookie(void **state)
{
	(void)state;
	asker_put(2, "a");
	asker_put(3, "a");
	asker_put(4, "b");
	asker_put(5, "a");
	asker_put(2, "a");
	assert_int_equal(asker_ask("a", 0, none), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 3);
	asker_expect(2, "a");
	asker_expect(5, "a");
	asker_expect(3, "a");
	expect_cookie("a");
	assert_int_equal(asker_ask("a", 0, keep_cookie()), RENDEZVOUS_OK);
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
		asker_put(i, "a");
	assert_int_equal(asker_ask("a", 2, none), RENDEZVOUS_OK);
	asker_expect(2, "a");
	asker_expect(3, "a");
	cookie = keep_cookie();
	assert_int_equal(asker_ask("a", 2, cookie), RENDEZVOUS_OK);
	asker_expect(4, "a");
	asker_expect(5, "a");
	assert_int_equal(asker_ask("a", 0, keep_cookie()), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	asker_expect(6, "a");
	cookie = keep_cookie();
	assert_int_equal(asker_ask("a", 2, cookie), RENDEZVOUS_OK);
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
		asker_put(next, "a");
	memset(seen, 0, sizeof(seen));
	asker_ask("a", 7, none);
	for (int page = 0; page < 400; page++) {
		struct span cookie = keep_cookie();

		while (rendezvous_answer_next(&answer, &registration))
			assert_int_equal(seen[asker_number_of(&registration)]++, 0);
		if (next < 2000)
			asker_put(next++, "a");
		for (int i = 0; i < 2; i++) {
			uint32_t goes = 500 + (uint32_t)random() % 300;
			uint8_t key[32] = {0};

			memcpy(key, &goes, sizeof(goes));
			if (rendezvous_store_find(store, key, fixture_span("a")) != NULL)
				asker_take(goes, "a");
		}
		assert_int_equal(asker_ask("a", 7, cookie), RENDEZVOUS_OK);
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
	asker_put(2, "a");
	asker_put(3, "b");
	assert_int_equal(asker_ask("a", 0, (struct span){seven, 7}), RENDEZVOUS_INVALID_COOKIE);
	assert_int_equal(asker_ask("b", 1, none), RENDEZVOUS_OK);
	cookie = keep_cookie();
	assert_int_equal(asker_ask("a", 0, cookie), RENDEZVOUS_INVALID_COOKIE);
	assert_int_equal(asker_ask("a", 0, (struct span){forged, 9}), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	assert_int_equal(asker_ask("a", 0, (struct span){forged, 8}), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	assert_int_equal(asker_ask("b", 0, (struct span){cookie.bytes, 8}), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 0);
	/* After a restart: the same cookie, another key. */
	f.net.rendezvous->cookie_key[0] ^= 1;
	assert_int_equal(asker_ask("b", 0, cookie), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 1);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_INVALID_COOKIE], 2);
}

static void all_namespaces_under_the_guard(void **state)
{
	(void)state;
	asker_put(2, "a");
	assert_int_equal(asker_ask(NULL, 0, none), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(answer.cookie.len, 0);
	assert_int_equal(asker_ask("", 0, none), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_NOT_AUTHORIZED], 2);
}

static void all_namespaces_without_guard(void **state)
{
	(void)state;
	asker_put(2, "a");
	asker_put(3, "b");
	asker_put(4, "");
	assert_int_equal(asker_ask(NULL, 0, none), RENDEZVOUS_OK);
	assert_int_equal(answer.count, 3);
	asker_expect(4, "");
	asker_expect(3, "b");
	asker_expect(2, "a");
	expect_cookie("");
	asker_take(3, "b");
	assert_int_equal(asker_ask("", 1, none), RENDEZVOUS_OK);
	asker_expect(2, "a");
	assert_int_equal(asker_ask(NULL, 1, keep_cookie()), RENDEZVOUS_OK);
	asker_expect(4, "");
}

static void bad_namespaces(void **state)
{
	char ns[257];

	(void)state;
	memset(ns, 'n', 256);
	ns[256] = 0;
	assert_int_equal(asker_ask(ns, 0, none), RENDEZVOUS_INVALID_NAMESPACE);
	ns[255] = 0;
	assert_int_equal(asker_ask(ns, 0, none), RENDEZVOUS_OK);
	expect_cookie(ns);
	assert_int_equal(asker_ask("\xff", 0, none), RENDEZVOUS_INVALID_NAMESPACE);
}

static void rate_and_denial(void **state)
{
	(void)state;
	f.rate_full = true;
	assert_int_equal(asker_ask("a", 0, none), RENDEZVOUS_UNAVAILABLE);
	f.rate_full = false;
	f.denied = true;
	assert_int_equal(asker_ask("a", 0, none), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_RATE], 1);
}

/* rust signs records in a way of its own. */
static void flavours_go_to_their_kind(void **state)
{
	struct fixture_record record;
	struct stream *stream;

	(void)state;
	asker_put_sized(2, "a", RENDEZVOUS_LEGACY, 200);
	asker_put_sized(3, "a", RENDEZVOUS_STANDARD, 200);
	asker_ask("a", 0, none); /* never registered, no muxers named: rust */
	assert_int_equal(answer.count, 1);
	asker_expect(2, "a");
	conn->has_muxers = true; /* go or js */
	asker_ask("a", 0, none);
	assert_int_equal(answer.count, 1);
	asker_expect(3, "a");
	fixture_record(&f, &record, &asker_peer, ENVELOPE_RECORD_LEGACY, 1);
	stream = fixture_stream(&f, conn);
	fixture_register(stream, "b", &record, 0);
	asker_ask("a", 0, none); /* the latest REGISTER decides */
	asker_expect(2, "a");
	fixture_record(&f, &record, &asker_peer, ENVELOPE_RECORD, 1);
	fixture_register(stream, "b", &record, 0);
	asker_ask("a", 0, none);
	asker_expect(3, "a");
	f.net.force_kind = 2;
	asker_ask("a", 0, none);
	asker_expect(2, "a");
}

static void at_most_1000(void **state)
{
	(void)state;
	for (uint32_t i = 2; i < 1502; i++)
		asker_put(i, "a");
	asker_ask("a", 0, none);
	assert_int_equal(answer.count, 1000);
	asker_expect(1501, "a");
	asker_ask("a", 5000, none);
	assert_int_equal(answer.count, 1000);
	asker_ask("a", UINT64_MAX, keep_cookie());
	assert_int_equal(answer.count, 500);
}

static void at_most_512_kib(void **state)
{
	size_t total = 0;

	(void)state;
	for (uint32_t i = 2; i < 202; i++)
		asker_put_sized(i, "a", RENDEZVOUS_LEGACY, 8000);
	asker_ask("a", 1000, none);
	for (int page = 0; page < 5; page++) {
		assert_true(reader_left(&answer.registrations) <= RENDEZVOUS_ANSWER_BYTES - 8);
		assert_true(answer.count == 65 || (page == 3 && answer.count == 5) || answer.count == 0);
		total += answer.count;
		asker_ask("a", 1000, keep_cookie());
	}
	assert_int_equal(total, 200);
}

#define CASE(name)	cmocka_unit_test_setup_teardown(name, asker_before, asker_after)
#define CASE_OPEN(name) cmocka_unit_test_setup_teardown(name, asker_before_open, asker_after)

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
