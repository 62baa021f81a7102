/* SPDX-License-Identifier: MIT
 *
 * Which child the parent's last line names when several end at once: the one whose end is the cause, however
 * late it is seen. Real processes stand for the children. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "parent/exit.h"
#include "parent/parent.h"

#define LATE 800000 /* microseconds: more than the verdict on a child that has ended waits for another */

static struct parent parent;
static sigset_t child_signal;

static int set_up(void **state)
{
	static const char *const names[] = {"keyproc", "netproc", "metrics"};

	(void)state;
	memset(&parent, 0, sizeof(parent));
	logger_init(&parent.log, -1, LOG_LEVEL_TRACE);
	parent.notify.fd = -1;
	parent.next_ping = UINT64_MAX;
	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_signal, NULL);
	parent.signal_fd = signalfd(-1, &child_signal, SFD_NONBLOCK | SFD_CLOEXEC);
	assert_true(parent.signal_fd >= 0);
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		parent.child[i].name = names[i];
		parent.child[i].channel.fd = -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		if (parent.child[i].open)
			close(parent.child[i].channel.fd);
		if (parent.child[i].pid > 0) {
			kill(parent.child[i].pid, SIGKILL);
			waitpid(parent.child[i].pid, NULL, 0);
		}
	}
	close(parent.signal_fd);
	return 0;
}

/* A ready child that closes its channel now and is killed after so long, or ends with a status. */
static void start(enum parent_child_index index, enum imsg_process process, unsigned microseconds, int status)
{
	struct parent_child *child = &parent.child[index];
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	handlers_init(&parent, child, pair[0], process);
	child->ready = true;
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid == 0) {
		for (int i = 0; i < PARENT_CHILDREN; i++) {
			if (parent.child[i].open)
				close(parent.child[i].channel.fd);
		}
		close(pair[1]);
		usleep(microseconds);
		if (status >= 0)
			_exit(status);
		raise(SIGKILL);
	}
	close(pair[1]);
}

static bool never(const struct parent *unused)
{
	(void)unused;
	return false;
}

static void expect_end(const char *words)
{
	loop_run(&parent, never);
	assert_int_equal(parent.status, EXIT_FAILED);
	if (strstr(parent.last_words, words) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", parent.last_words, words);
}

/* The first process of a namespace is seen to end after those that its end has killed. */
static void test_keyproc_killed_is_seen_last(void **state)
{
	(void)state;
	start(PARENT_KEYPROC, IMSG_PROCESS_KEYPROC, LATE, -1);
	start(PARENT_NETPROC, IMSG_PROCESS_NETPROC, 0, -1);
	start(PARENT_METRICS, IMSG_PROCESS_METRICS, 0, -1);
	expect_end("keyproc was killed from outside");
}

/* netproc killed: keyproc sees the end of their channel and lives on; it must not be blamed. */
static void test_netproc_killed(void **state)
{
	(void)state;
	start(PARENT_NETPROC, IMSG_PROCESS_NETPROC, 0, -1);
	expect_end("netproc was killed from outside");
}

static void test_netproc_ends_behind_keyproc(void **state)
{
	(void)state;
	start(PARENT_KEYPROC, IMSG_PROCESS_KEYPROC, 200000, -1);
	start(PARENT_NETPROC, IMSG_PROCESS_NETPROC, 0, 1);
	expect_end("keyproc was killed from outside");
}

/* A closed channel whose process goes on is a cause too, after a while. */
static void test_channel_closed(void **state)
{
	(void)state;
	start(PARENT_METRICS, IMSG_PROCESS_METRICS, 30000000, -1);
	expect_end("metrics closed its channel and did not end");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_keyproc_killed_is_seen_last),
	    TEST(test_netproc_killed),
	    TEST(test_netproc_ends_behind_keyproc),
	    TEST(test_channel_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
