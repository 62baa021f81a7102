/* SPDX-License-Identifier: MIT
 *
 * Streams and their negotiation in every shape, and how many of them.
 */
#include "tests/e2e/fixture.h"

static void silent_stream(struct client *c, struct exchange *x, const char *protocol)
{
	fixture_connect(c);
	EXPECT_STATUS(0, exchange_open_silent(x, &c->session.mux, protocol));
}

static void close_both(struct client *c, struct exchange *x)
{
	exchange_close(x);
	client_free(c);
}

static bool refused(void *argument)
{
	struct exchange *x = argument;

	return x->state == EXCHANGE_REFUSED || x->reset || x->state == EXCHANGE_OPEN;
}

static void test_unknown_protocols_get_na_and_the_stream_stays(void **state)
{
	static const char *const others[] = {
	    "/meshsub/1.1.0",	   "/meshsub/1.0.0",	    "/ipfs/kad/1.0.0",
	    "/dusk/gif/1.0.0",	   "/dusk/directory/1.0.0", "/dusk/turn-credentials/1.0.0",
	    "/ipfs/bitswap/1.2.0", "/ipfs/id/push/1.0.0/x", "/libp2p/autonat/1.0.0",
	    CIRCUIT_STOP_PROTOCOL, "/ipfs/ping/1.0.0/",	    "/IPFS/PING/1.0.0"};
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT_STATUS(0, exchange_open(&x, &c.session.mux, "/floodsub/1.0.0"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		EXPECT(&c, client_wait(&c, refused, &x, x.protocol));
		EXPECT_STATUS(EXCHANGE_REFUSED, (int)x.state);
		exchange_propose(&x, others[i]);
	}
	EXPECT(&c, client_wait(&c, refused, &x, x.protocol));
	exchange_propose(&x, PING_PROTOCOL);
	EXPECT(&c, client_wait(&c, refused, &x, PING_PROTOCOL));
	EXPECT_STATUS(EXCHANGE_OPEN, (int)x.state);
	EXPECT(&c, ask_ping_once(&c, &x));
	close_both(&c, &x);
}

static void test_a_header_alone_is_answered(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	silent_stream(&c, &x, PING_PROTOCOL);
	exchange_write(&x, "\x13/multistream/1.0.0\n", 20);
	EXPECT(&c, client_yamux_ping(&c, 1));
	EXPECT_STATUS(EXCHANGE_PROTOCOL, (int)x.state);
	exchange_propose(&x, PING_PROTOCOL);
	EXPECT(&c, ask_ping_once(&c, &x));
	close_both(&c, &x);
}

static void stream_is_reset_for(const void *bytes, size_t len)
{
	struct exchange x;
	struct client c;

	silent_stream(&c, &x, PING_PROTOCOL);
	exchange_write(&x, bytes, len);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	EXPECT_TRUE(x.reset);
	EXPECT(&c, ask_ping(&c, 1)); /* the connection goes on */
	close_both(&c, &x);
}

static void test_wrong_multistream_on_a_stream(void **state)
{
	static const uint8_t long_line[] = {0x81, 0x08, 'x'};

	(void)state;
	stream_is_reset_for("\x13/multistream/2.0.0\n", 20);
	stream_is_reset_for("\x00", 1);
	stream_is_reset_for("\x04/abc", 5);
	stream_is_reset_for(long_line, sizeof(long_line));
	stream_is_reset_for("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
	EXPECT_STREAM_CLOSED("multistream_malformed");
}

static void test_endless_proposals_on_a_stream(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	silent_stream(&c, &x, PING_PROTOCOL);
	exchange_write(&x, "\x13/multistream/1.0.0\n", 20);
	for (int i = 0; i < 500 && !x.reset; i++) {
		exchange_write(&x, "\x07/nothe\n", 8);
		client_turn((struct client *[]){&c}, 1, 0);
	}
	EXPECT(&c, client_wait(&c, refused, &x, "the reset"));
	EXPECT_STREAM_CLOSED("multistream_rounds");
	EXPECT(&c, ask_ping(&c, 1));
	close_both(&c, &x);
}

/* go: header, protocol and payload in one flight, answers read later. */
static void test_payload_behind_the_proposal(void **state)
{
	uint8_t sent[PING_SIZE] = "payload in the very same frame.";
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT_STATUS(0, exchange_open(&x, &c.session.mux, PING_PROTOCOL));
	exchange_write(&x, sent, sizeof(sent));
	exchange_write(&x, sent, sizeof(sent));
	EXPECT(&c, client_read(&c, &x, 2 * sizeof(sent), "two echoes"));
	assert_memory_equal(bytes_at(&x.inbox), sent, sizeof(sent));
	assert_memory_equal(bytes_at(&x.inbox) + sizeof(sent), sent, sizeof(sent));
	close_both(&c, &x);
}

/* Each split of header, proposal and payload over two frames. */
static void test_stream_burst_split_everywhere(void **state)
{
	static const char burst[] =
	    "\x13/multistream/1.0.0\n\x11/ipfs/ping/1.0.0\n0123456789abcdef0123456789abcdef";
	size_t len = sizeof(burst) - 1;
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (size_t at = 1; at < len; at++) {
		struct exchange x;

		EXPECT_STATUS(0, exchange_open_silent(&x, &c.session.mux, PING_PROTOCOL));
		exchange_write(&x, burst, at);
		exchange_write(&x, burst + at, len - at);
		EXPECT(&c, client_read(&c, &x, PING_SIZE, "the echo"));
		assert_memory_equal(bytes_at(&x.inbox), burst + len - PING_SIZE, PING_SIZE);
		exchange_finish(&x);
		EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
		exchange_close(&x);
	}
	client_free(&c);
}

static void test_a_stream_reset_while_negotiating(void **state)
{
	static const size_t places[] = {1, 20, 25, 37};
	static const char burst[] = "\x13/multistream/1.0.0\n\x11/ipfs/ping/1.0.0\n";
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct exchange x;

		EXPECT_STATUS(0, exchange_open_silent(&x, &c.session.mux, PING_PROTOCOL));
		exchange_write(&x, burst, places[i]);
		exchange_close(&x);
		EXPECT_STATUS(0, exchange_open_silent(&x, &c.session.mux, PING_PROTOCOL));
		exchange_write(&x, burst, places[i]);
		exchange_finish(&x);
		EXPECT(&c, client_wait_over(&c, &x, "the end of a stream finished early"));
		exchange_close(&x);
	}
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
}

static void test_a_silent_stream_ends(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	silent_stream(&c, &x, PING_PROTOCOL);
	mux_announce(x.stream);
	c.timeout_ms = 20000;
	EXPECT(&c, client_wait_over(&c, &x, "the end of a silent stream"));
	EXPECT_STREAM_CLOSED("negotiation_timeout");
	close_both(&c, &x);
}

/* 400 streams at once, as a client with many namespaces opens them. */
static void test_four_hundred_streams_at_once(void **state)
{
	static struct exchange x[400];
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (size_t i = 0; i < 400; i++)
		EXPECT_STATUS(0, exchange_open(&x[i], &c.session.mux, "/nothing/1.0.0"));
	for (size_t i = 0; i < 400; i++) {
		EXPECT(&c, client_wait(&c, refused, &x[i], "na on one of 400 streams"));
		EXPECT_STATUS(EXCHANGE_REFUSED, (int)x[i].state);
	}
	for (size_t i = 0; i < 400; i++)
		exchange_close(&x[i]);
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
}

/* Above the limit new streams are reset and the connection lives. */
static void test_more_streams_than_allowed(void **state)
{
	static struct exchange x[600];
	size_t resets = 0;
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (size_t i = 0; i < 600; i++) {
		EXPECT_STATUS(0, exchange_open_silent(&x[i], &c.session.mux, PING_PROTOCOL));
		mux_announce(x[i].stream);
	}
	EXPECT(&c, client_yamux_ping(&c, 1));
	for (size_t i = 0; i < 600; i++)
		resets += x[i].reset;
	EXPECT_STATUS(600 - 512, (int)resets);
	for (size_t i = 0; i < 600; i++)
		exchange_close(&x[i]);
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
	    E2E_TEST(test_unknown_protocols_get_na_and_the_stream_stays),
	    E2E_TEST(test_a_header_alone_is_answered),
	    E2E_TEST(test_wrong_multistream_on_a_stream),
	    E2E_TEST(test_endless_proposals_on_a_stream),
	    E2E_TEST(test_payload_behind_the_proposal),
	    E2E_TEST(test_stream_burst_split_everywhere),
	    E2E_TEST(test_a_stream_reset_while_negotiating),
	    E2E_TEST(test_a_silent_stream_ends),
	    E2E_TEST(test_four_hundred_streams_at_once),
	    E2E_TEST(test_more_streams_than_allowed),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
