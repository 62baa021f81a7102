/* SPDX-License-Identifier: MIT
 *
 * The yamux client of probe against a relay that breaks the rules: a test that uses it must see every such
 * breach. And what it must put up with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probe/mux.h"

static struct mux mux;
static struct bytes out;
static struct mux_stream *accepted;
static uint32_t pong;
static size_t data_len;
static int finishes;
static int resets;
static int writables;

static void on_data(struct mux_stream *stream, const uint8_t *bytes, size_t len)
{
	(void)stream;
	(void)bytes;
	data_len += len;
}

static void on_finish(struct mux_stream *stream)
{
	(void)stream;
	finishes++;
}

static void on_reset(struct mux_stream *stream)
{
	(void)stream;
	resets++;
}

static void on_writable(struct mux_stream *stream)
{
	(void)stream;
	writables++;
}

static const struct mux_stream_events stream_events = {on_data, on_finish, on_reset, on_writable};

static void on_incoming(void *owner, struct mux_stream *stream)
{
	(void)owner;
	stream->events = &stream_events;
	accepted = stream;
}

static void on_pong(void *owner, uint32_t value)
{
	(void)owner;
	pong = value;
}

static const struct mux_events mux_events = {.incoming = on_incoming, .pong = on_pong};

static int begin(void **state)
{
	(void)state;
	memset(&out, 0, sizeof(out));
	accepted = NULL;
	pong = 0;
	data_len = 0;
	finishes = resets = writables = 0;
	mux_start(&mux, &out, &mux_events, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	mux_free(&mux);
	bytes_free(&out);
	return 0;
}

static void frame(uint8_t type, uint16_t flags, uint32_t stream, uint32_t length)
{
	uint8_t header[YAMUX_HEADER];

	yamux_frame_write(header, type, flags, stream, length);
	mux_input(&mux, header, sizeof(header));
}

static void payload(size_t len)
{
	static const uint8_t zeros[65536];

	while (len > 0) {
		size_t part = len < sizeof(zeros) ? len : sizeof(zeros);

		mux_input(&mux, zeros, part);
		len -= part;
	}
}

/* The next frame that was sent; takes it off. */
static struct yamux_frame sent(void)
{
	struct yamux_frame f;

	assert_true(bytes_len(&out) >= YAMUX_HEADER);
	f = yamux_frame_read(bytes_at(&out));
	bytes_consume(&out, YAMUX_HEADER + (f.type == YAMUX_DATA ? f.length : 0));
	return f;
}

static struct mux_stream *opened(void)
{
	struct mux_stream *s = mux_open(&mux, &stream_events, NULL);

	mux_announce(s);
	bytes_consume(&out, bytes_len(&out));
	return s;
}

static void fails(const char *words)
{
	assert_non_null(mux.failure);
	assert_non_null(strstr(mux.failure, words));
	assert_int_equal(sent().type, YAMUX_GO_AWAY);
}

/* --- breaches --- */

static void test_unknown_version_and_type(void **state)
{
	(void)state;
	frame(7, 0, 1, 0);
	fails("unknown version or type");
}

static void test_answer_to_no_ping(void **state)
{
	(void)state;
	frame(YAMUX_PING, YAMUX_ACK, 0, 1);
	fails("not sent");
}

static void test_second_answer_to_a_ping(void **state)
{
	(void)state;
	mux_ping(&mux, 9);
	bytes_consume(&out, bytes_len(&out));
	frame(YAMUX_PING, YAMUX_ACK, 0, 9);
	assert_null(mux.failure);
	assert_int_equal(pong, 9);
	frame(YAMUX_PING, YAMUX_ACK, 0, 9);
	fails("not sent");
}

static void test_more_data_than_the_window(void **state)
{
	struct mux_stream *s = opened();

	(void)state;
	frame(YAMUX_DATA, 0, s->id, YAMUX_WINDOW + 1);
	fails("more data");
	assert_int_equal(resets, 1);
}

static void test_data_after_the_end(void **state)
{
	struct mux_stream *s = opened();

	(void)state;
	frame(YAMUX_DATA, YAMUX_FIN, s->id, 0);
	assert_int_equal(finishes, 1);
	frame(YAMUX_DATA, 0, s->id, 1);
	fails("after the end");
}

static void test_finish_twice(void **state)
{
	struct mux_stream *s = opened();

	(void)state;
	frame(YAMUX_DATA, YAMUX_FIN, s->id, 0);
	frame(YAMUX_WINDOW_UPDATE, YAMUX_FIN, s->id, 0);
	fails("finished twice");
}

static void test_acknowledged_twice(void **state)
{
	struct mux_stream *s = opened();

	(void)state;
	frame(YAMUX_WINDOW_UPDATE, YAMUX_ACK, s->id, 0);
	assert_true(s->acknowledged);
	frame(YAMUX_DATA, YAMUX_ACK, s->id, 0);
	fails("acknowledged twice");
}

static void test_opened_with_our_parity_or_again(void **state)
{
	(void)state;
	frame(YAMUX_WINDOW_UPDATE, YAMUX_SYN, 2, 0);
	assert_non_null(accepted);
	frame(YAMUX_WINDOW_UPDATE, YAMUX_SYN, 2, 0);
	fails("not the opener's");
}

static void test_stream_frame_for_the_session(void **state)
{
	(void)state;
	frame(YAMUX_DATA, 0, 0, 0);
	fails("stream 0");
}

static void test_credit_beyond_a_window(void **state)
{
	struct mux_stream *s = opened();

	(void)state;
	frame(YAMUX_WINDOW_UPDATE, 0, s->id, UINT32_MAX);
	fails("more credit");
}

/* --- what is allowed --- */

static void test_strays_are_drained(void **state)
{
	struct mux_stream *s = opened();
	uint32_t id = s->id;

	(void)state;
	mux_release(s);
	assert_int_equal(sent().flags, YAMUX_RST);
	frame(YAMUX_DATA, 0, id, 100);
	payload(100);
	frame(YAMUX_WINDOW_UPDATE, YAMUX_RST, id, 7);
	assert_null(mux.failure);
	assert_int_equal(mux.counters.strays, 2);
	assert_int_equal(data_len, 0);
}

static void test_pings_are_answered(void **state)
{
	struct yamux_frame f;

	(void)state;
	frame(YAMUX_PING, YAMUX_SYN, 0, 0xdeadbeef);
	f = sent();
	assert_int_equal(f.type, YAMUX_PING);
	assert_int_equal(f.flags, YAMUX_ACK);
	assert_int_equal(f.length, 0xdeadbeef);
}

static void test_credit_goes_back_in_halves(void **state)
{
	struct mux_stream *s = opened();
	struct yamux_frame f;

	(void)state;
	frame(YAMUX_DATA, 0, s->id, YAMUX_WINDOW / 2 - 1);
	payload(YAMUX_WINDOW / 2 - 1);
	assert_int_equal(bytes_len(&out), 0);
	frame(YAMUX_DATA, 0, s->id, 1);
	payload(1);
	f = sent();
	assert_int_equal(f.type, YAMUX_WINDOW_UPDATE);
	assert_int_equal(f.length, YAMUX_WINDOW / 2);
	assert_int_equal(s->receive_window, YAMUX_WINDOW);
}

static void test_held_credit_stays(void **state)
{
	struct mux_stream *s = opened();

	(void)state;
	s->hold_credit = true;
	frame(YAMUX_DATA, 0, s->id, YAMUX_WINDOW);
	payload(YAMUX_WINDOW);
	assert_int_equal(bytes_len(&out), 0);
	mux_give_credit(s);
	assert_int_equal(sent().length, YAMUX_WINDOW);
}

static void test_writing_stops_at_the_window(void **state)
{
	static const uint8_t block[YAMUX_WINDOW + 100];
	struct mux_stream *s = opened();

	(void)state;
	assert_int_equal(mux_write(s, block, sizeof(block)), YAMUX_WINDOW);
	assert_int_equal(mux_write(s, block, 1), 0);
	frame(YAMUX_WINDOW_UPDATE, 0, s->id, 100);
	assert_int_equal(writables, 1);
	assert_int_equal(mux_write(s, block, 200), 100);
	assert_int_equal(sent().length, MUX_FRAME_MAX);
}

static void test_first_frame_carries_the_flag(void **state)
{
	struct mux_stream *s = mux_open(&mux, &stream_events, NULL);

	(void)state;
	assert_int_equal(bytes_len(&out), 0);
	mux_write(s, (const uint8_t *)"x", 1);
	assert_int_equal(sent().flags, YAMUX_SYN);
	mux_write(s, (const uint8_t *)"y", 1);
	assert_int_equal(sent().flags, 0);
	frame(YAMUX_WINDOW_UPDATE, YAMUX_SYN, 4, 0);
	mux_write(accepted, (const uint8_t *)"z", 1);
	assert_int_equal(sent().flags, YAMUX_ACK);
}

static void test_reset_with_a_code_is_no_credit(void **state)
{
	struct mux_stream *s = opened();
	uint32_t before = s->send_window;

	(void)state;
	frame(YAMUX_WINDOW_UPDATE, YAMUX_RST, s->id, 0x1234);
	assert_int_equal(s->send_window, before);
	assert_int_equal(resets, 1);
	assert_null(mux.failure);
}

static void test_frames_byte_by_byte(void **state)
{
	struct mux_stream *s = opened();
	uint8_t bytes[YAMUX_HEADER + 5] = {0};

	(void)state;
	yamux_frame_write(bytes, YAMUX_DATA, YAMUX_ACK | YAMUX_FIN, s->id, 5);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(finishes, 0);
		mux_input(&mux, &bytes[i], 1);
	}
	assert_int_equal(data_len, 5);
	assert_int_equal(finishes, 1);
	assert_true(s->acknowledged);
}

static void test_a_thousand_streams_are_found(void **state)
{
	static struct mux_stream *streams[1000];

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		streams[i] = opened();
	for (size_t i = 0; i < 1000; i += 2)
		mux_release(streams[i]);
	for (size_t i = 1; i < 1000; i += 2)
		assert_ptr_equal(mux_find(&mux, streams[i]->id), streams[i]);
	assert_null(mux_find(&mux, 1));
	assert_int_equal(mux.count, 500);
}

#define MUX_TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MUX_TEST(test_unknown_version_and_type),
	    MUX_TEST(test_answer_to_no_ping),
	    MUX_TEST(test_second_answer_to_a_ping),
	    MUX_TEST(test_more_data_than_the_window),
	    MUX_TEST(test_data_after_the_end),
	    MUX_TEST(test_finish_twice),
	    MUX_TEST(test_acknowledged_twice),
	    MUX_TEST(test_opened_with_our_parity_or_again),
	    MUX_TEST(test_stream_frame_for_the_session),
	    MUX_TEST(test_credit_beyond_a_window),
	    MUX_TEST(test_strays_are_drained),
	    MUX_TEST(test_pings_are_answered),
	    MUX_TEST(test_credit_goes_back_in_halves),
	    MUX_TEST(test_held_credit_stays),
	    MUX_TEST(test_writing_stops_at_the_window),
	    MUX_TEST(test_first_frame_carries_the_flag),
	    MUX_TEST(test_reset_with_a_code_is_no_credit),
	    MUX_TEST(test_frames_byte_by_byte),
	    MUX_TEST(test_a_thousand_streams_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
