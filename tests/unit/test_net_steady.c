/* SPDX-License-Identifier: MIT
 *
 * While bytes flow nothing is allocated and nothing freed: a circuit of two connections, sealed records in
 * and out, large and small frames, with a reader that keeps up and one that stops for a while. After some
 * rounds of each the calls of the whole program, libraries too, are counted: none.
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
#include "netproc/stream.h"
#include "netproc/yamux.h"
#include "proto/yamux_frame.h"
#include "tests/fuzz/net_world_script.h"

#define WARM   1200 /* after so many the rounds repeat */
#define ROUNDS 2000
#define LARGE  65535u

/* --- the calls --- */

static uint64_t calls;

/* A sanitizer has an allocator of its own in this place. */
#ifdef __SANITIZE_ADDRESS__
#define OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif
#ifndef OWN_ALLOCATOR
#define OWN_ALLOCATOR 1
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

void *malloc(size_t size)
{
	calls++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	calls++;
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	calls++;
	return __libc_realloc(memory, size);
}

void free(void *memory)
{
	calls += memory != NULL;
	__libc_free(memory);
}
#endif

/* --- the circuit --- */

enum { DESTINATION, SOURCE };

struct steady {
	struct world world;
	struct cipher sealing[2]; /* the strangers' */
	uint32_t stream[2];	  /* the circuit's two */
};

static struct conn *conn_of(struct steady *s, unsigned peer)
{
	return conn_find(world_net(), s->world.conn[peer]);
}

static void script(struct steady *s, unsigned what, unsigned peer, uint8_t argument)
{
	const uint8_t bytes[2] = {(uint8_t)(what * WORLD_PEERS + peer), argument};

	world_script_step(&s->world, bytes, sizeof(bytes));
	world_turn(&s->world, 1);
}

/* From here on the connection reads real records. */
static void seal_from_now(struct steady *s, unsigned peer)
{
	struct conn *conn = conn_of(s, peer);

	memset(s->sealing[peer].key, 7 + (int)peer, sizeof(s->sealing[peer].key));
	conn->receive = s->sealing[peer];
	conn->layer = &noise_records;
}

static void make_circuit(struct steady *s)
{
	memset(s, 0, sizeof(*s));
	world_begin(&s->world);
	world_connect_ready(&s->world, DESTINATION);
	world_connect_ready(&s->world, SOURCE);
	script(s, 0, DESTINATION, 0);	   /* RESERVE */
	script(s, 1, SOURCE, DESTINATION); /* CONNECT */
	script(s, 14, DESTINATION, 0);	   /* agrees to the STOP */
	assert_int_equal(world_net()->counter[NET_COUNT_CIRCUITS], 1);
	s->stream[SOURCE] = s->world.opened[SOURCE] - 1;
	s->stream[DESTINATION] = conn_of(s, DESTINATION)->yamux.next_local - 2;
	seal_from_now(s, DESTINATION);
	seal_from_now(s, SOURCE);
	world_turn(&s->world, 15000); /* the stream of the RESERVE is over */
}

/* The stranger writes one frame as records; the relay reads until there is no more. Zeros are payload. */
static void write_frame(struct steady *s, unsigned peer, uint8_t type, uint32_t length)
{
	static uint8_t frame[YAMUX_HEADER + LARGE], record[2 + 16384 + AEAD_TAG];
	size_t len = YAMUX_HEADER + (type == YAMUX_DATA ? length : 0);

	yamux_frame_write(frame, type, 0, s->stream[peer], length);
	for (size_t at = 0; at < len; at += 16384) {
		size_t part = len - at < 16384 ? len - at : 16384, sealed = part + AEAD_TAG;

		record[0] = (uint8_t)(sealed >> 8);
		record[1] = (uint8_t)sealed;
		assert_int_equal(aead_seal(world_net(), &s->sealing[peer], record + 2, frame + at, part), 0);
		assert_int_equal(write(s->world.far[peer], record, 2 + sealed), (ssize_t)(2 + sealed));
	}
	struct conn *conn = conn_of(s, peer);

	assert_non_null(conn);
	conn->readable = true;
	for (int reads = 0; conn->readable && reads < 64; reads++)
		conn_read(conn, CONN_READ_LIGHT);
}

/* Both ways; each end gives as much window again as it got. Every 16th frame waits a turn for its reader. */
static void round_of(struct steady *s, unsigned number)
{
	uint32_t length = number % 3 == 0 ? LARGE : 1 + number % 50 * 24;

	s->world.stalled[DESTINATION] = number % 16 == 0;
	write_frame(s, SOURCE, YAMUX_DATA, length);
	world_turn(&s->world, 1);
	s->world.stalled[DESTINATION] = false;
	world_turn(&s->world, 1);
	write_frame(s, DESTINATION, YAMUX_WINDOW_UPDATE, length);
	write_frame(s, DESTINATION, YAMUX_DATA, 100);
	world_turn(&s->world, 1);
	write_frame(s, SOURCE, YAMUX_WINDOW_UPDATE, 100);
	world_turn(&s->world, 1);
}

static void nothing_is_allocated(void **state)
{
	static struct steady s;
	uint64_t before, bytes;

	(void)state;
	make_circuit(&s);
	for (unsigned i = 0; i < WARM; i++)
		round_of(&s, i);
	before = calls;
	bytes = world_net()->counter[NET_COUNT_RELAYED_BYTES];
	for (unsigned i = 0; i < ROUNDS; i++)
		round_of(&s, i);
	uint64_t counted = calls - before;

	bytes = world_net()->counter[NET_COUNT_RELAYED_BYTES] - bytes;
	print_message("%llu bytes forwarded, %llu calls of the allocator\n", (unsigned long long)bytes,
		      (unsigned long long)counted);
	assert_true(bytes > (uint64_t)ROUNDS / 3 * LARGE);
	world_end(&s.world);
	if (OWN_ALLOCATOR)
		assert_int_equal(counted, 0);
	else
		print_message("skipped: a sanitizer's allocator cannot be counted\n");
}

/* The count counts: a circuit that is made and ended takes memory. */
static void the_count_counts(void **state)
{
	static struct steady s;
	uint64_t before = calls;

	(void)state;
	if (!OWN_ALLOCATOR)
		skip();
	make_circuit(&s);
	world_end(&s.world);
	assert_true(calls > before + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_allocated),
	    cmocka_unit_test(the_count_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
