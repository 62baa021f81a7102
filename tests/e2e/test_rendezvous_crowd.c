/* SPDX-License-Identifier: MIT
 *
 * A namespace of a thousand: long answers, read slowly, unread, or left in the middle; pages while members
 * come and go.
 */
#include "tests/e2e/rendezvous_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS	    1000
#define NS	    "dusk/peers"
#define UNREAD	    40
#define ANSWER_MOST (512 * 1024)

static const char *const settings[] = {"DUSK_RENDEZVOUS_RATE=0", "DUSK_RENDEZVOUS_ANSWER_RATE=0",
				       "DUSK_PRIVACY_GUARD=0", NULL};

/* A member that registers and goes: with an address that is no circuit its registration stays. */
static void member_comes(void)
{
	struct client c;
	struct record r;

	fixture_connect(&c);
	rendezvous_open_record(&r, &c, ENVELOPE_RECORD_LEGACY);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, NS, &r, 0));
	client_free(&c);
}

static void test_a_thousand_in_one_answer(void **state)
{
	struct rendezvous_registration got;
	struct rendezvous_result result;
	struct client c;

	(void)state;
	for (int i = 0; i < MEMBERS; i++)
		member_comes();
	fixture_connect(&c);
	rendezvous_discover(&c, NS, &result);
	EXPECT_STATUS(MEMBERS, (int)result.count);
	EXPECT_TRUE(bytes_len(&result.message) <= ANSWER_MOST);
	EXPECT_STATUS(0, rendezvous_result_at(&result, MEMBERS - 1, &got));
	EXPECT_TRUE(got.ns.len == strlen(NS) && got.ttl > 0);
	rendezvous_result_free(&result);
	client_free(&c);
}

static void send_discover(struct client *c, struct exchange *x)
{
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_DISCOVER, .has_ns = true, .ns = {(const uint8_t *)NS, strlen(NS)}};

	EXPECT_STATUS(0, exchange_open(x, &c->session.mux, RENDEZVOUS_PROTOCOL));
	ask_rendezvous_send(x, &q);
	exchange_finish(x);
}

/* A reader that gives credit a little at a time gets all of it. */
static void test_an_answer_read_slowly(void **state)
{
	struct rendezvous_result result = {0};
	struct exchange x;
	struct client c;
	int64_t end = client_now() + 20000;
	int found = 0;

	(void)state;
	fixture_connect(&c);
	send_discover(&c, &x);
	x.stream->hold_credit = true;
	while (found == 0 && client_now() < end) {
		client_turn((struct client *[]){&c}, 1, 20);
		mux_give_credit(x.stream);
		found = ask_rendezvous_read(&x, &result);
	}
	EXPECT_TRUE(found > 0);
	EXPECT_STATUS(MEMBERS, (int)result.count);
	rendezvous_result_free(&result);
	exchange_close(&x);
	client_free(&c);
}

/* Forty answers of 300 KB each that nobody reads cost the relay references, not copies. */
static void test_answers_that_nobody_reads(void **state)
{
	static struct exchange x[UNREAD];
	struct client c;
	uint64_t before = daemon_counter(&relay, "dusk_relay_pool_bytes");
	uint64_t held;

	(void)state;
	fixture_connect(&c);
	for (size_t i = 0; i < UNREAD; i++) {
		send_discover(&c, &x[i]);
		x[i].stream->hold_credit = true;
	}
	EXPECT(&c, client_yamux_ping(&c, 1));
	held = daemon_counter(&relay, "dusk_relay_pool_bytes") - before;
	if (held > 2u << 20)
		fixture_fail(__FILE__, __LINE__, "bytes held for unread answers",
			     fixture_number((long long)held));
	EXPECT(&c, ask_ping(&c, 1));
	for (size_t i = 0; i < UNREAD; i++)
		exchange_close(&x[i]);
	client_free(&c);
}

static void test_a_reader_that_leaves_in_the_middle(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct exchange x;
		struct client c;

		fixture_connect(&c);
		send_discover(&c, &x);
		x.stream->hold_credit = true;
		EXPECT(&c, client_yamux_ping(&c, 1));
		if (i % 2)
			exchange_reset(&x);
		client_flush(&c);
		client_drop(&c, i % 3 == 0);
		exchange_close(&x);
		client_free(&c);
	}
	fixture_expect_connections(1);
}

/* Pages with members coming and going between them: nobody who stays is missed or comes twice. */
static void test_pages_while_members_come_and_go(void **state)
{
	static struct client stays[30];
	size_t seen[30] = {0};
	uint8_t cookie[RENDEZVOUS_COOKIE_MAX];
	size_t cookie_len = 0;
	size_t got;
	int pages = 0;

	(void)state;
	for (size_t i = 0; i < 30; i++)
		rendezvous_join(&stays[i], "moving", ENVELOPE_RECORD);
	do {
		struct rendezvous_result result;
		struct client passing;

		EXPECT(&stays[0], ask_discover(&stays[0], "moving", 7, cookie, cookie_len, &result));
		EXPECT_STATUS(RENDEZVOUS_OK, result.status);
		for (size_t i = 0; i < 30; i++)
			seen[i] += rendezvous_count_of(&result, &stays[i]);
		got = result.count;
		memcpy(cookie, result.cookie, result.cookie_len);
		cookie_len = result.cookie_len;
		rendezvous_result_free(&result);
		if (pages < 5) {
			rendezvous_join(&passing, "moving", ENVELOPE_RECORD);
			EXPECT(&passing, ask_unregister(&passing, "moving"));
			client_free(&passing);
		}
	} while (got > 0 && ++pages < 20);
	EXPECT_TRUE(pages >= 4);
	for (size_t i = 0; i < 30; i++)
		EXPECT_STATUS(1, (int)seen[i]);
	for (size_t i = 0; i < 30; i++)
		client_free(&stays[i]);
}

#define PAGED 25

/* Pages by limit and cookie: everybody once, nobody twice, and later pages hold only who registered since. */
static void test_pages(void **state)
{
	static struct client members[PAGED];
	size_t seen[PAGED] = {0};
	uint8_t cookie[RENDEZVOUS_COOKIE_MAX];
	size_t cookie_len = 0;
	size_t pages = 0;
	size_t got;
	struct record r;
	struct rendezvous_result result;

	(void)state;
	for (size_t i = 0; i < PAGED; i++)
		rendezvous_join(&members[i], "pages", ENVELOPE_RECORD);
	do {
		EXPECT(&members[0], ask_discover(&members[0], "pages", 10, cookie, cookie_len, &result));
		EXPECT_STATUS(RENDEZVOUS_OK, result.status);
		EXPECT_TRUE(result.count <= 10);
		for (size_t i = 0; i < PAGED; i++)
			seen[i] += rendezvous_count_of(&result, &members[i]);
		memcpy(cookie, result.cookie, result.cookie_len);
		cookie_len = result.cookie_len;
		got = result.count;
		rendezvous_result_free(&result);
	} while (got > 0 && ++pages < 10);
	EXPECT_STATUS(3, (int)pages);
	for (size_t i = 0; i < PAGED; i++)
		EXPECT_STATUS(1, (int)seen[i]);
	rendezvous_record(&r, &members[7], ENVELOPE_RECORD, 1800000000);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&members[7], "pages", &r, 0));
	EXPECT(&members[0], ask_discover(&members[0], "pages", 0, cookie, cookie_len, &result));
	EXPECT_STATUS(1, (int)result.count);
	EXPECT_STATUS(1, (int)rendezvous_count_of(&result, &members[7]));
	rendezvous_result_free(&result);
	for (size_t i = 0; i < PAGED; i++)
		client_free(&members[i]);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_a_thousand_in_one_answer),	    E2E_TEST(test_an_answer_read_slowly),
	    E2E_TEST(test_answers_that_nobody_reads),	    E2E_TEST(test_a_reader_that_leaves_in_the_middle),
	    E2E_TEST(test_pages_while_members_come_and_go), E2E_TEST(test_pages),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
