/* SPDX-License-Identifier: MIT
 *
 * Rendezvous as honest clients of every kind use it.
 */
#include "tests/e2e/rendezvous_peer.h"

#include <stdio.h>
#include <string.h>

#define NS "dusk/community/com_0123456789abcdef"

static void test_register_and_discover(void **state)
{
	struct rendezvous_registration got;
	struct rendezvous_result result;
	struct record r;
	struct client a;
	struct client b;

	(void)state;
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD_LEGACY, 1700000000);
	EXPECT(&a, ask_register(&a, NS, r.bytes, r.len, 0, &result));
	EXPECT_STATUS(RENDEZVOUS_OK, result.status);
	EXPECT_STATUS(7200, (int)result.ttl);
	rendezvous_result_free(&result);
	rendezvous_join(&b, NS, ENVELOPE_RECORD_LEGACY);
	rendezvous_discover(&b, NS, &result);
	EXPECT_STATUS(2, (int)result.count);
	EXPECT_STATUS(0, rendezvous_result_at(&result, 1, &got)); /* newest first: a comes second */
	EXPECT_TRUE(got.record.len == r.len && memcmp(got.record.bytes, r.bytes, r.len) == 0);
	EXPECT_TRUE(got.ns.len == strlen(NS) && memcmp(got.ns.bytes, NS, got.ns.len) == 0);
	EXPECT_TRUE(got.ttl > 7190 && got.ttl <= 7200);
	rendezvous_result_free(&result);
	EXPECT(&relay, daemon_expect(&relay, "registered under namespace '" NS "'", 2000));
	EXPECT(&relay, daemon_expect(&relay, "served 2 registrations to peer ", 2000));
	EXPECT(&a, ask_unregister(&a, NS));
	EXPECT(&b, ask_unregister(&b, NS));
	rendezvous_discover(&b, NS, &result);
	EXPECT_STATUS(0, (int)result.count);
	rendezvous_result_free(&result);
	client_free(&a);
	client_free(&b);
}

static void test_registering_again_replaces(void **state)
{
	struct rendezvous_registration got;
	struct rendezvous_result result;
	struct record r;
	struct client a;

	(void)state;
	fixture_connect(&a);
	for (uint64_t seq = 1; seq <= 30; seq++) {
		rendezvous_record(&r, &a, ENVELOPE_RECORD, seq);
		EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&a, "again", &r, 300));
	}
	for (int i = 0; i < 10; i++)
		EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&a, "again", &r, 300)); /* equal bytes */
	rendezvous_discover(&a, "again", &result);
	EXPECT_STATUS(1, (int)result.count);
	EXPECT_STATUS(0, rendezvous_result_at(&result, 0, &got));
	EXPECT_TRUE(got.record.len == r.len && memcmp(got.record.bytes, r.bytes, r.len) == 0);
	rendezvous_result_free(&result);
	EXPECT(&a, ask_unregister(&a, "again"));
	client_free(&a);
}

static void test_each_kind_gets_its_own_kind(void **state)
{
	struct rendezvous_result result;
	struct client standard;
	struct client legacy;

	(void)state;
	rendezvous_join(&standard, "kinds", ENVELOPE_RECORD);
	rendezvous_join(&legacy, "kinds", ENVELOPE_RECORD_LEGACY);
	rendezvous_discover(&standard, "kinds", &result);
	EXPECT_STATUS(1, (int)result.count);
	EXPECT_STATUS(1, (int)rendezvous_count_of(&result, &standard));
	rendezvous_result_free(&result);
	rendezvous_discover(&legacy, "kinds", &result);
	EXPECT_STATUS(1, (int)result.count);
	EXPECT_STATUS(1, (int)rendezvous_count_of(&result, &legacy));
	rendezvous_result_free(&result);
	EXPECT(&standard, ask_unregister(&standard, "kinds"));
	EXPECT(&legacy, ask_unregister(&legacy, "kinds"));
	client_free(&standard);
	client_free(&legacy);
}

/* Who never registered: a list of muxers in the handshake means go or js, none means rust. */
static void test_kind_of_a_peer_that_never_registered(void **state)
{
	struct rendezvous_result result;
	struct client standard;
	struct client legacy;
	struct client asks;

	(void)state;
	rendezvous_join(&standard, "guess", ENVELOPE_RECORD);
	rendezvous_join(&legacy, "guess", ENVELOPE_RECORD_LEGACY);
	client_init(&asks, PEER_TIMEOUT_MS);
	asks.options.muxers = true;
	EXPECT(&asks, peer_open_as(&asks, relay.port));
	rendezvous_discover(&asks, "guess", &result);
	EXPECT_STATUS(1, (int)rendezvous_count_of(&result, &standard));
	EXPECT_STATUS(1, (int)result.count);
	rendezvous_result_free(&result);
	client_free(&asks);
	fixture_connect(&asks);
	rendezvous_discover(&asks, "guess", &result);
	EXPECT_STATUS(1, (int)rendezvous_count_of(&result, &legacy));
	EXPECT_STATUS(1, (int)result.count);
	rendezvous_result_free(&result);
	client_free(&asks);
	client_free(&standard);
	client_free(&legacy);
}

static void test_lengths_of_namespaces(void **state)
{
	static const size_t lengths[] = {0, 1, 127, 128, 254, 255};
	struct rendezvous_result result;
	struct record r;
	struct client a;

	(void)state;
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char ns[300];

		memset(ns, 'n', sizeof(ns));
		ns[lengths[i]] = '\0';
		EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&a, ns, &r, 60));
		if (lengths[i] > 0) { /* an empty one in DISCOVER is none at all: that asks for everything */
			rendezvous_discover(&a, ns, &result);
			EXPECT_STATUS(1, (int)result.count);
			rendezvous_result_free(&result);
		}
		EXPECT(&a, ask_unregister(&a, ns));
	}
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&a,
							 "gr\xc3\xbc\xc3\x9f"
							 "e \xf0\x9f\x8c\x92",
							 &r, 60));
	EXPECT(&a, ask_unregister(&a, "gr\xc3\xbc\xc3\x9f"
				      "e \xf0\x9f\x8c\x92"));
	client_free(&a);
}

static void test_lengths_of_life(void **state)
{
	static const uint64_t good[] = {60, 61, 120, 7200, 259200};
	static const uint64_t bad[] = {1, 59, 259201, UINT64_MAX};
	struct rendezvous_result result;
	struct record r;
	struct client a;

	(void)state;
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		EXPECT(&a, ask_register(&a, "life", r.bytes, r.len, good[i], &result));
		EXPECT_STATUS(RENDEZVOUS_OK, result.status);
		EXPECT_TRUE(result.ttl == good[i]);
		rendezvous_result_free(&result);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_STATUS(RENDEZVOUS_INVALID_TTL, rendezvous_register(&a, "life", &r, bad[i]));
	EXPECT(&a, ask_unregister(&a, "life"));
	client_free(&a);
}

static void test_several_requests_on_one_stream(void **state)
{
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_REGISTER, .has_ns = true, .ns = {(const uint8_t *)"one", 3}};
	struct rendezvous_result result;
	struct exchange x;
	struct record r;
	struct client a;

	(void)state;
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	q.record = (struct span){r.bytes, r.len};
	EXPECT(&a, peer_stream(&a, &x, RENDEZVOUS_PROTOCOL));
	for (int i = 0; i < 5; i++) {
		EXPECT(&a, ask_rendezvous_on(&a, &x, &q, &result));
		EXPECT_STATUS(RENDEZVOUS_OK, result.status);
		rendezvous_result_free(&result);
	}
	q = (struct rendezvous_request){
	    .type = RENDEZVOUS_DISCOVER, .has_ns = true, .ns = {(const uint8_t *)"one", 3}};
	EXPECT(&a, ask_rendezvous_on(&a, &x, &q, &result));
	EXPECT_STATUS(1, (int)result.count);
	rendezvous_result_free(&result);
	q.type = RENDEZVOUS_UNREGISTER;
	ask_rendezvous_send(&x, &q);
	exchange_finish(&x);
	EXPECT(&a, client_wait_over(&a, &x, "the end of the stream"));
	EXPECT_TRUE(x.finished && bytes_len(&x.inbox) == 0);
	exchange_close(&x);
	client_free(&a);
}

/* Two requests in one segment get two answers, in order. */
static void test_two_requests_in_one_segment(void **state)
{
	uint8_t both[2 * ENVELOPE_MAX];
	struct writer w = writer_of(both, sizeof(both));
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_REGISTER, .has_ns = true, .ns = {(const uint8_t *)"two", 3}};
	struct rendezvous_result result = {0};
	struct span message;
	struct exchange x;
	struct record r;
	struct client a;

	(void)state;
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	q.record = (struct span){r.bytes, r.len};
	rendezvous_request_write(&w, &q);
	q = (struct rendezvous_request){
	    .type = RENDEZVOUS_DISCOVER, .has_ns = true, .ns = {(const uint8_t *)"two", 3}};
	rendezvous_request_write(&w, &q);
	EXPECT_STATUS(0, exchange_open(&x, &a.session.mux, RENDEZVOUS_PROTOCOL));
	exchange_write(&x, both, writer_len(&w));
	exchange_finish(&x);
	EXPECT(&a, client_message(&a, &x, RENDEZVOUS_ANSWER_MAX, &message, "the first answer"));
	EXPECT_TRUE(ask_rendezvous_read(&x, &result) > 0);
	EXPECT_STATUS(RENDEZVOUS_OK, result.status);
	EXPECT_TRUE(result.ttl > 0);
	EXPECT(&a, client_message(&a, &x, RENDEZVOUS_ANSWER_MAX, &message, "the second answer"));
	EXPECT_TRUE(ask_rendezvous_read(&x, &result) > 0);
	EXPECT_STATUS(1, (int)result.count);
	rendezvous_result_free(&result);
	EXPECT(&a, client_wait_over(&a, &x, "the end of the stream"));
	exchange_close(&x);
	client_free(&a);
}

/* proto3 clients leave out a type of 0. */
static void test_a_request_without_type_is_register(void **state)
{
	uint8_t body[ENVELOPE_MAX];
	uint8_t message[ENVELOPE_MAX];
	struct writer w = writer_of(body, sizeof(body));
	struct rendezvous_result result = {0};
	struct span answer;
	struct exchange x;
	struct record r;
	struct client a;

	(void)state;
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	writer_u8(&w, 0x0a);
	writer_span(&w, "typeless", 8);
	writer_u8(&w, 0x12);
	writer_span(&w, r.bytes, r.len);
	struct writer m = writer_of(message, sizeof(message));
	writer_u8(&m, 0x12);
	writer_span(&m, body, writer_len(&w));
	EXPECT(&a, peer_stream(&a, &x, RENDEZVOUS_PROTOCOL));
	peer_message(&x, message, writer_len(&m));
	EXPECT(&a, client_message(&a, &x, RENDEZVOUS_ANSWER_MAX, &answer, "the answer"));
	EXPECT_TRUE(ask_rendezvous_read(&x, &result) > 0);
	EXPECT_STATUS(RENDEZVOUS_OK, result.status);
	rendezvous_result_free(&result);
	exchange_close(&x);
	EXPECT(&a, ask_unregister(&a, "typeless"));
	client_free(&a);
}

static void test_unregister_is_silent(void **state)
{
	struct client a;

	(void)state;
	fixture_connect(&a);
	EXPECT(&a, ask_unregister(&a, "was never there"));
	EXPECT(&a, ask_unregister(&a, ""));
	EXPECT(&a, ask_ping(&a, 1));
	client_free(&a);
}

static void test_empty_namespace_and_cookie(void **state)
{
	struct rendezvous_result result;
	struct client a;

	(void)state;
	fixture_connect(&a);
	rendezvous_discover(&a, "nobody is here", &result);
	EXPECT_STATUS(0, (int)result.count);
	rendezvous_result_free(&result);
	client_free(&a);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_register_and_discover),
	    E2E_TEST(test_registering_again_replaces),
	    E2E_TEST(test_each_kind_gets_its_own_kind),
	    E2E_TEST(test_kind_of_a_peer_that_never_registered),
	    E2E_TEST(test_lengths_of_namespaces),
	    E2E_TEST(test_lengths_of_life),
	    E2E_TEST(test_several_requests_on_one_stream),
	    E2E_TEST(test_two_requests_in_one_segment),
	    E2E_TEST(test_a_request_without_type_is_register),
	    E2E_TEST(test_unregister_is_silent),
	    E2E_TEST(test_empty_namespace_and_cookie),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
