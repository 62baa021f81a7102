/* SPDX-License-Identifier: MIT */
#include "tests/attack/daemon_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS 64

static const char *text_of(pid_t pid, const char *name, size_t *len)
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

/* The value of a status line, without leading blanks. */
static const char *status_of(pid_t pid, const char *key)
{
	static char value[128];
	char wanted[40];
	size_t len;
	const char *text = text_of(pid, "status", &len);

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

static void line_is(pid_t pid, const char *who, const char *key, const char *value)
{
	const char *found = status_of(pid, key);

	attack_check(strcmp(found, value) == 0, "%s: %s is '%s', not '%s'", who, key, found, value);
}

static void check_status(pid_t pid, const char *who, bool root)
{
	line_is(pid, who, "NoNewPrivs", "1");
	line_is(pid, who, "Seccomp", "2");
	line_is(pid, who, "Threads", "1");
	line_is(pid, who, "CapInh", "0000000000000000");
	line_is(pid, who, "CapPrm", "0000000000000000");
	line_is(pid, who, "CapEff", "0000000000000000");
	line_is(pid, who, "CapAmb", "0000000000000000");
	if (root)
		line_is(pid, who, "CapBnd", "0000000000000000");
	line_is(pid, who, "CoreDumping", "0");
	if (root || geteuid() == 0)
		attack_check(status_of(pid, "Groups")[0] == '\0', "%s: is in groups %s", who,
			     status_of(pid, "Groups"));
	attack_check(atoi(status_of(pid, "Uid")) != 0, "%s: is root", who);
}

/* /proc/PID belongs to root once a process is not dumpable: nobody of its own user may look inside. */
static void check_owner(pid_t pid, const char *who)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	attack_check(stat(path, &st) == 0 && st.st_uid == 0, "%s: its memory belongs to uid %u", who,
		     st.st_uid);
	if (!attack_may_look_inside())
		attack_check(open(path, O_RDONLY) < 0, "%s: its memory can be opened", who);
}

static void check_signals(pid_t pid, const char *who)
{
	static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,	 SIGUSR1, SIGUSR2,
				      SIGPIPE, SIGALRM, SIGQUIT, SIGCHLD, SIGIO};
	uint64_t mask = strtoull(status_of(pid, "SigIgn"), NULL, 16);

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		attack_check((mask >> (ignored[i] - 1) & 1) == 1, "%s: does not ignore SIG%s", who,
			     sigabbrev_np(ignored[i]));
	line_is(pid, who, "SigBlk", "0000000000000000");
	line_is(pid, who, "SigCgt", "0000000000000000");
}

/* A limit's soft and hard value must both be this. */
static void limit_is(pid_t pid, const char *who, const char *name, const char *value)
{
	size_t len;
	const char *text = text_of(pid, "limits", &len);
	const char *at = text == NULL ? NULL : strstr(text, name);
	char soft[32] = "?", hard[32] = "?";

	if (at != NULL)
		sscanf(at + strlen(name), " %31s %31s", soft, hard);
	attack_check(strcmp(soft, value) == 0 && strcmp(hard, value) == 0, "%s: %s is %s and %s, not %s", who,
		     name, soft, hard, value);
}

#define PROCESSES 4

static const char *const names[PROCESSES] = {"parent", "keyproc", "netproc", "metrics"};

/* Those that run, in the order of the names. */
static int processes_of(const struct live_daemon *live, pid_t all[PROCESSES])
{
	const pid_t found[PROCESSES] = {live->pid, live->keyproc, live->netproc, live->metrics};

	memcpy(all, found, sizeof(found));
	return live->page ? PROCESSES : PROCESSES - 1;
}

static void check_limits(const struct live_daemon *live)
{
	pid_t all[PROCESSES];
	int count = processes_of(live, all);

	for (int i = 0; i < count; i++) {
		limit_is(all[i], names[i], "Max core file size", "0");
		limit_is(all[i], names[i], "Max processes", "0");
		limit_is(all[i], names[i], "Max pending signals", "0");
		if (i > 0)
			limit_is(all[i], names[i], "Max file size", "0");
	}
	limit_is(live->keyproc, "keyproc", "Max open files", "5");
	limit_is(live->keyproc, "keyproc", "Max stack size", "262144");
}

static void check_maps(pid_t pid, const char *who)
{
	size_t len;
	const char *text = text_of(pid, "maps", &len);

	if (!attack_may_look_inside()) {
		attack_check(text == NULL || len == 0, "%s: its maps can be read", who);
		return;
	}
	attack_check(len > 0, "%s: no maps", who);
	for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n') + 1) {
		const char *mode = strchr(at, ' ');

		if (mode != NULL && mode[2] == 'w' && mode[3] == 'x')
			attack_fail("%s: writable code: %.60s", who, at);
		if (strchr(at, '\n') == NULL)
			break;
	}
	attack_pass();
}

static void check_environment(pid_t pid, const char *who)
{
	size_t len;

	if (!attack_may_look_inside())
		return;
	text_of(pid, "environ", &len);
	attack_check(len == 0, "%s: has an environment of %zu bytes", who, len);
}

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
				 descriptors_are_hidden(live->pid),
			     "%s: descriptors of a process can be read by its user", how);
		return;
	}
	descriptors_are(live->keyproc, "keyproc", how,
			"0=/dev/null 1=/dev/null 2=/dev/null 3=socket 4=socket", 5);
	descriptors_are(live->netproc, "netproc", how,
			"0=/dev/null 1=/dev/null 2=/dev/null 3=socket 4=socket 5=socket 6=socket "
			"7=anon_inode:[eventpoll] 8=pipe 9=pipe",
			10);
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

/* Only netproc listens. */
static void check_listening(const struct live_daemon *live, const char *how)
{
	unsigned long inode = listening_inode(live->port);

	attack_check(inode != 0, "%s: nobody listens", how);
	if (!attack_may_look_inside())
		return;
	attack_check(holds_socket(live->netproc, inode), "%s: netproc does not listen", how);
	attack_check(!holds_socket(live->pid, inode) && !holds_socket(live->keyproc, inode) &&
			 (!live->page || !holds_socket(live->metrics, inode)),
		     "%s: another than netproc listens", how);
}

/* Root mode: a user for each, a jail without a name, a PID namespace for the children. */
static void check_root_mode(const struct live_daemon *live)
{
	char path[64], ours[64] = "", theirs[64] = "", users[PROCESSES][32];
	pid_t all[PROCESSES];
	int count = processes_of(live, all);

	for (int i = 0; i < count; i++) {
		snprintf(users[i], sizeof(users[i]), "%.31s", status_of(all[i], "Uid"));
		if (!attack_may_look_inside())
			continue;
		snprintf(path, sizeof(path), "/proc/%d/root", (int)all[i]);
		ssize_t n = readlink(path, theirs, sizeof(theirs) - 1);

		theirs[n > 0 ? n : 0] = '\0';
		attack_check(strstr(theirs, "(deleted)") != NULL, "root mode: process %d sees %s", i, theirs);
	}
	for (int i = 0; i < count; i++)
		for (int j = 0; j < i; j++)
			attack_check(strcmp(users[i], users[j]) != 0, "root mode: %s and %s are both %s",
				     names[i], names[j], users[i]);
	if (!attack_may_look_inside() || !attack_has_pid_namespaces() ||
	    readlink("/proc/self/ns/pid", ours, sizeof(ours) - 1) < 0) {
		attack_skip("root mode: PID namespaces cannot be made or seen here");
		return;
	}
	for (int i = 1; i < count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)all[i]);
		memset(theirs, 0, sizeof(theirs));
		attack_check(readlink(path, theirs, sizeof(theirs) - 1) > 0 && strcmp(ours, theirs) != 0,
			     "root mode: process %d shares our PID namespace", i);
	}
}

void state_check_all(const struct live_daemon *live, bool root, const char *how)
{
	pid_t all[PROCESSES];
	int count = processes_of(live, all);
	char who[64];

	for (int i = 0; i < count; i++) {
		snprintf(who, sizeof(who), "%s, %s", names[i], how);
		check_status(all[i], who, root);
		check_owner(all[i], who);
		check_maps(all[i], who);
		if (i == 0)
			continue;
		check_signals(all[i], who);
		check_environment(all[i], who);
	}
	check_limits(live);
	check_listening(live, how);
	state_check_descriptors(live, how);
	if (root)
		check_root_mode(live);
}

const char *state_image_address(pid_t pid)
{
	static char address[32];
	size_t len;
	const char *text = text_of(pid, "maps", &len);

	address[0] = '\0';
	if (text != NULL && len > 0)
		snprintf(address, sizeof(address), "%.*s", (int)strcspn(text, "-"), text);
	return address;
}
