/* SPDX-License-Identifier: MIT
 *
 * Yamux: frames that the rules forbid, floods, and what has to be tolerated.
 */
#include "tests/e2e/fixture.h"

#include <string.h>

#define PROTOCOL_ERROR 1
#define LARGEST_WINDOW (64u << 20) /* default of DUSK_MAX_WINDOW */

static void frame(struct client *c, uint8_t type, uint16_t flags, uint32_t stream, uint32_t length)
{
	peer_frame(c, 0, type, flags, stream, length, NULL, 0);
}

/* The relay ends it with GoAway(1) and this reason. */
static void ends_with(struct client *c, const char *reason)
{
	client_flush(c);
	EXPECT(c, client_wait_end(c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED(reason);
	EXPECT_STATUS(1, (int)c->go_aways);
	EXPECT_STATUS(PROTOCOL_ERROR, (int)c->go_away_code);
	client_free(c);
}

static void test_unknown_version(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	peer_frame(&c, 1, YAMUX_PING, YAMUX_SYN, 0, 1, NULL, 0);
	ends_with(&c, "yamux_version");
}

static void test_unknown_type(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	frame(&c, 4, 0, 0, 0);
	ends_with(&c, "yamux_type");
	fixture_connect(&c);
	frame(&c, 255, 0, 1, 0);
	ends_with(&c, "yamux_type");
}

static void test_wrong_parity(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	frame(&c, YAMUX_WINDOW_UPDATE, YAMUX_SYN, 2, 0);
	ends_with(&c, "yamux_stream_id");
	fixture_connect(&c);
	frame(&c, YAMUX_DATA, YAMUX_SYN, 4, 0);
	ends_with(&c, "yamux_stream_id");
}

static void test_stream_zero(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	frame(&c, YAMUX_DATA, YAMUX_SYN, 0, 0);
	ends_with(&c, "yamux_stream_id");
	fixture_connect(&c);
	frame(&c, YAMUX_WINDOW_UPDATE, 0, 0, 100);
	ends_with(&c, "yamux_stream_id");
}

static void test_stream_opened_twice(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	frame(&c, YAMUX_WINDOW_UPDATE, YAMUX_SYN, 1, 0);
	frame(&c, YAMUX_WINDOW_UPDATE, YAMUX_SYN, 1, 0);
	ends_with(&c, "yamux_stream_duplicate");
}

/* rust numbers a stream when it is opened and sends its SYN with the first data, so a later number may come
 * first; go, rust and js take that. */
static void test_stream_numbers_out_of_order(void **state)
{
	struct exchange first;
	struct exchange second;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT_STATUS(0, exchange_open_silent(&first, &c.session.mux, PING_PROTOCOL));
	EXPECT(&c, peer_stream(&c, &second, PING_PROTOCOL));
	EXPECT(&c, ask_ping_once(&c, &second));
	mux_announce(first.stream);
	EXPECT(&c, client_yamux_ping(&c, 3));
	EXPECT_TRUE(first.stream->acknowledged);
	exchange_close(&first);
	exchange_close(&second);
	client_free(&c);
}

/* One frame on a stream that has said nothing yet: the relay takes a window of rubbish and not a byte more.
 */
static void one_frame_of(struct client *c, uint32_t len)
{
	static uint8_t payload[YAMUX_WINDOW + 1];

	fixture_connect(c);
	peer_frame(c, 0, YAMUX_DATA, YAMUX_SYN, 1, len, payload, len);
	client_flush(c);
}

static void test_a_whole_window_in_one_frame(void **state)
{
	struct client c;

	(void)state;
	one_frame_of(&c, YAMUX_WINDOW);
	EXPECT(&c, client_yamux_ping(&c, 1));
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
}

static void test_window_overrun_by_one_byte(void **state)
{
	struct client c;

	(void)state;
	one_frame_of(&c, YAMUX_WINDOW + 1);
	EXPECT(&c, client_wait_end(&c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED("yamux_window_overrun");
	client_free(&c);
}

/* A header alone may promise more than the window: refused before any of it comes. */
static void test_window_overrun_announced(void **state)
{
	static const uint32_t lengths[] = {YAMUX_WINDOW + 1, 0x7fffffff, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct client c;

		fixture_connect(&c);
		frame(&c, YAMUX_DATA, YAMUX_SYN, 1, lengths[i]);
		ends_with(&c, "yamux_window_overrun");
	}
}

static void test_window_overflow(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	frame(&c, YAMUX_WINDOW_UPDATE, 0, x.stream->id, 0xffffffff);
	frame(&c, YAMUX_WINDOW_UPDATE, 0, x.stream->id, 0xffffffff);
	client_flush(&c);
	EXPECT(&c, client_wait_end(&c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED("yamux_window_overflow");
	exchange_close(&x);
	client_free(&c);
}

/* Data, credit, ends and resets for streams that are not there are drained, and the connection goes on. */
static void test_frames_for_dead_streams(void **state)
{
	static uint8_t payload[70000];
	struct exchange x;
	struct client c;
	uint32_t id;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	id = x.stream->id;
	exchange_close(&x);
	for (int i = 0; i < 3; i++)
		peer_frame(&c, 0, YAMUX_DATA, 0, id, sizeof(payload), payload, sizeof(payload));
	frame(&c, YAMUX_WINDOW_UPDATE, 0, id, 1000);
	frame(&c, YAMUX_DATA, YAMUX_FIN, id, 0);
	frame(&c, YAMUX_DATA, YAMUX_RST, id, 0);
	peer_frame(&c, 0, YAMUX_DATA, YAMUX_FIN, 99, 500, payload, 500);
	peer_frame(&c, 0, YAMUX_DATA, YAMUX_RST, 1001, 500, payload, 500);
	EXPECT(&c, client_yamux_ping(&c, 77));
	EXPECT(&c, ask_ping(&c, 2));
	EXPECT(&relay, daemon_expect_counter(&relay, "dusk_relay_drained_bytes_total", 3 * sizeof(payload)));
	client_free(&c);
}

/* A sender with a grown window may have more than a small window under way when its stream ends here. */
static void test_large_frames_for_dead_streams(void **state)
{
	static uint8_t payload[YAMUX_WINDOW * 4];
	struct exchange x;
	struct client c;
	uint32_t id;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	id = x.stream->id;
	exchange_close(&x);
	peer_frame(&c, 0, YAMUX_DATA, 0, id, sizeof(payload), payload, sizeof(payload));
	EXPECT(&c, client_yamux_ping(&c, 78));
	EXPECT(&c, ask_ping(&c, 2));
	EXPECT(&relay, daemon_expect_counter(&relay, "dusk_relay_drained_bytes_total", sizeof(payload)));
	frame(&c, YAMUX_DATA, 0, id, LARGEST_WINDOW + 1);
	ends_with(&c, "yamux_window_overrun");
}

static void test_answer_to_a_ping_nobody_sent(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	frame(&c, YAMUX_PING, YAMUX_ACK, 0, 12345);
	client_flush(&c);
	/* go and py ignore it, rust and js end the session: here it must at least harm nobody else. */
	if (client_yamux_ping(&c, 3) != 0)
		EXPECT_CLOSED("yamux_flags");
	client_free(&c);
}

static void test_pings_come_back_as_they_were(void **state)
{
	static const uint32_t values[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		EXPECT(&c, client_yamux_ping(&c, values[i]));
	EXPECT_STATUS(5, (int)c.session.mux.counters.pongs);
	client_free(&c);
}

static void test_twenty_pings_at_once(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (uint32_t i = 0; i < 20; i++)
		mux_ping(&c.session.mux, i);
	EXPECT(&c, client_yamux_ping(&c, 21));
	EXPECT_STATUS(21, (int)c.session.mux.counters.pongs);
	client_free(&c);
}

static void test_syn_with_data_and_finish_in_one_frame(void **state)
{
	static const char burst[] =
	    "\x13/multistream/1.0.0\n\x11/ipfs/ping/1.0.0\n0123456789abcdef0123456789abcdef";
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT_STATUS(0, exchange_open_silent(&x, &c.session.mux, PING_PROTOCOL));
	x.stream->flags_due = 0;
	x.stream->finish_sent = true;
	peer_frame(&c, 0, YAMUX_DATA, YAMUX_SYN | YAMUX_FIN, x.stream->id, sizeof(burst) - 1, burst,
		   sizeof(burst) - 1);
	EXPECT(&c, client_read(&c, &x, 32, "the echo"));
	assert_memory_equal(bytes_at(&x.inbox), burst + 38, 32);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
	EXPECT_TRUE(x.finished && !x.reset);
	exchange_close(&x);
	client_free(&c);
}

static void test_syn_and_reset_in_one_frame(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	frame(&c, YAMUX_WINDOW_UPDATE, YAMUX_SYN | YAMUX_RST, 1, 0);
	frame(&c, YAMUX_DATA, YAMUX_SYN | YAMUX_FIN | YAMUX_RST, 3, 0);
	EXPECT(&c, client_yamux_ping(&c, 9));
	client_free(&c);
}

/* A reset whose length field is an error code (go) is no credit. */
static void test_reset_with_an_error_code(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	frame(&c, YAMUX_WINDOW_UPDATE, YAMUX_RST, x.stream->id, 0xffffffff);
	EXPECT(&c, client_yamux_ping(&c, 9));
	exchange_close(&x);
	client_free(&c);
}

static void test_every_stream_is_acknowledged(void **state)
{
	struct exchange x[20];
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (size_t i = 0; i < 20; i++) {
		EXPECT_STATUS(0, exchange_open_silent(&x[i], &c.session.mux, PING_PROTOCOL));
		mux_announce(x[i].stream);
	}
	EXPECT(&c, client_yamux_ping(&c, 1));
	for (size_t i = 0; i < 20; i++)
		EXPECT_TRUE(x[i].stream->acknowledged);
	for (size_t i = 0; i < 20; i++)
		exchange_close(&x[i]);
	client_free(&c);
}

static void test_go_away_ends_it(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	mux_go_away(&c.session.mux, 0);
	client_flush(&c);
	EXPECT(&c, client_wait_end(&c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED("remote_go_away");
	client_free(&c);
}

static void test_frames_in_single_bytes(void **state)
{
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	c.session.record_max = 1; /* each byte a record of its own */
	EXPECT(&c, ask_ping(&c, 2));
	EXPECT(&c, peer_stream(&c, &x, PING_PROTOCOL));
	exchange_finish(&x);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the stream"));
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
	    E2E_TEST(test_unknown_version),
	    E2E_TEST(test_unknown_type),
	    E2E_TEST(test_wrong_parity),
	    E2E_TEST(test_stream_zero),
	    E2E_TEST(test_stream_opened_twice),
	    E2E_TEST(test_stream_numbers_out_of_order),
	    E2E_TEST(test_a_whole_window_in_one_frame),
	    E2E_TEST(test_window_overrun_by_one_byte),
	    E2E_TEST(test_window_overrun_announced),
	    E2E_TEST(test_window_overflow),
	    E2E_TEST(test_frames_for_dead_streams),
	    E2E_TEST(test_large_frames_for_dead_streams),
	    E2E_TEST(test_answer_to_a_ping_nobody_sent),
	    E2E_TEST(test_pings_come_back_as_they_were),
	    E2E_TEST(test_twenty_pings_at_once),
	    E2E_TEST(test_syn_with_data_and_finish_in_one_frame),
	    E2E_TEST(test_syn_and_reset_in_one_frame),
	    E2E_TEST(test_reset_with_an_error_code),
	    E2E_TEST(test_every_stream_is_acknowledged),
	    E2E_TEST(test_go_away_ends_it),
	    E2E_TEST(test_frames_in_single_bytes),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
