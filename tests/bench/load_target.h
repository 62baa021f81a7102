/* SPDX-License-Identifier: MIT
 *
 * One relay under test: started with its limits off and pinned, its address read from its output, its
 * counters from its log. Any program will do that prints `  relay address: /ip4/.../tcp/PORT/p2p/ID` and ends
 * at SIGTERM. Called by load.c, the scenarios and soak.c.
 */
#ifndef TESTS_BENCH_LOAD_TARGET_H
#define TESTS_BENCH_LOAD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "probe/dial.h"
#include "proto/peer_id.h"
#include "tests/bench/load_meter.h"

struct load_target {
	const char *program; /* what to run */
	bool dusk;	     /* the daemon of this project: takes its settings, has counters */
	int core;	     /* of the relay; -1 anywhere */
	int key_core;	     /* of keyproc; -1: as the relay */
	bool quiet;	     /* log warnings only; there are no counters then */
	const char *setting; /* NAME=VALUE that wins over the usual; NULL: none */
	pid_t pid;
	int out;
	int log;
	size_t log_from; /* where the last report began */
	char directory[40];
	char log_path[64];
	uint16_t port;
	struct peer_id id;
	struct dial_address address;
	struct load_processes processes;
};

/* 0, or -1 after saying why on stderr. */
int load_target_start(struct load_target *t);
void load_target_stop(struct load_target *t);
/* Asks for a report until it is there, a second at most after the last. False when the target has none. */
bool load_target_report(struct load_target *t);
/* A counter in the last report, by its whole name with labels; 0 when it is not there. */
uint64_t load_target_counter(const struct load_target *t, const char *name);
/* Calls of read and the bytes they brought, so far: counters of the daemon, else what the kernel counted
 * (which knows read but not recv: then the bytes are few). Both 0 when unknown. */
void load_target_reads(struct load_target *t, uint64_t *calls, uint64_t *bytes);

#endif
