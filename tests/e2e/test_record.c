/* SPDX-License-Identifier: MIT
 *
 * Records after the Noise handshake, and the muxer's negotiation inside them.
 */
#include "tests/e2e/fixture.h"

#include <string.h>

#include "proto/multistream.h"

static void ends_with(struct client *c, const char *reason)
{
	client_flush(c);
	EXPECT(c, client_wait_end(c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED(reason);
	client_free(c);
}

/* --- records --- */

static void test_record_with_a_wrong_tag(void **state)
{
	static const size_t places[] = {2, 10, 29};
	struct client c;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		fixture_connect(&c);
		mux_ping(&c.session.mux, 7);
		session_pending(&c.session);
		bytes_at(&c.session.out)[places[i]] ^= 0x80;
		ends_with(&c, "noise_decrypt");
	}
}

static void test_record_too_short_for_a_tag(void **state)
{
	static const uint8_t record[2 + 15] = {0, 15};
	static const uint8_t empty[2] = {0, 0};
	struct client c;

	(void)state;
	fixture_connect(&c);
	peer_socket_bytes(&c, record, sizeof(record));
	ends_with(&c, "noise_size");
	fixture_connect(&c);
	peer_socket_bytes(&c, empty, sizeof(empty));
	ends_with(&c, "noise_size");
}

static void test_record_sent_twice(void **state)
{
	struct client c;
	uint8_t copy[64];
	size_t len;

	(void)state;
	fixture_connect(&c);
	mux_ping(&c.session.mux, 7);
	len = session_pending(&c.session);
	EXPECT_TRUE(len <= sizeof(copy));
	memcpy(copy, bytes_at(&c.session.out), len);
	peer_socket_bytes(&c, copy, len);
	ends_with(&c, "noise_decrypt");
}

static void test_empty_record_is_nothing(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	peer_record(&c, "", 0);
	EXPECT(&c, client_yamux_ping(&c, 1));
	client_free(&c);
}

static void test_longest_record(void **state)
{
	uint8_t pings[12 * 100];
	struct exchange x;
	struct client c;

	(void)state;
	memset(pings, 0, sizeof(pings));
	fixture_connect(&c);
	c.session.record_max = SECURE_PLAIN_MAX;
	c.session.mux.frame_max = 65000;
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	for (int i = 0; i < 4; i++) {
		static uint8_t block[PING_SIZE * 2000];

		EXPECT(&c, client_write(&c, &x, block, sizeof(block)));
		EXPECT(&c, client_read(&c, &x, sizeof(block), "echoes of a longest record"));
		bytes_consume(&x.inbox, sizeof(block));
	}
	exchange_close(&x);
	client_free(&c);
}

static void test_record_that_never_ends(void **state)
{
	struct client c;

	(void)state;
	if (!fixture_slow("a record that never ends is cut after 60 s"))
		return;
	fixture_connect(&c);
	peer_socket_bytes(&c, "\x40\x00half of it", 12);
	client_flush(&c);
	EXPECT(&c, client_wait_end(&c, 90000));
	EXPECT_CLOSED("record_timeout");
	client_free(&c);
}

static void held(struct client *c)
{
	EXPECT(c, peer_hold(c, relay.port));
	EXPECT_TRUE(peer_id_equal(&c->session.relay, &relay.id));
}

/* --- the muxer's negotiation --- */

static void hold_muxer(struct client *c)
{
	uint8_t payload[256];

	held(c);
	session_send_message3(&c->session, payload,
			      peer_payload_write(c, PEER_PAYLOAD_GOOD, payload, sizeof(payload)));
	bytes_consume(&c->session.plain, bytes_len(&c->session.plain)); /* the lines are the test's */
}

static void muxer_line(struct client *c, const char *text)
{
	uint8_t line[64];
	struct writer w = writer_of(line, sizeof(line));

	multistream_write_text(&w, text);
	bytes_append(&c->session.plain, line, writer_len(&w));
}

static void test_muxer_with_a_wrong_header(void **state)
{
	struct client c;

	(void)state;
	hold_muxer(&c);
	muxer_line(&c, "/multistream/0.9.0");
	ends_with(&c, "multistream_header");
}

static bool muxer_refused(void *argument)
{
	struct client *c = argument;

	return c->session.refusals > 0;
}

static void test_mplex_gets_na_and_yamux_goes(void **state)
{
	struct client c;

	(void)state;
	hold_muxer(&c);
	muxer_line(&c, MULTISTREAM_HEADER);
	muxer_line(&c, "/mplex/6.7.0");
	EXPECT(&c, client_wait(&c, muxer_refused, &c, "na for mplex"));
	muxer_line(&c, "/yamux/1.0.0");
	EXPECT(&c, client_wait_phase(&c, SESSION_OPEN, "the session to open"));
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_record_with_a_wrong_tag),
	    E2E_TEST(test_record_too_short_for_a_tag),
	    E2E_TEST(test_record_sent_twice),
	    E2E_TEST(test_empty_record_is_nothing),
	    E2E_TEST(test_longest_record),
	    E2E_TEST(test_record_that_never_ends),
	    E2E_TEST(test_muxer_with_a_wrong_header),
	    E2E_TEST(test_mplex_gets_na_and_yamux_goes),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
