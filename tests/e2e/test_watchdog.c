/* SPDX-License-Identifier: MIT
 *
 * A process of the daemon that hangs ends all of it, with a last line that says so in plain words.
 */
#include "tests/e2e/fixture.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WATCHDOG_MS 60000 /* a busy machine's fifteen seconds and the end of all */
#define SHORT_MS    4000
#define REPORT_MS   1500 /* from one question for the counters to the next that is taken up */

struct child {
	const char *name;
	pid_t pid;
	int watch; /* readable once it has ended */
};

static struct child netproc = {.name = "netproc"};
static struct child keyproc = {.name = "keyproc"};

static void find(struct child *child)
{
	child->pid = daemon_child(&relay, child->name);
	EXPECT_TRUE(child->pid > 0);
	child->watch = (int)syscall(SYS_pidfd_open, child->pid, 0);
	EXPECT_TRUE(child->watch >= 0);
}

static void expect_gone(struct child *child)
{
	struct pollfd end = {.fd = child->watch, .events = POLLIN};

	/* keyproc of root mode has a user of its own, whom nobody but root can signal: it ends once it goes
	 * on. */
	kill(child->pid, SIGCONT);
	if (poll(&end, 1, 10000) != 1)
		fixture_fail(__FILE__, __LINE__, child->name, "is left");
	close(child->watch);
}

static void expect_last_line(const char *child)
{
	char words[100];
	const char *tail = daemon_tail(&relay);
	const char *last;

	snprintf(words, sizeof(words), "%s has not answered for 15 seconds: it hangs; all stops\n", child);
	last = strstr(tail, words);
	if (!last || last[strlen(words)] != '\0')
		fixture_fail(__FILE__, __LINE__, words, "is not the end of the log");
}

static void hangs(struct child *child)
{
	struct client c;

	fixture_start(NULL);
	fixture_connect(&c);
	find(&netproc);
	find(&keyproc);
	EXPECT_STATUS(0, kill(child->pid, SIGSTOP));
	EXPECT(&relay, daemon_wait(&relay, daemon_patience(WATCHDOG_MS)));
	EXPECT_STATUS(1, relay.exit_code);
	expect_last_line(child->name);
	expect_gone(&netproc);
	expect_gone(&keyproc);
	EXPECT(&c, client_wait_end(&c, PEER_TIMEOUT_MS));
	client_free(&c);
}

static void test_netproc_hangs(void **state)
{
	(void)state;
	hangs(&netproc);
}

static void test_keyproc_hangs(void **state)
{
	(void)state;
	hangs(&keyproc);
}

static void test_a_short_stop_is_forgiven(void **state)
{
	struct client c;

	(void)state;
	fixture_start(NULL);
	fixture_connect(&c);
	find(&netproc);
	find(&keyproc);
	kill(netproc.pid, SIGSTOP);
	kill(keyproc.pid, SIGSTOP);
	EXPECT_TRUE(daemon_wait(&relay, SHORT_MS) != 0);
	kill(netproc.pid, SIGCONT);
	kill(keyproc.pid, SIGCONT);
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
	fixture_connect(&c);
	client_free(&c);
	fixture_stop();
	expect_gone(&netproc);
	expect_gone(&keyproc);
}

/* Who asks for the counters again and again while a process is slow gets them late, and once. */
static void test_reports_of_a_slow_process(void **state)
{
	(void)state;
	fixture_start(NULL);
	find(&netproc);
	find(&keyproc);
	kill(netproc.pid, SIGSTOP);
	kill(keyproc.pid, SIGSTOP);
	for (int i = 0; i < 3; i++) {
		EXPECT_STATUS(0, daemon_signal(&relay, SIGUSR1));
		EXPECT_TRUE(daemon_wait(&relay, REPORT_MS) != 0);
	}
	kill(netproc.pid, SIGCONT);
	kill(keyproc.pid, SIGCONT);
	EXPECT_TRUE(daemon_counter(&relay, "dusk_relay_connections") == 0);
	EXPECT_TRUE(daemon_counter(&relay, "dusk_relay_connections") == 0);
	fixture_stop();
	expect_gone(&netproc);
	expect_gone(&keyproc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_netproc_hangs),
	    E2E_BARE_TEST(test_keyproc_hangs),
	    E2E_BARE_TEST(test_a_short_stop_is_forgiven),
	    E2E_BARE_TEST(test_reports_of_a_slow_process),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
