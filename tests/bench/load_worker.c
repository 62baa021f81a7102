/* SPDX-License-Identifier: MIT */
#include "tests/bench/load_worker.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load_meter.h"
#include "tests/bench/load_seal.h"

#define WORKER_EVENTS	256
#define WORKER_TICK_NS	20000000 /* how soon a worker notices another phase */
#define WORKER_PACE_NS	100000
#define WORKER_STALL_NS 200000000
#define WORKER_BURST	(1 << 20) /* bytes that a worker behind its rate makes up for */

/* --- what peers tell
 * -------------------------------------------------------------------------------------------------------- */

void load_worker_arrived(struct load_worker *w, struct load_peer *p)
{
	w->arriving--;
	if (w->plan.churn) {
		atomic_fetch_add(&w->shared->done, 1);
		p->step = LOAD_STEP_OVER;
		return;
	}
	atomic_fetch_add(&w->shared->ready, 1);
}

void load_worker_circuit(struct load_worker *w)
{
	atomic_fetch_add(&w->shared->done, 1);
}

void load_worker_failed(struct load_worker *w, const struct load_peer *p, const char *why)
{
	if (atomic_fetch_add(&w->shared->failed, 1) == 0)
		snprintf(w->shared->why, sizeof(w->shared->why), "%s %u, step %d: %s",
			 w->plan.role == LOAD_SOURCE ? "source" : "destination", p->who, (int)p->step,
			 why ? why : "?");
	if (p->step < LOAD_STEP_READY)
		w->arriving--;
}

void load_worker_received(struct load_worker *w, const struct load_peer *p, uint64_t len)
{
	atomic_fetch_add_explicit(&w->shared->received, len, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->shared->circuit[p->number], len, memory_order_relaxed);
}

uint32_t load_worker_next_destination(struct load_worker *w)
{
	return w->plan.spread_first + w->next_to++ * 7919u % w->plan.spread;
}

/* --- the loop
 * ------------------------------------------------------------------------------------------------------------
 */

static void worker_begin(struct load_worker *w, struct load_peer *p)
{
	w->arriving++;
	load_peer_begin(p, w->next_who++);
	if (p->step != LOAD_STEP_OVER)
		return;
	load_peer_end(p);
	p->step = LOAD_STEP_OVER;
}

static void worker_arrivals(struct load_worker *w)
{
	uint32_t wanted = atomic_load(&w->shared->wanted);

	while (w->begun < wanted && w->begun < w->plan.peers && w->arriving < w->plan.at_once) {
		struct load_peer *p = &w->peers[w->begun];

		p->worker = w;
		p->number = w->begun++;
		worker_begin(w, p);
	}
}

/* Frames that are due by now, each on the next circuit and in a write of its own. */
static void worker_pace(struct load_worker *w)
{
	uint64_t due = (uint64_t)((double)(load_now() - w->began) * 1e-9 * (double)w->plan.rate);
	uint32_t tried = 0;

	if (due > w->paced + WORKER_BURST)
		w->paced = due - WORKER_BURST;
	while (w->paced + w->plan.write <= due && tried < w->begun) {
		struct load_peer *p = &w->peers[w->turn++ % w->begun];

		tried++;
		if (!p->sends || p->step != LOAD_STEP_READY || bytes_len(&p->session.out) > 0 ||
		    !load_wire_send(&p->wire, &p->session, w->plan.write))
			continue;
		load_peer_flush(p);
		w->paced += w->plan.write;
		tried = 0;
	}
}

static void worker_run(struct load_worker *w)
{
	w->running = true;
	w->began = load_now();
	for (uint32_t i = 0; i < w->begun; i++) {
		struct load_peer *p = &w->peers[i];

		if (w->plan.traffic == LOAD_LIGHT_CIRCUIT && w->plan.role == LOAD_SOURCE)
			load_light_ask(p);
		else if (p->sends && w->plan.rate == 0)
			load_peer_pump(p);
		else if (w->plan.traffic == LOAD_CONNECTS)
			load_peer_event(p, EPOLLHUP);
	}
}

static void worker_wait(struct load_worker *w, struct timespec *wait)
{
	uint64_t now = load_now();

	wait->tv_sec = 0;
	wait->tv_nsec = w->running && w->plan.rate > 0 ? WORKER_PACE_NS : WORKER_TICK_NS;
	if (w->ask_at > 0)
		wait->tv_nsec = w->ask_at > now ? (long)(w->ask_at - now) : 0;
}

static void worker_events(struct load_worker *w)
{
	struct epoll_event events[WORKER_EVENTS];
	struct timespec wait;
	int count;

	worker_wait(w, &wait);
	count = epoll_pwait2(w->epoll, events, WORKER_EVENTS, &wait, NULL);
	for (int i = 0; i < count; i++) {
		struct load_peer *p = events[i].data.ptr;

		if (p->step == LOAD_STEP_OVER || p->step == LOAD_STEP_NONE)
			continue;
		load_peer_event(p, events[i].events);
		if (p->step != LOAD_STEP_OVER)
			continue;
		load_peer_end(p);
		p->step = LOAD_STEP_OVER;
		if (w->plan.churn && atomic_load(&w->shared->phase) != LOAD_STOP)
			worker_begin(w, p);
	}
}

/* Readers that stop for a while: one in `stall`, each in turn, stops when it reads and goes on when it does
 * not. */
static void worker_stall(struct load_worker *w)
{
	struct load_peer *p = &w->peers[w->stalls++ * w->plan.stall % w->begun];

	w->stall_at = load_now() + WORKER_STALL_NS;
	if (p->step != LOAD_STEP_READY)
		return;
	p->stalled = !p->stalled;
	if (!p->stalled)
		load_peer_event(p, EPOLLIN);
}

static void worker_turn(struct load_worker *w)
{
	worker_arrivals(w);
	worker_events(w);
	if (!w->running && atomic_load(&w->shared->phase) == LOAD_RUN)
		worker_run(w);
	if (w->running && w->plan.rate > 0)
		worker_pace(w);
	if (w->running && w->plan.stall > 0 && load_now() >= w->stall_at)
		worker_stall(w);
	if (w->ask_at > 0 && load_now() >= w->ask_at) {
		w->ask_at = 0;
		load_light_ask(&w->peers[0]);
	}
}

_Noreturn static void worker_main(const struct load_plan *plan, struct load_shared *shared)
{
	struct load_worker w = {.plan = *plan, .shared = shared, .next_who = plan->first};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	load_pin(0, plan->core);
	load_seal_init();
	w.epoll = epoll_create1(EPOLL_CLOEXEC);
	w.peers = calloc(plan->peers, sizeof(*w.peers));
	if (w.epoll < 0 || !w.peers)
		_exit(1);
	while (atomic_load(&shared->phase) != LOAD_STOP)
		worker_turn(&w);
	_exit(0);
}

/* --- from outside
 * -------------------------------------------------------------------------------------------------------- */

struct load_process load_process_start(const struct load_plan *plan)
{
	struct load_process p;

	p.shared = mmap(NULL, sizeof(*p.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p.shared == MAP_FAILED || plan->peers > LOAD_PEERS_MAX) {
		fprintf(stderr, "no memory to share, or too many connections\n");
		exit(1);
	}
	atomic_store(&p.shared->wanted, plan->peers);
	fflush(NULL);
	p.pid = fork();
	if (p.pid == 0)
		worker_main(plan, p.shared);
	if (p.pid < 0) {
		perror("fork");
		exit(1);
	}
	return p;
}

int load_process_ready(const struct load_process *p, uint32_t count, double seconds)
{
	uint64_t end = load_now() + (uint64_t)(seconds * 1e9);

	while (atomic_load(&p->shared->ready) < count) {
		if (atomic_load(&p->shared->failed) > 0) {
			fprintf(stderr, "load: %s\n", p->shared->why);
			return -1;
		}
		if (load_now() > end || waitpid(p->pid, NULL, WNOHANG) == p->pid) {
			fprintf(stderr, "load: %u of %u arrived in time\n", atomic_load(&p->shared->ready),
				count);
			return -1;
		}
		load_sleep(0.005);
	}
	return 0;
}

void load_process_phase(const struct load_process *p, enum load_phase phase)
{
	atomic_store(&p->shared->phase, phase);
}

void load_process_stop(struct load_process *p)
{
	if (p->pid <= 0)
		return;
	load_process_phase(p, LOAD_STOP);
	for (int i = 0; i < 200 && waitpid(p->pid, NULL, WNOHANG) == 0; i++) {
		if (i == 150)
			kill(p->pid, SIGKILL);
		load_sleep(0.01);
	}
	munmap(p->shared, sizeof(*p->shared));
	p->pid = 0;
}
