/* SPDX-License-Identifier: MIT
 *
 * The daemon under everything at once for a long time: peers that arrive and leave, circuits that come and
 * go, bulk, a light circuit, readers that stop, peers that misbehave. Prints memory, descriptors, pool and
 * counters; ends with 1 when descriptors, or memory that the pool does not account for, grew after the first
 * tenth of the time, when the pool is not empty after all have left, or when honest peers suffered. What
 * waits in the pool for slow readers has a cap of its own, and comes and goes with the speed of this machine.
 *
 *   soak PROGRAM SECONDS
 */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/bench/load_scenario.h"
#include "tests/bench/soak_vandal.h"

#define SOAK_SAMPLES	  4096
#define SOAK_MEMORY_SLACK (2u << 20) /* bytes that are not called growth */
#define SOAK_FILES_SLACK  64u
#define SOAK_POPULATION	  200u
#define SOAK_POOL_LEFT	  (1u << 20) /* bytes of the pool that may be in use when nobody is connected */
#define SOAK_REST	  15	     /* seconds for the last connection to end */

struct soak_sample {
	uint64_t memory; /* RssAnon of all processes beyond what the pool holds */
	uint64_t files;
};

struct soak {
	struct load_bench bench;
	struct load_circuits bulk;
	struct load_circuits stalling;
	struct load_circuits light;
	struct load_process arriving;
	struct load_process population; /* destinations of circuits that come and go */
	struct load_process connecting;
	pid_t vandal;
	uint64_t *vandal_tries;
	size_t count;
	struct soak_sample sample[SOAK_SAMPLES];
};

/* --- the load
 * -------------------------------------------------------------------------------------------------------------
 */

static int soak_bulk(struct soak *s)
{
	struct load_bulk bulk = {.circuits = 8, .write = 16384, .rate = 20000000, .both_ways = true};
	struct load_bulk slow = {.circuits = 8, .write = 4096, .rate = 4000000};
	struct load_plan plan = load_bulk_plan(&s->bench, &bulk);
	struct load_plan stalls = load_bulk_plan(&s->bench, &slow);
	struct load_plan light = load_plan_for(&s->bench, LOAD_SOURCE, LOAD_LIGHT_CIRCUIT);

	stalls.first = 100;
	stalls.stall = 2;
	light.first = 200;
	light.pause_us = 5000;
	if (load_circuits_start(&s->bench, &plan, &s->bulk) != 0 ||
	    load_circuits_start(&s->bench, &stalls, &s->stalling) != 0 ||
	    load_circuits_start(&s->bench, &light, &s->light) != 0)
		return -1;
	load_circuits_run(&s->bulk);
	load_circuits_run(&s->stalling);
	load_circuits_run(&s->light);
	return 0;
}

static int soak_comings(struct soak *s)
{
	struct load_plan to = load_plan_for(&s->bench, LOAD_DESTINATION, LOAD_CONNECTS);
	struct load_plan from = load_plan_for(&s->bench, LOAD_SOURCE, LOAD_CONNECTS);
	struct load_plan arriving = load_plan_for(&s->bench, LOAD_DESTINATION, LOAD_NONE);

	to.peers = SOAK_POPULATION;
	to.first = 1000;
	from.spread = SOAK_POPULATION;
	from.spread_first = to.first;
	from.first = 2000;
	from.peers = 2;
	arriving.first = 1000000;
	arriving.identify = arriving.churn = true;
	arriving.peers = arriving.at_once = 4;
	s->population = load_process_start(&to);
	if (load_process_ready(&s->population, to.peers, 60) != 0)
		return -1;
	s->connecting = load_process_start(&from);
	if (load_process_ready(&s->connecting, from.peers, 60) != 0)
		return -1;
	load_process_phase(&s->connecting, LOAD_RUN);
	s->arriving = load_process_start(&arriving);
	s->vandal = soak_vandal_start(&s->bench.target.address, s->bench.load_core, s->vandal_tries);
	return 0;
}

static void soak_stop(struct soak *s)
{
	if (s->vandal > 0) {
		kill(s->vandal, SIGKILL);
		waitpid(s->vandal, NULL, 0);
	}
	load_process_stop(&s->arriving);
	load_process_stop(&s->connecting);
	load_process_stop(&s->population);
	load_circuits_stop(&s->bulk);
	load_circuits_stop(&s->stalling);
	load_circuits_stop(&s->light);
}

/* --- what is looked at
 * ---------------------------------------------------------------------------------------------------- */

static void soak_sample(struct soak *s, double at)
{
	struct load_target *t = &s->bench.target;
	struct soak_sample *sample = &s->sample[s->count < SOAK_SAMPLES ? s->count++ : SOAK_SAMPLES - 1];
	uint64_t memory = 0, pool;

	memset(sample, 0, sizeof(*sample));
	for (size_t i = 0; i < t->processes.count; i++) {
		memory += load_process_memory(t->processes.pid[i], "RssAnon");
		sample->files += load_process_descriptors(t->processes.pid[i]);
	}
	load_target_report(t);
	pool = load_target_counter(t, "dusk_relay_pool_bytes") +
	       load_target_counter(t, "dusk_relay_pool_kept_bytes");
	sample->memory = memory > pool ? memory - pool : 0;
	printf("%6.0f s  memory %6.1f MB  descriptors %5llu  pool %6.1f MB  connections %5llu  reservations "
	       "%5llu  "
	       "circuits %3llu  arrived %8llu  circuits made %8llu  relayed %7.2f GB  echoes %7llu  vandal "
	       "%6llu\n",
	       at, (double)memory / 1e6, (unsigned long long)sample->files, (double)pool / 1e6,
	       (unsigned long long)load_target_counter(t, "dusk_relay_connections"),
	       (unsigned long long)load_target_counter(t, "dusk_relay_reservations"),
	       (unsigned long long)load_target_counter(t, "dusk_relay_circuits"),
	       (unsigned long long)atomic_load(&s->arriving.shared->done),
	       (unsigned long long)atomic_load(&s->connecting.shared->done),
	       (double)load_target_counter(t, "libp2p_relaysvc_data_transferred_bytes_total") / 1e9,
	       (unsigned long long)atomic_load(&s->light.source.shared->done),
	       (unsigned long long)*s->vandal_tries);
	fflush(stdout);
}

/* What honest peers suffered: 0 when nothing. */
static int soak_honest(const struct soak *s)
{
	const struct load_process *all[] = {
	    &s->bulk.source,	      &s->bulk.destination, &s->stalling.source,
	    &s->stalling.destination, &s->light.source,	    &s->light.destination,
	    &s->population,	      &s->connecting,	    &s->arriving,
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (atomic_load(&all[i]->shared->failed) == 0)
			continue;
		printf("soak: %u honest peers failed: %s\n", atomic_load(&all[i]->shared->failed),
		       all[i]->shared->why);
		result = -1;
	}
	return result;
}

/* Grown: all of the last fifth lies above all of the second and third tenth. */
static int soak_grown(const struct soak *s, const char *what, size_t offset, uint64_t slack)
{
	uint64_t before = 0;
	uint64_t after = UINT64_MAX;

	for (size_t i = 0; i < s->count; i++) {
		uint64_t value = *(const uint64_t *)((const char *)&s->sample[i] + offset);

		if (i >= s->count / 10 && i < s->count * 3 / 10 + 1 && value > before)
			before = value;
		if (i >= s->count * 4 / 5 && value < after)
			after = value;
	}
	printf("soak: %s: at most %llu after the first tenth, at least %llu at the end\n", what,
	       (unsigned long long)before, (unsigned long long)after);
	if (after <= before + slack)
		return 0;
	printf("soak: %s GREW\n", what);
	return -1;
}

static int soak_run(struct soak *s, double seconds)
{
	double every = seconds / 20 < 60 ? seconds / 20 : 60;
	uint64_t began = load_now();
	double at = 0;
	int result = 0;

	while (at < seconds && result == 0) {
		load_sleep(every);
		at = (double)(load_now() - began) * 1e-9;
		soak_sample(s, at);
		if (waitpid(s->bench.target.pid, NULL, WNOHANG) != 0) {
			printf("soak: the daemon ended\n");
			return -1;
		}
	}
	result |= soak_honest(s);
	result |=
	    soak_grown(s, "memory beyond the pool", offsetof(struct soak_sample, memory), SOAK_MEMORY_SLACK);
	result |= soak_grown(s, "descriptors", offsetof(struct soak_sample, files), SOAK_FILES_SLACK);
	return result;
}

/* All peers are gone: so is what the pool held for them. */
static int soak_rest(struct soak *s)
{
	struct load_target *t = &s->bench.target;
	uint64_t connections = 1, pool = 0;

	for (int i = 0; i < SOAK_REST && connections > 0; i++) {
		load_sleep(1);
		load_target_report(t);
		connections = load_target_counter(t, "dusk_relay_connections");
		pool = load_target_counter(t, "dusk_relay_pool_bytes");
	}
	printf("soak: at rest %llu connections, %llu bytes of the pool in use\n",
	       (unsigned long long)connections, (unsigned long long)pool);
	return connections == 0 && pool <= SOAK_POOL_LEFT ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct soak s;
	int result;

	if (argc != 3 || sodium_init() < 0) {
		fprintf(stderr, "soak PROGRAM SECONDS\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	load_files_raise();
	s.bench = (struct load_bench){.load_core = -1, .seconds = 1};
	s.bench.target = (struct load_target){.program = argv[1], .dusk = true, .core = -1, .key_core = -1};
	s.vandal_tries =
	    mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load_target_start(&s.bench.target) != 0)
		return 1;
	result = soak_bulk(&s) == 0 && soak_comings(&s) == 0 ? soak_run(&s, strtod(argv[2], NULL)) : -1;
	soak_stop(&s);
	result |= soak_rest(&s);
	load_target_stop(&s.bench.target);
	printf("soak: %s\n", result == 0 ? "passed" : "FAILED");
	return result == 0 ? 0 : 1;
}
