/* SPDX-License-Identifier: MIT
 *
 * The parent's one loop: channels first, then signals, then times. Called by start.c (until a child is ready)
 * and main.c (for ever). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "parent/exit.h"
#include "parent/parent.h"

#define LOOP_MESSAGES	  64   /* of one child in a turn */
#define LOOP_LAST_READS	  8    /* times that, of a child that has ended */
#define LOOP_TURN	  1000 /* milliseconds at most */
#define LOOP_DEATH_TIME	  1000 /* milliseconds between a closed channel and the end of its process */
#define LOOP_VERDICT_TIME 500  /* milliseconds for a first cause to show itself */
#define LOOP_REPORT_EVERY 1000 /* milliseconds between two reports */

uint64_t parent_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void parent_end(struct parent *parent, int status, const char *format, ...)
{
	va_list arguments;

	if (parent->ending)
		return;
	parent->ending = true;
	parent->status = status;
	va_start(arguments, format);
	vsnprintf(parent->last_words, sizeof(parent->last_words), format, arguments);
	va_end(arguments);
}

/* The channel is closed: its process ends, and its status says more. */
static void loop_child_closed(struct parent_child *child)
{
	close(child->channel.fd);
	child->channel.fd = -1;
	child->open = false;
	child->end_by = parent_now() + LOOP_DEATH_TIME;
}

void loop_read_child(struct parent *parent, struct parent_child *child, int most)
{
	bool ready = child->ready;

	/* Stops behind READY, so that the lines of the start come before those of the run. */
	for (int i = 0; i < most && child->open && !parent->ending && ready == child->ready; i++) {
		switch (imsg_receive(&child->channel, &child->table)) {
		case IMSG_OK:
			break;
		case IMSG_AGAIN:
			return;
		case IMSG_BREACH:
			parent_end(
			    parent, EXIT_FAILED,
			    "%s broke the rules of its channel (%s): it may have been taken over; all stops",
			    child->name, child->channel.breach);
			return;
		case IMSG_CLOSED:
		case IMSG_ERROR:
		default:
			loop_child_closed(child);
			return;
		}
	}
}

static bool loop_is_crash(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL;
}

/* A child has ended: first what it still had to say. The verdict waits a moment unless it crashed: the first
 * cause may show itself last. During a drain netproc's end is what was asked for. */
static void loop_child_ended(struct parent *parent, struct parent_child *child)
{
	for (int i = 0; i < LOOP_LAST_READS && child->open && !parent->ending; i++)
		loop_read_child(parent, child, LOOP_MESSAGES);
	if (child->open)
		loop_child_closed(child);
	if (parent->draining && child == &parent->child[PARENT_NETPROC] && child->wait_status == 0)
		parent->drained = true;
	else if (loop_is_crash(child->wait_status))
		failure_died(parent, child);
	else
		child->end_by = parent_now() + LOOP_VERDICT_TIME;
}

static void loop_reap(struct parent *parent)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < PARENT_CHILDREN; i++) {
			struct parent_child *child = &parent->child[i];

			if (child->pid != pid)
				continue;
			child->pid = 0;
			child->reaped = true;
			child->wait_status = status;
			loop_child_ended(parent, child);
		}
	}
}

static void loop_drain(struct parent *parent, const char *signal_name)
{
	struct parent_child *net = &parent->child[PARENT_NETPROC];
	struct imsg_drain drain = {.milliseconds = parent->settings.net.drain * 1000};

	if (parent->draining || !net->ready) {
		parent_end(parent, EXIT_DRAINED, "stopped at once by %s", signal_name);
		return;
	}
	logger_line(&parent->log, LOG_LEVEL_INFO, "%s: closing connections", signal_name);
	notify_send(&parent->notify, "STOPPING=1\nSTATUS=closing connections");
	parent->draining = true;
	parent->deadline = parent_now() + drain.milliseconds + PARENT_DRAIN_GRACE;
	if (!net->open || imsg_send(&net->channel, IMSG_NET_DRAIN, 0, &drain, sizeof(drain)) != IMSG_OK)
		parent->drained = true;
}

/* One question at a time: who has not answered yet will do so once. */
static void loop_ask(struct parent_child *child, enum imsg_type type)
{
	if (child->ready && child->open && !child->asked &&
	    imsg_send(&child->channel, type, PARENT_ASKED_REPORT, NULL, 0) == IMSG_OK)
		child->asked = true;
}

static void loop_report(struct parent *parent)
{
	struct parent_child *net = &parent->child[PARENT_NETPROC];

	if (parent->reported != 0 && parent_now() < parent->reported + LOOP_REPORT_EVERY)
		return;
	parent->reported = parent_now();
	if (net->ready && net->open)
		imsg_send(&net->channel, IMSG_NET_REPORT, 0, NULL, 0);
	loop_ask(net, IMSG_NET_STATS);
	loop_ask(&parent->child[PARENT_KEYPROC], IMSG_KEY_STATS);
}

static void loop_signal(struct parent *parent)
{
	struct signalfd_siginfo info;

	while (read(parent->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
			loop_drain(parent, "SIGTERM");
			break;
		case SIGINT:
			loop_drain(parent, "SIGINT");
			break;
		case SIGUSR1:
			loop_report(parent);
			break;
		default:
			loop_reap(parent);
		}
	}
}

/* One PING; what is not answered for three of them ends the daemon. */
static void loop_ping(struct parent *parent, struct parent_child *child, enum imsg_type type)
{
	struct imsg_ping ping = {.sequence = child->ping_sent + 1};

	if (!child->ready || !child->open)
		return;
	if (child->unanswered >= PARENT_PINGS_LOST) {
		parent_end(parent, EXIT_FAILED, "%s has not answered for %d seconds: it hangs; all stops",
			   child->name, PARENT_PINGS_LOST * PARENT_PING_EVERY / 1000);
		return;
	}
	/* A full channel counts as unanswered too: the sequence is spent, and the child is told the next one.
	 */
	if (imsg_send(&child->channel, type, 0, &ping, sizeof(ping)) == IMSG_OK)
		child->ping_sent++;
	child->unanswered++;
}

static void loop_notify(struct parent *parent, uint64_t now)
{
	if (parent->next_notify == 0 || now < parent->next_notify)
		return;
	parent->next_notify = now + parent->notify.watchdog;
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		if (parent->child[i].unanswered > 1)
			return;
	}
	notify_send(&parent->notify, "WATCHDOG=1");
}

static void loop_deadline(struct parent *parent)
{
	if (parent->draining) {
		logger_line(&parent->log, LOG_LEVEL_WARN, "netproc did not close all connections in time");
		parent->drained = true;
		return;
	}
	parent_end(parent, EXIT_FAILED, "%s was not ready within %d seconds",
		   parent->child[PARENT_NETPROC].ready	 ? "metrics"
		   : parent->child[PARENT_KEYPROC].ready ? "netproc"
							 : "keyproc",
		   PARENT_START_TIME / 1000);
}

static void loop_times(struct parent *parent)
{
	uint64_t now = parent_now();

	if (parent->drained)
		parent_end(parent, EXIT_DRAINED, "stopped");
	if (now >= parent->next_ping) {
		parent->next_ping = now + PARENT_PING_EVERY;
		loop_ping(parent, &parent->child[PARENT_KEYPROC], IMSG_KEY_PING);
		loop_ping(parent, &parent->child[PARENT_NETPROC], IMSG_NET_PING);
		loop_ping(parent, &parent->child[PARENT_METRICS], IMSG_METRICS_PING);
	}
	metrics_tick(parent, now);
	loop_notify(parent, now);
	children_log_tick(&parent->children_log, &parent->log, now);
	if (parent->deadline != 0 && now >= parent->deadline)
		loop_deadline(parent);
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		if (parent->child[i].end_by != 0 && now >= parent->child[i].end_by)
			failure_verdict(parent, &parent->child[i], now);
	}
}

static int loop_timeout(const struct parent *parent)
{
	uint64_t now = parent_now();
	uint64_t wake = now + LOOP_TURN;

	if (parent->next_ping < wake)
		wake = parent->next_ping;
	if (parent->next_push != 0 && parent->next_push < wake)
		wake = parent->next_push;
	if (parent->next_notify != 0 && parent->next_notify < wake)
		wake = parent->next_notify;
	if (parent->deadline != 0 && parent->deadline < wake)
		wake = parent->deadline;
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		if (parent->child[i].end_by != 0 && parent->child[i].end_by < wake)
			wake = parent->child[i].end_by;
	}
	return wake > now ? (int)(wake - now) : 0;
}

/* The places in the list that poll gets; a descriptor of -1 is skipped by the kernel. */
enum loop_place {
	LOOP_KEYPROC = PARENT_KEYPROC,
	LOOP_NETPROC = PARENT_NETPROC,
	LOOP_METRICS = PARENT_METRICS,
	LOOP_SIGNALS,
	LOOP_STDERR,
	LOOP_PLACES
};

static void loop_turn(struct parent *parent)
{
	struct pollfd polled[LOOP_PLACES] = {
	    [LOOP_KEYPROC] = {.fd = parent->child[PARENT_KEYPROC].channel.fd, .events = POLLIN},
	    [LOOP_NETPROC] = {.fd = parent->child[PARENT_NETPROC].channel.fd, .events = POLLIN},
	    [LOOP_METRICS] = {.fd = parent->child[PARENT_METRICS].open
					? parent->child[PARENT_METRICS].channel.fd
					: -1,
			      .events = POLLIN},
	    [LOOP_SIGNALS] = {.fd = parent->signal_fd, .events = POLLIN},
	    [LOOP_STDERR] = {.fd = logger_pending(&parent->log) ? parent->log.fd : -1, .events = POLLOUT},
	};

	if (poll(polled, LOOP_PLACES, loop_timeout(parent)) < 0) {
		if (errno != EINTR)
			parent_end(parent, EXIT_FAILED, "poll failed");
		return;
	}
	if (polled[LOOP_STDERR].revents != 0)
		logger_write(&parent->log);
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		if (polled[i].revents != 0)
			loop_read_child(parent, &parent->child[i], LOOP_MESSAGES);
	}
	if (polled[LOOP_SIGNALS].revents != 0)
		loop_signal(parent);
	loop_times(parent);
}

void loop_run(struct parent *parent, bool (*done)(const struct parent *parent))
{
	while (!parent->ending && !done(parent))
		loop_turn(parent);
}
