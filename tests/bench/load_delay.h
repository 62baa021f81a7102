/* SPDX-License-Identifier: MIT
 *
 * A path with a delay: a process that takes connections, makes one onwards for each, and passes every byte on
 * after a fixed time, each way. It holds as much as comes. Called by the scenario of long paths.
 */
#ifndef TESTS_BENCH_LOAD_DELAY_H
#define TESTS_BENCH_LOAD_DELAY_H

#include <sys/types.h>

#include "probe/dial.h"

struct load_delay {
	pid_t pid;
	struct dial_address address; /* to dial instead */
};

struct load_delay load_delay_start(const struct dial_address *onwards, unsigned one_way_ms, int core);
void load_delay_stop(struct load_delay *d);

#endif
