/* SPDX-License-Identifier: MIT */
#include "tests/bench/load_target.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGET_NOBODY	    65534
#define TARGET_START_MS	    10000
#define TARGET_LOG_MAX	    (1 << 16)
#define TARGET_REPORT_TRIES 1500 /* of 2 ms */
#define TARGET_REPORT_AGAIN 50	 /* it is asked again, as one within a second of another is left out */

static const char *const target_settings[] = {
    "DUSK_RELAY_LISTEN=127.0.0.1",   "DUSK_MAX_CONNECTIONS=19000",
    "DUSK_MAX_CONNECTIONS_PER_IP=0", "DUSK_MAX_HALF_OPEN=100000",
    "DUSK_MAX_HANDSHAKES_PER_IP=0",  "DUSK_MAX_HALF_OPEN_PER_IP=0",
    "DUSK_MAX_RESERVATIONS=1000000", "DUSK_MAX_RESERVATIONS_PER_IP=0",
    "DUSK_MAX_CIRCUITS=1000000",     "DUSK_MAX_CIRCUITS_PER_PEER=0",
    "DUSK_MAX_CIRCUITS_PER_PAIR=0",  "DUSK_MAX_CIRCUITS_PER_SOURCE_IP=0",
    "DUSK_MAX_STREAMS=100000",	     "DUSK_MAX_MEMORY=4294967296",
    "DUSK_RENDEZVOUS_RATE=1000000",  "DUSK_RENDEZVOUS_ANSWER_RATE=1024g",
    "DUSK_HANDSHAKE_TIMEOUT=60",     "DUSK_RELAY_DRAIN=0",
};

#define TARGET_SETTINGS (sizeof(target_settings) / sizeof(target_settings[0]))

/* Everything of our own environment that begins with BENCH_SET_ is a setting for the daemon and wins. */
extern char **environ;

static size_t target_own_settings(char **to, size_t most)
{
	size_t count = 0;

	for (char **e = environ; *e && count < most; e++)
		if (strncmp(*e, "BENCH_SET_", 10) == 0)
			to[count++] = *e + 10;
	return count;
}

static bool target_is_set(char *const *settings, size_t count, const char *setting)
{
	size_t name = strcspn(setting, "=") + 1;

	for (size_t i = 0; i < count; i++)
		if (strncmp(settings[i], setting, name) == 0)
			return true;
	return false;
}

static void target_child(const struct load_target *t, int out, int log)
{
	char port[40] = "DUSK_RELAY_PORT=0";
	char data[80];
	char *settings[64];
	char *arguments[] = {(char *)t->program, NULL};
	size_t count = target_own_settings(settings, 20);

	if (t->setting && !target_is_set(settings, count, t->setting))
		settings[count++] = (char *)t->setting;
	snprintf(data, sizeof(data), "XDG_DATA_HOME=%s", t->directory);
	for (size_t i = 0; i < TARGET_SETTINGS; i++)
		if (!target_is_set(settings, count, target_settings[i]))
			settings[count++] = (char *)target_settings[i];
	settings[count++] = port;
	settings[count++] = data;
	if (!target_is_set(settings, count, "RUST_LOG="))
		settings[count++] = (char *)(t->quiet ? "RUST_LOG=warn" : "RUST_LOG=info");
	settings[count] = NULL;
	load_pin(0, t->core);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setgid(TARGET_NOBODY) != 0 || setuid(TARGET_NOBODY) != 0))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	dup2(out, 1);
	dup2(log, 2);
	execve(t->program, arguments, settings);
	dprintf(2, "%s: %s\n", t->program, strerror(errno));
	_exit(127);
}

static int target_fail(struct load_target *t, const char *what)
{
	char tail[2000];
	ssize_t got = t->log >= 0 ? pread(t->log, tail, sizeof(tail), 0) : 0;

	fprintf(stderr, "%s: %s\n%.*s", t->program, what, got > 0 ? (int)got : 0, tail);
	load_target_stop(t);
	return -1;
}

static int target_open(struct load_target *t)
{
	snprintf(t->directory, sizeof(t->directory), "/tmp/dusk-bench-XXXXXX");
	if (!mkdtemp(t->directory))
		return -1;
	if (geteuid() == 0 && chown(t->directory, TARGET_NOBODY, TARGET_NOBODY) != 0)
		return -1;
	snprintf(t->log_path, sizeof(t->log_path), "%s/log", t->directory);
	t->log = open(t->log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return t->log >= 0 ? 0 : -1;
}

static int target_parse(struct load_target *t, const char *text)
{
	static const char word[] = "relay address: ";
	const char *line = strstr(text, word);
	char address[DIAL_TEXT_MAX];
	struct dial_target parsed;

	if (!line || !strchr(line, '\n'))
		return -1;
	snprintf(address, sizeof(address), "%.*s", (int)strcspn(line + sizeof(word) - 1, "\n"),
		 line + sizeof(word) - 1);
	if (dial_parse(&parsed, address) != NULL)
		return -1;
	t->port = parsed.port;
	t->id = parsed.peer;
	dial_loopback(&t->address, t->port);
	return 0;
}

/* 0 when the address line came. */
static int target_wait(struct load_target *t)
{
	char text[4096] = "";
	size_t len = 0;
	uint64_t end = load_now() + TARGET_START_MS * 1000000ull;

	while (load_now() < end) {
		struct pollfd p = {.fd = t->out, .events = POLLIN};
		ssize_t got;

		if (poll(&p, 1, 100) <= 0)
			continue;
		got = read(t->out, text + len, sizeof(text) - 1 - len);
		if (got <= 0)
			return -1;
		len += (size_t)got;
		text[len] = '\0';
		if (target_parse(t, text) == 0)
			return 0;
	}
	return -1;
}

int load_target_start(struct load_target *t)
{
	int out[2];

	t->pid = 0;
	t->out = t->log = -1;
	t->log_from = 0;
	if (target_open(t) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return target_fail(t, strerror(errno));
	t->pid = fork();
	if (t->pid == 0)
		target_child(t, out[1], t->log);
	close(out[1]);
	t->out = out[0];
	if (t->pid < 0 || target_wait(t) != 0)
		return target_fail(t, "it did not start");
	load_processes_find(&t->processes, t->pid);
	if (t->key_core >= 0 && load_process_named(&t->processes, "keyproc") > 0)
		load_pin(load_process_named(&t->processes, "keyproc"), t->key_core);
	return 0;
}

/* BENCH_LOG=1: what the relay said, on stderr. */
static void target_copy_log(const struct load_target *t)
{
	char text[4096];
	off_t at = 0;
	ssize_t got;

	while ((got = pread(t->log, text, sizeof(text), at)) > 0) {
		fwrite(text, 1, (size_t)got, stderr);
		at += got;
	}
}

void load_target_stop(struct load_target *t)
{
	char path[80];

	if (t->pid > 0) {
		kill(t->pid, SIGTERM);
		for (int i = 0; i < 300 && waitpid(t->pid, NULL, WNOHANG) == 0; i++) {
			if (i == 250)
				kill(t->pid, SIGKILL);
			load_sleep(0.01);
		}
	}
	t->pid = 0;
	if (getenv("BENCH_LOG"))
		target_copy_log(t);
	if (t->out >= 0)
		close(t->out);
	if (t->log >= 0)
		close(t->log);
	t->out = t->log = -1;
	snprintf(path, sizeof(path), "%s/dusk-relay/keypair", t->directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/dusk-relay", t->directory);
	rmdir(path);
	unlink(t->log_path);
	rmdir(t->directory);
}

/* --- counters
 * ------------------------------------------------------------------------------------------------------------
 */

static const char *target_log(const struct load_target *t)
{
	static char text[TARGET_LOG_MAX];
	ssize_t got = pread(t->log, text, sizeof(text) - 1, (off_t)t->log_from);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

bool load_target_report(struct load_target *t)
{
	struct stat about;

	if (!t->dusk || t->quiet || fstat(t->log, &about) != 0)
		return false;
	t->log_from = (size_t)about.st_size;
	for (int i = 0; i < TARGET_REPORT_TRIES; i++) {
		if (i % TARGET_REPORT_AGAIN == 0)
			kill(t->pid, SIGUSR1);
		if (strstr(target_log(t), "counters end"))
			return true;
		load_sleep(0.002);
	}
	return false;
}

uint64_t load_target_counter(const struct load_target *t, const char *name)
{
	char text[200];
	const char *found;

	if (!t->dusk || t->quiet)
		return 0;
	snprintf(text, sizeof(text), "counter %s ", name);
	found = strstr(target_log(t), text);
	return found ? strtoull(found + strlen(text), NULL, 10) : 0;
}

static uint64_t target_io(pid_t pid, const char *word)
{
	char path[40];
	char line[80];
	uint64_t value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, word, strlen(word)) == 0)
			value = strtoull(line + strlen(word), NULL, 10);
	if (f)
		fclose(f);
	return value;
}

void load_target_reads(struct load_target *t, uint64_t *calls, uint64_t *bytes)
{
	if (t->dusk) {
		bool told = load_target_report(t);

		*calls = told ? load_target_counter(t, "dusk_relay_read_calls_total") : 0;
		*bytes = told ? load_target_counter(t, "dusk_relay_read_bytes_total") : 0;
		return;
	}
	*calls = target_io(t->pid, "syscr: ");
	*bytes = target_io(t->pid, "rchar: ");
}
