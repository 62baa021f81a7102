/* SPDX-License-Identifier: MIT */
#include "tests/bench/load_meter.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NANO 1000000000u

static uint64_t load_clock(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * NANO + (uint64_t)now.tv_nsec;
}

uint64_t load_now(void)
{
	return load_clock(CLOCK_MONOTONIC);
}

void load_sleep(double seconds)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * NANO);
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/* --- which processes
 * ----------------------------------------------------------------------------------------------------- */

static void load_process_name(pid_t pid, char name[16])
{
	char path[40];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	name[0] = '\0';
	if (!f)
		return;
	if (fgets(name, 16, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
}

static pid_t load_process_parent(pid_t pid)
{
	char path[40];
	char line[512];
	const char *end;
	pid_t parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f) && (end = strrchr(line, ')')) != NULL)
		parent = (pid_t)strtol(end + 4, NULL, 10);
	fclose(f);
	return parent;
}

static void load_processes_add(struct load_processes *p, pid_t pid)
{
	if (p->count == LOAD_PROCESSES_MAX)
		return;
	p->pid[p->count] = pid;
	load_process_name(pid, p->name[p->count++]);
}

static bool load_processes_have(const struct load_processes *p, pid_t pid)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->pid[i] == pid)
			return true;
	return false;
}

/* One pass over /proc: true when a child of a process that is known was new. */
static bool load_processes_more(struct load_processes *p)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	bool more = false;

	while (folder && (entry = readdir(folder)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || load_processes_have(p, pid) ||
		    !load_processes_have(p, load_process_parent(pid)))
			continue;
		load_processes_add(p, pid);
		more = p->count < LOAD_PROCESSES_MAX;
	}
	if (folder)
		closedir(folder);
	return more;
}

void load_processes_find(struct load_processes *p, pid_t root)
{
	memset(p, 0, sizeof(*p));
	load_processes_add(p, root);
	while (load_processes_more(p))
		;
}

pid_t load_process_named(const struct load_processes *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->name[i], name) == 0)
			return p->pid[i];
	return 0;
}

/* --- what they use
 * ------------------------------------------------------------------------------------------------------- */

/* All threads, those that ended among them: the same sums as in /proc/PID/schedstat, up to this moment. */
uint64_t load_process_cpu(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? load_clock(clock) : 0;
}

uint64_t load_process_memory(pid_t pid, const char *line)
{
	char path[40];
	char text[256];
	size_t len = strlen(line);
	uint64_t bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(text, sizeof(text), f))
		if (strncmp(text, line, len) == 0 && text[len] == ':')
			bytes = strtoull(text + len + 1, NULL, 10) * 1024;
	if (f)
		fclose(f);
	return bytes;
}

uint64_t load_processes_memory(const struct load_processes *p, const char *line)
{
	uint64_t most = 0;

	for (size_t i = 0; i < p->count; i++) {
		uint64_t bytes = load_process_memory(p->pid[i], line);

		most = bytes > most ? bytes : most;
	}
	return most;
}

/* Only root may look into a process that is not dumpable: 0 then. */
size_t load_process_descriptors(pid_t pid)
{
	char path[40];
	size_t count = 0;
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	if (folder)
		closedir(folder);
	return count;
}

static uint64_t load_core_busy(int core)
{
	char line[512];
	char word[16];
	uint64_t ticks[8] = {0};
	uint64_t busy = 0;
	FILE *f = fopen("/proc/stat", "re");

	snprintf(word, sizeof(word), "cpu%d ", core);
	while (f && fgets(line, sizeof(line), f)) {
		char *at = line + strlen(word);

		if (strncmp(line, word, strlen(word)) != 0)
			continue;
		for (int i = 0; i < 8; i++)
			ticks[i] = strtoull(at, &at, 10);
	}
	if (f)
		fclose(f);
	/* user nice system (idle iowait) irq softirq steal */
	busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
	return busy * (NANO / (uint64_t)sysconf(_SC_CLK_TCK));
}

void load_mark(struct load_mark *m, const struct load_processes *p, int core)
{
	m->at = load_now();
	for (size_t i = 0; i < p->count; i++)
		m->cpu[i] = load_process_cpu(p->pid[i]);
	m->core_busy = core >= 0 ? load_core_busy(core) : 0;
}

struct load_cost load_cost(const struct load_mark *from, const struct load_mark *to,
			   const struct load_processes *p)
{
	struct load_cost c = {.wall = (double)(to->at - from->at) / NANO};

	for (size_t i = 0; i < p->count; i++)
		if (to->cpu[i] > from->cpu[i])
			c.cpu += (double)(to->cpu[i] - from->cpu[i]) / NANO;
	c.others = ((double)(to->core_busy - from->core_busy) / NANO - c.cpu) / c.wall;
	if (c.others < 0)
		c.others = 0;
	return c;
}

uint64_t load_files_raise(void)
{
	struct rlimit limit = {0};

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

void load_pin(pid_t pid, int core)
{
	cpu_set_t set;

	if (core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned)core, &set);
	if (sched_setaffinity(pid, sizeof(set), &set) != 0)
		fprintf(stderr, "cannot pin process %d to core %d: %s\n", (int)pid, core, strerror(errno));
}
