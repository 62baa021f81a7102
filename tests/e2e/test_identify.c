/* SPDX-License-Identifier: MIT
 *
 * Ping and identify, and misuse of them.
 */
#include "tests/e2e/fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *const settings[] = {
    "DUSK_RELAY_EXTERNAL_ADDR=/dns4/relay.example.org/tcp/4001,203.0.113.7,/ip6/2001:db8::7/tcp/4002", NULL};

static void close_both(struct client *c, struct exchange *x)
{
	exchange_close(x);
	client_free(c);
}

/* --- ping --- */

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

/* --- identify --- */

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

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_ping_in_pieces_and_many_on_one_stream),
	    E2E_TEST(test_ping_cut_in_the_middle),
	    E2E_TEST(test_ping_without_reading),
	    E2E_TEST(test_identify_says_who_and_what),
	    E2E_TEST(test_identify_observes_our_address),
	    E2E_TEST(test_identify_record_is_signed_and_holds_the_same_addresses),
	    E2E_TEST(test_three_hundred_streams_one_after_another),
	    E2E_TEST(test_identify_push_is_answered_by_silence),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
