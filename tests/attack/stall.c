/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/attack/stall.h"

#define NAP    0.1  /* seconds */
#define BUSY   0.5  /* later than this: no busy machine, one that stood still */
#define MOMENT 0.25 /* in which a watcher that was stopped as long as its caller has woken */

static struct {
	pid_t pid;
	volatile double *lost; /* shared with it */
} watcher;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void nap(double seconds)
{
	nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static void watch(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (double slept = now();; slept = now()) {
		nap(NAP);
		double late = now() - slept - NAP;

		if (late > BUSY)
			*watcher.lost += late;
	}
}

void stall_begin(void)
{
	void *page = mmap(NULL, sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return;
	watcher.lost = page;
	watcher.pid = fork();
	if (watcher.pid == 0)
		watch();
}

double stall_seconds(void)
{
	if (watcher.lost == NULL)
		return 0;
	nap(MOMENT);
	return *watcher.lost;
}

void stall_end(void)
{
	if (watcher.pid > 0 && kill(watcher.pid, SIGKILL) == 0)
		waitpid(watcher.pid, NULL, 0);
	if (watcher.lost != NULL)
		munmap((void *)watcher.lost, sizeof(double));
	watcher.pid = 0;
	watcher.lost = NULL;
}
