/* SPDX-License-Identifier: MIT
 *
 * How the daemon ends: drains, signals, and starts again on the same port.
 */
#include "tests/e2e/fixture.h"

#include <signal.h>
#include <sodium.h>

static void started(const char *const *settings)
{
	if (daemon_start(&relay, settings) != 0)
		fixture_fail(__FILE__, __LINE__, "the daemon's start", relay.error);
}

static void stopped(void)
{
	EXPECT(&relay, daemon_stop(&relay));
}

static void test_sigterm_drains(void **state)
{
	struct client c;

	(void)state;
	started(NULL);
	fixture_connect(&c);
	daemon_signal(&relay, SIGTERM);
	EXPECT(&c, client_wait_end(&c, 4000));
	EXPECT_STATUS(1, (int)c.go_aways);
	EXPECT_STATUS(0, (int)c.go_away_code);
	EXPECT(&relay, daemon_wait(&relay, 5000));
	EXPECT_STATUS(0, relay.exit_code);
	client_free(&c);
}

static void test_sigint_drains_too(void **state)
{
	(void)state;
	started(NULL);
	daemon_signal(&relay, SIGINT);
	EXPECT(&relay, daemon_wait(&relay, 5000));
	EXPECT_STATUS(0, relay.exit_code);
}

/* A peer that reads nothing holds the drain for its time and no longer. */
static void test_drain_with_a_peer_that_does_not_read(void **state)
{
	int64_t start;
	struct client c;

	(void)state;
	started(NULL);
	fixture_connect(&c);
	c.deaf = true;
	start = client_now();
	daemon_signal(&relay, SIGTERM);
	EXPECT(&relay, daemon_wait(&relay, 5000));
	EXPECT_STATUS(0, relay.exit_code);
	EXPECT_TRUE(client_now() - start < 4000);
	client_free(&c);
}

static void test_second_sigterm_ends_at_once(void **state)
{
	static const char *const settings[] = {"DUSK_RELAY_DRAIN=30", NULL};
	int64_t start;
	struct client c;

	(void)state;
	started(settings);
	fixture_connect(&c);
	c.deaf = true;
	daemon_signal(&relay, SIGTERM);
	EXPECT(&relay, daemon_expect(&relay, "", 1000));
	start = client_now();
	daemon_signal(&relay, SIGTERM);
	EXPECT(&relay, daemon_wait(&relay, 5000));
	EXPECT_TRUE(client_now() - start < 2500);
	client_free(&c);
}

/* SIGUSR1 reports and changes nothing; signals that mean nothing do nothing. */
static void test_other_signals(void **state)
{
	struct client c;

	(void)state;
	started(NULL);
	fixture_connect(&c);
	daemon_signal(&relay, SIGHUP);
	daemon_signal(&relay, SIGUSR2);
	EXPECT_STATUS(1, (int)daemon_counter(&relay, "dusk_relay_connections"));
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
	stopped();
}

static void test_connections_after_a_restart(void **state)
{
	struct client c;

	(void)state;
	for (int i = 0; i < 3; i++) {
		started(NULL);
		fixture_connect(&c);
		EXPECT(&c, ask_ping(&c, 1));
		stopped(); /* with a connection open: the next start must get the port all the same */
		client_free(&c);
	}
}

static int group_begin(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return sodium_init() < 0 || daemon_prepare(&relay) != 0 ? -1 : 0;
}

static int group_end(void **state)
{
	(void)state;
	daemon_remove(&relay);
	return 0;
}

/* A test that failed half-way leaves no daemon to the next one. */
static int test_end(void **state)
{
	(void)state;
	if (relay.pid > 0)
		daemon_stop(&relay);
	return 0;
}

#define START_TEST(function) cmocka_unit_test_teardown(function, test_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    START_TEST(test_sigterm_drains),
	    START_TEST(test_sigint_drains_too),
	    START_TEST(test_drain_with_a_peer_that_does_not_read),
	    START_TEST(test_second_sigterm_ends_at_once),
	    START_TEST(test_other_signals),
	    START_TEST(test_connections_after_a_restart),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
