/* SPDX-License-Identifier: MIT */
#include "parent/notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NOTIFY_INHERITED_MAX 64

static const char *notify_variable(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; environment[i] != NULL; i++) {
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=')
			return environment[i] + len + 1;
	}
	return NULL;
}

/* 0 for anything that is not a plain number. */
static uint64_t notify_number(char *const *environment, const char *name)
{
	const char *text = notify_variable(environment, name);
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	uint64_t value = strtoull(text, &end, 10);
	return *end == '\0' ? value : 0;
}

void notify_read(struct notify *notify, char *const *environment)
{
	uint64_t self = (uint64_t)getpid();
	const char *watchdog_pid = notify_variable(environment, "WATCHDOG_PID");

	notify->fd = -1;
	notify->watchdog = 0;
	notify->inherited = 0;
	notify->names = "";
	if (watchdog_pid == NULL || notify_number(environment, "WATCHDOG_PID") == self)
		notify->watchdog = notify_number(environment, "WATCHDOG_USEC") / 2000;
	if (notify_number(environment, "LISTEN_PID") == self) {
		uint64_t count = notify_number(environment, "LISTEN_FDS");
		const char *names = notify_variable(environment, "LISTEN_FDNAMES");
		notify->inherited = count <= NOTIFY_INHERITED_MAX ? (size_t)count : NOTIFY_INHERITED_MAX;
		notify->names = names != NULL ? names : "";
	}
}

void notify_name(const struct notify *notify, size_t index, char name[NOTIFY_NAME])
{
	const char *at = notify->names;

	for (; index > 0 && *at != '\0'; index--)
		at += strcspn(at, ":") + (strchr(at, ':') != NULL ? 1 : 0);
	size_t len = strcspn(at, ":");

	if (len >= NOTIFY_NAME)
		len = NOTIFY_NAME - 1;
	memcpy(name, at, len);
	name[len] = '\0';
}

void notify_open(struct notify *notify, char *const *environment)
{
	const char *path = notify_variable(environment, "NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		close(fd);
		return;
	}
	notify->fd = fd;
}

void notify_send(const struct notify *notify, const char *lines)
{
	if (notify->fd < 0)
		return;
	ssize_t written = write(notify->fd, lines, strlen(lines));
	(void)written;
}
