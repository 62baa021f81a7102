/* SPDX-License-Identifier: MIT
 *
 * netproc/conn_io.c: a record of 64 KiB that comes byte by byte is put together without being copied, or
 * offered to the layer above, again at each of them; larger runs are sealed only for who takes all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "netproc/aead.h"
#include "netproc/noise.h"
#include "tests/fuzz/net_world.h"

#define RECORD 65535u /* sealed */

static struct conn_layer layer, upper;
static uint64_t copied; /* into the scratch: all that is offered stands there */
static uint64_t opened;
static uint64_t wrong;

static size_t count_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	copied += len;
	return noise_records.input(conn, bytes, len);
}

static size_t count_upper(struct conn *conn, uint8_t *bytes, size_t len)
{
	(void)conn;
	for (size_t i = 0; i < len; i++)
		wrong += bytes[i] != (uint8_t)((opened + i) % 251);
	opened += len;
	return len;
}

static struct conn *sealed_conn(struct world *world, struct cipher *sealing)
{
	world_begin(world);
	struct conn *conn = world_connect_ready(world, 0);
	memset(sealing, 0, sizeof(*sealing));
	memset(sealing->key, 7, sizeof(sealing->key));
	conn->receive = *sealing;
	layer = noise_records;
	layer.input = count_input;
	upper = *conn->upper;
	upper.input = count_upper;
	conn->layer = &layer;
	conn->upper = &upper;
	copied = opened = wrong = 0;
	return conn;
}

static void bring(struct world *world, struct conn *conn, const uint8_t *bytes, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece) {
		size_t part = len - at < piece ? len - at : piece;
		assert_int_equal(write(world->far[0], bytes + at, part), part);
		conn->readable = true;
		conn_read(conn, CONN_READ_LIGHT);
		assert_true(conn_alive(conn));
	}
}

/* Two records behind one another; returns their length. */
static size_t two_records(struct cipher *sealing, uint8_t *out)
{
	size_t plain_len = RECORD - AEAD_TAG;
	uint8_t *plain = malloc(plain_len);
	assert_non_null(plain);
	for (size_t n = 0; n < 2; n++, out += 2 + RECORD) {
		for (size_t i = 0; i < plain_len; i++)
			plain[i] = (uint8_t)((n * plain_len + i) % 251);
		out[0] = RECORD >> 8, out[1] = RECORD & 255;
		assert_int_equal(aead_seal(world_net(), sealing, out + 2, plain, plain_len), 0);
	}
	free(plain);
	return 2 * (2 + RECORD);
}

static void a_record_in_pieces_is_copied_once(void **state)
{
	static const size_t pieces[] = {1, 2, 3, 1000, 40000, 65536};
	static uint8_t sealed[2 * (2 + RECORD)];
	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct world world;
		struct cipher sealing;
		struct conn *conn = sealed_conn(&world, &sealing);
		size_t len = two_records(&sealing, sealed);
		bring(&world, conn, sealed, len, pieces[i]);
		assert_int_equal(opened, 2 * (RECORD - AEAD_TAG));
		assert_int_equal(wrong, 0);
		assert_true(copied <= 3 * len);
		assert_null(conn->held);
		world_end(&world);
	}
}

/* Writes what is sealed; the far end reads what the socket took. */
static void flush(const struct world *world, struct conn *conn)
{
	uint8_t bytes[16384];
	size_t left = conn->out_len;
	conn_flush(conn);
	for (left -= conn->out_len; left > 0;) {
		ssize_t got = read(world->far[0], bytes, left < sizeof(bytes) ? left : sizeof(bytes));
		assert_true(got > 0);
		left -= (size_t)got;
	}
}

static void put(const struct world *world, struct conn *conn, size_t len)
{
	static const uint8_t bytes[16384];
	for (size_t put = 0; put < len; put += sizeof(bytes)) {
		uint8_t *out = conn_out_room(conn, sizeof(bytes));
		assert_non_null(out);
		memcpy(out, bytes, sizeof(bytes));
		conn_out_add(conn, sizeof(bytes));
	}
	flush(world, conn);
}

static void runs_grow_where_the_reader_keeps_up(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world);
	struct conn *conn = world_connect_ready(&world, 0);
	for (int round = 0; round < 2; round++) {
		for (int small = 0; small < 100; small++)
			put(&world, conn, 16384); /* says nothing about large ones */
		assert_int_equal(conn_sealed_most(conn), CONN_SEALED_MOST);
		unsigned large = 0;
		for (; conn_sealed_most(conn) == CONN_SEALED_MOST && large < 100; large++) {
			put(&world, conn, 65536);
			assert_int_equal(conn->out_len, 0);
		}
		assert_in_range(large, 6, 7); /* the last of what was stuck may count */
		assert_int_equal(conn_sealed_most(conn), CONN_SEALED_RUN);
		put(&world, conn, 65536);
		assert_int_equal(conn_sealed_most(conn), CONN_SEALED_RUN);
		put(&world, conn, 1 << 20); /* more than a socket pair holds */
		assert_true(conn->out_len > 0 && !conn->writable);
		assert_int_equal(conn_sealed_most(conn), CONN_SEALED_MOST);
		while (conn->out_len > 0) {
			conn->writable = true;
			flush(&world, conn);
		}
	}
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_in_pieces_is_copied_once),
	    cmocka_unit_test(runs_grow_where_the_reader_keeps_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
