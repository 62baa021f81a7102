/* SPDX-License-Identifier: MIT
 *
 * netproc/conn_io.c, on socket pairs: how often is read, what an end and a failed write leave to be read;
 * which round trip counts.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "netproc/stream.h"
#include "tests/fuzz/net_world.h"

static struct world world;
static struct conn *conn;
static struct conn_layer layer;
static size_t taken;

static size_t take_input(struct conn *of, uint8_t *bytes, size_t len)
{
	(void)of;
	(void)bytes;
	taken += len;
	return len;
}

static void nothing_closed(struct conn *of, enum close_reason reason)
{
	of->upper->closed(of, reason);
}

static int begin(void **state)
{
	(void)state;
	world_begin(&world);
	conn = world_connect_ready(&world, 0);
	layer = (struct conn_layer){.input = take_input, .closed = nothing_closed};
	conn->layer = &layer;
	conn->readable = false;
	taken = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

static uint64_t reads(void)
{
	return world_net()->counter[NET_COUNT_READ_CALLS];
}

static void bring(size_t len)
{
	static const uint8_t bytes[8192];

	assert_int_equal(write(world.far[0], bytes, len), len);
	conn->readable = true;
}

static void a_short_read_is_the_last(void **state)
{
	(void)state;
	uint64_t before = reads();

	bring(1000);
	conn_read(conn, 1001);
	assert_int_equal(taken, 1000);
	assert_int_equal(reads() - before, 1);
	assert_false(conn->readable);
}

static void behind_a_full_read_there_may_be_more(void **state)
{
	(void)state;
	bring(1000);
	conn_read(conn, 1000);
	assert_true(conn->readable);
	conn_read(conn, 1000);
	assert_false(conn->readable);
	assert_true(conn_alive(conn));
	assert_int_equal(taken, 1000);
}

static void large_reads_are_bulk(void **state)
{
	static const uint8_t bytes[CONN_READ_LIGHT / 4];
	(void)state;

	bring(8192);
	conn_read(conn, CONN_READ_LIGHT);
	assert_false(conn->bulk || world_net()->conns->bulk_read);
	assert_int_equal(write(world.far[0], bytes, sizeof(bytes)), sizeof(bytes));
	conn_read(conn, CONN_READ_LIGHT);
	assert_true(conn->bulk && world_net()->conns->bulk_read);
}

static void untimed(struct stream *stream, enum close_reason reason)
{
	(void)stream;
	(void)reason;
}

/* Pieces of many bulk streams, read at once, are small too; nobody waits for them. */
static void a_light_circuit_comes_by_small_reads(void **state)
{
	static const struct stream_protocol none = {.id = "none", .closed = untimed};
	static uint8_t bytes[STREAM_HEADROOM + 100];
	(void)state;
	struct conn_table *conns = world_net()->conns;
	struct stream *stream = stream_open(conn, &none, NULL);

	assert_non_null(stream);
	conns->light_at = conns->short_at = 0;
	conns->bulk_read = true;
	assert_int_equal(stream_forward(stream, bytes + STREAM_HEADROOM, 100), 0);
	assert_int_equal(conns->light_at + conns->short_at, 0);
	conns->bulk_read = false;
	assert_int_equal(stream_forward(stream, bytes + STREAM_HEADROOM, 100), 0);
	assert_int_equal(conns->light_at, world_net()->now);
	assert_int_equal(conns->short_at, world_net()->now);
}

static void what_came_before_an_end_is_read(void **state)
{
	(void)state;
	bring(1000);
	assert_int_equal(shutdown(world.far[0], SHUT_WR), 0);
	conn->ending = true;
	conn_read(conn, CONN_READ_LIGHT);
	assert_int_equal(taken, 1000);
	assert_true(conn_alive(conn) && conn->readable);
	conn_read(conn, CONN_READ_LIGHT);
	assert_false(conn_alive(conn));
	assert_int_equal(conn->reason, CLOSE_REMOTE_CLOSED);
}

/* The peer sends, closes without reading, and our write fails: what it sent is read, then it is gone. */
static void what_came_before_a_failed_write_is_read(void **state)
{
	(void)state;
	bring(1000);
	conn->readable = false;
	close(world.far[0]);
	world.far[0] = -1;
	assert_non_null(conn_out_room(conn, 100));
	conn_out_add(conn, 100);
	conn_flush(conn);
	assert_true(conn_alive(conn));
	assert_true(conn->readable && !conn->writable && list_in(&conn->ready));
	conn_read(conn, CONN_READ_LIGHT);
	assert_int_equal(taken, 1000);
	assert_true(conn->readable);
	conn_read(conn, CONN_READ_LIGHT);
	assert_false(conn_alive(conn));
	assert_int_equal(conn->reason, CLOSE_REMOTE_CLOSED);
}

static void the_shortest_round_trip_counts(void **state)
{
	(void)state;
	conn->round_trip = 0;
	conn_timed(conn, 6400);
	assert_int_equal(conn->round_trip, 6400);
	conn_timed(conn, 3200);
	assert_int_equal(conn->round_trip, 3200);
	conn_timed(conn, 900000); /* waited behind something of ours, or the path is another now */
	assert_int_equal(conn->round_trip, 3251);
	for (int i = 0; i < 1000; i++)
		conn_timed(conn, UINT64_MAX);
	assert_int_equal(conn->round_trip, 1000000);
	conn_timed(conn, 0);
	assert_int_equal(conn->round_trip, 1);
}

/* --- writing is bounded --- */

static size_t more;

static void endless_output(struct conn *of)
{
	while (more > 0 && of->out_len < 65536) {
		uint8_t *out = conn_out_room(of, 16384);

		assert_non_null(out);
		memset(out, 0, 16384);
		conn_out_add(of, 16384);
		more -= 16384;
	}
}

/* A file that takes all stands for a reader without end. */
static void nobody_is_written_to_for_ever(void **state)
{
	(void)state;
	int kept = dup(conn->fd), null = open("/dev/null", O_WRONLY);

	assert_int_equal(dup2(null, conn->fd), conn->fd);
	layer.output = endless_output;
	more = 16u << 20;
	for (unsigned turns = 0; more > 0; turns++) {
		size_t before = more;

		assert_in_range(turns, 0, 20);
		conn_pump(conn);
		assert_in_range(before - more, 16384, CONN_PUMP_MOST + 2 * CONN_SEALED_MOST);
		assert_true(more == 0 || !list_empty(&world_net()->conns->later));
		conn_flush_next(world_net());
		assert_true(list_empty(&world_net()->conns->later));
		assert_true(more == 0 || list_in(&conn->flush));
		list_remove(&conn->flush);
	}
	assert_int_equal(dup2(kept, conn->fd), conn->fd);
	close(kept);
	close(null);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_short_read_is_the_last),
	    TEST(behind_a_full_read_there_may_be_more),
	    TEST(large_reads_are_bulk),
	    TEST(a_light_circuit_comes_by_small_reads),
	    TEST(what_came_before_an_end_is_read),
	    TEST(what_came_before_a_failed_write_is_read),
	    TEST(the_shortest_round_trip_counts),
	    TEST(nobody_is_written_to_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
