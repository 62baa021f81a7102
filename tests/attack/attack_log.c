/* SPDX-License-Identifier: MIT
 *
 * A log that nobody reads: the daemon's output is a pipe that is full, as behind a stalled collector. It goes
 * on serving, says afterwards that lines were lost, and ends when it is told to while the pipe is full.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/attack/live_daemon.h"

#define STRANGERS 2000

static struct live_daemon live;

/* A stranger that says hello and is answered. */
static bool is_served(void)
{
	static const char hello[] = "\x13/multistream/1.0.0\n";
	char answer[20];
	int fd = live_daemon_connect(&live);
	bool served = fd >= 0 && write(fd, hello, 20) == 20 && read(fd, answer, 20) == 20 &&
		      memcmp(answer, hello, 20) == 0;

	close(fd);
	return served;
}

/* Each stranger that goes is a line: more of them than the pipe and the parent's own queue take. The pauses
 * keep below the number of lines a second that netproc says at all. */
static bool fill(void)
{
	fcntl(live.out, F_SETPIPE_SZ, 4096);
	for (int i = 0; i < STRANGERS; i++) {
		if (!is_served())
			return false;
		usleep(2500);
	}
	return true;
}

static const char *const settings[] = {"RUST_LOG=debug", "DUSK_MAX_HANDSHAKES_PER_IP=0", NULL};

static bool begin(void)
{
	const struct live_daemon_wish wish = {.settings = settings};

	if (live_daemon_start(&live, &wish) != 0)
		attack_fail("the daemon does not start: %.600s", live.said);
	else if (!fill())
		attack_fail("with a full log: a stranger is not served");
	else
		return true;
	live_daemon_end(&live);
	return false;
}

static void goes_on(void)
{
	if (!begin())
		return;
	for (int i = 0; i < 50; i++)
		attack_check(is_served(), "behind a full log: not served");
	attack_check(live_daemon_says(&live, "log lines left out", 10000), "the log never was full");
	attack_check(is_served(), "after the log was read again: not served");
	live_daemon_end(&live);
}

static void ends_when_told(void)
{
	if (!begin())
		return;
	kill(live.pid, SIGTERM);
	for (int i = 0; i < 200 && !live_daemon_left_nobody(&live); i++)
		usleep(50000);
	attack_check(live_daemon_left_nobody(&live), "SIGTERM with a full log: it does not end");
	struct attack_end end = live_daemon_wait(&live, 5000);

	attack_check(end.signal == 0 && end.status == 0, "SIGTERM with a full log: %s", attack_end_text(end));
	live_daemon_end(&live);
}

int main(void)
{
	goes_on();
	ends_when_told();
	return attack_end("log");
}
