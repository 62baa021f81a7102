/* SPDX-License-Identifier: MIT
 *
 * The bare connection until Noise has begun: multistream-select lines of every shape, silence, and ends in
 * each state.
 */
#include "tests/e2e/fixture.h"

#include <string.h>

#include "proto/multistream.h"

static const char *const settings[] = {"DUSK_HANDSHAKE_TIMEOUT=2", NULL};

static void raw_open(struct peer_raw *p)
{
	EXPECT(p, peer_raw_open(p, relay.port));
}

/* Sends bytes in place of the header and expects the connection's end for `reason`. */
static void header_is_refused(const void *bytes, size_t len, const char *reason)
{
	struct peer_raw p;

	raw_open(&p);
	peer_raw_send(&p, bytes, len);
	EXPECT(&p, peer_raw_wait_end(&p, PEER_TIMEOUT_MS));
	EXPECT_CLOSED(reason);
	peer_raw_close(&p, false);
}

/* After a good header. */
static void line_is_refused(const void *bytes, size_t len, const char *reason)
{
	struct peer_raw p;

	raw_open(&p);
	peer_raw_line(&p, MULTISTREAM_HEADER);
	EXPECT(&p, peer_raw_expect_line(&p, MULTISTREAM_HEADER));
	peer_raw_send(&p, bytes, len);
	EXPECT(&p, peer_raw_wait_end(&p, PEER_TIMEOUT_MS));
	EXPECT_CLOSED(reason);
	peer_raw_close(&p, false);
}

static void test_header_comes_for_a_header(void **state)
{
	struct peer_raw p;

	(void)state;
	raw_open(&p);
	peer_raw_line(&p, MULTISTREAM_HEADER);
	EXPECT(&p, peer_raw_expect_line(&p, MULTISTREAM_HEADER));
	peer_raw_close(&p, false);
}

static void test_wrong_header(void **state)
{
	static const char http[] =
	    "GET / HTTP/1.1\r\nHost: relay.example.org\r\nUser-Agent: somebody who is lost here\r\n"
	    "Accept: */*\r\n\r\n";
	static const char other[] = "\x13/multistream/2.0.0\n";
	static const char spaced[] = "\x14/multistream/1.0.0 \n";

	(void)state;
	header_is_refused(other, sizeof(other) - 1, "multistream_header");
	header_is_refused(spaced, sizeof(spaced) - 1, "multistream_header");
	header_is_refused(http, sizeof(http) - 1, "multistream_malformed");
}

static void test_lines_too_long_or_without_end(void **state)
{
	static const uint8_t long_line[] = {0x81, 0x08, 'a', 'b'};	    /* 1025 bytes announced */
	static const uint8_t three_byte_length[] = {0x80, 0x80, 0x01, '/'}; /* 16384 */
	static const uint8_t endless_length[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t padded_length[] = {0x87, 0x00, '/', 'n', 'o', 'i', 's', 'e', '\n'};
	static const uint8_t empty[] = {0x00};
	static const uint8_t no_newline[] = {0x06, '/', 'n', 'o', 'i', 's', 'e'};

	(void)state;
	header_is_refused(long_line, sizeof(long_line), "multistream_malformed");
	header_is_refused(empty, sizeof(empty), "multistream_malformed");
	line_is_refused(long_line, sizeof(long_line), "multistream_malformed");
	line_is_refused(three_byte_length, sizeof(three_byte_length), "multistream_malformed");
	line_is_refused(endless_length, sizeof(endless_length), "multistream_malformed");
	line_is_refused(padded_length, sizeof(padded_length), "multistream_malformed");
	line_is_refused(empty, sizeof(empty), "multistream_malformed");
	line_is_refused(no_newline, sizeof(no_newline), "multistream_malformed");
}

static void test_other_security_protocols_get_na(void **state)
{
	static const char *const others[] = {
	    "/tls/1.0.0", "/secio/1.0.0", "/plaintext/2.0.0", "/libp2p/simultaneous-connect", "/noise/",
	    "/nois",	  "/NOISE"};
	struct peer_raw p;

	(void)state;
	raw_open(&p);
	peer_raw_line(&p, MULTISTREAM_HEADER);
	EXPECT(&p, peer_raw_expect_line(&p, MULTISTREAM_HEADER));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		peer_raw_line(&p, others[i]);
		EXPECT(&p, peer_raw_expect_line(&p, MULTISTREAM_NA));
	}
	peer_raw_line(&p, "/noise");
	EXPECT(&p, peer_raw_expect_line(&p, "/noise"));
	peer_raw_close(&p, false);
}

static void test_a_longest_line_gets_na(void **state)
{
	char text[MULTISTREAM_LINE_MAX];
	struct peer_raw p;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[sizeof(text) - 1] = '\0'; /* with its newline 1024 bytes */
	raw_open(&p);
	peer_raw_line(&p, MULTISTREAM_HEADER);
	EXPECT(&p, peer_raw_expect_line(&p, MULTISTREAM_HEADER));
	peer_raw_line(&p, text);
	EXPECT(&p, peer_raw_expect_line(&p, MULTISTREAM_NA));
	peer_raw_close(&p, false);
}

static void test_endless_proposals_end(void **state)
{
	struct peer_raw p;

	(void)state;
	raw_open(&p);
	peer_raw_line(&p, MULTISTREAM_HEADER);
	for (int i = 0; i < 200; i++)
		peer_raw_line(&p, "/tls/1.0.0");
	EXPECT(&p, peer_raw_wait_end(&p, PEER_TIMEOUT_MS));
	EXPECT_CLOSED("multistream_rounds");
	peer_raw_close(&p, false);
}

static void test_silence_ends(void **state)
{
	struct peer_raw p;
	int64_t start = client_now();

	(void)state;
	raw_open(&p);
	EXPECT(&p, peer_raw_wait_end(&p, 4000));
	EXPECT_TRUE(client_now() - start > 1800);
	EXPECT_CLOSED("handshake_timeout");
	peer_raw_close(&p, false);
}

static void test_half_a_header_ends(void **state)
{
	struct peer_raw p;

	(void)state;
	raw_open(&p);
	peer_raw_send(&p, "\x13/multi", 7);
	EXPECT(&p, peer_raw_wait_end(&p, 4000));
	EXPECT_CLOSED("handshake_timeout");
	peer_raw_close(&p, false);
}

/* A byte every little while does not lengthen the handshake. */
static void test_a_slow_handshake_ends(void **state)
{
	static const char header[] = "\x13/multistream/1.0.0\n";
	int64_t start = client_now();
	struct peer_raw p;
	size_t sent = 0;

	(void)state;
	raw_open(&p);
	while (!p.ended && client_now() - start < 4000) {
		peer_raw_send(&p, &header[sent % 20], sent < 20 ? 1 : 0);
		sent++;
		peer_raw_wait_end(&p, 150);
	}
	EXPECT_TRUE(p.ended);
	EXPECT_CLOSED("handshake_timeout");
	peer_raw_close(&p, false);
}

/* --- ends in each state --- */

static const char first_burst[] = "\x13/multistream/1.0.0\n\x07/noise\n\x00\x20"
				  "0123456789abcdef0123456789abcdef";

static void ended_at(size_t bytes, bool reset)
{
	struct peer_raw p;

	raw_open(&p);
	peer_raw_send(&p, first_burst, bytes);
	EXPECT_STATUS(0, peer_wait_taken(p.fd, PEER_TIMEOUT_MS));
	peer_raw_close(&p, reset);
}

static void test_dropped_in_each_state(void **state)
{
	static const size_t places[] = {0, 1, 10, 20, 21, 27, 28, 29, 30, 45, 61, 62};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		ended_at(places[i], false);
		ended_at(places[i], true);
	}
	fixture_expect_connections(1);
	EXPECT_CLOSED("remote_closed");
}

static void test_half_closed_before_anything(void **state)
{
	struct peer_raw p;

	(void)state;
	raw_open(&p);
	shutdown(p.fd, SHUT_WR);
	EXPECT(&p, peer_raw_wait_end(&p, PEER_TIMEOUT_MS));
	EXPECT_CLOSED("remote_closed");
	peer_raw_close(&p, false);
}

static void test_many_open_and_close(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++)
		ended_at((size_t)i % 20, i % 2 == 0);
	fixture_expect_connections(1);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_header_comes_for_a_header),
	    E2E_TEST(test_wrong_header),
	    E2E_TEST(test_lines_too_long_or_without_end),
	    E2E_TEST(test_other_security_protocols_get_na),
	    E2E_TEST(test_a_longest_line_gets_na),
	    E2E_TEST(test_endless_proposals_end),
	    E2E_TEST(test_silence_ends),
	    E2E_TEST(test_half_a_header_ends),
	    E2E_TEST(test_a_slow_handshake_ends),
	    E2E_TEST(test_dropped_in_each_state),
	    E2E_TEST(test_half_closed_before_anything),
	    E2E_TEST(test_many_open_and_close),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
