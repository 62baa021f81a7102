/* SPDX-License-Identifier: MIT */
#include "tests/e2e/daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/client.h"

#define DAEMON_SETTINGS	  40
#define DAEMON_WORDS	  8
#define DAEMON_MORE	  8 /* for a script */
#define DAEMON_PORT_FIRST 10000
#define DAEMON_PORTS	  22000

static bool daemon_port_is_free(uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free;

	in.sin_addr.s_addr = htonl(INADDR_ANY);
	is_free = fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
	close(fd);
	return is_free;
}

/* Below the ports that the system gives to clients: programs beside this one connect all the time. Where it
 * begins is chance, so that they do not choose alike. */
uint16_t daemon_free_port(void)
{
	uint16_t port;

	for (int tries = 0; tries < 1000; tries++) {
		if (getrandom(&port, sizeof(port), 0) != sizeof(port))
			return 0;
		port = (uint16_t)(DAEMON_PORT_FIRST + port % DAEMON_PORTS);
		if (daemon_port_is_free(port))
			return port;
	}
	return 0;
}

static const char *daemon_build(void)
{
	const char *text = getenv("E2E_BUILD");

	return text && *text ? text : "build";
}

static int daemon_fail(struct daemon *d, const char *what)
{
	snprintf(d->error, sizeof(d->error), "%s", what);
	return -1;
}

int daemon_prepare(struct daemon *d)
{
	static int number;
	char folder[DAEMON_PATH_MAX - 80];
	uid_t user = daemon_user();

	memset(d, 0, sizeof(*d));
	d->out = d->log_file = d->log_watch = -1;
	d->port = daemon_free_port();
	snprintf(d->directory, sizeof(d->directory), "/tmp/dusk-e2e-XXXXXX");
	if (!mkdtemp(d->directory) || chown(d->directory, user, (gid_t)user) != 0)
		return daemon_fail(d, strerror(errno));
	snprintf(folder, sizeof(folder), "%s/tests/e2e/log", daemon_build());
	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		return daemon_fail(d, strerror(errno));
	snprintf(d->log_path, sizeof(d->log_path), "%s/%s-%d.log", folder, program_invocation_short_name,
		 ++number);
	return daemon_log_open(d);
}

/* --- the child --- */

static void daemon_become(uid_t user)
{
	if (geteuid() != 0 || user == 0)
		return;
	if (setgroups(0, NULL) != 0 || setgid((gid_t)user) != 0 || setuid(user) != 0)
		_exit(126);
}

static void daemon_environment(const struct daemon *d, const char *const *settings, char **out, char *port,
			       char *data)
{
	static const char *const passed[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
					     "LLVM_PROFILE_FILE"};
	size_t count = 0;

	sprintf(port, "DUSK_RELAY_PORT=%u", d->port);
	sprintf(data, "XDG_DATA_HOME=%s", d->directory);
	out[count++] = port;
	out[count++] = data;
	out[count++] = (char *)"RUST_LOG=debug";
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		const char *value = getenv(passed[i]);

		if (value)
			out[count++] = (char *)(value - strlen(passed[i]) - 1);
	}
	for (; settings && *settings && count < DAEMON_SETTINGS; settings++)
		out[count++] = (char *)*settings; /* the last of a name counts, see daemon_unique */
	out[count] = NULL;
}

/* A setting that is given again replaces the one before it: environments hold a name once. */
static void daemon_unique(char **environment)
{
	for (size_t i = 0; environment[i]; i++) {
		size_t name = strcspn(environment[i], "=") + 1;

		for (size_t j = i + 1; environment[j]; j++) {
			if (strncmp(environment[i], environment[j], name) != 0)
				continue;
			environment[i] = environment[j];
			for (size_t k = j--; environment[k]; k++)
				environment[k] = environment[k + 1];
		}
	}
}

/* What a script needs to know besides. Settings are told from it by their names. */
static void daemon_script_environment(const struct daemon *d, char **environment)
{
	static char text[6][DAEMON_PATH_MAX + 40];
	static const char *const passed[] = {"PATH", "DOCKER_HOST"};
	size_t count = 0;
	size_t used = 0;

	while (environment[count])
		count++;
	snprintf(text[used++], sizeof(text[0]), "E2E_DIRECTORY=%s", d->directory);
	snprintf(text[used++], sizeof(text[0]), "E2E_PORT=%u", d->port);
	snprintf(text[used++], sizeof(text[0]), "E2E_LOG=%s", d->log_path);
	snprintf(text[used++], sizeof(text[0]), "E2E_DESCRIPTORS=%u", d->descriptors);
	snprintf(text[used++], sizeof(text[0]), "E2E_MODE=%s", daemon_mode());
	snprintf(text[used++], sizeof(text[0]), "E2E_BUILD=%s", daemon_build());
	for (size_t i = 0; i < used; i++)
		environment[count++] = text[i];
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (getenv(passed[i]))
			environment[count++] = getenv(passed[i]) - strlen(passed[i]) - 1;
	environment[count] = NULL;
}

static void daemon_exec(const struct daemon *d, const char *const *words, const char *const *settings,
			int out, int log)
{
	char program[DAEMON_PATH_MAX];
	char port[40];
	char data[100];
	char *environment[DAEMON_SETTINGS + DAEMON_MORE + 1];
	char *arguments[DAEMON_WORDS + 2] = {(char *)"dusk-relay"};

	for (size_t i = 0; words && words[i] && i < DAEMON_WORDS; i++)
		arguments[i + 1] = (char *)words[i];
	snprintf(program, sizeof(program), "%s/bin/dusk-relay", daemon_build());
	daemon_environment(d, settings, environment, port, data);
	daemon_unique(environment);
	if (d->descriptors > 0 && !daemon_script())
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){d->descriptors, d->descriptors});
	if (!daemon_script())
		daemon_become(daemon_user());
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	dup2(out, 1);
	dup2(log, 2);
	if (daemon_script()) {
		daemon_script_environment(d, environment);
		arguments[0] = (char *)daemon_script();
		snprintf(program, sizeof(program), "%s", daemon_script());
	}
	execve(program, arguments, environment);
	dprintf(2, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

static int daemon_spawn(struct daemon *d, const char *const *words, const char *const *settings)
{
	int out[2];
	int log = open(d->log_path, O_WRONLY | O_APPEND | O_CLOEXEC);

	bytes_consume(&d->printed, bytes_len(&d->printed));
	if (d->out >= 0)
		close(d->out);
	if (log < 0 || pipe2(out, O_CLOEXEC) != 0)
		return daemon_fail(d, strerror(errno));
	d->parent = 0;
	d->pid = fork();
	if (d->pid == 0)
		daemon_exec(d, words, settings, out[1], log);
	close(out[1]);
	close(log);
	d->out = out[0];
	fcntl(d->out, F_SETFL, O_NONBLOCK);
	return d->pid > 0 ? 0 : daemon_fail(d, strerror(errno));
}

/* --- its life --- */

/* Reads what it printed; false when its stdout is closed or the time is over. */
static bool daemon_read_out(struct daemon *d, int64_t end)
{
	struct pollfd p = {.fd = d->out, .events = POLLIN};
	int64_t left = end - client_now();
	ssize_t got;

	if (left <= 0 || poll(&p, 1, (int)left) <= 0)
		return false;
	got = read(d->out, bytes_room(&d->printed, 4096), 4096);
	if (got <= 0)
		return false;
	bytes_added(&d->printed, (size_t)got);
	return true;
}

/* Takes the address line apart; 0 when it is there. */
static int daemon_find_address(struct daemon *d)
{
	static const char word[] = "  relay address: ";
	const char *line;
	const char *id;
	size_t len;

	bytes_append(&d->printed, "", 1);
	d->printed.end--;
	line = strstr((const char *)bytes_at(&d->printed), word);
	if (!line || !strchr(line, '\n'))
		return -1;
	line += sizeof(word) - 1;
	len = strcspn(line, "\n");
	if (len >= sizeof(d->address))
		return -1;
	memcpy(d->address, line, len);
	d->address[len] = '\0';
	id = strstr(d->address, "/p2p/");
	return id ? peer_id_from_text(&d->id, id + 5, strlen(id + 5)) : -1;
}

int daemon_start(struct daemon *d, const char *const *settings)
{
	int64_t end = client_now() + daemon_patience(DAEMON_START_MS);

	daemon_mark(d);
	if (daemon_spawn(d, NULL, settings) != 0)
		return -1;
	while (daemon_find_address(d) != 0) {
		if (daemon_read_out(d, end))
			continue;
		if (client_now() >= end)
			return daemon_fail(d, "the daemon printed no relay address in time");
		if (daemon_wait(d, daemon_patience(DAEMON_STOP_MS)) != 0)
			return daemon_fail(d, "the daemon closed its stdout and did not end");
		return daemon_fail(d, "the daemon ended before it printed its address");
	}
	return 0;
}

int daemon_run(struct daemon *d, const char *const *words, const char *const *settings)
{
	int64_t end = client_now() + daemon_patience(DAEMON_START_MS * 3);

	daemon_mark(d);
	if (daemon_spawn(d, words, settings) != 0)
		return -1;
	while (daemon_read_out(d, end))
		;
	bytes_append(&d->printed, "", 1);
	close(d->out);
	d->out = -1;
	return daemon_wait(d, daemon_patience(DAEMON_STOP_MS)) == 0 ? d->exit_code : -1;
}

int daemon_signal(struct daemon *d, int number)
{
	return d->pid > 0 && kill(d->pid, number) == 0 ? 0 : daemon_fail(d, "the daemon does not run");
}

int daemon_wait(struct daemon *d, int timeout_ms)
{
	struct pollfd p = {.events = POLLIN};
	int status;
	int ready;

	if (d->pid <= 0)
		return 0;
	p.fd = (int)syscall(SYS_pidfd_open, d->pid, 0);
	ready = p.fd >= 0 ? poll(&p, 1, timeout_ms) : -1;
	if (p.fd >= 0)
		close(p.fd);
	if (ready <= 0)
		return daemon_fail(d, "the daemon did not end in time");
	waitpid(d->pid, &status, 0);
	d->pid = 0;
	d->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

int daemon_stop(struct daemon *d)
{
	char text[200];

	if (d->pid <= 0)
		return daemon_fail(d, "the daemon had ended by itself");
	daemon_signal(d, SIGTERM);
	if (daemon_wait(d, daemon_patience(DAEMON_STOP_MS)) != 0) {
		daemon_signal(d, SIGKILL);
		daemon_wait(d, daemon_patience(DAEMON_STOP_MS));
		return daemon_fail(d, "the daemon did not end in time after SIGTERM");
	}
	snprintf(text, sizeof(text), "the daemon ended with %d at SIGTERM", d->exit_code);
	return d->exit_code == 0 ? 0 : daemon_fail(d, text);
}

static int daemon_unlink(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	return remove(path);
}

void daemon_remove(struct daemon *d)
{
	if (d->pid > 0)
		daemon_stop(d);
	if (d->directory[0])
		nftw(d->directory, daemon_unlink, 8, FTW_DEPTH | FTW_PHYS);
	if (d->out >= 0)
		close(d->out);
	bytes_free(&d->printed);
	daemon_log_close(d);
}
