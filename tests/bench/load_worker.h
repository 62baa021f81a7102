/* SPDX-License-Identifier: MIT
 *
 * A load process: an epoll loop over many peers, forked and pinned, told what to do by its plan and the
 * shared memory. Called by the scenarios and soak.c (start, stop) and by load_peer.c (what happened).
 */
#ifndef TESTS_BENCH_LOAD_WORKER_H
#define TESTS_BENCH_LOAD_WORKER_H

#include <sys/types.h>

#include "tests/bench/load_peer.h"
#include "tests/bench/load_plan.h"

/* As the measuring program sees it. */
struct load_process {
	pid_t pid;
	struct load_shared *shared;
};

/* As it sees itself. */
struct load_worker {
	struct load_plan plan;
	struct load_shared *shared;
	int epoll;
	bool running; /* LOAD_RUN has begun */
	struct load_peer *peers;
	uint32_t begun;	   /* peers that were started */
	uint32_t arriving; /* of these, on their way */
	uint32_t next_who;
	uint32_t next_to; /* LOAD_CONNECTS */
	uint32_t turn;	  /* who sends next, at a fixed rate */
	uint64_t began;	  /* LOAD_RUN, and what was sent at a fixed rate since */
	uint64_t paced;
	uint64_t ask_at;   /* a light circuit's next message */
	uint64_t stall_at; /* when the next reader stops or goes on */
	uint32_t stalls;
};

/* Forks. Ends the program when it cannot. */
struct load_process load_process_start(const struct load_plan *plan);
/* Waits until `count` have arrived. 0, or -1 after saying why on stderr. */
int load_process_ready(const struct load_process *p, uint32_t count, double seconds);
void load_process_phase(const struct load_process *p, enum load_phase phase);
void load_process_stop(struct load_process *p);

/* --- inside --- */
void load_worker_arrived(struct load_worker *w, struct load_peer *p);
void load_worker_circuit(struct load_worker *w);
void load_worker_failed(struct load_worker *w, const struct load_peer *p, const char *why);
void load_worker_received(struct load_worker *w, const struct load_peer *p, uint64_t len);
uint32_t load_worker_next_destination(struct load_worker *w);

#endif
