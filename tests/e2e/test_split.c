/* SPDX-License-Identifier: MIT
 *
 * Good handshakes, split at every byte and sent in every manner; and connections that drop in the middle of
 * one.
 */
#include "tests/e2e/fixture.h"

static void held(struct client *c)
{
	EXPECT(c, peer_hold(c, relay.port));
	EXPECT_TRUE(peer_id_equal(&c->session.relay, &relay.id));
}

static void test_first_burst_split_everywhere(void **state)
{
	size_t len = 1;

	(void)state;
	for (size_t at = 0; at <= len; at++) {
		struct client c;

		client_init(&c, PEER_TIMEOUT_MS);
		EXPECT(&c, peer_begin(&c, relay.port));
		len = session_pending(&c.session);
		EXPECT(&c, peer_split(&c, at));
		EXPECT(&c, client_wait_phase(&c, SESSION_OPEN, "the session to open"));
		client_free(&c);
	}
	EXPECT_TRUE(len == 20 + 8 + 2 + 32);
}

/* Message 3, the muxer's lines, and at once a yamux ping and a stream: what rust sends in one burst. */
static void second_burst(struct client *c, struct exchange *x)
{
	uint8_t payload[256];

	held(c);
	session_send_message3(&c->session, payload,
			      peer_payload_write(c, PEER_PAYLOAD_GOOD, payload, sizeof(payload)));
	mux_ping(&c->session.mux, 5);
	EXPECT_STATUS(0, exchange_open(x, &c->session.mux, PING_PROTOCOL));
}

static void test_second_burst_split_everywhere(void **state)
{
	size_t len = 1;

	(void)state;
	for (size_t at = 0; at <= len; at++) {
		struct client c;
		struct exchange x;

		second_burst(&c, &x);
		len = session_pending(&c.session);
		EXPECT(&c, peer_split(&c, at));
		EXPECT(&c, client_wait_phase(&c, SESSION_OPEN, "the session to open"));
		EXPECT(&c, ask_ping_once(&c, &x));
		EXPECT_TRUE(c.session.mux.counters.pongs == 1);
		exchange_close(&x);
		client_free(&c);
	}
	EXPECT_TRUE(len > 240);
}

static void test_everything_byte_by_byte(void **state)
{
	struct client c;
	struct exchange x;

	(void)state;
	client_init(&c, PEER_TIMEOUT_MS);
	EXPECT(&c, peer_begin(&c, relay.port));
	EXPECT(&c, peer_trickle(&c, 1));
	EXPECT(&c, client_wait_phase(&c, SESSION_OPEN, "the session to open"));
	client_free(&c);
	second_burst(&c, &x);
	EXPECT(&c, peer_trickle(&c, 1));
	EXPECT(&c, ask_ping_once(&c, &x));
	exchange_close(&x);
	client_free(&c);
}

static void test_dropped_after_each_message(void **state)
{
	struct client c;
	struct exchange x;

	(void)state;
	for (int reset = 0; reset < 2; reset++) {
		held(&c);
		client_drop(&c, reset);
		client_free(&c);
		second_burst(&c, &x);
		EXPECT(&c, peer_split(&c, 100)); /* in the middle of message 3 */
		client_drop(&c, reset);
		exchange_close(&x);
		client_free(&c);
		fixture_connect(&c);
		client_drop(&c, reset);
		client_free(&c);
	}
	fixture_expect_connections(1);
}

static void test_early_muxer_list_is_taken(void **state)
{
	struct client c;

	(void)state;
	client_init(&c, PEER_TIMEOUT_MS);
	c.options.muxers = true;
	EXPECT(&c, peer_open_as(&c, relay.port));
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
}

static void test_a_patient_client(void **state)
{
	struct client c;

	(void)state;
	client_init(&c, PEER_TIMEOUT_MS);
	c.options.patient = true;
	c.options.expected = &relay.id;
	EXPECT(&c, peer_open_as(&c, relay.port));
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
	    E2E_TEST(test_first_burst_split_everywhere), E2E_TEST(test_second_burst_split_everywhere),
	    E2E_TEST(test_everything_byte_by_byte),	 E2E_TEST(test_dropped_after_each_message),
	    E2E_TEST(test_early_muxer_list_is_taken),	 E2E_TEST(test_a_patient_client),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
