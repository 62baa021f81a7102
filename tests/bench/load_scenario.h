/* SPDX-License-Identifier: MIT
 *
 * The measurements: each starts a fresh relay and load processes of its own, and prints rows. Called by
 * load.c.
 */
#ifndef TESTS_BENCH_LOAD_SCENARIO_H
#define TESTS_BENCH_LOAD_SCENARIO_H

#include "tests/bench/load_target.h"
#include "tests/bench/load_worker.h"

struct load_bench {
	struct load_target target;
	int load_core;
	double seconds; /* of one measurement */
	FILE *table;	/* rows as text with tabs between, for compare.py; may be NULL */
};

struct load_row {
	char name[64];
	double value;
	const char *unit;
	const struct load_cost *cost; /* NULL: none */
	double rate;		      /* MB/s or things a second; 0: none */
	double per_read;	      /* bytes; 0: unknown */
};

void load_row_header(void);
void load_row_print(struct load_bench *b, const struct load_row *row);
/* A row that could not be measured. */
void load_row_missing(struct load_bench *b, const char *name, const char *why);

/* A plan with the target's address and the usual values. */
struct load_plan load_plan_for(const struct load_bench *b, enum load_role role, enum load_traffic traffic);

/* Bulk circuits, each over connections of its own. */
struct load_bulk {
	uint32_t circuits;
	uint32_t write;
	uint64_t rate; /* bytes a second in all; 0: as fast as goes */
	uint32_t window;
	bool both_ways;
};

struct load_circuits {
	struct load_process source;
	struct load_process destination;
};

/* Circuits that stand and carry nothing yet. 0, or -1 after saying why. */
int load_circuits_start(struct load_bench *b, const struct load_plan *source, struct load_circuits *c);
void load_circuits_run(struct load_circuits *c);
void load_circuits_stop(struct load_circuits *c);
uint64_t load_circuits_received(const struct load_circuits *c);
struct load_plan load_bulk_plan(const struct load_bench *b, const struct load_bulk *bulk);

void load_bulk_measure(struct load_bench *b, const struct load_bulk *bulk, const char *name);
void load_fairness(struct load_bench *b);
void load_arrivals(struct load_bench *b, bool identify, bool reserve, const char *name);
void load_growth(struct load_bench *b);
/* load_growth_cost.c: CPU us of each while `at` connections are there. 0, or -1 when it cannot be told. */
int load_growth_frames(struct load_bench *b, uint32_t at, double *us);
int load_growth_timeouts(struct load_bench *b, uint32_t at, double *us);
void load_growth_curve(struct load_bench *b);
void load_latency(struct load_bench *b, uint32_t bulk_circuits);
void load_latency_direct(struct load_bench *b);
void load_rendezvous(struct load_bench *b);
void load_path(struct load_bench *b, unsigned round_trip_ms, bool both_legs);

#endif
