/* SPDX-License-Identifier: MIT
 *
 * Measures one relay: prints rows, asserts nothing.
 *
 *   bench [--relay PROGRAM] [--plain] [--only WORD] [--seconds N] [--table FILE] [--rates] [--core N]
 * [--load-core N]
 *
 * --plain: the program is not the daemon of this project: it prints an address line and takes no settings.
 * --only: rows whose group is WORD: bulk, rates, arrive, growth, latency, rendezvous, path, curves. May be
 * given several times.
 * --point WRITE,CIRCUITS,RATE: one row of bulk alone; RATE in MB/s, 0 for saturated. To profile.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/load_scenario.h"

#define ONLY_MAX 8

static const char *only[ONLY_MAX];
static size_t only_count;
static const char *point;

static bool wanted(const char *group)
{
	for (size_t i = 0; i < only_count; i++)
		if (strcmp(only[i], group) == 0)
			return true;
	return only_count == 0;
}

static void run_bulk(struct load_bench *b, uint64_t rate)
{
	static const uint32_t writes[] = {1024, 16384, 65536};
	static const uint32_t circuits[] = {1, 100, 1000};

	for (size_t w = 0; w < 3; w++) {
		for (size_t c = 0; c < 3; c++) {
			struct load_bulk bulk = {.circuits = circuits[c], .write = writes[w], .rate = rate};
			char name[64];
			char how[32] = "saturated";

			if (rate)
				snprintf(how, sizeof(how), "at %u MB/s", (unsigned)(rate / 1000000));
			snprintf(name, sizeof(name), "%u KiB, %u circuits, %s", writes[w] / 1024, circuits[c],
				 how);
			load_bulk_measure(b, &bulk, name);
		}
	}
}

static void run_both_ways(struct load_bench *b)
{
	struct load_bulk bulk = {.circuits = 10, .write = 16384, .both_ways = true};

	load_bulk_measure(b, &bulk, "16 KiB, 10 circuits, both ways at once");
}

static void run_arrivals(struct load_bench *b)
{
	int key_core = b->target.key_core;

	b->target.quiet = true;
	load_arrivals(b, false, false, "handshake");
	if (b->target.dusk) {
		b->target.key_core = b->load_core;
		load_arrivals(b, false, false, "handshake, keyproc on another core");
		b->target.key_core = key_core;
	}
	load_arrivals(b, true, true, "arrival: identify, reserve");
	b->target.quiet = false;
	if (b->target.dusk)
		load_arrivals(b, true, true, "arrival, with the log at info");
}

static void run_point(struct load_bench *b)
{
	struct load_bulk bulk = {0};
	unsigned rate = 0;
	char name[64];

	if (sscanf(point, "%u,%u,%u", &bulk.write, &bulk.circuits, &rate) != 3 || bulk.circuits == 0 ||
	    bulk.write == 0)
		exit(64);
	bulk.rate = rate * 1000000ull;
	snprintf(name, sizeof(name), "%u B, %u circuits, %u MB/s", bulk.write, bulk.circuits, rate);
	load_bulk_measure(b, &bulk, name);
}

/* For plots (plot.py): more points of what the table has three of. */
static void run_curves(struct load_bench *b)
{
	static const uint32_t circuits[] = {1, 10, 100, 1000, 5000};
	static const unsigned paths[] = {5, 20, 50, 100, 200};
	char name[64];

	for (size_t i = 0; i < 5; i++) {
		struct load_bulk bulk = {.circuits = circuits[i], .write = 16384};

		snprintf(name, sizeof(name), "curve: 16 KiB, circuits %u", circuits[i]);
		load_bulk_measure(b, &bulk, name);
	}
	for (size_t i = 0; i < 5; i++)
		load_path(b, paths[i], false);
	b->target.quiet = true;
	load_growth_curve(b);
	b->target.quiet = false;
}

static void run(struct load_bench *b)
{
	load_row_header();
	if (point) {
		run_point(b);
		return;
	}
	if (wanted("bulk"))
		run_bulk(b, 0);
	if (wanted("bulk")) {
		run_both_ways(b);
		load_fairness(b);
	}
	if (only_count > 0 && wanted("rates")) {
		run_bulk(b, 50000000);
		run_bulk(b, 200000000);
	}
	if (only_count > 0 && wanted("curves"))
		run_curves(b);
	if (wanted("arrive"))
		run_arrivals(b);
	if (wanted("growth")) {
		b->target.quiet = true;
		load_growth(b);
		b->target.quiet = false;
	}
	if (wanted("latency")) {
		load_latency_direct(b);
		load_latency(b, 0);
		load_latency(b, 8);
		load_latency(b, 100);
	}
	if (wanted("rendezvous")) {
		b->target.quiet = true;
		load_rendezvous(b);
		b->target.quiet = false;
	}
	if (wanted("path")) {
		load_path(b, 20, false);
		load_path(b, 100, false);
		load_path(b, 100, true);
	}
}

static void usage(void)
{
	fprintf(stderr, "bench [--relay PROGRAM] [--plain] [--only GROUP]... [--point WRITE,CIRCUITS,RATE] "
			"[--seconds N] [--table FILE] "
			"[--core N] [--load-core N]\n");
	exit(64);
}

static void option(struct load_bench *b, int name, char *value)
{
	switch (name) {
	case 'r':
		b->target.program = value;
		break;
	case 'p':
		b->target.dusk = false;
		break;
	case 'o':
		if (only_count < ONLY_MAX)
			only[only_count++] = value;
		break;
	case 'i':
		point = value;
		break;
	case 's':
		b->seconds = strtod(value, NULL);
		break;
	case 't':
		b->table = fopen(value, "we");
		if (!b->table)
			perror(value);
		break;
	case 'c':
		b->target.core = atoi(value);
		break;
	case 'l':
		b->load_core = atoi(value);
		break;
	default:
		usage();
	}
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
	    {"relay", 1, NULL, 'r'},   {"plain", 0, NULL, 'p'},	    {"only", 1, NULL, 'o'},
	    {"seconds", 1, NULL, 's'}, {"point", 1, NULL, 'i'},	    {"table", 1, NULL, 't'},
	    {"core", 1, NULL, 'c'},    {"load-core", 1, NULL, 'l'}, {NULL, 0, NULL, 0},
	};
	static struct load_bench b = {.seconds = 2, .load_core = 1};
	int name;

	b.target.program = "build/bin/dusk-relay";
	b.target.dusk = true;
	b.target.key_core = -1;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "one core only: the load takes part of what is measured\n");
		b.load_core = 0;
	}
	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1)
		option(&b, name, optarg);
	if (optind != argc || sodium_init() < 0)
		usage();
	signal(SIGPIPE, SIG_IGN);
	load_files_raise();
	run(&b);
	return 0;
}
