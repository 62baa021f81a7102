/* SPDX-License-Identifier: MIT */
#include "tests/attack/daemon_proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const proc_names[PROC_PROCESSES] = {"parent", "keyproc", "netproc", "metrics"};

int proc_processes(const struct live_daemon *live, pid_t all[PROC_PROCESSES])
{
	const pid_t found[PROC_PROCESSES] = {live->pid, live->keyproc, live->netproc, live->metrics};

	memcpy(all, found, sizeof(found));
	return live->page ? PROC_PROCESSES : PROC_PROCESSES - 1;
}

const char *proc_text(pid_t pid, const char *name, size_t *len)
{
	static char text[262144];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_RDONLY);
	size_t got = 0;
	ssize_t n;

	*len = 0;
	text[0] = '\0';
	if (fd < 0)
		return NULL;
	while (got < sizeof(text) - 1 && (n = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
		got += (size_t)n;
	close(fd);
	text[got] = '\0';
	*len = got;
	return text;
}

const char *proc_status(pid_t pid, const char *key)
{
	static char value[128];
	char wanted[40];
	size_t len;
	const char *text = proc_text(pid, "status", &len);

	value[0] = '\0';
	snprintf(wanted, sizeof(wanted), "\n%s:", key);
	const char *at = text == NULL ? NULL : strstr(text, wanted);

	if (at == NULL)
		return value;
	at += strlen(wanted);
	at += strspn(at, " \t");
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
	return value;
}
