/* SPDX-License-Identifier: MIT
 *
 * What a process costs: processor time in the scheduler's nanoseconds, summed over all processes of a relay,
 * private memory, descriptors; and how much others took of a core meanwhile. Called by every scenario and by
 * soak.c.
 */
#ifndef TESTS_BENCH_LOAD_METER_H
#define TESTS_BENCH_LOAD_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOAD_PROCESSES_MAX 16

struct load_processes {
	size_t count;
	pid_t pid[LOAD_PROCESSES_MAX];
	char name[LOAD_PROCESSES_MAX][16];
};

/* A moment. */
struct load_mark {
	uint64_t at; /* monotonic nanoseconds */
	uint64_t cpu[LOAD_PROCESSES_MAX];
	uint64_t core_busy; /* nanoseconds that the core was not idle, by the kernel's ticks */
};

struct load_cost {
	double wall;   /* seconds */
	double cpu;    /* seconds of all processes together */
	double others; /* share of the core that went to anybody else */
};

uint64_t load_now(void);
void load_sleep(double seconds);
/* `root` and everything below it. */
void load_processes_find(struct load_processes *p, pid_t root);
/* The one of this name, or 0. */
pid_t load_process_named(const struct load_processes *p, const char *name);
uint64_t load_process_cpu(pid_t pid);
/* A line of /proc/PID/status in bytes, such as RssAnon; 0 when it is not there. */
uint64_t load_process_memory(pid_t pid, const char *line);
/* The highest of all processes of the relay: the one that holds the connections. */
uint64_t load_processes_memory(const struct load_processes *p, const char *line);
size_t load_process_descriptors(pid_t pid);
void load_mark(struct load_mark *m, const struct load_processes *p, int core);
struct load_cost load_cost(const struct load_mark *from, const struct load_mark *to,
			   const struct load_processes *p);
/* Raises the limit of descriptors as far as it goes, for this program and those it starts; returns it. */
uint64_t load_files_raise(void);
/* -1: leaves it as it is. */
void load_pin(pid_t pid, int core);

#endif
