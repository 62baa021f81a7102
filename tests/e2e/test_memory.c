/* SPDX-License-Identifier: MIT
 *
 * The memory budget: many readers that do not read, with more in their windows than the relay may hold. It
 * keeps to its budget by closing those that hold most for longest, never the honest, and never itself.
 */
#include "tests/e2e/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS	 40
#define CIRCUITS 4 /* of each pair: as many as it may have */

static const char *const settings[] = {"DUSK_MAX_MEMORY=32m", NULL};

struct crowd {
	struct client a;
	struct client b;
	struct exchange x[CIRCUITS];
	struct exchange *y[CIRCUITS];
};

static struct crowd crowd[PAIRS];
static uint8_t block[65536];

static void crowd_open(struct crowd *p)
{
	fixture_connect(&p->a);
	fixture_reserve(&p->b);
	for (size_t i = 0; i < CIRCUITS; i++)
		p->y[i] = fixture_circuit(&p->a, &p->b, &p->x[i]);
	p->b.deaf = true;
}

static void crowd_close(struct crowd *p)
{
	for (size_t i = 0; i < CIRCUITS; i++)
		fixture_end_circuit(&p->x[i], p->y[i]);
	client_free(&p->a);
	client_free(&p->b);
}

/* Everything its windows take. */
static void crowd_push(struct crowd *p)
{
	for (size_t i = 0; i < CIRCUITS; i++)
		while (exchange_write(&p->x[i], block, sizeof(block)) > 0)
			;
	client_turn((struct client *[]){&p->a}, 1, 0);
}

static uint64_t pool_bytes(void)
{
	static const char *const names[] = {"dusk_relay_pool_bytes", "dusk_relay_pool_cap_bytes"};
	uint64_t values[2];

	daemon_counters(&relay, names, values, 2);
	EXPECT_TRUE(values[1] > 0 && values[1] <= 32u << 20);
	EXPECT_TRUE(values[0] <= values[1]);
	return values[0];
}

static size_t crowd_alive(void)
{
	size_t alive = 0;

	for (size_t i = 0; i < PAIRS; i++) {
		client_turn((struct client *[]){&crowd[i].a}, 1, 0);
		for (size_t k = 0; k < CIRCUITS; k++)
			alive += client_alive(&crowd[i].a) && !crowd[i].x[k].reset;
	}
	return alive;
}

/* An honest circuit, made before the flood, moves its bytes all the while. */
static void honest_moves(struct crowd *honest)
{
	struct client *both[] = {&honest->a, &honest->b};
	uint64_t wanted = honest->y[0]->stream->received + 300000;
	int64_t end = client_now() + 5000;
	size_t left = 300000;

	while (honest->y[0]->stream->received < wanted && client_now() < end) {
		left -= exchange_write(&honest->x[0], block, left < sizeof(block) ? left : sizeof(block));
		client_turn(both, 2, 5);
		bytes_consume(&honest->y[0]->inbox, bytes_len(&honest->y[0]->inbox));
	}
	if (!client_alive(&honest->a) || !client_alive(&honest->b) || honest->x[0].reset)
		fixture_fail(__FILE__, __LINE__, "the honest circuit", "was closed");
	EXPECT_TRUE(honest->y[0]->stream->received >= wanted);
}

static void test_readers_that_do_not_read(void **state)
{
	static struct crowd honest;
	int64_t end;

	(void)state;
	crowd_open(&honest);
	honest.b.deaf = false;
	for (size_t i = 0; i < PAIRS; i++)
		crowd_open(&crowd[i]);
	end = client_now() + 8000;
	while (crowd_alive() == PAIRS * CIRCUITS && client_now() < end) {
		for (size_t i = 0; i < PAIRS; i++)
			crowd_push(&crowd[i]);
		honest_moves(&honest);
	}
	pool_bytes();
	EXPECT_TRUE(crowd_alive() < PAIRS * CIRCUITS); /* somebody had to go */
	EXPECT_CLOSED("memory");
	EXPECT(&relay, daemon_expect_counter(&relay, "dusk_relay_closed_total{reason=\"memory\"}", 1));
	honest_moves(&honest);
	EXPECT(&honest.a, ask_ping(&honest.a, 1));
	for (size_t i = 0; i < PAIRS; i++)
		crowd_close(&crowd[i]);
	crowd_close(&honest);
	fixture_expect_connections(1);
	EXPECT_TRUE(pool_bytes() < 1u << 20);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_readers_that_do_not_read),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
