/* SPDX-License-Identifier: MIT
 *
 * Rendezvous requests that must be refused: namespaces, cookies, messages; and floods.
 */
#include "tests/e2e/rendezvous_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const settings[] = {"DUSK_RENDEZVOUS_RATE=0", "DUSK_RENDEZVOUS_ANSWER_RATE=0", NULL};

static void test_bad_namespaces(void **state)
{
	static const char *const bad[] = {"\xff",     "\xc3\x28",	  "\xed\xa0\x80",
					  "\xc0\xaf", "\xf5\x80\x80\x80", "abc\xe2\x82"};
	char long_one[257];
	struct rendezvous_result result;
	struct record r;
	struct client a;

	(void)state;
	memset(long_one, 'n', sizeof(long_one));
	long_one[256] = '\0';
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	EXPECT_STATUS(RENDEZVOUS_INVALID_NAMESPACE, rendezvous_register(&a, long_one, &r, 0));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_STATUS(RENDEZVOUS_INVALID_NAMESPACE, rendezvous_register(&a, bad[i], &r, 0));
		EXPECT(&a, ask_discover(&a, bad[i], 0, NULL, 0, &result));
		EXPECT_STATUS(RENDEZVOUS_INVALID_NAMESPACE, result.status);
		rendezvous_result_free(&result);
	}
	client_free(&a);
}

static int cookie_status(struct client *c, const char *ns, const void *cookie, size_t len, size_t count)
{
	struct rendezvous_result result;
	int status;

	EXPECT(c, ask_discover(c, ns, 0, cookie, len, &result));
	status = result.status;
	EXPECT_STATUS((int)count, (int)result.count);
	rendezvous_result_free(&result);
	return status;
}

static void test_cookies(void **state)
{
	struct rendezvous_result result;
	uint8_t forged[8 + 6] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				 0xff, 'c',  'o',  'o',	 'k',  'i',  'e'};
	static uint8_t huge[1000];
	struct client a;

	(void)state;
	rendezvous_join(&a, "cookie", ENVELOPE_RECORD);
	EXPECT_STATUS(RENDEZVOUS_INVALID_COOKIE, cookie_status(&a, "cookie", "1234567", 7, 0));
	EXPECT_STATUS(RENDEZVOUS_INVALID_COOKIE, cookie_status(&a, "cookie", "12345678other", 13, 0));
	EXPECT_STATUS(RENDEZVOUS_INVALID_COOKIE, cookie_status(&a, "cookie", "12345678cookies", 15, 0));
	EXPECT_STATUS(RENDEZVOUS_INVALID_COOKIE, cookie_status(&a, "cookie", huge, sizeof(huge), 0));
	EXPECT_STATUS(RENDEZVOUS_OK,
		      cookie_status(&a, "cookie", forged, sizeof(forged), 1)); /* from the start */
	memset(forged, 0, 8);
	EXPECT_STATUS(RENDEZVOUS_OK, cookie_status(&a, "cookie", forged, sizeof(forged), 1));
	EXPECT_STATUS(RENDEZVOUS_OK, cookie_status(&a, "cookie", forged, 8, 1)); /* without namespace: none */
	rendezvous_discover(&a, "cookie", &result);
	EXPECT_STATUS(RENDEZVOUS_OK,
		      cookie_status(&a, "cookie", result.cookie, result.cookie_len, 0)); /* nothing new */
	rendezvous_result_free(&result);
	EXPECT(&a, ask_unregister(&a, "cookie"));
	client_free(&a);
}

/* --- messages --- */

/* The stream ends without an answer and the connection lives. */
static void stream_ends(const void *bytes, size_t len, bool finish)
{
	struct exchange x;
	struct client c;

	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, RENDEZVOUS_PROTOCOL));
	exchange_write(&x, bytes, len);
	if (finish)
		exchange_finish(&x);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	EXPECT(&c, ask_ping(&c, 1));
	exchange_close(&x);
	client_free(&c);
}

static void test_requests_too_long(void **state)
{
	uint8_t whole[2 + 8193] = {0x81, 0x40}; /* 8193 bytes */

	(void)state;
	stream_ends(whole, 2, false);
	EXPECT_STREAM_CLOSED("message_too_long");
	stream_ends(whole, sizeof(whole), false);
	stream_ends("\xff\xff\xff\xff\x7f", 5, false);
	stream_ends("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, false);
}

static void test_longest_request(void **state)
{
	uint8_t message[RENDEZVOUS_REQUEST_MAX] = {0x08, 0x03, 0x2a, 0x04, 0x0a, 0x02,
						   'n',	 's',  0xfa, 0x07, 0xf4, 0x3f};
	struct rendezvous_result result = {0};
	struct span answer;
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, RENDEZVOUS_PROTOCOL));
	peer_message(&x, message, sizeof(message));
	EXPECT(&c, client_message(&c, &x, RENDEZVOUS_ANSWER_MAX, &answer, "the answer to a longest request"));
	EXPECT_TRUE(ask_rendezvous_read(&x, &result) > 0);
	EXPECT_STATUS(RENDEZVOUS_OK, result.status);
	rendezvous_result_free(&result);
	exchange_close(&x);
	client_free(&c);
}

static void test_malformed_requests(void **state)
{
	(void)state;
	stream_ends("\x04\xff\xff\xff\xff", 5, false);
	stream_ends("\x02\x08\x03", 3, false);	       /* DISCOVER without its body */
	stream_ends("\x02\x08\x00", 3, false);	       /* REGISTER without its body */
	stream_ends("\x02\x08\x02", 3, false);	       /* UNREGISTER without its body */
	stream_ends("\x02\x08\x09", 3, false);	       /* no such type */
	stream_ends("\x04\x08\x01\x1a\x00", 5, false); /* an answer */
	stream_ends("\x04\x08\x04\x32\x00", 5, false); /* the other answer */
	stream_ends("\x03\x2a\x7f\x0a", 4, false);     /* longer inside than outside */
	EXPECT_STREAM_CLOSED("message_malformed");
}

static void test_requests_cut_short(void **state)
{
	(void)state;
	stream_ends("", 0, true);
	stream_ends("\x0a\x08\x03\x2a", 4, true);
	stream_ends("\x80", 1, true);
}

static void test_a_request_never_finished_ends(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	if (!fixture_slow("a rendezvous request that is never finished is reset after a minute"))
		return;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, RENDEZVOUS_PROTOCOL));
	exchange_write(&x, "\x0a\x08\x03\x2a", 4);
	c.timeout_ms = 90000;
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	EXPECT_STREAM_CLOSED("message_timeout");
	exchange_close(&x);
	client_free(&c);
}

/* --- floods --- */

static void test_more_namespaces_than_a_peer_may_have(void **state)
{
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_REGISTER, .has_ns = true, .has_ttl = true, .ttl = 60};
	struct rendezvous_result result = {0};
	struct exchange x;
	struct record r;
	struct client a;
	int kept = 0;
	int last = 0;

	(void)state;
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	q.record = (struct span){r.bytes, r.len};
	EXPECT(&a, peer_stream(&a, &x, RENDEZVOUS_PROTOCOL));
	for (int i = 0; i < 10000; i++) {
		char ns[32];

		snprintf(ns, sizeof(ns), "many/%d", i);
		q.ns = (struct span){(const uint8_t *)ns, strlen(ns)};
		EXPECT(&a, ask_rendezvous_on(&a, &x, &q, &result));
		last = result.status;
		rendezvous_result_free(&result);
		kept += last == RENDEZVOUS_OK;
	}
	EXPECT_STATUS(1000, kept);
	EXPECT_STATUS(RENDEZVOUS_UNAVAILABLE, last);
	exchange_close(&x);
	EXPECT_STATUS(RENDEZVOUS_OK,
		      rendezvous_register(&a, "many/7", &r, 60)); /* a replacement is never refused */
	rendezvous_discover(&a, "many/999", &result);
	EXPECT_STATUS(1, (int)result.count);
	rendezvous_result_free(&result);
	client_free(&a);
}

static void discover_times(struct client *c, int count)
{
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_DISCOVER, .has_ns = true, .ns = {(const uint8_t *)"flood", 5}};
	struct rendezvous_result result = {0};
	struct exchange x;

	EXPECT(c, peer_stream(c, &x, RENDEZVOUS_PROTOCOL));
	for (int i = 0; i < count; i++) {
		EXPECT(c, ask_rendezvous_on(c, &x, &q, &result));
		EXPECT_STATUS(1, (int)result.count);
		rendezvous_result_free(&result);
	}
	exchange_close(&x);
}

static void test_discover_flood_leaves_memory_flat(void **state)
{
	int count = fixture_slow("a million DISCOVERs (here 20 000)") ? 1000000 : 20000;
	struct record r;
	struct client a;
	long before;
	long after;

	(void)state;
	fixture_reserve(&a); /* else the registration would end after a minute */
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&a, "flood", &r, 0));
	discover_times(&a, 2000);
	before = daemon_memory(&relay, "netproc");
	discover_times(&a, count);
	after = daemon_memory(&relay, "netproc");
	EXPECT_TRUE(before > 0);
	if (getenv("E2E_SANITIZED"))
		printf("left out, needs a build without sanitizers: memory stays flat\n");
	else
		EXPECT_TRUE(after - before < 256);
	EXPECT(&a, ask_unregister(&a, "flood"));
	client_free(&a);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_bad_namespaces),
	    E2E_TEST(test_cookies),
	    E2E_TEST(test_requests_too_long),
	    E2E_TEST(test_longest_request),
	    E2E_TEST(test_malformed_requests),
	    E2E_TEST(test_requests_cut_short),
	    E2E_TEST(test_a_request_never_finished_ends),
	    E2E_TEST(test_more_namespaces_than_a_peer_may_have),
	    E2E_TEST(test_discover_flood_leaves_memory_flat),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
