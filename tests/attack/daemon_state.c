/* SPDX-License-Identifier: MIT */
#include "tests/attack/daemon_state.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/attack/daemon_proc.h"

static void line_is(pid_t pid, const char *who, const char *key, const char *value)
{
	const char *found = proc_status(pid, key);

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
		attack_check(proc_status(pid, "Groups")[0] == '\0', "%s: is in groups %s", who,
			     proc_status(pid, "Groups"));
	attack_check(atoi(proc_status(pid, "Uid")) != 0, "%s: is root", who);
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
	uint64_t mask = strtoull(proc_status(pid, "SigIgn"), NULL, 16);

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
	const char *text = proc_text(pid, "limits", &len);
	const char *at = text == NULL ? NULL : strstr(text, name);
	char soft[32] = "?", hard[32] = "?";

	if (at != NULL)
		sscanf(at + strlen(name), " %31s %31s", soft, hard);
	attack_check(strcmp(soft, value) == 0 && strcmp(hard, value) == 0, "%s: %s is %s and %s, not %s", who,
		     name, soft, hard, value);
}

static void check_limits(const struct live_daemon *live)
{
	pid_t all[PROC_PROCESSES];
	int count = proc_processes(live, all);

	for (int i = 0; i < count; i++) {
		limit_is(all[i], proc_names[i], "Max core file size", "0");
		limit_is(all[i], proc_names[i], "Max processes", "0");
		limit_is(all[i], proc_names[i], "Max pending signals", "0");
		if (i > 0)
			limit_is(all[i], proc_names[i], "Max file size", "0");
	}
	limit_is(live->keyproc, "keyproc", "Max open files", "5");
	limit_is(live->keyproc, "keyproc", "Max stack size", "262144");
	if (!live->page)
		return;
	limit_is(live->metrics, "metrics", "Max open files", "64");
	limit_is(live->metrics, "metrics", "Max stack size", "262144");
	limit_is(live->metrics, "metrics", "Max data size", "33554432");
}

static void check_maps(pid_t pid, const char *who)
{
	size_t len;
	const char *text = proc_text(pid, "maps", &len);

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
	proc_text(pid, "environ", &len);
	attack_check(len == 0, "%s: has an environment of %zu bytes", who, len);
}

/* Root mode: a user for each, a jail without a name, a PID namespace for the children. */
static void check_root_mode(const struct live_daemon *live)
{
	char path[64], ours[64] = "", theirs[64] = "", users[PROC_PROCESSES][32];
	pid_t all[PROC_PROCESSES];
	int count = proc_processes(live, all);

	for (int i = 0; i < count; i++) {
		snprintf(users[i], sizeof(users[i]), "%.31s", proc_status(all[i], "Uid"));
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
				     proc_names[i], proc_names[j], users[i]);
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
	pid_t all[PROC_PROCESSES];
	int count = proc_processes(live, all);
	char who[64];

	for (int i = 0; i < count; i++) {
		snprintf(who, sizeof(who), "%s, %s", proc_names[i], how);
		check_status(all[i], who, root);
		check_owner(all[i], who);
		check_maps(all[i], who);
		if (i == 0)
			continue;
		check_signals(all[i], who);
		check_environment(all[i], who);
	}
	check_limits(live);
	state_check_listening(live, how);
	state_check_descriptors(live, how);
	if (root)
		check_root_mode(live);
}

const char *state_image_address(pid_t pid)
{
	static char address[32];
	size_t len;
	const char *text = proc_text(pid, "maps", &len);

	address[0] = '\0';
	if (text != NULL && len > 0)
		snprintf(address, sizeof(address), "%.*s", (int)strcspn(text, "-"), text);
	return address;
}
