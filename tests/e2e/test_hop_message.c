/* SPDX-License-Identifier: MIT
 *
 * Messages of the hop protocol that are no request, or a wrong one.
 */
#include "tests/e2e/fixture.h"

#include <string.h>

/* What the relay answers to this message; afterwards the connection has to be as good as before. */
static int hop_status(const void *message, size_t len)
{
	struct relay_answer again;
	struct relay_answer a;
	struct exchange x;
	struct client c;
	struct span answer;

	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, CIRCUIT_HOP_PROTOCOL));
	peer_message(&x, message, len);
	EXPECT(&c, client_message(&c, &x, CIRCUIT_MESSAGE_MAX, &answer, "a status"));
	EXPECT_TRUE(ask_relay_read(&x, &a) > 0);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	EXPECT_TRUE(x.finished && !x.reset); /* a reset would lose the status */
	exchange_close(&x);
	EXPECT(&c, ask_reserve(&c, true, &again));
	EXPECT_STATUS(CIRCUIT_OK, again.status);
	client_free(&c);
	return a.status;
}

static void test_malformed_messages(void **state)
{
	static const char *const bad[] = {
	    "\x08",						/* a tag without its value */
	    "\xff\xff\xff\xff",					/* a tag that never ends */
	    "\x12\x7f\x0a",					/* a peer longer than the message */
	    "\x0b\x0c",						/* wire types that do not exist any more */
	    "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", /* a varint of eleven bytes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_STATUS(CIRCUIT_MALFORMED_MESSAGE, hop_status(bad[i], strlen(bad[i])));
	EXPECT_STATUS(CIRCUIT_MALFORMED_MESSAGE, hop_status("", 0)); /* no type */
	EXPECT_STREAM_CLOSED("message_malformed");
}

static void test_types_that_are_no_request(void **state)
{
	int status;

	(void)state;
	EXPECT_STATUS(CIRCUIT_UNEXPECTED_MESSAGE, hop_status("\x08\x02\x28\x64", 4)); /* STATUS OK */
	status = hop_status("\x08\x03", 2);
	EXPECT_TRUE(status == CIRCUIT_UNEXPECTED_MESSAGE || status == CIRCUIT_MALFORMED_MESSAGE);
	status = hop_status("\x08\xff\xff\xff\xff\x07", 6);
	EXPECT_TRUE(status == CIRCUIT_UNEXPECTED_MESSAGE || status == CIRCUIT_MALFORMED_MESSAGE);
	EXPECT_STREAM_CLOSED("message_unexpected");
}

static void test_connect_without_a_usable_peer(void **state)
{
	(void)state;
	EXPECT_STATUS(CIRCUIT_MALFORMED_MESSAGE, hop_status("\x08\x01", 2));
	EXPECT_STATUS(CIRCUIT_MALFORMED_MESSAGE, hop_status("\x08\x01\x12\x00", 4));
	EXPECT_STATUS(CIRCUIT_MALFORMED_MESSAGE, hop_status("\x08\x01\x12\x02\x0a\x00", 6));
	EXPECT_STATUS(CIRCUIT_MALFORMED_MESSAGE, hop_status("\x08\x01\x12\x05\x0a\x03"
							    "abc",
							    9));
}

/* Ids of other key types are ids: nobody has a reservation under them. */
static void test_connect_to_a_hashed_id(void **state)
{
	uint8_t message[2 + 2 + 2 + 34] = {0x08, 0x01, 0x12, 36, 0x0a, 34, 0x12, 0x20};

	(void)state;
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, hop_status(message, sizeof(message)));
}

static void test_unknown_fields_are_ignored(void **state)
{
	(void)state;
	EXPECT_STATUS(CIRCUIT_OK, hop_status("\x08\x00\xfa\x07\x02hi\x98\x06\x01", 10));
}

static void oversized(const void *bytes, size_t len)
{
	struct exchange x;
	struct client c;

	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, CIRCUIT_HOP_PROTOCOL));
	exchange_write(&x, bytes, len);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	EXPECT(&c, ask_ping(&c, 1));
	exchange_close(&x);
	client_free(&c);
}

static void test_oversized_messages(void **state)
{
	(void)state;
	oversized("\x81\x20", 2);				   /* 4097 bytes */
	oversized("\xff\xff\xff\xff\x0f", 5);			   /* 4 GiB */
	oversized("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10); /* 2^64 - 1 */
	oversized("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
	EXPECT_STREAM_CLOSED("message_too_long");
}

static void test_longest_message_is_read(void **state)
{
	uint8_t message[CIRCUIT_MESSAGE_MAX] = {0x08, 0x00, 0xfa,
						0x07, 0xfa, 0x1f}; /* RESERVE and 4090 bytes nobody knows */

	(void)state;
	EXPECT_STATUS(CIRCUIT_OK, hop_status(message, sizeof(message)));
}

static void test_a_request_cut_short(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, CIRCUIT_HOP_PROTOCOL));
	exchange_write(&x, "\x05\x08\x00", 3);
	exchange_finish(&x);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	exchange_close(&x);
	EXPECT(&c, peer_stream(&c, &x, CIRCUIT_HOP_PROTOCOL));
	exchange_finish(&x);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	exchange_close(&x);
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
}

static void test_a_request_never_finished_ends(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	if (!fixture_slow("a request that is never finished is reset after a minute"))
		return;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, CIRCUIT_HOP_PROTOCOL));
	exchange_write(&x, "\x05\x08", 2);
	c.timeout_ms = 90000;
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	EXPECT_STREAM_CLOSED("message_timeout");
	exchange_close(&x);
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
	    E2E_TEST(test_malformed_messages),
	    E2E_TEST(test_types_that_are_no_request),
	    E2E_TEST(test_connect_without_a_usable_peer),
	    E2E_TEST(test_connect_to_a_hashed_id),
	    E2E_TEST(test_unknown_fields_are_ignored),
	    E2E_TEST(test_oversized_messages),
	    E2E_TEST(test_longest_message_is_read),
	    E2E_TEST(test_a_request_cut_short),
	    E2E_TEST(test_a_request_never_finished_ends),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
