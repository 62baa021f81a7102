/* SPDX-License-Identifier: MIT
 *
 * The requests of a stream when something is short: time, room for the answer, memory at whichever step; with
 * more requests behind, which must not be looked at once the stream is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/pool.h"
#include "tests/unit/rendezvous_asker.h"

#define EARLY_MOST 16384

static const struct span none;
static struct fixture_record record;

static int before(void **state)
{
	asker_before(state);
	fixture_record(&f, &record, &asker_peer, ENVELOPE_RECORD_LEGACY, 1);
	return 0;
}

/* A REGISTER and another one behind it, in one piece. */
static void two_requests(struct stream *stream)
{
	static uint8_t bytes[2048];
	struct rendezvous_request q = {.type = RENDEZVOUS_REGISTER,
				       .has_ns = true,
				       .ns = fixture_span("a"),
				       .record = {record.bytes, record.len}};
	size_t len = fixture_request_bytes(&q, bytes, sizeof(bytes));

	len += fixture_request_bytes(&q, bytes + len, sizeof(bytes) - len);
	fixture_data(stream, bytes, len);
}

static void assert_gone(const struct fixture_wire *wire, enum close_reason reason)
{
	assert_true(wire->gone);
	assert_int_equal(wire->reason, reason);
}

/* The first byte of each request begins its time, also where hours may pass between them. */
static void a_later_request_has_its_time_too(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);
	static const uint8_t piece[] = {0x80, 0x10, 8};

	(void)state;
	conn->active = 0;
	fixture_register(stream, "a", &record, 0);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	assert_int_equal(conn->active, f.net.now / 1000);
	fixture_sleep(&f, 200000);
	fixture_data(stream, piece, 1);
	fixture_sleep(&f, 20000);
	fixture_data(stream, piece + 1, 2);
	fixture_sleep(&f, 9000);
	assert_false(wire->gone);
	fixture_sleep(&f, 1500);
	assert_gone(wire, CLOSE_MESSAGE_TIMEOUT);
}

/* With room for exactly a short answer it is given; with a byte less it waits, but not for ever. */
static void room_for_a_short_answer(void **state)
{
	struct fixture_wire *wires[2];

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		struct stream *stream = fixture_stream(&f, conn);

		wires[i] = fixture_wire(&f, stream);
		stream->send_window = RENDEZVOUS_SHORT_ANSWER - i;
		fixture_register(stream, "a", &record, 0);
	}
	assert_int_equal(fixture_status(wires[0]), RENDEZVOUS_OK);
	assert_int_equal(wires[1]->len, 0);
	fixture_sleep(&f, 59000);
	assert_false(wires[1]->gone);
	fixture_sleep(&f, 1500);
	assert_gone(wires[1], CLOSE_NOT_READING);
}

static void what_waits_behind_is_bounded_to_the_byte(void **state)
{
	static const uint8_t much[EARLY_MOST];
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	for (uint32_t i = 2; i < 52; i++)
		asker_put_sized(i, "a", RENDEZVOUS_LEGACY, 500);
	stream->send_window = 100;
	fixture_discover(stream, "a", 0, none);
	fixture_data(stream, much, EARLY_MOST - 1);
	fixture_data(stream, much, 1);
	assert_false(wire->gone);
	fixture_data(stream, much, 1);
	assert_gone(wire, CLOSE_MESSAGE_TOO_LONG);
}

static void no_memory_for_the_answer(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	(void)state;
	f.refuse = true;
	two_requests(stream);
	assert_gone(wire, CLOSE_MEMORY);
	stream = fixture_stream(&f, conn);
	wire = fixture_wire(&f, stream);
	f.rate_full = true;
	fixture_discover(stream, "a", 0, none);
	f.refuse = f.rate_full = false;
	assert_gone(wire, CLOSE_MEMORY);
	assert_int_equal(wire->len, 0);
}

static void no_memory_for_what_waits(void **state)
{
	static const uint8_t piece[] = {0x80, 0x10, 8};
	uint64_t cap = pool_cap(&f.net);
	struct stream *unchecked, *longer, *behind;
	struct fixture_wire *wires[3];

	(void)state;
	for (uint32_t i = 2; i < 52; i++)
		asker_put_sized(i, "a", RENDEZVOUS_LEGACY, 500);
	rendezvous_turn(&f.net);
	f.net.rendezvous->checks = 0;
	unchecked = fixture_stream(&f, conn);
	longer = fixture_stream(&f, conn);
	behind = fixture_stream(&f, conn);
	wires[0] = fixture_wire(&f, unchecked), wires[1] = fixture_wire(&f, longer);
	wires[2] = fixture_wire(&f, behind);
	behind->send_window = 100;
	fixture_discover(behind, "a", 0, none);
	pool_set_cap(&f.net, 0);
	two_requests(unchecked);
	fixture_data(longer, piece, sizeof(piece));
	fixture_data(behind, piece, sizeof(piece));
	pool_set_cap(&f.net, cap);
	for (int i = 0; i < 3; i++)
		assert_gone(wires[i], CLOSE_MEMORY);
	assert_int_equal(wires[0]->len, 0);
	assert_true(list_empty(&f.net.rendezvous->unchecked));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, asker_after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_later_request_has_its_time_too),
	    CASE(room_for_a_short_answer),
	    CASE(what_waits_behind_is_bounded_to_the_byte),
	    CASE(no_memory_for_the_answer),
	    CASE(no_memory_for_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
