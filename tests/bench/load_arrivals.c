/* SPDX-License-Identifier: MIT
 *
 * What a connection costs: to arrive, to hold, to connect; and whether that grows with what is there already.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/load_scenario.h"

#define ARRIVALS_WARM  0.3
#define GROWTH_SMALL   1000u
#define GROWTH_LARGE   15000u
#define GROWTH_SLICE   500u /* arrivals on either side of these that are timed */
#define GROWTH_SECONDS 120.0

/* --- arriving and leaving again
 * ------------------------------------------------------------------------------------------- */

static void arrivals_print(struct load_bench *b, const char *name, const struct load_cost *cost,
			   uint64_t count)
{
	struct load_row row = {.unit = "CPU us", .cost = cost, .rate = (double)count / cost->wall};

	snprintf(row.name, sizeof(row.name), "%s", name);
	row.value = cost->cpu * 1e6 / (double)count;
	load_row_print(b, &row);
}

static int arrivals_run(struct load_bench *b, const struct load_plan *plan, const char *name)
{
	struct load_process p = load_process_start(plan);
	struct load_mark from, to;
	uint64_t first, last;
	struct load_cost cost;

	load_sleep(ARRIVALS_WARM);
	load_mark(&from, &b->target.processes, b->target.core);
	first = atomic_load(&p.shared->done);
	load_sleep(b->seconds);
	load_mark(&to, &b->target.processes, b->target.core);
	last = atomic_load(&p.shared->done);
	if (atomic_load(&p.shared->failed) > 0)
		fprintf(stderr, "load: %u failed: %s\n", atomic_load(&p.shared->failed), p.shared->why);
	cost = load_cost(&from, &to, &b->target.processes);
	if (last > first)
		arrivals_print(b, name, &cost, last - first);
	load_process_stop(&p);
	return last > first ? 0 : -1;
}

void load_arrivals(struct load_bench *b, bool identify, bool reserve, const char *name)
{
	struct load_plan plan;

	if (load_target_start(&b->target) != 0) {
		load_row_missing(b, name, "the relay did not start");
		return;
	}
	plan = load_plan_for(b, LOAD_DESTINATION, LOAD_NONE);
	plan.identify = identify;
	plan.reserve = reserve;
	plan.churn = true;
	plan.peers = plan.at_once = 16;
	if (arrivals_run(b, &plan, name) != 0)
		load_row_missing(b, name, "nobody arrived");
	load_target_stop(&b->target);
}

/* --- growing
 * -------------------------------------------------------------------------------------------------------------
 */

struct growth {
	struct load_bench *b;
	struct load_process destinations;
	double arrival[2]; /* CPU us, at few and at many */
	double connect[2];
	double frame[2];
	double timeout[2];  /* 0: the relay has none */
	uint64_t memory[2]; /* at 2 000 and at 10 000 */
};

static int growth_to(struct growth *g, uint32_t count)
{
	atomic_store(&g->destinations.shared->wanted, count);
	return load_process_ready(&g->destinations, count, GROWTH_SECONDS);
}

/* Lets in a slice of arrivals around `middle`, and times it. */
static int growth_arrivals(struct growth *g, uint32_t middle, double *us)
{
	struct load_bench *b = g->b;
	struct load_mark from, to;
	struct load_cost cost;
	char name[64];

	if (growth_to(g, middle - GROWTH_SLICE) != 0)
		return -1;
	load_sleep(0.1);
	load_mark(&from, &b->target.processes, b->target.core);
	if (growth_to(g, middle + GROWTH_SLICE) != 0)
		return -1;
	load_mark(&to, &b->target.processes, b->target.core);
	cost = load_cost(&from, &to, &b->target.processes);
	*us = cost.cpu * 1e6 / (2 * GROWTH_SLICE);
	snprintf(name, sizeof(name), "accept and reserve at %u", middle);
	arrivals_print(b, name, &cost, 2 * GROWTH_SLICE);
	return 0;
}

/* Sources open and end circuits to all destinations in turn. */
static int growth_connects(struct growth *g, uint32_t spread, double *us)
{
	struct load_bench *b = g->b;
	struct load_plan plan = load_plan_for(b, LOAD_SOURCE, LOAD_CONNECTS);
	struct load_mark from, to;
	struct load_process p;
	struct load_cost cost;
	char name[64];
	uint64_t done;
	int result;

	plan.peers = 8;
	plan.spread = spread;
	p = load_process_start(&plan);
	result = load_process_ready(&p, plan.peers, 20);
	if (result == 0) {
		load_process_phase(&p, LOAD_RUN);
		load_sleep(0.2);
		load_mark(&from, &b->target.processes, b->target.core);
		done = atomic_load(&p.shared->done);
		load_sleep(1);
		load_mark(&to, &b->target.processes, b->target.core);
		done = atomic_load(&p.shared->done) - done;
		cost = load_cost(&from, &to, &b->target.processes);
		*us = cost.cpu * 1e6 / (double)(done ? done : 1);
		snprintf(name, sizeof(name), "connect and end a circuit at %u", spread);
		if (done > 0)
			arrivals_print(b, name, &cost, done);
		result = done > 0 ? 0 : -1;
	}
	if (result != 0)
		fprintf(stderr, "load: connects: %s\n", p.shared->why);
	load_process_stop(&p);
	return result;
}

/* What all costs while so many are there; `i` says which of the two times it is. */
static int growth_costs(struct growth *g, uint32_t at, int i)
{
	struct load_bench *b = g->b;
	char name[64];
	int result = growth_arrivals(g, at, &g->arrival[i]);

	if (result == 0)
		result = growth_connects(g, at, &g->connect[i]);
	if (result == 0)
		result = load_growth_frames(b, at, &g->frame[i]);
	if (result == 0 && (i == 0 || g->timeout[0] > 0) &&
	    load_growth_timeouts(b, at, &g->timeout[i]) != 0) {
		snprintf(name, sizeof(name), "a timeout of a silent connection at %u", at);
		load_row_missing(b, name, "silent connections are kept");
	}
	return result;
}

static int growth_run(struct growth *g)
{
	const struct load_processes *all = &g->b->target.processes;
	int result = growth_costs(g, GROWTH_SMALL, 0);

	if (result == 0)
		result = growth_to(g, 2000);
	g->memory[0] = load_processes_memory(all, "RssAnon");
	if (result == 0)
		result = growth_to(g, 10000);
	g->memory[1] = load_processes_memory(all, "RssAnon");
	return result == 0 ? growth_costs(g, GROWTH_LARGE, 1) : result;
}

static void growth_ratio(struct load_bench *b, const char *name, const double cost[2])
{
	struct load_row row = {.unit = "ratio"};

	if (cost[0] <= 0 || cost[1] <= 0)
		return;
	snprintf(row.name, sizeof(row.name), "%s, 15000 against 1000", name);
	row.value = cost[1] / cost[0];
	load_row_print(b, &row);
}

static void growth_print(struct growth *g)
{
	struct load_row row = {.unit = "bytes", .name = "memory of an idle reserved connection"};

	if (g->memory[1] > g->memory[0]) {
		row.value = (double)(g->memory[1] - g->memory[0]) / 8000.0;
		load_row_print(g->b, &row);
	}
	growth_ratio(g->b, "accept and reserve", g->arrival);
	growth_ratio(g->b, "connect", g->connect);
	growth_ratio(g->b, "a frame of 1 KiB", g->frame);
	growth_ratio(g->b, "a timeout of a silent connection", g->timeout);
}

void load_growth(struct load_bench *b)
{
	struct growth g = {.b = b};
	struct load_plan plan;

	if (load_files_raise() < GROWTH_LARGE + 2 * GROWTH_SLICE) {
		load_row_missing(b, "growth", "the limit of descriptors (ulimit -Hn) is below 16000");
		return;
	}
	b->target.setting = "DUSK_HANDSHAKE_TIMEOUT=5";
	if (load_target_start(&b->target) != 0) {
		b->target.setting = NULL;
		load_row_missing(b, "memory of an idle reserved connection", "the relay did not start");
		return;
	}
	plan = load_plan_for(b, LOAD_DESTINATION, LOAD_CONNECTS);
	plan.peers = GROWTH_LARGE + GROWTH_SLICE;
	g.destinations = load_process_start(&plan);
	atomic_store(&g.destinations.shared->wanted, 1);
	if (growth_run(&g) != 0)
		load_row_missing(b, "growth", "failed, see above");
	growth_print(&g);
	load_process_stop(&g.destinations);
	load_target_stop(&b->target);
	b->target.setting = NULL;
}

/* Memory and the cost of arriving, every thousand connections. */
void load_growth_curve(struct load_bench *b)
{
	struct growth g = {.b = b};
	struct load_plan plan;
	double us;

	if (load_target_start(&b->target) != 0)
		return;
	plan = load_plan_for(b, LOAD_DESTINATION, LOAD_CONNECTS);
	plan.peers = GROWTH_LARGE + GROWTH_SLICE;
	g.destinations = load_process_start(&plan);
	atomic_store(&g.destinations.shared->wanted, 1);
	for (uint32_t at = GROWTH_SMALL; at <= GROWTH_LARGE; at += 1000) {
		struct load_row row = {.unit = "MB"};

		if (growth_arrivals(&g, at, &us) != 0)
			break;
		row.value = (double)load_processes_memory(&b->target.processes, "RssAnon") / 1e6;
		snprintf(row.name, sizeof(row.name), "curve: memory at %u", at + GROWTH_SLICE);
		load_row_print(b, &row);
	}
	load_process_stop(&g.destinations);
	load_target_stop(&b->target);
}
