/* SPDX-License-Identifier: MIT
 *
 * All of netproc under chance: three peers that come, reserve, dial, answer, write, register, ask, stall,
 * vanish and talk nonsense, in any order. When all are gone and time is over, nothing may be held: no gauge,
 * no entry of a table, no count of limits, no byte of the pool. One seed again: test_net_world SEED.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/net.h"
#include "tests/fuzz/net_world_script.h"

#define SEEDS 300
#define STEPS 250

static uint64_t chance;
static uint64_t only;

static uint32_t dice(uint32_t sides)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (uint32_t)(chance >> 16) % sides;
}

/* How often each step of the script comes: what builds something up is tried more often than what ends it. */
static const uint8_t often[16] = {12, 20, 1, 20, 4, 3, 10, 5, 1, 3, 6, 1, 2, 1, 20, 1};

static unsigned any_step(void)
{
	uint32_t sum = 0, at;
	unsigned what = 0;

	for (unsigned i = 0; i < 16; i++)
		sum += often[i];
	for (at = dice(sum); at >= often[what]; what++)
		at -= often[what];
	return what;
}

/* The step's arguments: small numbers and the largest reach live streams, any others do not. */
static void play_step(struct world *world)
{
	uint8_t script[64];

	for (size_t i = 0; i < sizeof(script); i++)
		script[i] = (uint8_t)(dice(3) == 0 ? dice(256) : dice(2) == 0 ? 255 : dice(12));
	script[0] = (uint8_t)(any_step() * WORLD_PEERS + dice(WORLD_PEERS));
	world_script_step(world, script, sizeof(script));
}

static uint64_t reached[4];

static void note_reached(const struct net *net)
{
	reached[0] += net->counter[NET_COUNT_RESERVATIONS] > 0;
	reached[1] += net->counter[NET_COUNT_CIRCUITS] > 0;
	reached[2] += net->counter[NET_COUNT_RENDEZVOUS_REGISTERED] > 0;
	reached[3] += net->counter[NET_COUNT_POOL_BYTES] > 65536;
}

static void play(uint64_t seed)
{
	static struct world world;
	uint64_t count = 0;

	chance = 88172645463325252u + seed * 7919;
	world_begin(&world);
	for (unsigned peer = 0; peer < WORLD_PEERS; peer++)
		world_connect_ready(&world, peer);
	for (unsigned i = 0; i < STEPS; i++) {
		play_step(&world);
		note_reached(world_net());
	}
	world_end(&world);
	const char *left = world_left(&count);

	if (left != NULL)
		fail_msg("seed %llu: %llu left of: %s", (unsigned long long)seed, (unsigned long long)count,
			 left);
}

static void nothing_is_left(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		if (only == 0 || only == seed)
			play(seed);
	}
	print_message("steps with a reservation %llu, a circuit %llu, a registration %llu, bytes held %llu\n",
		      (unsigned long long)reached[0], (unsigned long long)reached[1],
		      (unsigned long long)reached[2], (unsigned long long)reached[3]);
	for (size_t i = 0; i < 4 && only == 0; i++)
		assert_true(reached[i] > SEEDS);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_left)};

	only = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
