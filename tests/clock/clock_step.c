/* SPDX-License-Identifier: MIT
 *
 * The time of day as a machine has it whose clock is stepped: linked into the three programs instead of the
 * C library's, also for the libraries that they load. An hour back, then an hour forward of the truth, each
 * at a time after the process began. The monotonic clock is the kernel's, as it is when a clock is set.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define STEP_BACK_AT	8 /* seconds after the first question */
#define STEP_FORWARD_AT 20
#define STEP		3600

static time_t step(void)
{
	static time_t began;
	struct timespec now = {0};

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	if (began == 0)
		began = now.tv_sec;
	if (now.tv_sec - began < STEP_BACK_AT)
		return 0;
	return now.tv_sec - began < STEP_FORWARD_AT ? -STEP : STEP;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long rc = syscall(SYS_clock_gettime, clock, now);

	if (rc == 0 && clock == CLOCK_REALTIME)
		now->tv_sec += step();
	return (int)rc;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec real = {0};

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &real);
	now->tv_sec = real.tv_sec;
	now->tv_usec = real.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *result)
{
	struct timespec real = {0};

	clock_gettime(CLOCK_REALTIME, &real);
	if (result != NULL)
		*result = real.tv_sec;
	return real.tv_sec;
}
