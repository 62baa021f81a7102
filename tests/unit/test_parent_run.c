/* SPDX-License-Identifier: MIT
 *
 * The built program as a service manager, a shell and an operator see it: readiness, inherited sockets,
 * signals, descriptors, sub-commands, programs that are not to be trusted. Needs the programs beside the
 * tests. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "parent/exit.h"

#define SAID	  65536
#define PATIENCE  20000 /* milliseconds for anything to happen: sanitizers and loaded machines are slow */
#define VARIABLES 8

static char top[4096]; /* the folder that holds bin and libexec */
static char home[] = "/tmp/test_parent_run.XXXXXX";

struct run {
	pid_t pid;
	int out; /* stdout and stderr together */
	size_t len;
	char said[SAID];
};

struct wish {
	const char *arguments[4];
	const char *variables[VARIABLES];
	int inherited;	  /* a socket for descriptor 3; 0: none */
	bool without_std; /* descriptors 0 to 2 closed */
	const char *top;  /* NULL: the built one */
};

static void become(const struct wish *wish, int out)
{
	char program[5000];
	char pid[32];
	char home_variable[64];
	char *environment[VARIABLES + 3] = {home_variable, pid};
	char *arguments[6] = {"dusk-relay"};

	snprintf(program, sizeof(program), "%s/bin/dusk-relay", wish->top != NULL ? wish->top : top);
	snprintf(pid, sizeof(pid), "LISTEN_PID=%d", getpid());
	snprintf(home_variable, sizeof(home_variable), "HOME=%s", home);
	for (size_t i = 0; i < VARIABLES && wish->variables[i] != NULL; i++)
		environment[i + 2] = (char *)wish->variables[i];
	for (size_t i = 0; i < 4 && wish->arguments[i] != NULL; i++)
		arguments[i + 1] = (char *)wish->arguments[i];
	dup2(out, 1);
	dup2(out, 2);
	if (wish->inherited > 0) {
		dup2(wish->inherited, 3);
		fcntl(3, F_SETFD, 0);
	}
	for (int fd = 0; wish->without_std && fd < 3; fd++)
		close(fd);
	execve(program, arguments, environment);
	_exit(99);
}

static void start(struct run *run, const struct wish *wish)
{
	int ends[2];

	memset(run, 0, sizeof(*run));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	run->pid = fork();
	assert_true(run->pid >= 0);
	if (run->pid == 0)
		become(wish, ends[1]);
	close(ends[1]);
	run->out = ends[0];
}

/* Reads until the words were said or nothing comes any more. */
static bool says(struct run *run, const char *words)
{
	struct pollfd ready = {.fd = run->out, .events = POLLIN};

	while (strstr(run->said, words) == NULL) {
		if (run->len == SAID - 1 || poll(&ready, 1, PATIENCE) <= 0)
			return false;
		ssize_t len = read(run->out, run->said + run->len, SAID - 1 - run->len);
		if (len <= 0)
			return false;
		run->len += (size_t)len;
	}
	return true;
}

static int end(struct run *run)
{
	int status;

	says(run, "never said");
	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	close(run->out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int stop(struct run *run)
{
	kill(run->pid, SIGTERM);
	return end(run);
}

/* Runs a command to its end. */
static int ends_with(struct run *run, const struct wish *wish)
{
	start(run, wish);
	return end(run);
}

static void assert_said(const struct run *run, const char *words)
{
	if (strstr(run->said, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, run->said);
}

static int listener(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static const char *notification(int fd, char text[512])
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	ssize_t len = poll(&ready, 1, PATIENCE) > 0 ? read(fd, text, 511) : -1;

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void test_notifies(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char variable[128];
	char text[512];
	struct run run;

	(void)state;
	int len = snprintf(address.sun_path + 1, 64, "test_parent_run.%d", getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)),
			 0);
	snprintf(variable, sizeof(variable), "NOTIFY_SOCKET=@%s", address.sun_path + 1);
	start(&run, &(struct wish){.variables = {"DUSK_RELAY_PORT=0", variable, "WATCHDOG_USEC=400000"}});
	assert_non_null(strstr(notification(fd, text), "READY=1"));
	for (int i = 0; i < 3; i++)
		assert_string_equal(notification(fd, text), "WATCHDOG=1");
	kill(run.pid, SIGTERM);
	while (strcmp(notification(fd, text), "WATCHDOG=1") == 0)
		;
	assert_non_null(strstr(text, "STOPPING=1"));
	assert_int_equal(end(&run), EXIT_DRAINED);
	close(fd);
}

static void test_takes_an_inherited_socket(void **state)
{
	uint16_t port;
	int fd = listener(&port);
	char address[64];
	struct run run;

	(void)state;
	start(&run, &(struct wish){.variables = {"LISTEN_FDS=1", "RUST_LOG=info"}, .inherited = fd});
	snprintf(address, sizeof(address), "relay address: /ip4/127.0.0.1/tcp/%u/p2p/", port);
	assert_true(says(&run, address));
	assert_int_equal(stop(&run), EXIT_DRAINED);
	close(fd);
}

static void test_inherited_port_must_be_ours(void **state)
{
	uint16_t port;
	int fd = listener(&port);
	char variable[64];
	struct run run;

	(void)state;
	snprintf(variable, sizeof(variable), "DUSK_RELAY_PORT=%u", port == 1 ? 2U : port - 1U);
	assert_int_equal(
	    ends_with(&run, &(struct wish){.variables = {"LISTEN_FDS=1", variable}, .inherited = fd}),
	    EXIT_SETTINGS);
	assert_said(&run, "ListenStream");
	close(fd);
}

/* A descriptor that is promised and not there, or no listener, is refused. */
static void test_inherited_nonsense(void **state)
{
	struct run run;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(ends_with(&run, &(struct wish){.variables = {"LISTEN_FDS=1"}, .inherited = null}),
			 EXIT_SETTINGS);
	assert_int_equal(ends_with(&run, &(struct wish){.variables = {"LISTEN_FDS=99"}}), EXIT_SETTINGS);
	close(null);
}

/* The page's socket is passed by its name, and the relay opens its own. */
static void test_takes_an_inherited_page(void **state)
{
	uint16_t port;
	int fd = listener(&port);
	char variable[64];
	char said[64];
	struct run run;

	(void)state;
	snprintf(variable, sizeof(variable), "DUSK_RELAY_METRICS=%u", port);
	snprintf(said, sizeof(said), "metrics: /metrics and /healthz on port %u", port);
	start(&run, &(struct wish){.variables = {"LISTEN_FDS=1", "LISTEN_FDNAMES=metrics", variable,
						 "DUSK_RELAY_PORT=0", "RUST_LOG=info"},
				   .inherited = fd});
	assert_true(says(&run, said));
	assert_int_equal(stop(&run), EXIT_DRAINED);
	assert_int_equal(
	    ends_with(&run, &(struct wish){.variables = {"LISTEN_FDS=1", "LISTEN_FDNAMES=metric"},
					   .inherited = fd}),
	    EXIT_SETTINGS);
	assert_said(&run, "FileDescriptorName=");
	close(fd);
}

static void test_sockets_of_another_process(void **state)
{
	struct run run;

	(void)state;
	/* become() sets LISTEN_PID right; a second one is ignored, so this one is given by an empty count. */
	start(&run, &(struct wish){.variables = {"LISTEN_FDS=x", "DUSK_RELAY_PORT=0"}});
	assert_true(says(&run, "confinement"));
	assert_int_equal(stop(&run), EXIT_DRAINED);
}

static void test_reports(void **state)
{
	struct run run;

	(void)state;
	start(&run, &(struct wish){.variables = {"DUSK_RELAY_PORT=0"}});
	assert_true(says(&run, "confinement"));
	kill(run.pid, SIGUSR1);
	assert_true(says(&run, "counters end"));
	assert_said(&run, "counter dusk_relay_key_operations_total{operation=\"hello\"} 1");
	assert_int_equal(stop(&run), EXIT_DRAINED);
	assert_said(&run, "SIGTERM: closing connections");
}

static void test_lives_without_standard_descriptors(void **state)
{
	struct run run;
	char path[64];
	struct stat status;

	(void)state;
	start(&run, &(struct wish){.variables = {"DUSK_RELAY_PORT=0"}, .without_std = true});
	/* Nothing is said: its signal descriptor shows that it got as far as serving. */
	snprintf(path, sizeof(path), "/proc/%d/fd/2", run.pid);
	for (int i = 0; i < 100 && stat(path, &status) != 0 && errno == ENOENT; i++)
		usleep(10000);
	usleep(500000);
	assert_int_equal(stop(&run), EXIT_DRAINED);
}

static void test_port_zero_prints_the_real_one(void **state)
{
	struct run run;

	(void)state;
	start(&run, &(struct wish){
			.variables = {"DUSK_RELAY_PORT=0", "DUSK_RELAY_EXTERNAL_ADDR=relay.example.org"}});
	assert_true(says(&run, "confinement"));
	assert_null(strstr(run.said, "/tcp/0/"));
	char *at = strstr(run.said, "relay address: /ip4/0.0.0.0/tcp/");
	assert_non_null(at);
	char external[64];
	snprintf(external, sizeof(external), "external address: /dns4/relay.example.org/tcp/%d/p2p/",
		 atoi(at + 32));
	assert_said(&run, external);
	assert_int_equal(stop(&run), EXIT_DRAINED);
}

static void test_peer_id(void **state)
{
	char variable[5000];
	struct run relay;
	struct run run;

	(void)state;
	start(&relay, &(struct wish){.variables = {"DUSK_RELAY_PORT=0"}});
	assert_true(says(&relay, "confinement"));
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"peer-id"}}), EXIT_DRAINED);
	assert_int_equal(strlen(run.said), 53);
	assert_said(&relay, run.said + 40);
	assert_int_equal(stop(&relay), EXIT_DRAINED);
	snprintf(variable, sizeof(variable), "XDG_DATA_HOME=%s/nothing", home);
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"peer-id"}, .variables = {variable}}),
			 EXIT_SETTINGS);
}

static void test_commands(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"version"}}), EXIT_DRAINED);
	assert_said(&run, "libsodium ");
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"--help"}}), EXIT_DRAINED);
	assert_said(&run, "DUSK_RELAY_EXTERNAL_ADDR");
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"check", "--relay-port", "0"}}),
			 EXIT_DRAINED);
	assert_said(&run, "ok    confinement: ");
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"check", "--relay-port", "0"},
							.variables = {"DUSK_RELAY_METRICS=127.0.0.1:0"}}),
			 EXIT_DRAINED);
	assert_said(&run, "ok    DUSK_RELAY_METRICS: 1 sockets on port ");
	assert_said(&run, "/libexec/dusk-relay/metrics");
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"nonsense"}}), EXIT_USAGE);
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"--nonsense"}}), EXIT_USAGE);
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"health", "--relay-port", "0"}}),
			 EXIT_SETTINGS);
	assert_int_equal(ends_with(&run, &(struct wish){.arguments = {"health", "--relay-port", "1"}}),
			 EXIT_FAILED);
	assert_int_equal(ends_with(&run, &(struct wish){.variables = {"DUSK_RELAY_METRICS=nowhere"}}),
			 EXIT_SETTINGS);
}

static void copy_file(const char *from, const char *to, mode_t mode)
{
	static char bytes[1 << 20];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	ssize_t len;

	assert_true(in >= 0 && out >= 0);
	while ((len = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)len), len);
	assert_int_equal(fchmod(out, mode), 0);
	close(in);
	close(out);
}

static void copy_tree(char *folder, mode_t netproc_mode)
{
	static const char *const programs[] = {"bin/dusk-relay", "libexec/dusk-relay/keyproc",
					       "libexec/dusk-relay/netproc"};
	static const char *const folders[] = {"bin", "libexec", "libexec/dusk-relay"};
	char from[5000];
	char to[5000];

	for (size_t i = 0; i < 3; i++) {
		snprintf(to, sizeof(to), "%s/%s", folder, folders[i]);
		assert_true(mkdir(to, 0755) == 0 || errno == EEXIST);
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(from, sizeof(from), "%s/%s", top, programs[i]);
		snprintf(to, sizeof(to), "%s/%s", folder, programs[i]);
		unlink(to);
		copy_file(from, to, i == 2 ? netproc_mode : 0755);
	}
}

/* Programs that others can write, or that are not there, are not started. */
static void test_programs_are_checked(void **state)
{
	char folder[64];
	char path[128];
	struct run run;
	const struct wish wish = {.variables = {"DUSK_RELAY_PORT=0"}, .top = folder};

	(void)state;
	snprintf(folder, sizeof(folder), "%s/tree", home);
	assert_int_equal(mkdir(folder, 0755), 0);
	copy_tree(folder, 0775);
	assert_int_equal(ends_with(&run, &wish), EXIT_FAILED);
	assert_said(&run, "chmod go-w");
	copy_tree(folder, 0757);
	assert_int_equal(ends_with(&run, &wish), EXIT_FAILED);
	assert_said(&run, "chmod go-w");
	snprintf(path, sizeof(path), "%s/libexec/dusk-relay/netproc", folder);
	if (geteuid() == 0) {
		copy_tree(folder, 0755);
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(ends_with(&run, &wish), EXIT_FAILED);
		assert_said(&run, "belongs to neither");
	}
	unlink(path);
	assert_int_equal(ends_with(&run, &wish), EXIT_FAILED);
	assert_int_equal(mkfifo(path, 0700), 0);
	assert_int_equal(ends_with(&run, &wish), EXIT_FAILED);
	assert_said(&run, "regular file");
	unlink(path);
	copy_file("/dev/null", path, 0755);
	assert_int_equal(ends_with(&run, &wish), EXIT_FAILED);
	assert_said(&run, "could not be started");
}

/* <build>/tests/unit/test_parent_run -> <build> */
static int set_up(void **state)
{
	struct stat status;
	char program[5000];
	ssize_t len = readlink("/proc/self/exe", top, sizeof(top) - 1);

	(void)state;
	top[len > 0 ? len : 0] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(top, '/') = '\0';
	signal(SIGPIPE, SIG_IGN);
	snprintf(program, sizeof(program), "%s/bin/dusk-relay", top);
	return stat(program, &status) == 0 && mkdtemp(home) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", home);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_notifies),
	    cmocka_unit_test(test_takes_an_inherited_socket),
	    cmocka_unit_test(test_takes_an_inherited_page),
	    cmocka_unit_test(test_inherited_port_must_be_ours),
	    cmocka_unit_test(test_inherited_nonsense),
	    cmocka_unit_test(test_sockets_of_another_process),
	    cmocka_unit_test(test_reports),
	    cmocka_unit_test(test_lives_without_standard_descriptors),
	    cmocka_unit_test(test_port_zero_prints_the_real_one),
	    cmocka_unit_test(test_peer_id),
	    cmocka_unit_test(test_commands),
	    cmocka_unit_test(test_programs_are_checked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
