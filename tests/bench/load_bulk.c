/* SPDX-License-Identifier: MIT
 *
 * What a relayed byte costs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/load_scenario.h"

#define BULK_WARM   0.4
#define BULK_ARRIVE 60.0

struct load_plan load_plan_for(const struct load_bench *b, enum load_role role, enum load_traffic traffic)
{
	return (struct load_plan){
	    .relay = b->target.address,
	    .relay_id = b->target.id,
	    .core = b->load_core,
	    .role = role,
	    .traffic = traffic,
	    .reserve = role == LOAD_DESTINATION,
	    .connect = role == LOAD_SOURCE,
	    .peers = 1,
	    .at_once = 32,
	    .window = YAMUX_WINDOW,
	    .spread = 1,
	};
}

struct load_plan load_bulk_plan(const struct load_bench *b, const struct load_bulk *bulk)
{
	struct load_plan plan = load_plan_for(b, LOAD_SOURCE, LOAD_BULK);

	plan.peers = bulk->circuits;
	plan.write = bulk->write < LOAD_WRITE_MAX ? bulk->write : LOAD_WRITE_MAX;
	plan.rate = bulk->rate;
	plan.window = bulk->window ? bulk->window : 1 << 20;
	plan.both_ways = bulk->both_ways;
	return plan;
}

/* A fixed rate is shared by both sides in proportion to who sends. */
static uint64_t bulk_share(const struct load_plan *plan, enum load_role role)
{
	uint32_t back = plan->peers / 2;

	if (plan->both_ways)
		return plan->rate / 2;
	return plan->rate * (role == LOAD_SOURCE ? plan->peers - back : back) / plan->peers;
}

int load_circuits_start(struct load_bench *b, const struct load_plan *source, struct load_circuits *c)
{
	struct load_plan from = *source;
	struct load_plan to = *source;

	memset(c, 0, sizeof(*c));
	from.rate = bulk_share(source, LOAD_SOURCE);
	to.rate = bulk_share(source, LOAD_DESTINATION);
	to.role = LOAD_DESTINATION;
	to.connect = false;
	to.reserve = true;
	to.relay = b->target.address;
	c->destination = load_process_start(&to);
	if (load_process_ready(&c->destination, to.peers, BULK_ARRIVE) != 0)
		return -1;
	c->source = load_process_start(&from);
	return load_process_ready(&c->source, from.peers, BULK_ARRIVE);
}

void load_circuits_run(struct load_circuits *c)
{
	load_process_phase(&c->destination, LOAD_RUN);
	load_process_phase(&c->source, LOAD_RUN);
}

void load_circuits_stop(struct load_circuits *c)
{
	load_process_stop(&c->source);
	load_process_stop(&c->destination);
}

uint64_t load_circuits_received(const struct load_circuits *c)
{
	return atomic_load(&c->source.shared->received) + atomic_load(&c->destination.shared->received);
}

static int bulk_check(const struct load_circuits *c)
{
	const struct load_process *both[] = {&c->source, &c->destination};

	for (int i = 0; i < 2; i++) {
		if (atomic_load(&both[i]->shared->failed) == 0)
			continue;
		fprintf(stderr, "load: %s\n", both[i]->shared->why);
		return -1;
	}
	return 0;
}

/* --- one measurement
 * ---------------------------------------------------------------------------------------------------------
 */

struct bulk_moment {
	struct load_mark mark;
	uint64_t received;
	uint64_t read_bytes;
	uint64_t read_calls;
	uint64_t circuit[LOAD_PEERS_MAX];
};

static void bulk_moment(struct load_bench *b, const struct load_circuits *c, uint32_t circuits,
			struct bulk_moment *m)
{
	load_target_reads(&b->target, &m->read_calls, &m->read_bytes);
	load_mark(&m->mark, &b->target.processes, b->target.core);
	m->received = load_circuits_received(c);
	for (uint32_t i = 0; i < circuits; i++)
		m->circuit[i] = atomic_load(&c->source.shared->circuit[i]) +
				atomic_load(&c->destination.shared->circuit[i]);
}

static void bulk_report(struct load_bench *b, const char *name, const struct bulk_moment *from,
			const struct bulk_moment *to)
{
	struct load_cost cost = load_cost(&from->mark, &to->mark, &b->target.processes);
	double bytes = (double)(to->received - from->received);
	bool known = from->read_calls > 0 && to->read_calls > from->read_calls;
	struct load_row row = {.unit = "CPU s/GB", .cost = &cost, .rate = bytes / 1e6 / cost.wall};

	if (bytes <= 0) {
		load_row_missing(b, name, "nothing came through");
		return;
	}
	snprintf(row.name, sizeof(row.name), "%s", name);
	row.value = cost.cpu / (bytes / 1e9);
	if (known)
		row.per_read =
		    (double)(to->read_bytes - from->read_bytes) / (double)(to->read_calls - from->read_calls);
	load_row_print(b, &row);
}

/* Until what every circuit began with, a window each, has come through: it waits in buffers at first. */
static void bulk_warm(const struct load_circuits *c, const struct load_bulk *bulk)
{
	uint64_t enough = (uint64_t)bulk->circuits * YAMUX_WINDOW * 3 / 2;
	uint64_t end = load_now() + 8000000000ull;

	load_sleep(BULK_WARM);
	while (bulk->rate == 0 && load_circuits_received(c) < enough && load_now() < end)
		load_sleep(0.05);
}

static int bulk_run(struct load_bench *b, const struct load_bulk *bulk, const char *name)
{
	static struct bulk_moment from;
	static struct bulk_moment to;
	struct load_plan plan = load_bulk_plan(b, bulk);
	struct load_circuits c;
	int result = load_circuits_start(b, &plan, &c);

	if (result == 0) {
		load_circuits_run(&c);
		bulk_warm(&c, bulk);
		bulk_moment(b, &c, bulk->circuits, &from);
		load_sleep(b->seconds);
		bulk_moment(b, &c, bulk->circuits, &to);
		result = bulk_check(&c);
	}
	if (result == 0)
		bulk_report(b, name, &from, &to);
	load_circuits_stop(&c);
	return result;
}

void load_bulk_measure(struct load_bench *b, const struct load_bulk *bulk, const char *name)
{
	if (load_target_start(&b->target) != 0) {
		load_row_missing(b, name, "the relay did not start");
		return;
	}
	if (bulk_run(b, bulk, name) != 0)
		load_row_missing(b, name, "failed, see above");
	load_target_stop(&b->target);
}

/* --- who gets how much
 * ------------------------------------------------------------------------------------------------------- */

#define FAIR_CIRCUITS 100u
#define FAIR_BYTES    (24ull << 20) /* of each on average: many windows, else their size shows */
#define FAIR_MOST     20.0

static double fairness(const struct bulk_moment *from, const struct bulk_moment *to)
{
	uint64_t least = UINT64_MAX;
	uint64_t most = 1;

	for (uint32_t i = 0; i < FAIR_CIRCUITS; i++) {
		uint64_t bytes = to->circuit[i] - from->circuit[i];

		least = bytes < least ? bytes : least;
		most = bytes > most ? bytes : most;
	}
	return (double)least / (double)most;
}

static int fairness_run(struct load_bench *b, const struct load_bulk *bulk, struct load_row *row)
{
	static struct bulk_moment from;
	static struct bulk_moment to;
	struct load_plan plan = load_bulk_plan(b, bulk);
	struct load_circuits c;
	int result = load_circuits_start(b, &plan, &c);

	if (result == 0) {
		load_circuits_run(&c);
		bulk_warm(&c, bulk);
		bulk_moment(b, &c, FAIR_CIRCUITS, &from);
		for (double waited = 0; waited < FAIR_MOST && load_circuits_received(&c) - from.received <
								  FAIR_BYTES * FAIR_CIRCUITS;
		     waited += 0.1)
			load_sleep(0.1);
		bulk_moment(b, &c, FAIR_CIRCUITS, &to);
		result = bulk_check(&c);
		row->value = fairness(&from, &to);
	}
	load_circuits_stop(&c);
	return result;
}

void load_fairness(struct load_bench *b)
{
	struct load_bulk bulk = {.circuits = FAIR_CIRCUITS, .write = 16384};
	struct load_row row = {.name = "100 equal bulk circuits, slowest/fastest", .unit = "ratio"};

	if (load_target_start(&b->target) != 0) {
		load_row_missing(b, row.name, "the relay did not start");
		return;
	}
	if (fairness_run(b, &bulk, &row) == 0)
		load_row_print(b, &row);
	else
		load_row_missing(b, row.name, "failed, see above");
	load_target_stop(&b->target);
}
