/* SPDX-License-Identifier: MIT
 *
 * Registrations over time: restarts, ends of reservations, ends of lives; and rendezvous with the privacy
 * guard off.
 */
#include "tests/e2e/rendezvous_peer.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char *const guard_off[] = {"DUSK_PRIVACY_GUARD=0", "DUSK_MIN_REGISTRATION_TTL=1", NULL};

static void started(const char *const *settings)
{
	if (daemon_start(&relay, settings) != 0)
		fixture_fail(__FILE__, __LINE__, "the daemon's start", relay.error);
}

static size_t found(struct client *c, const char *ns)
{
	struct rendezvous_result result;
	size_t count;

	rendezvous_discover(c, ns, &result);
	count = result.count;
	rendezvous_result_free(&result);
	return count;
}

/* Until `ns` has this many records; -1 when it takes longer. */
static int wait_found(struct client *c, const char *ns, size_t wanted, int timeout_ms)
{
	int64_t end = client_now() + timeout_ms;

	while (found(c, ns) != wanted) {
		if (client_now() > end)
			return client_fail(c, "the namespace did not come to %zu records in time", wanted);
		client_turn(&c, 1, 50);
	}
	return 0;
}

/* A cookie from before a restart means from the start: nobody is missed. */
static void test_cookie_of_an_earlier_life(void **state)
{
	struct rendezvous_result before;
	struct rendezvous_result after;
	struct client c;

	(void)state;
	started(NULL);
	rendezvous_join(&c, "restart", ENVELOPE_RECORD);
	rendezvous_discover(&c, "restart", &before);
	EXPECT_STATUS(1, (int)before.count);
	client_free(&c);
	EXPECT(&relay, daemon_stop(&relay));
	started(NULL);
	rendezvous_join(&c, "restart", ENVELOPE_RECORD);
	EXPECT(&c, ask_discover(&c, "restart", 0, before.cookie, before.cookie_len, &after));
	EXPECT_STATUS(RENDEZVOUS_OK, after.status);
	EXPECT_STATUS(1, (int)after.count);
	rendezvous_result_free(&before);
	rendezvous_result_free(&after);
	client_free(&c);
	EXPECT(&relay, daemon_stop(&relay));
}

static void test_guard_off_takes_any_address(void **state)
{
	struct rendezvous_result result;
	struct multiaddr a;
	struct record r;
	struct span addr;
	struct client c;

	(void)state;
	started(guard_off);
	fixture_connect(&c);
	EXPECT_STATUS(0, multiaddr_from_text(&a, "/ip4/203.0.113.7/tcp/4001"));
	addr = (struct span){a.bytes, a.len};
	rendezvous_record_of(&r, &c, ENVELOPE_RECORD, &addr, 1);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, "open", &r, 0));
	EXPECT_STATUS(1, (int)found(&c, "open"));
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, "open too", &r, 0));
	EXPECT(&c, ask_discover(&c, NULL, 0, NULL, 0, &result)); /* all namespaces */
	EXPECT_STATUS(RENDEZVOUS_OK, result.status);
	EXPECT_STATUS(2, (int)result.count);
	rendezvous_result_free(&result);
	client_free(&c);
	EXPECT(&relay, daemon_stop(&relay));
}

static void test_a_registration_ends_with_its_time(void **state)
{
	struct multiaddr a;
	struct record r;
	struct span addr;
	struct client c;

	(void)state;
	started(guard_off);
	fixture_connect(&c);
	EXPECT_STATUS(0, multiaddr_from_text(&a, "/ip4/203.0.113.7/tcp/4001"));
	addr = (struct span){a.bytes, a.len};
	rendezvous_record_of(&r, &c, ENVELOPE_RECORD, &addr, 1);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, "short", &r, 2));
	EXPECT_STATUS(1, (int)found(&c, "short"));
	EXPECT(&c, wait_found(&c, "short", 0, 5000));
	EXPECT(&relay, daemon_expect(&relay, "registration expired for namespace 'short'", 2000));
	client_free(&c);
	EXPECT(&relay, daemon_stop(&relay));
}

/* Circuit addresses are of use only while the reservation lives: 60 s after its end they go, and a return
 * within that time keeps them. */
static void test_registrations_go_with_the_reservation(void **state)
{
	struct relay_answer answer;
	struct client watcher;
	struct client c;
	struct client again;
	struct record r;

	(void)state;
	started(NULL);
	fixture_connect(&watcher);
	rendezvous_record(&r, &watcher, ENVELOPE_RECORD, 1);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&watcher, "its own kind", &r, 0));
	fixture_reserve(&c);
	rendezvous_record(&r, &c, ENVELOPE_RECORD, 1);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, "with", &r, 0));
	client_init(&again, PEER_TIMEOUT_MS);
	again.identity = c.identity;
	client_drop(&c, true);
	client_free(&c);
	EXPECT_STATUS(1, (int)found(&watcher, "with")); /* grace */
	EXPECT(&again, peer_open_as(&again, relay.port));
	EXPECT(&again, ask_reserve(&again, true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	if (fixture_slow("registrations end 60 s after the reservation")) {
		EXPECT_STATUS(-1, wait_found(&watcher, "with", 0, 70000)); /* kept by the return */
		client_drop(&again, true);
		EXPECT(&watcher, wait_found(&watcher, "with", 0, 75000));
	}
	client_free(&again);
	client_free(&watcher);
	EXPECT(&relay, daemon_stop(&relay));
}

static void test_rendezvous_off(void **state)
{
	static const char *const off[] = {"DUSK_RENDEZVOUS=0", NULL};
	static struct identify_answer a;
	struct exchange x;
	struct client c;

	(void)state;
	started(off);
	fixture_connect(&c);
	EXPECT(&c, ask_identify(&c, &a));
	EXPECT_TRUE(!identify_answer_lists(&a, RENDEZVOUS_PROTOCOL));
	EXPECT_STATUS(-1, client_open(&c, &x, RENDEZVOUS_PROTOCOL));
	EXPECT_STATUS(EXCHANGE_REFUSED, (int)x.state);
	exchange_close(&x);
	client_free(&c);
	EXPECT(&relay, daemon_stop(&relay));
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

static int test_end(void **state)
{
	(void)state;
	if (relay.pid > 0)
		daemon_stop(&relay);
	return 0;
}

#define LIFE_TEST(function) cmocka_unit_test_teardown(function, test_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LIFE_TEST(test_cookie_of_an_earlier_life),
	    LIFE_TEST(test_guard_off_takes_any_address),
	    LIFE_TEST(test_a_registration_ends_with_its_time),
	    LIFE_TEST(test_registrations_go_with_the_reservation),
	    LIFE_TEST(test_rendezvous_off),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
