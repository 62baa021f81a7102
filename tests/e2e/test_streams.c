/* SPDX-License-Identifier: MIT
 *
 * Streams: negotiation in every shape, identify and ping, and misuse of them.
 */
#include "tests/e2e/fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "proto/multistream.h"

static const char *const settings[] = {
    "DUSK_RELAY_EXTERNAL_ADDR=/dns4/relay.example.org/tcp/4001,203.0.113.7,/ip6/2001:db8::7/tcp/4002", NULL};

/* --- negotiation
 * ---------------------------------------------------------------------------------------------------------
 */

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

/* --- ping
 * ----------------------------------------------------------------------------------------------------------------
 */

static void test_ping_in_pieces_and_many_on_one_stream(void **state)
{
	struct exchange x;
	struct client c;
	uint8_t sent[PING_SIZE];

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	memset(sent, 0x5a, sizeof(sent));
	for (size_t i = 0; i < sizeof(sent); i++)
		EXPECT(&c, client_write(&c, &x, sent + i, 1));
	EXPECT(&c, client_read(&c, &x, sizeof(sent), "the echo of pieces"));
	bytes_consume(&x.inbox, sizeof(sent));
	for (int i = 0; i < 200; i++)
		EXPECT(&c, ask_ping_once(&c, &x));
	exchange_finish(&x);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the ping stream"));
	EXPECT_TRUE(x.finished && !x.reset);
	close_both(&c, &x);
}

static void test_ping_cut_in_the_middle(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	EXPECT(&c, client_write(&c, &x, "half", 4));
	exchange_finish(&x);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the ping stream"));
	EXPECT(&c, ask_ping(&c, 1));
	close_both(&c, &x);
}

/* Sends pings and takes no echo: bounded, whatever the window. */
static void test_ping_without_reading(void **state)
{
	static uint8_t block[YAMUX_WINDOW];
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	x.stream->hold_credit = true;
	for (int i = 0; i < 200 && !x.reset; i++) {
		exchange_write(&x, block, sizeof(block));
		client_turn((struct client *[]){&c}, 1, 10);
	}
	EXPECT_TRUE(x.stream->received <= YAMUX_WINDOW + 1000);
	EXPECT(&c, client_yamux_ping(&c, 1));
	close_both(&c, &x);
}

/* --- identify
 * ------------------------------------------------------------------------------------------------------------
 */

static void expect_text(struct span got, const char *wanted)
{
	EXPECT_TRUE(got.len == strlen(wanted) && memcmp(got.bytes, wanted, got.len) == 0);
}

static void expect_addr(struct span got, const char *wanted)
{
	char text[MULTIADDR_TEXT_MAX];

	EXPECT_STATUS(0, multiaddr_to_text(got.bytes, got.len, text));
	assert_string_equal(text, wanted);
}

static void test_identify_says_who_and_what(void **state)
{
	static struct identify_answer a;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, ask_identify(&c, &a));
	expect_text(a.message.protocol_version, "/dusk/relay/1.0.0");
	EXPECT_TRUE(a.message.agent_version.len > 11 &&
		    memcmp(a.message.agent_version.bytes, "dusk-relay/", 11) == 0);
	EXPECT_TRUE(identify_answer_lists(&a, CIRCUIT_HOP_PROTOCOL));
	EXPECT_TRUE(identify_answer_lists(&a, RENDEZVOUS_PROTOCOL));
	EXPECT_TRUE(identify_answer_lists(&a, IDENTIFY_PROTOCOL));
	EXPECT_TRUE(identify_answer_lists(&a, PING_PROTOCOL));
	EXPECT_TRUE(!identify_answer_lists(&a, CIRCUIT_STOP_PROTOCOL));
	EXPECT_TRUE(a.len <= 4090);
	EXPECT_STATUS(3, (int)a.message.addr_count);
	expect_addr(a.message.addrs[0], "/dns4/relay.example.org/tcp/4001");
	client_free(&c);
}

static void test_identify_observes_our_address(void **state)
{
	static struct identify_answer a;
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	char wanted[64];
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT_STATUS(0, getsockname(c.fd, (struct sockaddr *)&in, &len));
	snprintf(wanted, sizeof(wanted), "/ip4/127.0.0.1/tcp/%u", ntohs(in.sin_port));
	EXPECT(&c, ask_identify(&c, &a));
	expect_addr(a.message.observed, wanted);
	client_free(&c);
}

static void test_identify_record_is_signed_and_holds_the_same_addresses(void **state)
{
	static struct identify_answer a;
	struct peer_record record;
	enum envelope_kind kind;
	struct envelope e;
	struct span addr;
	size_t count = 0;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, ask_identify(&c, &a));
	EXPECT_STATUS(ENVELOPE_OK, (int)peer_record_open(a.message.signed_record.bytes,
							 a.message.signed_record.len, &e, &kind, &record));
	EXPECT_STATUS(ENVELOPE_RECORD, (int)kind);
	EXPECT_TRUE(peer_id_equal(&record.peer, &relay.id));
	for (; peer_record_next(&record, &addr); count++)
		EXPECT_TRUE(count < a.message.addr_count && addr.len == a.message.addrs[count].len &&
			    memcmp(addr.bytes, a.message.addrs[count].bytes, addr.len) == 0);
	EXPECT_STATUS(3, (int)count);
	client_free(&c);
}

static void test_three_hundred_streams_one_after_another(void **state)
{
	static struct identify_answer a;
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (int i = 0; i < 300; i++)
		EXPECT(&c, ask_identify(&c, &a));
	for (int i = 0; i < 300; i++)
		EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
}

static void test_identify_push_is_answered_by_silence(void **state)
{
	static const uint8_t message[] = {0x2a, 0x02, 'v', '1'};
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	if (client_open(&c, &x, IDENTIFY_PUSH_PROTOCOL) == 0) {
		peer_message(&x, message, sizeof(message));
		exchange_finish(&x);
		EXPECT(&c, client_wait_over(&c, &x, "the end of the push stream"));
		EXPECT_TRUE(bytes_len(&x.inbox) == 0);
	}
	EXPECT(&c, ask_ping(&c, 1));
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
	return fixture_begin(settings);
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
	    E2E_TEST(test_ping_in_pieces_and_many_on_one_stream),
	    E2E_TEST(test_ping_cut_in_the_middle),
	    E2E_TEST(test_ping_without_reading),
	    E2E_TEST(test_identify_says_who_and_what),
	    E2E_TEST(test_identify_observes_our_address),
	    E2E_TEST(test_identify_record_is_signed_and_holds_the_same_addresses),
	    E2E_TEST(test_three_hundred_streams_one_after_another),
	    E2E_TEST(test_identify_push_is_answered_by_silence),
	    E2E_TEST(test_four_hundred_streams_at_once),
	    E2E_TEST(test_more_streams_than_allowed),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
