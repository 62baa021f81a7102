/* SPDX-License-Identifier: MIT
 *
 * The ground of netproc: pool and queues, the wheel, the listener's side of multistream-select, both AEADs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "netproc/aead.h"
#include "netproc/net.h"
#include "netproc/pool.h"
#include "netproc/selection.h"
#include "netproc/wheel.h"

static struct net net;

/* Made once: what a pool retains, and libcrypto's contexts, are never given back. */
static struct pool *pool;
static struct aead *aead;

static int core_setup(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	net.now = 1000000;
	if (pool == NULL)
		pool = pool_new(1u << 20);
	net.pool = pool;
	net.aead = aead;
	net.wheel = wheel_new(net.now);
	return net.pool != NULL && net.wheel != NULL ? 0 : -1;
}

static int core_teardown(void **state)
{
	(void)state;
	assert_int_equal(pool_used(&net), 0);
	free(net.wheel);
	return 0;
}

/* --- pool --- */

static void test_pool_charges_whole_buffers_and_stops_at_the_cap(void **state)
{
	struct pool_buffer *held[8];
	size_t count = 0;

	(void)state;
	assert_null(pool_take(&net, 262144));
	while (count < 8 && (held[count] = pool_take(&net, 200000)) != NULL)
		count++;
	assert_int_equal(count, 4);
	assert_int_equal(pool_used(&net), 4 * 262144);
	assert_null(pool_alloc(&net, 1));
	assert_int_equal(net.counter[NET_COUNT_POOL_REFUSED], 2);
	while (count > 0)
		pool_give(&net, held[--count]);
	pool_give(&net, NULL);
}

/* What is kept for reuse counts under the cap, and goes when nobody needs it for a while. */
static void test_pool_gives_back_what_is_idle(void **state)
{
	struct pool_buffer *held[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		held[i] = pool_take(&net, 200000);
	for (size_t i = 0; i < 4; i++)
		pool_give(&net, held[i]);
	assert_int_equal(pool_retained(&net), 4 * 262144);
	assert_true(pool_reserve(&net, 300000));
	assert_true(pool_used(&net) + pool_retained(&net) <= pool_cap(&net));
	assert_int_equal(pool_retained(&net), 2 * 262144);
	assert_int_equal(net.counter[NET_COUNT_POOL_KEPT], 2 * 262144);
	pool_release(&net, 300000);
	pool_idle(&net);
	for (int i = 0; i < 3; i++) { /* one is in use now and then */
		net.now += 60000;
		pool_give(&net, pool_take(&net, 200000));
		pool_idle(&net);
	}
	assert_int_equal(pool_retained(&net), 262144);
	net.now += 60000;
	pool_idle(&net);
	assert_int_equal(pool_retained(&net), 0);
	assert_int_equal(net.counter[NET_COUNT_POOL_KEPT], 0);
}

static uint64_t resident(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long long kib = 0;
	char line[128];

	assert_non_null(status);
	while (fgets(line, sizeof(line), status) != NULL && sscanf(line, "RssAnon: %llu", &kib) != 1)
		;
	fclose(status);
	assert_true(kib > 0);
	return kib * 1024;
}

/* A small piece above each large one keeps malloc from giving back by itself. */
static void test_pool_gives_back_to_the_kernel(void **state)
{
	enum { PIECES = 400 };
	static struct pool_buffer *held[PIECES];
	static void *small[PIECES];

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	pool_set_cap(&net, 128u << 20);
	for (size_t i = 0; i < PIECES; i++) {
		held[i] = pool_take(&net, 100000);
		small[i] = pool_alloc(&net, 100);
		assert_true(held[i] != NULL && small[i] != NULL);
		memset(held[i]->bytes, 1, 100000);
	}
	uint64_t most = resident();
	for (size_t i = 0; i < PIECES; i++)
		pool_give(&net, held[i]);
	net.now += 1000000; /* the pool has seen the other tests' times */
	for (int i = 0; i < 3; i++) {
		net.now += 60000;
		pool_idle(&net);
	}
	assert_true(resident() + (32u << 20) < most);
	for (size_t i = 0; i < PIECES; i++)
		pool_free(&net, small[i], 100);
	pool_set_cap(&net, 1u << 20);
}

static void test_queue_keeps_order_over_many_buffers(void **state)
{
	static uint8_t in[300000], out[300000];
	struct queue queue = {0};
	size_t put = 0, got = 0, step = 1;

	(void)state;
	randombytes_buf(in, sizeof(in));
	while (got < sizeof(in)) {
		size_t part = step * 37 % 9000, most = sizeof(in) - put;

		if (part > most)
			part = most;
		assert_int_equal(queue_append(&net, &queue, in + put, part), 0);
		put += part;
		part = put == sizeof(in) ? queue.len : queue.len * (step % 3) / 3;
		queue_take(&net, &queue, out + got, part);
		got += part;
		step++;
	}
	assert_int_equal(queue.len, 0);
	assert_memory_equal(in, out, sizeof(in));
}

static void test_queue_append_is_whole_or_not_at_all(void **state)
{
	static uint8_t bytes[1u << 20];
	struct queue queue = {0};

	(void)state;
	assert_int_equal(queue_append(&net, &queue, bytes, 1000), 0);
	assert_int_equal(queue_append(&net, &queue, bytes, sizeof(bytes)), -1);
	assert_int_equal(queue.len, 1000);
	queue_clear(&net, &queue);
	assert_int_equal(queue.len, 0);
}

static void test_queue_move_empties_its_source(void **state)
{
	struct queue to = {0}, from = {0};
	uint8_t out[6];

	(void)state;
	queue_move(&to, &from);
	assert_int_equal(queue_append(&net, &to, "abc", 3), 0);
	assert_int_equal(queue_append(&net, &from, "def", 3), 0);
	queue_move(&to, &from);
	assert_int_equal(from.len, 0);
	assert_int_equal(to.len, 6);
	queue_take(&net, &to, out, 6);
	assert_memory_equal(out, "abcdef", 6);
}

/* --- wheel --- */

#define TIMERS 4000

static struct timed {
	struct wheel_timer timer;
	uint64_t due;
	uint64_t fired;
} timed[TIMERS];

static void timed_fire(struct net *of, struct wheel_timer *timer)
{
	((struct timed *)timer)->fired = of->now;
}

static void pass(uint64_t milliseconds, uint64_t step)
{
	uint64_t until = net.now + milliseconds;

	while (net.now < until) {
		net.now += step;
		assert_false(wheel_turn(&net, SIZE_MAX));
	}
}

static void test_wheel_never_early_and_at_most_two_ticks_late(void **state)
{
	static const uint64_t spans[] = {0, 1, 63, 64, 65, 16383, 16384, 16385, 4194303, 4194304, 4194305};
	size_t i;

	(void)state;
	for (i = 0; i < TIMERS; i++) {
		uint64_t span = i < 11 ? spans[i] : randombytes_uniform(5000000);

		timed[i] = (struct timed){.timer = {.fire = timed_fire}, .due = net.now + span};
		wheel_arm(&net, &timed[i].timer, span);
	}
	pass(5100000, 37);
	for (i = 0; i < TIMERS; i++) {
		assert_true(timed[i].fired >= timed[i].due);
		assert_true(timed[i].fired <= timed[i].due + 2 * 64 + 37);
		assert_false(wheel_armed(&timed[i].timer));
	}
}

static void test_wheel_cancel_and_arm_again(void **state)
{
	struct timed a = {.timer = {.fire = timed_fire}}, b = {.timer = {.fire = timed_fire}};

	(void)state;
	wheel_arm(&net, &a.timer, 100);
	wheel_arm(&net, &b.timer, 100);
	wheel_cancel(&a.timer);
	wheel_cancel(&a.timer);
	wheel_arm(&net, &b.timer, 10000);
	pass(5000, 50);
	assert_int_equal(a.fired, 0);
	assert_int_equal(b.fired, 0);
	pass(6000, 50);
	assert_int_equal(a.fired, 0);
	assert_true(b.fired != 0);
}

static void test_wheel_bounded_turns_lose_nothing(void **state)
{
	size_t i, turns = 0;

	(void)state;
	for (i = 0; i < TIMERS; i++) {
		timed[i] = (struct timed){.timer = {.fire = timed_fire}};
		wheel_arm(&net, &timed[i].timer, 500);
	}
	net.now += 1000;
	while (wheel_turn(&net, 7))
		turns++;
	assert_int_equal(turns, TIMERS / 7);
	for (i = 0; i < TIMERS; i++)
		assert_true(timed[i].fired != 0);
}

/* --- multistream-select --- */

static bool knows_noise(void *context, struct span proposal)
{
	(void)context;
	return multistream_is(proposal, "/noise");
}

struct selected {
	enum selection_result result;
	enum close_reason reason;
	uint8_t answer[4096];
	size_t answer_len;
	size_t used; /* in all */
};

/* Offers `bytes` in pieces of `piece` until a result. */
static struct selected offer(const char *bytes, size_t len, size_t piece)
{
	struct selection selection = {0};
	struct selected s = {.result = SELECTION_MORE};

	while (s.result == SELECTION_MORE && s.used < len) {
		size_t part = len - s.used < piece ? len - s.used : piece, used;
		struct writer w = writer_of(s.answer + s.answer_len, sizeof(s.answer) - s.answer_len);

		s.result = selection_input(&net, &selection, (const uint8_t *)bytes + s.used, part, &used,
					   knows_noise, NULL, &w, &s.reason);
		s.answer_len += writer_len(&w);
		s.used += used;
	}
	selection_free(&net, &selection);
	return s;
}

#define HEADER "\x13/multistream/1.0.0\n"

static void test_selection_is_the_same_however_bytes_arrive(void **state)
{
	static const char said[] = HEADER "\x0b/tls/1.0.0\n\x07/noise\nNEXT";
	static const char answer[] = HEADER "\x03na\n\x07/noise\n";
	size_t piece;

	(void)state;
	for (piece = 1; piece < sizeof(said); piece++) {
		struct selected s = offer(said, sizeof(said) - 1, piece);

		assert_int_equal(s.result, SELECTION_ACCEPTED);
		assert_int_equal(s.used, sizeof(said) - 1 - 4);
		assert_int_equal(s.answer_len, sizeof(answer) - 1);
		assert_memory_equal(s.answer, answer, sizeof(answer) - 1);
	}
}

static void assert_refused(const char *bytes, size_t len, enum close_reason reason)
{
	size_t piece;

	for (piece = 1; piece <= len; piece++) {
		struct selected s = offer(bytes, len, piece);

		assert_int_equal(s.result, SELECTION_FAILED);
		assert_int_equal(s.reason, reason);
	}
}

static void test_selection_refuses(void **state)
{
	char rounds[sizeof(HEADER) + 17 * 3];
	size_t i;

	(void)state;
	assert_refused("GET / HTTP/1.1\r\n", 16, CLOSE_MULTISTREAM_HEADER);
	assert_refused("\x13/multistream/2.0.0\n", 20, CLOSE_MULTISTREAM_HEADER);
	assert_refused(HEADER "\x00", 21, CLOSE_MULTISTREAM_MALFORMED);
	assert_refused(HEADER "\x03"
			      "abc",
		       24, CLOSE_MULTISTREAM_MALFORMED);
	assert_refused(HEADER "\x81\x08", 22, CLOSE_MULTISTREAM_MALFORMED);
	memcpy(rounds, HEADER, 20);
	for (i = 0; i < 17; i++)
		memcpy(rounds + 20 + 3 * i, "\x02x\n", 3);
	assert_refused(rounds, 20 + 17 * 3, CLOSE_MULTISTREAM_ROUNDS);
}

/* --- AEAD --- */

static void aead_ready(void)
{
	if (net.aead == NULL)
		assert_int_equal(aead_init(&net), 0);
	aead = net.aead;
}

static void test_aead_both_libraries_agree(void **state)
{
	static uint8_t plain[70000], sealed[70016], opened[70000];
	static const size_t sizes[] = {0, 1, 15, 16, 255, 256, 1000, 8191, 8192, 16384, 65519};
	struct cipher seal = {.key = {1, 2, 3}}, open = seal;
	size_t i;

	(void)state;
	aead_ready();
	randombytes_buf(plain, sizeof(plain));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t expected[65519 + 16], nonce[12] = {0};

		nonce[4] = (uint8_t)i;
		crypto_aead_chacha20poly1305_ietf_encrypt(expected, NULL, plain, sizes[i], NULL, 0, NULL,
							  nonce, seal.key);
		assert_int_equal(aead_seal(&net, &seal, sealed, plain, sizes[i]), 0);
		assert_memory_equal(sealed, expected, sizes[i] + AEAD_TAG);
		assert_int_equal(aead_open(&net, &open, opened, sealed, sizes[i] + AEAD_TAG), 0);
		assert_memory_equal(opened, plain, sizes[i]);
	}
}

static void test_aead_refuses_a_flipped_bit_and_a_spent_nonce(void **state)
{
	static const size_t sizes[] = {10, 16384};
	uint8_t sealed[16400], opened[16400], plain[16384] = {0};
	size_t i;

	(void)state;
	aead_ready();
	for (i = 0; i < 2; i++) {
		struct cipher seal = {.key = {9}}, open = seal;

		assert_int_equal(aead_seal(&net, &seal, sealed, plain, sizes[i]), 0);
		sealed[sizes[i] / 2] ^= 1;
		assert_int_equal(aead_open(&net, &open, opened, sealed, sizes[i] + AEAD_TAG), -1);
		seal.nonce = UINT64_MAX;
		assert_int_equal(aead_seal(&net, &seal, sealed, plain, sizes[i]), -1);
		assert_int_equal(aead_open(&net, &seal, opened, sealed, sizes[i] + AEAD_TAG), -1);
		assert_int_equal(aead_open(&net, &open, opened, sealed, AEAD_TAG - 1), -1);
	}
}

#define CORE_TEST(test) cmocka_unit_test_setup_teardown(test, core_setup, core_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CORE_TEST(test_pool_charges_whole_buffers_and_stops_at_the_cap),
	    CORE_TEST(test_pool_gives_back_what_is_idle),
	    CORE_TEST(test_pool_gives_back_to_the_kernel),
	    CORE_TEST(test_queue_keeps_order_over_many_buffers),
	    CORE_TEST(test_queue_append_is_whole_or_not_at_all),
	    CORE_TEST(test_queue_move_empties_its_source),
	    CORE_TEST(test_wheel_never_early_and_at_most_two_ticks_late),
	    CORE_TEST(test_wheel_cancel_and_arm_again),
	    CORE_TEST(test_wheel_bounded_turns_lose_nothing),
	    CORE_TEST(test_selection_is_the_same_however_bytes_arrive),
	    CORE_TEST(test_selection_refuses),
	    CORE_TEST(test_aead_both_libraries_agree),
	    CORE_TEST(test_aead_refuses_a_flipped_bit_and_a_spent_nonce),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
