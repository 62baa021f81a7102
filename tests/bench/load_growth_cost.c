/* SPDX-License-Identifier: MIT
 *
 * What a frame and a timeout cost while many connections are there that do nothing. Called by load_growth().
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/load_scenario.h"

#define FRAME_CIRCUITS 8u
#define FRAME_BYTES    1024u
#define FRAME_FIRST    18000u /* number of the first peer, apart from those that do nothing */
#define FRAME_WARM     0.6
#define FRAME_SECONDS  1.0

#define TIMEOUT_COUNT  1000u
#define TIMEOUT_TICK   0.02 /* seconds between two looks */
#define TIMEOUT_FIRST  20.0 /* the first must come within so many seconds */
#define TIMEOUT_SPREAD 10.0 /* and all others within so many more */

static void growth_row(struct load_bench *b, const char *what, uint32_t at, const struct load_cost *cost,
		       uint64_t count, double *us)
{
	struct load_row row = {.unit = "CPU us", .cost = cost, .rate = (double)count / cost->wall};

	snprintf(row.name, sizeof(row.name), "%s at %u", what, at);
	row.value = *us = cost->cpu * 1e6 / (double)count;
	load_row_print(b, &row);
}

/* --- frames: as fast as goes, as at a fixed rate the cost depends on how many one read brings --- */

int load_growth_frames(struct load_bench *b, uint32_t at, double *us)
{
	struct load_bulk bulk = {.circuits = FRAME_CIRCUITS, .write = FRAME_BYTES};
	struct load_plan plan = load_bulk_plan(b, &bulk);
	struct load_circuits c;
	struct load_mark from, to;
	struct load_cost cost;
	uint64_t bytes = 0;
	int result;

	plan.first = FRAME_FIRST;
	result = load_circuits_start(b, &plan, &c);
	if (result == 0) {
		load_circuits_run(&c);
		load_sleep(FRAME_WARM);
		load_mark(&from, &b->target.processes, b->target.core);
		bytes = load_circuits_received(&c);
		load_sleep(FRAME_SECONDS);
		load_mark(&to, &b->target.processes, b->target.core);
		bytes = load_circuits_received(&c) - bytes;
		cost = load_cost(&from, &to, &b->target.processes);
	}
	load_circuits_stop(&c);
	if (bytes < FRAME_BYTES)
		return -1;
	growth_row(b, "a frame of 1 KiB", at, &cost, bytes / FRAME_BYTES, us);
	return 0;
}

/* --- timeouts: connections that never say a word --- */

struct silent {
	int fd[TIMEOUT_COUNT];
	uint32_t open;
};

static int silent_begin(struct silent *s, const struct dial_address *to)
{
	for (s->open = 0; s->open < TIMEOUT_COUNT; s->open++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return -1;
		s->fd[s->open] = fd;
		if (connect(fd, (const struct sockaddr *)&to->address, to->len) != 0) {
			close(fd);
			return -1;
		}
	}
	return 0;
}

/* Closes those that the relay has closed, having said whatever it says first. */
static void silent_look(struct silent *s)
{
	char said[256];

	for (uint32_t i = 0; i < s->open;) {
		ssize_t got = recv(s->fd[i], said, sizeof(said), MSG_DONTWAIT);

		if (got > 0)
			continue;
		if (got < 0 && errno == EAGAIN) {
			i++;
			continue;
		}
		close(s->fd[i]);
		s->fd[i] = s->fd[--s->open];
	}
}

/* The cost from the last look before the first timeout to the first look after the last. */
static int silent_wait(struct load_bench *b, struct silent *s, struct load_cost *cost)
{
	uint64_t end = load_now() + (uint64_t)(TIMEOUT_FIRST * 1e9);
	struct load_mark from = {0};
	struct load_mark to;
	bool begun = false;

	while (s->open > 0 && load_now() < end) {
		struct load_mark now;

		load_mark(&now, &b->target.processes, b->target.core);
		silent_look(s);
		if (!begun && s->open == TIMEOUT_COUNT)
			from = now;
		else if (!begun)
			end = load_now() + (uint64_t)(TIMEOUT_SPREAD * 1e9);
		begun = begun || s->open < TIMEOUT_COUNT;
		load_sleep(TIMEOUT_TICK);
	}
	load_mark(&to, &b->target.processes, b->target.core);
	if (s->open > 0 || from.at == 0)
		return -1;
	*cost = load_cost(&from, &to, &b->target.processes);
	return 0;
}

int load_growth_timeouts(struct load_bench *b, uint32_t at, double *us)
{
	static struct silent s;
	struct load_cost cost;
	int result = silent_begin(&s, &b->target.address);

	if (result == 0)
		result = silent_wait(b, &s, &cost);
	while (s.open > 0)
		close(s.fd[--s.open]);
	if (result == 0)
		growth_row(b, "a timeout of a silent connection", at, &cost, TIMEOUT_COUNT, us);
	return result;
}
