/* SPDX-License-Identifier: MIT
 *
 * How the daemon ends: drains, signals, and starts again on the same port.
 */
#include "tests/e2e/fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CIRCUITS 48 /* windows in all above what sockets take, so that some wait inside the relay */

/* The daemon itself, and not what stands for it: to see when it ends. */
static int watch_daemon(void)
{
	int watch = (int)syscall(SYS_pidfd_open, daemon_parent(&relay), 0);

	EXPECT_TRUE(watch >= 0);
	return watch;
}

static void expect_end_within(int watch, int ms)
{
	struct pollfd end = {.fd = watch, .events = POLLIN};
	int ended = poll(&end, 1, ms);

	close(watch);
	EXPECT_TRUE(ended == 1);
}

struct waiting {
	struct client a;
	struct client b;
	struct exchange x[CIRCUITS];
};

static struct waiting waiting;

/* A peer that reads nothing, and bytes for it that the relay cannot get rid of. */
static void waiting_begin(struct waiting *w)
{
	static const uint8_t window[YAMUX_WINDOW - 1024];

	fixture_connect(&w->a);
	fixture_reserve(&w->b);
	for (size_t i = 0; i < CIRCUITS; i++)
		fixture_circuit(&w->a, &w->b, &w->x[i]);
	w->b.deaf = true;
	for (size_t i = 0; i < CIRCUITS; i++)
		EXPECT(&w->a, client_write(&w->a, &w->x[i], window, sizeof(window)));
	EXPECT(&w->a, client_yamux_ping(&w->a, 5)); /* the relay has all of it */
}

static void waiting_end(struct waiting *w)
{
	client_free(&w->a);
	client_free(&w->b);
}

static void test_sigterm_drains(void **state)
{
	struct client c;

	(void)state;
	fixture_start(NULL);
	fixture_connect(&c);
	daemon_signal(&relay, SIGTERM);
	EXPECT(&c, client_wait_end(&c, 4000));
	EXPECT_STATUS(1, (int)c.go_aways);
	EXPECT_STATUS(0, (int)c.go_away_code);
	EXPECT(&relay, daemon_wait(&relay, daemon_patience(5000)));
	EXPECT_STATUS(0, relay.exit_code);
	client_free(&c);
}

static void test_sigint_drains_too(void **state)
{
	(void)state;
	fixture_start(NULL);
	daemon_signal(&relay, SIGINT);
	EXPECT(&relay, daemon_wait(&relay, daemon_patience(5000)));
	EXPECT_STATUS(0, relay.exit_code);
}

/* A peer that reads nothing holds the drain for its time and no longer. */
static void test_drain_with_a_peer_that_does_not_read(void **state)
{
	static const char *const settings[] = {"DUSK_MAX_CIRCUITS_PER_PAIR=64", NULL};
	int watch;

	(void)state;
	fixture_start(settings);
	waiting_begin(&waiting);
	watch = watch_daemon();
	daemon_signal(&relay, SIGTERM);
	EXPECT_TRUE(daemon_wait(&relay, 1500) != 0);
	expect_end_within(watch, 4000);
	EXPECT(&relay, daemon_wait(&relay, daemon_patience(5000)));
	EXPECT_STATUS(0, relay.exit_code);
	waiting_end(&waiting);
}

static void test_second_sigterm_ends_at_once(void **state)
{
	static const char *const settings[] = {"DUSK_RELAY_DRAIN=30", "DUSK_MAX_CIRCUITS_PER_PAIR=64", NULL};
	int watch;

	(void)state;
	fixture_start(settings);
	waiting_begin(&waiting);
	watch = watch_daemon();
	daemon_signal(&relay, SIGTERM);
	EXPECT_TRUE(daemon_wait(&relay, 3000) != 0);
	daemon_signal(&relay, SIGTERM);
	expect_end_within(watch, 2500);
	EXPECT(&relay, daemon_wait(&relay, daemon_patience(5000)));
	EXPECT_STATUS(0, relay.exit_code);
	waiting_end(&waiting);
}

/* SIGUSR1 reports and changes nothing; signals that mean nothing do nothing. */
static void test_other_signals(void **state)
{
	struct client c;

	(void)state;
	fixture_start(NULL);
	fixture_connect(&c);
	daemon_signal(&relay, SIGHUP);
	daemon_signal(&relay, SIGUSR2);
	EXPECT_STATUS(1, (int)daemon_counter(&relay, "dusk_relay_connections"));
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
	fixture_stop();
}

static void test_connections_after_a_restart(void **state)
{
	struct client c;

	(void)state;
	for (int i = 0; i < 3; i++) {
		fixture_start(NULL);
		fixture_connect(&c);
		EXPECT(&c, ask_ping(&c, 1));
		fixture_stop(); /* with a connection open: the next start must get the port all the same */
		client_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_sigterm_drains),
	    E2E_BARE_TEST(test_sigint_drains_too),
	    E2E_BARE_TEST(test_drain_with_a_peer_that_does_not_read),
	    E2E_BARE_TEST(test_second_sigterm_ends_at_once),
	    E2E_BARE_TEST(test_other_signals),
	    E2E_BARE_TEST(test_connections_after_a_restart),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
