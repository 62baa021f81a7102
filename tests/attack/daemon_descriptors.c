/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/attack/daemon_proc.h"
#include "tests/attack/daemon_state.h"

#define FDS 64

/* What a process holds, as `0=/dev/null 3=socket ...`. NULL when it may not be read. */
static const char *descriptors_of(pid_t pid)
{
	static char list[2048];
	char path[64], link[320], target[100];
	bool any = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if (access(path, R_OK) != 0)
		return NULL;
	list[0] = '\0';
	for (int fd = 0; fd < FDS; fd++) {
		snprintf(link, sizeof(link), "%s/%d", path, fd);
		ssize_t n = readlink(link, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		target[strcspn(target, ":")] = '\0';
		if (strcmp(target, "anon_inode") == 0 && readlink(link, target, sizeof(target) - 1) > 0)
			target[(size_t)n] = '\0';
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%d=%s", any ? " " : "", fd,
			 target);
		any = true;
	}
	return list;
}

/* How many descriptors beyond FDS there are: none should. */
static size_t descriptor_count(pid_t pid)
{
	char path[64];
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);

	while (folder != NULL && readdir(folder) != NULL)
		count++;
	if (folder != NULL)
		closedir(folder);
	return count < 2 ? 0 : count - 2;
}

static void descriptors_are(pid_t pid, const char *who, const char *how, const char *wanted, size_t count)
{
	const char *list = descriptors_of(pid);

	attack_check(list != NULL && strcmp(list, wanted) == 0, "%s, %s: holds %s, not %s", who, how,
		     list == NULL ? "?" : list, wanted);
	attack_check(descriptor_count(pid) == count, "%s, %s: holds %zu descriptors, not %zu", who, how,
		     descriptor_count(pid), count);
}

/* Root of a container may list them, and sees nothing behind the numbers. */
static bool descriptors_are_hidden(pid_t pid)
{
	const char *list = descriptors_of(pid);

	return list == NULL || list[0] == '\0';
}

void state_check_descriptors(const struct live_daemon *live, const char *how)
{
	if (!attack_may_look_inside()) {
		attack_check(descriptors_are_hidden(live->keyproc) && descriptors_are_hidden(live->netproc) &&
				 descriptors_are_hidden(live->pid) &&
				 (!live->page || descriptors_are_hidden(live->metrics)),
			     "%s: descriptors of a process can be read by its user", how);
		return;
	}
	descriptors_are(live->keyproc, "keyproc", how,
			"0=/dev/null 1=/dev/null 2=/dev/null 3=socket 4=socket", 5);
	descriptors_are(live->netproc, "netproc", how,
			"0=/dev/null 1=/dev/null 2=/dev/null 3=socket 4=socket 5=socket 6=socket "
			"7=anon_inode:[eventpoll]",
			8);
	if (live->page)
		descriptors_are(live->metrics, "metrics", how,
				"0=/dev/null 1=/dev/null 2=/dev/null 3=socket 4=socket", 5);
	/* 0-2, signalfd, a channel to each child. */
	size_t held = descriptor_count(live->pid), wanted = live->page ? 7 : 6;

	attack_check(held == wanted, "parent, %s: holds %zu descriptors, not %zu: %s", how, held, wanted,
		     descriptors_of(live->pid));
}

/* The inode of the listening socket of our port, from the network's own table. */
static unsigned long listening_inode(uint16_t port)
{
	FILE *table = fopen("/proc/net/tcp", "r");
	char line[256];
	unsigned long inode = 0;

	while (table != NULL && fgets(line, sizeof(line), table) != NULL) {
		unsigned local, state;
		unsigned long found;

		if (sscanf(line, " %*d: %*x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*d %*d %lu", &local, &state,
			   &found) == 3 &&
		    local == port && state == 0x0a)
			inode = found;
	}
	if (table != NULL)
		fclose(table);
	return inode;
}

static bool holds_socket(pid_t pid, unsigned long inode)
{
	char wanted[40], link[64], target[64];

	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	for (int fd = 0; fd < FDS; fd++) {
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
		ssize_t n = readlink(link, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		if (strcmp(target, wanted) == 0)
			return true;
	}
	return false;
}

static void listens(const struct live_daemon *live, uint16_t port, pid_t owner, const char *how)
{
	unsigned long inode = listening_inode(port);
	pid_t all[PROC_PROCESSES];
	int count = proc_processes(live, all);

	attack_check(inode != 0, "%s: nobody listens on port %u", how, port);
	if (!attack_may_look_inside())
		return;
	for (int i = 0; i < count; i++)
		attack_check(holds_socket(all[i], inode) == (all[i] == owner), "%s: %s %s port %u", how,
			     proc_names[i], all[i] == owner ? "does not listen on" : "listens on", port);
}

void state_check_listening(const struct live_daemon *live, const char *how)
{
	listens(live, live->port, live->netproc, how);
	/* A daemon without output has not said its port. */
	if (live->page && live_daemon_page_port(live) != 0)
		listens(live, live_daemon_page_port(live), live->metrics, how);
}
