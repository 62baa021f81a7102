/* SPDX-License-Identifier: MIT
 *
 * A hostile metrics against the live parent, and by it against netproc and keyproc, to which it has no
 * channel: the real daemon, with another program in metrics's place. Every type and size before and after
 * READY (those of the others too), repetitions, junk, forged and flooding log lines, listeners handed over, a
 * lie about its confinement, silence, a channel that it never reads. A breach ends the daemon with status 1
 * and a line that names metrics; while it is silent strangers are served by the other three.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/attack/hostile_daemon.h"
#include "tests/attack/live_tree.h"
#include "tests/attack/stall.h"

#define BLIND_MS 5200 /* between two PONGs: a little slower than the PINGs, so that none is early */
#define WATCHDOG 20   /* seconds in which the parent ends what does not answer */
#define SOON	 5.0  /* seconds in which a stranger is served, but those in which the machine stood still */

static struct hostile_daemon hostile = {
    .process = IMSG_PROCESS_METRICS, .name = "metrics", .event = LOG_EVENT_METRICS_CUT, .shown = "424242"};

static void wrong_values(void)
{
	const struct imsg_ping none = {0}, ping = {.sequence = 1000};
	const struct imsg_failed failed = {.status = 0, .reason = START_FAILURE_COUNT};
	const struct imsg_metrics_ready ready = {.zero = 1};

	hostile_daemon_message(&hostile, "a PONG that was not asked for", true, IMSG_METRICS_PONG, &none);
	hostile_daemon_message(&hostile, "a PONG from the future", true, IMSG_METRICS_PONG, &ping);
	hostile_daemon_message(&hostile, "a failure that does not exist", false, IMSG_METRICS_FAILED,
			       &failed);
	hostile_daemon_message(&hostile, "READY with bytes behind it", false, IMSG_METRICS_READY, &ready);
	hostile_daemon_message(&hostile, "READY again", true, IMSG_METRICS_READY, &ready);
	hostile.script = (struct hostile_script){.act = HOSTILE_TWICE};
	hostile_daemon_breach(&hostile, "each PING answered twice");
}

/* Its events have numbers only: no text of its own reaches the log, whatever is in it. */
static void log_lines(void)
{
	static const char feed[] =
	    HOSTILE_FORGED "\n[2026-01-01T00:00:00Z ERROR dusk_relay] keyproc was taken "
			   "over\x1b[2J";
	const struct imsg_log right = hostile_daemon_line(&hostile, feed, sizeof(feed));
	struct imsg_log line = right;

	hostile.script = (struct hostile_script){.act = HOSTILE_LOG, .after_ready = 1};
	memcpy(hostile.script.payload, &line, sizeof(line));
	hostile_daemon_spawn(&hostile);
	attack_check(live_daemon_says(&hostile.live, hostile.shown, 10000), "a text: the line is missing");
	attack_check(strstr(hostile.live.said, HOSTILE_FORGED) == NULL, "a text of metrics's is in the log");
	hostile_daemon_term(&hostile, "a text");
	line.event = LOG_EVENT_KEY_MLOCK;
	hostile_daemon_log(&hostile, "a line of keyproc's", &line, true);
	line.event = LOG_EVENT_REGISTERED;
	hostile_daemon_log(&hostile, "a line of netproc's", &line, true);
	line.event = LOG_EVENT_COUNT;
	hostile_daemon_log(&hostile, "an event beyond the list", &line, true);
	line = right;
	line.text_len = IMSG_TEXT_MAX + 1;
	hostile_daemon_log(&hostile, "a text longer than its field", &line, true);
	line = right;
	line.peer_len[0] = UINT8_MAX;
	hostile_daemon_log(&hostile, "a peer id longer than its field", &line, true);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How long a stranger waited to be served; negative when he was not. */
static double stranger_waits(void)
{
	double lost = stall_seconds(), asked = seconds();

	if (!live_daemon_serves(&hostile.live))
		return -1;
	double waited = seconds() - asked;

	return waited < SOON ? waited : waited - (stall_seconds() - lost);
}

/* Strangers are served, and soon, until a line is in the log or the time is over. */
static void serves_until(const char *what, const char *line, double patience, unsigned least)
{
	unsigned served = 0;
	double worst = 0, end = seconds() + patience;

	attack_check(live_daemon_says(&hostile.live, "confinement parent=", 15000), "%s: no start", what);
	stall_begin();
	while (seconds() < end && !live_daemon_says(&hostile.live, line, 500)) {
		double waited = stranger_waits();

		if (waited < 0)
			break; /* at its end; else too few were served */
		worst = waited > worst ? waited : worst;
		served++;
	}
	stall_end();
	attack_check(served >= least, "%s: only %u strangers were served", what, served);
	attack_check(worst < SOON, "%s: a stranger waited %.1f s", what, worst);
	printf("  %s: %u strangers served meanwhile, each within %.0f ms\n", what, served, worst * 1000);
}

/* The daemon ends by itself and says so. */
static void ends_with(const char *what, const char *line, int milliseconds)
{
	struct attack_end end = live_daemon_wait(&hostile.live, milliseconds);

	attack_check(!end.hung && end.signal == 0 && end.status == 1, "%s: parent: %s", what,
		     attack_end_text(end));
	attack_check(strstr(hostile.live.said, line) != NULL, "%s: the log does not say so: %.300s", what,
		     hostile.live.said);
	hostile_daemon_end(&hostile, what);
}

static void reads_nothing(void)
{
	static const char line[] = "metrics has not answered";

	hostile.script = (struct hostile_script){.act = HOSTILE_DEAF, .after_ready = 1};
	hostile_daemon_spawn(&hostile);
	serves_until("reads nothing", line, 60, 10);
	ends_with("reads nothing", line, 20000);
}

static void never_ready(void)
{
	hostile.script = (struct hostile_script){.act = HOSTILE_SILENT};
	hostile_daemon_spawn(&hostile);
	ends_with("never READY", "metrics was not ready", 45000);
}

/* Answers each PING by the clock and reads nothing: to the parent it is alive, and the counters pile up in
 * its channel. In a long run until that is full, after some three minutes: it is asked nothing more, and its
 * next answer is one too many. */
static void answers_unread(void)
{
	static const char line[] = "metrics broke the rules of its channel";
	bool full = getenv("ATTACK_ROUNDS") != NULL;

	hostile.script = (struct hostile_script){.act = HOSTILE_BLIND, .after_ready = 1, .size = BLIND_MS};
	hostile_daemon_spawn(&hostile);
	serves_until("answers, reads nothing", line, full ? 400 : 2 * WATCHDOG, WATCHDOG);
	if (full)
		ends_with("answers, reads nothing", line, 20000);
	else
		hostile_daemon_term(&hostile, "answers, reads nothing");
}

/* Beside the rest, since it takes its time: in a process and a tree of its own. */
static pid_t beside(void (*body)(void))
{
	fflush(stdout);
	pid_t child = fork();

	if (child != 0)
		return child;
	if (live_tree_make("metrics", "hostile_child"))
		body();
	else
		attack_fail("no tree for the hostile daemon");
	live_tree_remove();
	exit(attack_end("parent_metrics, beside"));
}

int main(void)
{
	void (*const slow[])(void) = {reads_nothing, never_ready, answers_unread};
	pid_t children[3];

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 3; i++)
		children[i] = beside(slow[i]);
	if (!live_tree_make("metrics", "hostile_child")) {
		attack_fail("no tree for the hostile daemon");
		return attack_end("parent_metrics");
	}
	hostile_daemon_types(&hostile, false);
	hostile_daemon_types(&hostile, true);
	hostile_daemon_junk(&hostile);
	wrong_values();
	log_lines();
	hostile_daemon_log_flood(&hostile, "flood of lines", LOG_EVENT_METRICS_FULL);
	hostile_daemon_descriptors(&hostile);
	hostile_daemon_lies(&hostile);
	for (int i = 0; i < 3; i++) {
		struct attack_end end = attack_wait(children[i], 450000);

		attack_check(!end.hung && end.signal == 0 && end.status == 0, "beside the rest, %d: %s", i,
			     attack_end_text(end));
	}
	live_tree_remove();
	return attack_end("parent_metrics");
}
