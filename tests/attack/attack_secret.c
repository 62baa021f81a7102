/* SPDX-License-Identifier: MIT
 *
 * Where the identity's secret is while the daemon works, and after a crash: in keyproc's memory and the key
 * file, and nowhere else: not in the memory, arguments or environment of the other processes, not in the log,
 * not in another file, not in a core dump.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/attack/daemon_proc.h"
#include "tests/attack/live_keyproc.h"

#define SEED_AT	  4 /* in the key file */
#define SEED	  32
#define HANDSHAKE 20 /* rounds that use the key */

static struct live_daemon live;

static bool read_seed(uint8_t seed[SEED])
{
	char path[120];

	snprintf(path, sizeof(path), "%s/dusk-relay/keypair", live.folder);
	int fd = open(path, O_RDONLY);
	bool got = fd >= 0 && pread(fd, seed, SEED, SEED_AT) == SEED;

	if (fd >= 0)
		close(fd);
	return got;
}

/* How often it is in a range of a process's memory. */
static unsigned count_in(int memory, off_t from, off_t to, const uint8_t seed[SEED])
{
	static uint8_t bytes[(1 << 20) + SEED];
	unsigned count = 0;

	for (off_t at = from; at < to; at += 1 << 20) {
		size_t wanted = (size_t)(to - at) < sizeof(bytes) ? (size_t)(to - at) : sizeof(bytes);
		ssize_t n = pread(memory, bytes, wanted, at);

		for (const uint8_t *found = bytes;
		     n >= SEED && (found = memmem(found, (size_t)(bytes + n - found), seed, SEED)) != NULL;
		     found++)
			count++;
	}
	return count;
}

/* All that it can read itself, its arguments and environment too. Pages without access are opened to whoever
 * may trace it. */
static unsigned count_in_process(pid_t pid, const uint8_t seed[SEED])
{
	char path[64], line[400];
	unsigned count = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	int memory = open(path, O_RDONLY);

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "r");

	while (memory >= 0 && maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && strstr(line, "[vsyscall]") == NULL)
			count += count_in(memory, (off_t)from, (off_t)to, seed);
	}
	if (maps != NULL)
		fclose(maps);
	if (memory >= 0)
		close(memory);
	return count;
}

static void in_processes(const uint8_t seed[SEED], const char *how)
{
	pid_t all[PROC_PROCESSES];
	int count = proc_processes(&live, all);

	if (!attack_may_look_inside()) {
		attack_skip("%s: the processes' memory: needs CAP_SYS_PTRACE", how);
		return;
	}
	for (int i = 0; i < count; i++) {
		unsigned found = count_in_process(all[i], seed);
		bool keeper = all[i] == live.keyproc;

		attack_check(keeper ? found >= 1 : found == 0, "%s: the secret is %u times in %s", how, found,
			     proc_names[i]);
	}
}

static void in_files(const char *how)
{
	char path[120];
	unsigned count = 0;

	snprintf(path, sizeof(path), "%s/dusk-relay", live.folder);
	DIR *folder = opendir(path);

	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	if (folder != NULL)
		closedir(folder);
	attack_check(count == 1, "%s: %u files beside the key's folder's one", how, count);
}

static bool in_text(const uint8_t seed[SEED])
{
	char hex[2 * SEED + 1];

	for (int i = 0; i < SEED; i++)
		snprintf(hex + 2 * i, 3, "%02x", seed[i]);
	hex[16] = '\0'; /* a quarter of it would be too much */
	return memmem(live.said, live.said_len, seed, SEED / 4) != NULL || strcasestr(live.said, hex) != NULL;
}

/* At work, then after keyproc's end. */
static void look(bool root, const char *how)
{
	static const char *const settings[] = {"RUST_LOG=trace", NULL};
	const struct live_daemon_wish wish = {.root = root, .page = true, .settings = settings};
	uint8_t seed[SEED];
	unsigned served = 0;

	if (live_daemon_start(&live, &wish) != 0 || !read_seed(seed)) {
		attack_fail("%s: the daemon does not start: %.600s", how, live.said);
		live_daemon_end(&live);
		return;
	}
	for (int i = 0; i < HANDSHAKE; i++)
		served += live_daemon_serves(&live);
	attack_check(served == HANDSHAKE, "%s: only %u handshakes were answered", how, served);
	kill(live.pid, SIGUSR1);
	in_processes(seed, how);
	/* The first process of a namespace takes no other signal from outside. */
	kill(live.keyproc, root ? SIGKILL : SIGSEGV);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(end.signal == 0 && end.status == 1 &&
			 strstr(live.said, root ? "keyproc was killed" : "keyproc crashed") != NULL,
		     "%s: keyproc ended: parent: %s", how, attack_end_text(end));
	attack_check(live.said_len > 0 && !in_text(seed), "%s: the secret is in the log", how);
	in_files(how);
	live_daemon_end(&live);
}

/* Whether a process that crashes leaves a core dump, or -1. */
static int dumps_core(pid_t pid)
{
	int status = 0;

	if (pid <= 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		return -1;
	return WCOREDUMP(status) ? 1 : 0;
}

/* Where programs are found from another folder too. 0, or -1. */
static int fix_build(void)
{
	const char *build = getenv("ATTACK_BUILD");
	char *absolute = realpath(build == NULL ? "build" : build, NULL);
	int fixed = absolute == NULL ? -1 : setenv("ATTACK_BUILD", absolute, 1);

	free(absolute);
	return fixed;
}

/* The kernel says of an ordinary process that it was dumped, of keyproc that it was not. */
static void core(void)
{
	const struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
	char folder[] = "/tmp/attack-core-XXXXXX", command[80];
	static struct live_keyproc key;

	if (fix_build() != 0 || mkdtemp(folder) == NULL || chdir(folder) != 0 ||
	    setrlimit(RLIMIT_CORE, &any) != 0) {
		attack_skip("core dumps: their limit cannot be raised here");
		return;
	}
	pid_t control = fork();

	if (control == 0) {
		raise(SIGSEGV);
		_exit(0);
	}
	if (dumps_core(control) != 1)
		attack_skip("core dumps: this system makes none, or not here");
	live_keyproc_must_start(&key, "secret");
	kill(key.pid, SIGSEGV);
	attack_check(dumps_core(key.pid) == 0, "keyproc left a core dump");
	key.pid = 0;
	live_keyproc_end(&key);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (chdir("/") != 0 || system(command) != 0)
		perror(command);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (attack_is_sanitized()) {
		attack_skip("the address sanitizer copies and dumps by itself");
		return attack_end("secret");
	}
	look(false, "ordinary user");
	if (geteuid() == 0)
		look(true, "root mode");
	else
		attack_skip("root mode: needs root");
	core();
	return attack_end("secret");
}
