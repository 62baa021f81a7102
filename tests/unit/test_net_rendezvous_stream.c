/* SPDX-License-Identifier: MIT
 *
 * Streams of rendezvous: requests in pieces and in a row, every order of FINs, limits of size and time, ends
 * at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rendezvous_fixture.h"

static struct fixture f;
static struct fixture_peer alice;
static struct conn *conn;
static struct fixture_record record;
static const struct span no_cookie;

static int before(void **state)
{
	(void)state;
	conn = fixture_alone(&f, true, &alice, &record, ENVELOPE_RECORD_LEGACY);
	return 0;
}

static int after(void **state)
{
	(void)state;
	fixture_conn_free(conn);
	fixture_free(&f);
	return 0;
}

static size_t request_bytes(enum rendezvous_type type, const char *ns, uint8_t *bytes, size_t capacity)
{
	struct rendezvous_request q = {.type = type, .has_ns = true, .ns = fixture_span(ns)};

	if (type == RENDEZVOUS_REGISTER)
		q.record = (struct span){record.bytes, record.len};
	return fixture_request_bytes(&q, bytes, capacity);
}

static void byte_by_byte(void **state)
{
	uint8_t bytes[1024];
	size_t len = request_bytes(RENDEZVOUS_REGISTER, "chat", bytes, sizeof(bytes));
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < len; i++) {
			assert_int_equal(wire->len, 0);
			fixture_data(stream, bytes + i, 1);
		}
		assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	}
}

static void two_in_one_piece_and_split_anywhere(void **state)
{
	uint8_t bytes[4096];
	size_t len = request_bytes(RENDEZVOUS_REGISTER, "chat", bytes, sizeof(bytes));

	(void)state;
	len += request_bytes(RENDEZVOUS_DISCOVER, "chat", bytes + len, sizeof(bytes) - len);
	len += request_bytes(RENDEZVOUS_UNREGISTER, "chat", bytes + len, sizeof(bytes) - len);
	len += request_bytes(RENDEZVOUS_DISCOVER, "chat", bytes + len, sizeof(bytes) - len);
	for (size_t cut = 0; cut <= len; cut++) {
		struct stream *stream = fixture_stream(&f, conn);
		struct fixture_wire *wire = fixture_wire(&f, stream);
		static uint8_t answer_bytes[8192];
		struct rendezvous_answer answer;

		if (cut > 0)
			fixture_data(stream, bytes, cut);
		if (cut < len)
			fixture_data(stream, bytes + cut, len - cut);
		assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
		assert_true(fixture_answer(wire, &answer, answer_bytes, sizeof(answer_bytes)));
		assert_int_equal(answer.count, 1);
		assert_true(fixture_answer(wire, &answer, answer_bytes, sizeof(answer_bytes)));
		assert_int_equal(answer.count, 0);
		fixture_fin(&f, stream);
		assert_true(wire->gone);
	}
}

/* rust finishes before the answer, go resets after it, canvas does neither. */
static void finish_with_the_request(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	fixture_register(stream, "chat", &record, 0);
	fixture_fin(&f, stream);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	assert_true(wire->finished && wire->gone);

	stream = fixture_stream(&f, conn);
	wire = fixture_wire(&f, stream);
	fixture_discover(stream, "chat", 0, no_cookie);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	fixture_rst(stream);
	assert_true(wire->gone);
	assert_false(wire->finished);
}

static void finish_while_the_answer_waits_for_room(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	stream->send_window = 70;
	fixture_register(stream, "chat", &record, 0);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	/* Less room than a short answer: this one waits, and the FIN does not hide it. */
	fixture_register(stream, "more", &record, 0);
	fixture_fin(&f, stream);
	assert_int_equal(wire->len, 0);
	assert_false(wire->finished);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_OK], 1);
	fixture_window(stream, 1000);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	assert_true(wire->finished && wire->gone);
}

static void finish_in_the_middle_of_a_request(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	fixture_data(stream, (const uint8_t *)"\x20\x08", 2);
	fixture_fin(&f, stream);
	assert_true(wire->gone);
	assert_int_equal(wire->reason, CLOSE_MESSAGE_MALFORMED);
}

static void finish_without_a_request(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	fixture_fin(&f, stream);
	assert_true(wire->gone && wire->finished);
	assert_int_equal(wire->reason, CLOSE_NONE);
}

static enum close_reason reason_after(const uint8_t *bytes, size_t len)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	fixture_data(stream, bytes, len);
	assert_true(wire->gone);
	assert_int_equal(wire->len, 0);
	return wire->reason;
}

static void too_long_and_malformed(void **state)
{
	uint8_t bytes[8300] = {0x81, 0x40}; /* 8193 */

	(void)state;
	assert_int_equal(reason_after(bytes, 2), CLOSE_MESSAGE_TOO_LONG);
	assert_int_equal(reason_after(bytes, sizeof(bytes)), CLOSE_MESSAGE_TOO_LONG);
	assert_int_equal(reason_after((const uint8_t *)"\xff\xff\xff\xff\xff", 5), CLOSE_MESSAGE_TOO_LONG);
	assert_int_equal(reason_after((const uint8_t *)"\x80\x00", 2), CLOSE_MESSAGE_MALFORMED);
	assert_int_equal(reason_after((const uint8_t *)"\x00", 1), CLOSE_MESSAGE_MALFORMED);
	assert_int_equal(reason_after((const uint8_t *)"\x02\x08\x01", 3), CLOSE_MESSAGE_MALFORMED);
	assert_int_equal(reason_after((const uint8_t *)"\x02\x08\x03", 3), CLOSE_MESSAGE_MALFORMED);
	assert_int_equal(reason_after((const uint8_t *)"\x02\x08\x64", 3), CLOSE_MESSAGE_MALFORMED);
}

/* The longest request that is taken; its record is padded, so it is refused, but answered. */
static void the_longest_request_is_answered(void **state)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_REGISTER, .has_ns = true, .ns = fixture_span("a")};
	struct stream *stream = fixture_stream(&f, conn);
	static uint8_t bytes[9000], padded[9000];
	size_t len;

	(void)state;
	q.record = (struct span){padded, 8192 - 11};
	len = fixture_request_bytes(&q, bytes, sizeof(bytes));
	assert_int_equal(len, 8194);
	fixture_data(stream, bytes, len);
	assert_int_equal(fixture_status(fixture_wire(&f, stream)), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
}

static void a_request_never_finished(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	fixture_data(stream, (const uint8_t *)"\x20", 1);
	for (int i = 0; i < 29; i++) {
		fixture_sleep(&f, 1000);
		fixture_data(stream, (const uint8_t *)"\x08", 1); /* drop by drop does not help */
	}
	assert_false(wire->gone);
	fixture_sleep(&f, 2000);
	assert_true(wire->gone);
	assert_int_equal(wire->reason, CLOSE_MESSAGE_TIMEOUT);
}

static void idle_streams_are_finished(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	fixture_register(stream, "chat", &record, 0);
	fixture_sleep(&f, 290000);
	assert_false(wire->finished);
	fixture_register(stream, "chat", &record, 0);
	fixture_sleep(&f, 290000);
	assert_false(wire->finished);
	fixture_sleep(&f, 12000);
	assert_true(wire->finished);
	assert_false(wire->gone);
	fixture_sleep(&f, 12000);
	assert_true(wire->gone);
}

static void a_stream_without_a_word_is_finished(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	fixture_sleep(&f, 31000);
	assert_true(wire->finished);
	fixture_fin(&f, stream);
	assert_true(wire->gone);
}

static void who_reads_no_answers_is_cut(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	stream->send_window = 0;
	fixture_register(stream, "chat", &record, 0);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_OK], 0);
	fixture_sleep(&f, 61000);
	assert_true(wire->gone);
	assert_int_equal(wire->reason, CLOSE_NOT_READING);
}

static void what_waits_is_bounded(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);
	uint64_t used;

	(void)state;
	stream->send_window = 0;
	used = pool_used(&f.net);
	for (int i = 0; i < 200 && !wire->gone; i++) {
		fixture_register(stream, "chat", &record, 0);
		assert_true(pool_used(&f.net) < used + 40000);
	}
	assert_true(wire->gone);
	assert_int_equal(wire->reason, CLOSE_MESSAGE_TOO_LONG);
}

static void what_waited_is_answered_in_order(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	stream->send_window = 0;
	for (int i = 0; i < 30; i++)
		fixture_register(stream, "chat", &record, i % 2 ? 0 : 59);
	fixture_fin(&f, stream);
	for (int i = 0; i < 10000 && !wire->gone; i++)
		fixture_window(stream, 10);
	for (int i = 0; i < 30; i++)
		assert_int_equal(fixture_status(wire), i % 2 ? RENDEZVOUS_OK : RENDEZVOUS_INVALID_TTL);
	assert_int_equal(fixture_status(wire), -1);
	assert_true(wire->finished && wire->gone);
}

/* After a bad record we have finished; what comes behind it is not looked at. */
static void nothing_is_taken_after_a_bad_record(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);
	uint8_t bytes[2048];
	size_t len;

	(void)state;
	record.bytes[record.len - 1] ^= 1;
	len = request_bytes(RENDEZVOUS_REGISTER, "bad", bytes, sizeof(bytes));
	record.bytes[record.len - 1] ^= 1;
	len += request_bytes(RENDEZVOUS_REGISTER, "good", bytes + len, sizeof(bytes) - len);
	fixture_data(stream, bytes, len);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	assert_true(wire->finished);
	fixture_register(stream, "good", &record, 0);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_OK], 0);
	assert_int_equal(wire->len, 0);
	fixture_sleep(&f, 11000);
	assert_true(wire->gone);
}

/* 50 at once on 50 streams. */
static void fifty_streams_at_once(void **state)
{
	struct stream *streams[50];
	char ns[16];

	(void)state;
	for (int i = 0; i < 50; i++) {
		streams[i] = fixture_stream(&f, conn);
		snprintf(ns, sizeof(ns), "ns%d", i);
		fixture_register(streams[i], ns, &record, 0);
		fixture_fin(&f, streams[i]);
	}
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_OK], 50);
	assert_int_equal(f.net.rendezvous->store.owners.count, 1);
}

/* When memory is short, whoever holds most must be found: nothing that is held may be hidden. */
static void what_is_held_is_told(void **state)
{
	size_t (*held)(const struct stream *of) = rendezvous_protocol.held;
	uint64_t used = pool_used(&f.net);
	struct stream *stream = fixture_stream(&f, conn);

	(void)state;
	assert_true(held(stream) >= pool_used(&f.net) - used - sizeof(*stream));
	fixture_data(stream, (const uint8_t *)"\x80\x40\x08", 3); /* 8192 bytes are announced */
	assert_true(held(stream) >= 8192);
	fixture_rst(stream);
	stream = fixture_stream(&f, conn);
	stream->send_window = 0;
	for (int i = 0; i < 20; i++)
		fixture_register(stream, "chat", &record, 0);
	assert_true(held(stream) >= 20 * record.len);
	fixture_rst(stream);
	rendezvous_turn(&f.net);
	f.net.rendezvous->checks = 0;
	stream = fixture_stream(&f, conn);
	fixture_register(stream, "chat", &record, 0);
	assert_true(held(stream) >= record.len);
	rendezvous_turn(&f.net);
	stream->send_window = 100;
	fixture_discover(stream, "chat", 0, no_cookie);
	assert_true(held(stream) >= sizeof(void *) + 4);
}

static void the_end_may_come_at_any_moment(void **state)
{
	uint8_t bytes[2048];
	size_t len = request_bytes(RENDEZVOUS_REGISTER, "chat", bytes, sizeof(bytes));
	size_t used = (size_t)pool_used(&f.net);

	(void)state;
	len += request_bytes(RENDEZVOUS_DISCOVER, "chat", bytes + len, sizeof(bytes) - len);
	for (size_t cut = 1; cut <= len; cut++)
		for (uint32_t window = 0; window < 400; window += 80) {
			struct stream *stream = fixture_stream(&f, conn);

			stream->send_window = window;
			fixture_data(stream, bytes, cut);
			fixture_rst(stream);
			assert_int_equal(pool_used(&f.net), used + f.net.rendezvous->store.bytes);
		}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(byte_by_byte),
	    CASE(two_in_one_piece_and_split_anywhere),
	    CASE(finish_with_the_request),
	    CASE(finish_while_the_answer_waits_for_room),
	    CASE(finish_in_the_middle_of_a_request),
	    CASE(finish_without_a_request),
	    CASE(too_long_and_malformed),
	    CASE(the_longest_request_is_answered),
	    CASE(a_request_never_finished),
	    CASE(idle_streams_are_finished),
	    CASE(a_stream_without_a_word_is_finished),
	    CASE(who_reads_no_answers_is_cut),
	    CASE(what_waits_is_bounded),
	    CASE(what_waited_is_answered_in_order),
	    CASE(nothing_is_taken_after_a_bad_record),
	    CASE(fifty_streams_at_once),
	    CASE(what_is_held_is_told),
	    CASE(the_end_may_come_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
