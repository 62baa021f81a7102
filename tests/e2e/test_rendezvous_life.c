/* SPDX-License-Identifier: MIT
 *
 * Registrations over time: restarts, ends of reservations, ends of lives; and rendezvous with the privacy
 * guard off.
 */
#include "tests/e2e/rendezvous_peer.h"

#include <stdio.h>
#include <string.h>

static const char *const guard_off[] = {"DUSK_PRIVACY_GUARD=0", "DUSK_MIN_REGISTRATION_TTL=1", NULL};

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
	fixture_start(NULL);
	rendezvous_join(&c, "restart", ENVELOPE_RECORD);
	rendezvous_discover(&c, "restart", &before);
	EXPECT_STATUS(1, (int)before.count);
	client_free(&c);
	fixture_stop();
	fixture_start(NULL);
	rendezvous_join(&c, "restart", ENVELOPE_RECORD);
	EXPECT(&c, ask_discover(&c, "restart", 0, before.cookie, before.cookie_len, &after));
	EXPECT_STATUS(RENDEZVOUS_OK, after.status);
	EXPECT_STATUS(1, (int)after.count);
	rendezvous_result_free(&before);
	rendezvous_result_free(&after);
	client_free(&c);
	fixture_stop();
}

static void test_guard_off_takes_any_address(void **state)
{
	struct rendezvous_result result;
	struct record r;
	struct client c;

	(void)state;
	fixture_start(guard_off);
	fixture_connect(&c);
	rendezvous_open_record(&r, &c, ENVELOPE_RECORD);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, "open", &r, 0));
	EXPECT_STATUS(1, (int)found(&c, "open"));
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, "open too", &r, 0));
	EXPECT(&c, ask_discover(&c, NULL, 0, NULL, 0, &result)); /* all namespaces */
	EXPECT_STATUS(RENDEZVOUS_OK, result.status);
	EXPECT_STATUS(2, (int)result.count);
	rendezvous_result_free(&result);
	client_free(&c);
	fixture_stop();
}

static void test_a_registration_ends_with_its_time(void **state)
{
	struct record r;
	struct client c;

	(void)state;
	fixture_start(guard_off);
	fixture_connect(&c);
	rendezvous_open_record(&r, &c, ENVELOPE_RECORD);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, "short", &r, 2));
	EXPECT_STATUS(1, (int)found(&c, "short"));
	EXPECT(&c, wait_found(&c, "short", 0, 5000));
	EXPECT(&relay, daemon_expect(&relay, "registration expired for namespace 'short'", 2000));
	client_free(&c);
	fixture_stop();
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
	fixture_start(NULL);
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
	fixture_stop();
}

static void test_rendezvous_off(void **state)
{
	static const char *const off[] = {"DUSK_RENDEZVOUS=0", NULL};
	static struct identify_answer a;
	struct exchange x;
	struct client c;

	(void)state;
	fixture_start(off);
	fixture_connect(&c);
	EXPECT(&c, ask_identify(&c, &a));
	EXPECT_TRUE(!identify_answer_lists(&a, RENDEZVOUS_PROTOCOL));
	EXPECT_STATUS(-1, client_open(&c, &x, RENDEZVOUS_PROTOCOL));
	EXPECT_STATUS(EXCHANGE_REFUSED, (int)x.state);
	exchange_close(&x);
	client_free(&c);
	fixture_stop();
}

/* A client with many namespaces asks for all of them at once, each on a stream of its own. */
static void test_four_hundred_requests_at_once(void **state)
{
	static struct exchange x[400];
	struct rendezvous_result result = {0};
	struct record r;
	struct client a;

	(void)state;
	fixture_start(NULL); /* under the default rates */
	fixture_connect(&a);
	rendezvous_record(&r, &a, ENVELOPE_RECORD_LEGACY, 1);
	for (size_t i = 0; i < 400; i++) {
		struct rendezvous_request q = {.type = RENDEZVOUS_REGISTER, .has_ns = true};
		char ns[32];

		snprintf(ns, sizeof(ns), "burst/%zu", i / 2);
		q.ns = (struct span){(const uint8_t *)ns, strlen(ns)};
		if (i % 2)
			q.type = RENDEZVOUS_DISCOVER;
		else
			q.record = (struct span){r.bytes, r.len};
		EXPECT_STATUS(0, exchange_open(&x[i], &a.session.mux, RENDEZVOUS_PROTOCOL));
		ask_rendezvous_send(&x[i], &q);
		exchange_finish(&x[i]);
	}
	for (size_t i = 0; i < 400; i++) {
		struct span message;

		EXPECT(&a, client_message(&a, &x[i], RENDEZVOUS_ANSWER_MAX, &message, "one of 400 answers"));
		EXPECT_TRUE(ask_rendezvous_read(&x[i], &result) > 0);
		EXPECT_STATUS(RENDEZVOUS_OK, result.status);
		if (i % 2)
			EXPECT_STATUS(1, (int)result.count);
		exchange_close(&x[i]);
	}
	rendezvous_result_free(&result);
	client_free(&a);
	fixture_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_cookie_of_an_earlier_life),
	    E2E_BARE_TEST(test_guard_off_takes_any_address),
	    E2E_BARE_TEST(test_a_registration_ends_with_its_time),
	    E2E_BARE_TEST(test_registrations_go_with_the_reservation),
	    E2E_BARE_TEST(test_rendezvous_off),
	    E2E_BARE_TEST(test_four_hundred_requests_at_once),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
