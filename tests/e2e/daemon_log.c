/* SPDX-License-Identifier: MIT */
#include "tests/e2e/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "probe/client.h"

#define DAEMON_TAIL	 3000
#define DAEMON_ASK_AGAIN 200 /* milliseconds */
#define DAEMON_REPORT_MS 5000

int daemon_log_open(struct daemon *d)
{
	d->log_file = open(d->log_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	d->log_watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->log_file < 0 || d->log_watch < 0 ||
	    inotify_add_watch(d->log_watch, d->log_path, IN_MODIFY) < 0) {
		snprintf(d->error, sizeof(d->error), "%s: cannot be written or watched", d->log_path);
		return -1;
	}
	return 0;
}

void daemon_log_close(struct daemon *d)
{
	if (d->log_file >= 0)
		close(d->log_file);
	if (d->log_watch >= 0)
		close(d->log_watch);
	bytes_free(&d->log);
}

static void daemon_log_read(struct daemon *d)
{
	char events[4096];
	ssize_t got;

	while (read(d->log_watch, events, sizeof(events)) > 0)
		;
	do {
		got = read(d->log_file, bytes_room(&d->log, 65536), 65535);
		if (got > 0)
			bytes_added(&d->log, (size_t)got);
	} while (got > 0);
	*bytes_room(&d->log, 1) = '\0';
}

void daemon_mark(struct daemon *d)
{
	daemon_log_read(d);
	d->mark = bytes_len(&d->log);
}

/* The whole line at or behind the mark that holds `text`, or NULL. */
static const char *daemon_find(struct daemon *d, size_t from, const char *text)
{
	const char *start = (const char *)bytes_at(&d->log) + from;
	const char *found = strstr(start, text);

	return found && strchr(found, '\n') ? found : NULL;
}

bool daemon_said(struct daemon *d, const char *text)
{
	daemon_log_read(d);
	return daemon_find(d, d->mark, text) != NULL;
}

size_t daemon_count(struct daemon *d, const char *text)
{
	size_t count = 0;
	const char *at;

	daemon_log_read(d);
	at = (const char *)bytes_at(&d->log) + d->mark;
	while ((at = strstr(at, text)) != NULL) {
		count++;
		at += strlen(text);
	}
	return count;
}

/* Waits until the log grows; false when the time is over. */
static bool daemon_log_wait(struct daemon *d, int64_t end)
{
	struct pollfd p = {.fd = d->log_watch, .events = POLLIN};
	int64_t left = end - client_now();

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

static const char *daemon_wait_line(struct daemon *d, size_t from, const char *text, int64_t end)
{
	for (;;) {
		const char *found;

		daemon_log_read(d);
		found = daemon_find(d, from, text);
		if (found || !daemon_log_wait(d, end))
			return found;
	}
}

int daemon_expect(struct daemon *d, const char *text, int timeout_ms)
{
	if (daemon_wait_line(d, d->mark, text, client_now() + timeout_ms))
		return 0;
	snprintf(d->error, sizeof(d->error), "the daemon did not log '%s' within %d ms", text, timeout_ms);
	return -1;
}

/* The daemon makes at most one report a second: asks until one has come, and says where it starts in the log.
 */
static size_t daemon_report(struct daemon *d, int64_t end)
{
	size_t from;

	daemon_log_read(d);
	from = bytes_len(&d->log);
	while (daemon_signal(d, SIGUSR1) == 0) {
		int64_t next = client_now() + DAEMON_ASK_AGAIN;

		if (daemon_wait_line(d, from, "counters end", next < end ? next : end) || client_now() >= end)
			break;
	}
	return from;
}

static uint64_t daemon_value(struct daemon *d, size_t from, const char *name)
{
	char text[300];
	const char *found;

	snprintf(text, sizeof(text), "counter %s ", name);
	found = daemon_find(d, from, text);
	return found ? strtoull(found + strlen(text), NULL, 10) : 0;
}

void daemon_counters(struct daemon *d, const char *const *names, uint64_t *values, size_t count)
{
	size_t from = daemon_report(d, client_now() + DAEMON_REPORT_MS);

	for (size_t i = 0; i < count; i++)
		values[i] = daemon_value(d, from, names[i]);
}

uint64_t daemon_counter(struct daemon *d, const char *name)
{
	uint64_t value;

	daemon_counters(d, &name, &value, 1);
	return value;
}

int daemon_expect_counter(struct daemon *d, const char *name, uint64_t least)
{
	uint64_t value = daemon_counter(d, name);

	if (value >= least)
		return 0;
	snprintf(d->error, sizeof(d->error), "counter %s is %llu, not at least %llu", name,
		 (unsigned long long)value, (unsigned long long)least);
	return -1;
}

const char *daemon_find_line(struct daemon *d, const char *text)
{
	static char line[200];
	const char *start;
	const char *found;

	daemon_log_read(d);
	start = (const char *)bytes_at(&d->log);
	found = strstr(start, text);
	if (!found)
		return NULL;
	while (found > start && found[-1] != '\n')
		found--;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(found, "\n"), found);
	return line;
}

const char *daemon_tail(struct daemon *d)
{
	size_t len;

	daemon_log_read(d);
	len = bytes_len(&d->log);
	return (const char *)bytes_at(&d->log) + (len > DAEMON_TAIL ? len - DAEMON_TAIL : 0);
}
