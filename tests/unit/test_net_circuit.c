/* SPDX-License-Identifier: MIT
 *
 * netproc/circuit.c, over real connections of net_world: why a circuit ends, when, and what an end that is
 * half-closed still gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/limits.h"
#include "netproc/pool.h"
#include "netproc/relay.h"
#include "netproc/yamux.h"
#include "proto/yamux_frame.h"
#include "tests/fuzz/net_world.h"

static struct world world;
static struct conn *conns[2];
static struct stream_ref ends[2];
static struct net_settings usual;
static unsigned agreed;

static void nothing(struct stream *stream, enum close_reason reason)
{
	(void)stream;
	(void)reason;
}

static void opened(struct stream *stream)
{
	(void)stream;
	agreed++;
}

static const struct stream_protocol before = {
    .id = "/before", .stays = true, .open = opened, .closed = nothing};

static struct stream *end_of(unsigned which)
{
	return stream_find(world_net(), ends[which]);
}

static uint64_t ended(enum close_reason reason)
{
	return world_net()->closed[reason];
}

static uint64_t circuits(void)
{
	return world_net()->counter[NET_COUNT_CIRCUITS];
}

static void frame(unsigned which, unsigned flags, const void *payload, size_t len)
{
	static uint8_t bytes[YAMUX_HEADER + 65536];

	assert_non_null(end_of(which));
	yamux_frame_write(bytes, YAMUX_DATA, (uint16_t)flags, end_of(which)->id, (uint32_t)len);
	memcpy(bytes + YAMUX_HEADER, payload, len);
	world_deliver(&world, which, bytes, YAMUX_HEADER + len);
	yamux_run_end(world_net(), NULL);
	world_turn(&world, 1);
}

static int begin(void **state)
{
	static const char answer[] = "\x13/multistream/1.0.0\n\x08/before\n";

	(void)state;
	world_begin(&world);
	usual = world_net()->settings;
	world_net()->settings.circuit_bytes = 0;
	world_net()->settings.circuit_duration = 0;
	world_net()->settings.idle_timeout = 100000;
	agreed = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct stream *stream;

		conns[i] = world_connect_ready(&world, i);
		stream = stream_open(conns[i], &before, NULL);
		assert_non_null(stream);
		ends[i] = stream_ref(stream);
		frame(i, 0, answer, sizeof(answer) - 1);
	}
	assert_int_equal(agreed, 2);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_end(&world);
	world_net()->settings = usual;
	return 0;
}

static void splice(void)
{
	struct queue none[2] = {0};

	assert_int_equal(limits_connect(world_net(), conns[0], conns[1]), CIRCUIT_OK);
	circuit_start(end_of(0), &none[0], end_of(1), &none[1]);
	assert_int_equal(circuits(), 1);
}

static void bring(unsigned which, size_t len)
{
	static const uint8_t bytes[65536];

	frame(which, 0, bytes, len);
}

static void bring_end(unsigned which)
{
	frame(which, YAMUX_FIN, "", 0);
}

static void the_other_end_that_closes_is_no_lack_of_memory(void **state)
{
	(void)state;
	uint64_t gone, memory = ended(CLOSE_MEMORY);

	splice();
	gone = ended(CLOSE_CIRCUIT_PEER_GONE);
	conn_doom(conns[1], CLOSE_NOT_READING);
	bring(0, 1000);
	assert_int_equal(circuits(), 0);
	assert_true(ended(CLOSE_CIRCUIT_PEER_GONE) > gone);
	assert_int_equal(ended(CLOSE_MEMORY), memory);
}

static void the_allowance_is_of_both_directions(void **state)
{
	(void)state;
	uint64_t limit = ended(CLOSE_CIRCUIT_LIMIT_BYTES);

	world_net()->settings.circuit_bytes = 1000;
	splice();
	bring(0, 600);
	bring(1, 400);
	assert_int_equal(circuits(), 1);
	bring(0, 1);
	assert_int_equal(circuits(), 0);
	assert_int_equal(ended(CLOSE_CIRCUIT_LIMIT_BYTES), limit + 2);
}

static void its_time_is_up(void **state)
{
	(void)state;
	uint64_t limit = ended(CLOSE_CIRCUIT_LIMIT_TIME);

	world_net()->settings.circuit_duration = 10;
	splice();
	world_turn(&world, 9000);
	bring(0, 1);
	assert_int_equal(circuits(), 1);
	world_turn(&world, 1200);
	assert_int_equal(circuits(), 0);
	assert_int_equal(ended(CLOSE_CIRCUIT_LIMIT_TIME), limit + 2);
}

static void an_end_that_is_reset_resets_the_other(void **state)
{
	(void)state;
	uint64_t reset = ended(CLOSE_CIRCUIT_RESET);

	splice();
	stream_reset(end_of(0), CLOSE_REMOTE_RESET);
	assert_int_equal(circuits(), 0);
	assert_null(end_of(1));
	assert_int_equal(ended(CLOSE_CIRCUIT_RESET), reset + 1);
}

static void a_half_closed_circuit_ends_when_nothing_moves(void **state)
{
	(void)state;
	uint64_t half = ended(CLOSE_CIRCUIT_HALF_CLOSED);

	splice();
	bring_end(0);
	for (int i = 0; i < 5; i++) {
		world_turn(&world, 50000);
		bring(1, 1);
	}
	assert_int_equal(circuits(), 1);
	world_turn(&world, 400000); /* the time, and a millisecond for each byte that may be unread */
	assert_int_equal(circuits(), 0);
	assert_int_equal(ended(CLOSE_CIRCUIT_HALF_CLOSED), half + 2);
}

static void both_ends_finish(void **state)
{
	(void)state;
	uint64_t closed = world_net()->counter[NET_COUNT_CIRCUITS_CLOSED];

	splice();
	bring(0, 1000);
	bring_end(0);
	bring_end(1);
	world_turn(&world, 1);
	assert_int_equal(circuits(), 0);
	assert_int_equal(world_net()->counter[NET_COUNT_CIRCUITS_CLOSED], closed + 1);
	assert_int_equal(conns[0]->circuits + conns[1]->circuits + conns[0]->keep + conns[1]->keep, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_other_end_that_closes_is_no_lack_of_memory),
	    TEST(the_allowance_is_of_both_directions),
	    TEST(its_time_is_up),
	    TEST(an_end_that_is_reset_resets_the_other),
	    TEST(a_half_closed_circuit_ends_when_nothing_moves),
	    TEST(both_ends_finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
