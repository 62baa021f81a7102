/* SPDX-License-Identifier: MIT */
#include "tests/attack/live_daemon.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SETTINGS_MAX 32

static uint16_t free_port(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&any, &len) != 0)
		any.sin_port = 0;
	close(fd);
	return ntohs(any.sin_port);
}

static void exec_daemon(const struct live_daemon *live, const struct live_daemon_wish *wish, int out)
{
	const char *build = wish->build != NULL ? wish->build : getenv("ATTACK_BUILD");
	char program[200], port[40], data[100];
	char *environment[SETTINGS_MAX + 4] = {port, data}, *arguments[] = {(char *)"dusk-relay", NULL};
	size_t count = 2;

	snprintf(program, sizeof(program), "%s/bin/dusk-relay", build == NULL ? "build" : build);
	snprintf(port, sizeof(port), "DUSK_RELAY_PORT=%u", live->port);
	snprintf(data, sizeof(data), "XDG_DATA_HOME=%s", live->folder);
	for (const char *const *s = wish->settings; s != NULL && *s != NULL && count < SETTINGS_MAX; s++)
		environment[count++] = (char *)(uintptr_t)*s;
	if (wish->page)
		environment[count++] = (char *)(uintptr_t) "DUSK_RELAY_METRICS=127.0.0.1:0";
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	dup2(open("/dev/null", O_RDWR), 0);
	dup2(out, 1);
	dup2(out, 2);
	if (!wish->root && attack_become_user() != 0)
		_exit(126);
	if (wish->before_exec != NULL)
		wish->before_exec();
	execve(program, arguments, environment);
	_exit(127);
}

int live_daemon_spawn(struct live_daemon *live, const struct live_daemon_wish *wish)
{
	int out[2];

	memset(live, 0, sizeof(*live));
	strcpy(live->folder, "/tmp/attack-daemon-XXXXXX");
	live->port = free_port();
	live->page = wish->page;
	if (mkdtemp(live->folder) == NULL || pipe2(out, O_CLOEXEC) != 0)
		return -1;
	if (geteuid() == 0 && !wish->root && chown(live->folder, ATTACK_NOBODY, ATTACK_NOBODY) != 0)
		return -1;
	fflush(stdout);
	live->pid = fork();
	if (live->pid == 0)
		exec_daemon(live, wish, out[1]);
	close(out[1]);
	live->out = out[0];
	fcntl(live->out, F_SETFL, O_NONBLOCK);
	return live->pid > 0 ? 0 : -1;
}

/* A flood would fill any buffer: the older half is of no use any more. Whole lines only. */
static void forget_old_lines(struct live_daemon *live)
{
	const char *from = strchr(live->said + live->said_len / 2, '\n');

	if (from == NULL)
		return;
	from++;
	live->said_len -= (size_t)(from - live->said);
	memmove(live->said, from, live->said_len + 1);
}

/* Takes in what it has said; false at the end of its output. */
static bool listen_to(struct live_daemon *live, int milliseconds)
{
	struct pollfd ready = {.fd = live->out, .events = POLLIN};

	if (poll(&ready, 1, milliseconds) <= 0)
		return true;
	ssize_t n = read(live->out, live->said + live->said_len, LIVE_SAID_MAX - 1 - live->said_len);

	if (n > 0)
		live->said_len += (size_t)n;
	live->said[live->said_len] = '\0';
	if (live->said_len > LIVE_SAID_MAX / 2)
		forget_old_lines(live);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool live_daemon_says(struct live_daemon *live, const char *text, int milliseconds)
{
	int64_t end = now_ms() + milliseconds;

	while (strstr(live->said, text) == NULL && now_ms() < end) {
		if (!listen_to(live, 20))
			break;
	}
	return strstr(live->said, text) != NULL;
}

/* The children, by their names. */
static void find_children(struct live_daemon *live)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes != NULL && (entry = readdir(processes)) != NULL) {
		char path[300], name[32] = "";
		int parent = 0;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		FILE *stat = fopen(path, "r");

		if (stat == NULL)
			continue;
		if (fscanf(stat, "%*d (%31[^)]) %*c %d", name, &parent) == 2 && parent == live->pid) {
			if (strcmp(name, "keyproc") == 0)
				live->keyproc = (pid_t)atoi(entry->d_name);
			if (strcmp(name, "netproc") == 0)
				live->netproc = (pid_t)atoi(entry->d_name);
			if (strcmp(name, "metrics") == 0)
				live->metrics = (pid_t)atoi(entry->d_name);
		}
		fclose(stat);
	}
	if (processes != NULL)
		closedir(processes);
}

/* The parent locks itself last; without its output its status tells. */
static bool is_locked(pid_t pid)
{
	char path[64], line[128];
	bool locked = false;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *status = fopen(path, "r");

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		locked = locked || strcmp(line, "Seccomp:\t2\n") == 0;
	if (status != NULL)
		fclose(status);
	return locked;
}

static bool has_children(const struct live_daemon *live)
{
	return live->keyproc != 0 && live->netproc != 0 && (live->metrics != 0) == live->page;
}

int live_daemon_start(struct live_daemon *live, const struct live_daemon_wish *wish)
{
	if (live_daemon_spawn(live, wish) != 0)
		return -1;
	if (!wish->own_output && !live_daemon_says(live, "confinement parent=", 10000))
		return -1;
	for (int i = 0; i < 500 && !(has_children(live) && is_locked(live->pid)); i++) {
		usleep(10000);
		find_children(live);
	}
	/* It listens before it serves; a connection shows that it has started in either case. */
	int fd = live_daemon_connect(live);

	if (fd >= 0)
		close(fd);
	return has_children(live) && fd >= 0 ? 0 : -1;
}

struct attack_end live_daemon_wait(struct live_daemon *live, int milliseconds)
{
	int64_t end = now_ms() + milliseconds;
	siginfo_t info = {0};

	while (now_ms() < end && waitid(P_PID, (id_t)live->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0)
		listen_to(live, 5);
	struct attack_end ended = attack_wait(live->pid, (int)(end - now_ms()));

	while (listen_to(live, 0) && poll(&(struct pollfd){.fd = live->out, .events = POLLIN}, 1, 0) > 0)
		;
	live->pid = 0;
	return ended;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

int live_daemon_connect(const struct live_daemon *live)
{
	return connect_to(live->port);
}

/* The answer of 230 bytes holds what only keyproc could make. */
bool live_daemon_serves(const struct live_daemon *live)
{
	uint8_t bytes[28 + 2 + 32] = "\x13/multistream/1.0.0\n\x07/noise\n", answer[230];
	size_t got = 0;
	ssize_t n = 1;
	int fd = live_daemon_connect(live);

	bytes[28] = 0;
	bytes[29] = 32;
	memset(bytes + 30, 9, 32);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
		n = 0;
	while (n > 0 && got < sizeof(answer) && (n = read(fd, answer + got, sizeof(answer) - got)) > 0)
		got += (size_t)n;
	close(fd);
	return got == sizeof(answer);
}

int live_daemon_connect_page(const struct live_daemon *live)
{
	return connect_to(live_daemon_page_port(live));
}

uint16_t live_daemon_page_port(const struct live_daemon *live)
{
	static const char words[] = "/healthz on port ";
	const char *at = strstr(live->said, words);

	return at == NULL ? 0 : (uint16_t)atoi(at + strlen(words));
}

/* A number may have been given to somebody new meanwhile: asks for the name too. */
static bool is_still(pid_t pid, const char *name)
{
	char path[64], found[32] = "", state = 'Z';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *stat = fopen(path, "r");

	if (stat == NULL)
		return false;
	bool read = fscanf(stat, "%*d (%31[^)]) %c", found, &state) == 2;

	fclose(stat);
	return read && state != 'Z' && strcmp(found, name) == 0;
}

bool live_daemon_left_nobody(const struct live_daemon *live)
{
	for (int i = 0; i < 200; i++) {
		if (!is_still(live->keyproc, "keyproc") && !is_still(live->netproc, "netproc") &&
		    !is_still(live->metrics, "metrics"))
			return true;
		usleep(10000);
	}
	return false;
}

void live_daemon_end(struct live_daemon *live)
{
	char command[120];

	if (live->pid > 0) {
		kill(live->pid, SIGKILL);
		waitpid(live->pid, NULL, 0);
	}
	close(live->out);
	live_daemon_left_nobody(live);
	/* A start that was killed may have left a temporary beside the key. */
	snprintf(command, sizeof(command), "rm -rf '%s'", live->folder);
	if (system(command) != 0)
		perror(command);
}
