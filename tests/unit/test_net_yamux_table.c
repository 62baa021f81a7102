/* SPDX-License-Identifier: MIT
 *
 * Streams of a session by id: what is found after which insertions and removals, and in how many steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/net.h"
#include "netproc/pool.h"
#include "netproc/table.h"
#include "netproc/yamux.h"

#define STREAMS 384 /* three quarters of 512: as full as it gets */
#define SECRETS 200

static struct net net;
static struct stream streams[500];
static struct pool *pool; /* made once: what it retains is never given back */

static int set_up(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	memset(streams, 0, sizeof(streams));
	if (pool == NULL)
		pool = pool_new(1u << 20);
	net.pool = pool;
	return pool != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(pool_used(&net), 0);
	return 0;
}

static void insert(struct yamux_session *session, uint32_t index)
{
	assert_int_equal(yamux_insert(&net, session, &streams[index]), 0);
}

static void test_finds_what_is_there(void **state)
{
	struct yamux_session session = {0};
	uint32_t i, round;

	(void)state;
	for (i = 0; i < 500; i++)
		streams[i].id = i % 7 == 0 ? 2 * (i + 1) : 2 * i + 1;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 500; i++)
			insert(&session, i);
		assert_int_equal(session.count, 500);
		for (i = round; i < 500; i += 3)
			yamux_remove(&session, &streams[i]);
		for (i = 0; i < 500; i++)
			assert_ptr_equal(yamux_find(&session, streams[i].id),
					 i >= round && (i - round) % 3 == 0 ? NULL : &streams[i]);
		for (i = 0; i < 500; i++)
			if (yamux_find(&session, streams[i].id) != NULL)
				yamux_remove(&session, &streams[i]);
		assert_int_equal(session.count, 0);
	}
	yamux_table_free(&net, &session);
	assert_null(yamux_find(&session, 1));
}

/* Steps of all look-ups, at most: each from the beginning of its run of taken places. */
static uint32_t steps_of(const struct yamux_session *session)
{
	uint32_t steps = 0, run = 0, first = 0;

	while (session->streams[first] != NULL)
		first++;
	for (uint32_t i = 0; i < session->places; i++) {
		uint32_t at = (first + i) & (session->places - 1);

		run = session->streams[at] == NULL ? 0 : run + 1;
		steps += run;
	}
	return steps;
}

/* As many streams as fit, with ids of this distance from `first` on; their steps on average. */
static uint32_t steps_by(uint32_t secret, uint32_t first, uint32_t distance)
{
	struct yamux_session session = {.mixer = secret};

	for (uint32_t i = 0; i < STREAMS; i++) {
		streams[i].id = first + i * distance;
		insert(&session, i);
	}
	assert_int_equal(session.places, 512);
	uint32_t steps = steps_of(&session) / STREAMS;
	yamux_table_free(&net, &session);
	return steps;
}

/* Ids in sequence, as peers choose them, or at distances that a hash without a secret would put side by side.
 * Ten steps are usual; which secrets are tried does not change from run to run. */
static void test_any_secret_spreads_any_sequence(void **state)
{
	static const uint32_t first[] = {1, 2, 0x10001, 0x7ffffd02, 0xfffff801};
	uint32_t most = 0;

	(void)state;
	for (uint32_t i = 0; i < SECRETS; i++) {
		uint32_t secret = (uint32_t)table_hash(net.hash_key, &i, sizeof(i)) | 1, sum = 0;

		for (size_t f = 0; f < sizeof(first) / sizeof(first[0]); f++)
			for (unsigned shift = 1; shift < 23; shift += 3)
				for (uint32_t more = 0; more < 4; more += 2) {
					uint32_t steps = steps_by(secret, first[f], (1u << shift) + more);

					sum += steps;
					most = steps > most ? steps : most;
				}
		assert_true(sum / 80 < 16);
	}
	assert_true(most < 64);
}

/* Where streams stand depends on the net's secret and on the session. */
static void test_each_session_has_a_secret(void **state)
{
	struct yamux_session session[3] = {0};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		streams[i].id = 1;
		net.hash_key[0] = i == 2;
		insert(&session[i], i);
		assert_int_equal(session[i].mixer & 1, 1);
		yamux_table_free(&net, &session[i]);
	}
	assert_int_not_equal(session[0].mixer, session[1].mixer);
	assert_int_not_equal(session[1].mixer, session[2].mixer);
}

/* Never full: a search for what is not there ends. */
static void test_a_quarter_stays_free(void **state)
{
	struct yamux_session session = {0};

	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		streams[i].id = 2 * i + 1;
		insert(&session, i);
		assert_true(session.count * 4 <= session.places * 3);
		assert_null(yamux_find(&session, 2 * i + 2));
	}
	yamux_table_free(&net, &session);
	assert_int_equal(session.count, 0);
	assert_int_equal(session.places, 0);
}

/* Without memory to grow, the streams that are there stay. */
static void test_no_memory(void **state)
{
	struct yamux_session session = {0};
	uint64_t cap = pool_cap(&net);

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		streams[i].id = 2 * i + 1;
	pool_set_cap(&net, 0);
	assert_int_equal(yamux_insert(&net, &session, &streams[0]), -1);
	assert_null(yamux_find(&session, 1));
	pool_set_cap(&net, cap);
	for (uint32_t i = 0; i < 3; i++)
		insert(&session, i);
	pool_set_cap(&net, 0);
	assert_int_equal(yamux_insert(&net, &session, &streams[3]), -1);
	pool_set_cap(&net, cap);
	assert_int_equal(session.count, 3);
	for (uint32_t i = 0; i < 4; i++)
		assert_ptr_equal(yamux_find(&session, 2 * i + 1), i < 3 ? &streams[i] : NULL);
	yamux_remove(&session, &streams[3]); /* was never there */
	assert_int_equal(session.count, 3);
	yamux_table_free(&net, &session);
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TABLE_TEST(test_finds_what_is_there),
	    TABLE_TEST(test_any_secret_spreads_any_sequence),
	    TABLE_TEST(test_each_session_has_a_secret),
	    TABLE_TEST(test_a_quarter_stays_free),
	    TABLE_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
