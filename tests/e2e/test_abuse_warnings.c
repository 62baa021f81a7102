/* SPDX-License-Identifier: MIT
 *
 * Refusals: each limit warns by itself, at once, names the setting that lifts it, and not again within its
 * minute; then it says how often.
 */
#include "tests/e2e/fixture.h"

#include <stdlib.h>

#define REFUSALS 12

static const char *const settings[] = {"DUSK_MAX_RESERVATIONS=2",      "DUSK_MAX_CIRCUITS_PER_PAIR=1",
				       "DUSK_MAX_CIRCUITS_PER_PEER=2", "DUSK_CONNECT_RATE_PER_PEER=8",
				       "DUSK_RESERVE_RATE_PER_PEER=6", NULL};

static int connect_status(struct client *from, struct client *to)
{
	struct client *both[] = {from, to};
	struct relay_answer answer;
	struct exchange x;

	EXPECT(from, ask_connect(from, &x, &to->identity.id, both, 2, &answer));
	exchange_close(&x);
	return answer.status;
}

static int reserve_status(struct client *c)
{
	struct relay_answer answer;

	EXPECT(c, ask_reserve(c, true, &answer));
	return answer.status;
}

/* At once, and once, whatever else was said. */
static void expect_one(const char *line)
{
	EXPECT(&relay, daemon_expect(&relay, line, 5000));
	relay.mark = 0;
	EXPECT_STATUS(1, (int)daemon_count(&relay, line));
}

static void test_reservations(void **state)
{
	struct client holder;
	struct client c;

	(void)state;
	fixture_reserve(&holder);
	for (int i = 0; i < REFUSALS; i++) {
		fixture_connect(&c);
		EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, reserve_status(&c));
		client_free(&c);
	}
	expect_one("reservation refused: limit 2 reached; DUSK_MAX_RESERVATIONS lifts it");
	client_free(&holder);
}

/* The same event as the one below: neither hides the other. */
static void test_circuits_of_a_pair(void **state)
{
	struct exchange x;
	struct exchange *y;
	struct client a;
	struct client b;

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	y = fixture_circuit(&a, &b, &x);
	for (int i = 0; i < 4; i++)
		EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, connect_status(&a, &b));
	expect_one("circuit refused: limit 1 reached; DUSK_MAX_CIRCUITS_PER_PAIR lifts it");
	fixture_end_circuit(&x, y);
	client_free(&a);
	client_free(&b);
}

static void test_circuits_of_a_peer(void **state)
{
	struct exchange x[2];
	struct exchange *y[2];
	struct client a[3];
	struct client b;

	(void)state;
	fixture_reserve(&b);
	for (size_t i = 0; i < 3; i++)
		fixture_connect(&a[i]);
	for (size_t i = 0; i < 2; i++)
		y[i] = fixture_circuit(&a[i], &b, &x[i]);
	for (int i = 0; i < 4; i++)
		EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, connect_status(&a[2], &b));
	expect_one("circuit refused: limit 2 reached; DUSK_MAX_CIRCUITS_PER_PEER lifts it");
	for (size_t i = 0; i < 2; i++)
		fixture_end_circuit(&x[i], y[i]);
	for (size_t i = 0; i < 3; i++)
		client_free(&a[i]);
	client_free(&b);
}

static void test_rates(void **state)
{
	struct client a;
	struct client b;

	(void)state;
	fixture_connect(&a);
	fixture_connect(&b);
	for (int i = 0; i < REFUSALS; i++)
		connect_status(&a, &b);
	EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, connect_status(&a, &b));
	expect_one("request refused: rate 8 reached; DUSK_CONNECT_RATE_PER_PEER lifts it");
	for (int i = 0; i < REFUSALS; i++)
		reserve_status(&b);
	EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, reserve_status(&b));
	expect_one("request refused: rate 6 reached; DUSK_RESERVE_RATE_PER_PEER lifts it");
	client_free(&a);
	client_free(&b);
}

/* A minute after the first refusal of each kind. */
static void test_how_often(void **state)
{
	(void)state;
	if (!fixture_slow("a minute until refusals are summed up"))
		return;
	relay.mark = 0;
	EXPECT(&relay,
	       daemon_expect(
		   &relay,
		   "reservation refused: 11 more times in the last minute; DUSK_MAX_RESERVATIONS lifts it",
		   75000));
	EXPECT(&relay,
	       daemon_expect(
		   &relay,
		   "circuit refused: 3 more times in the last minute; DUSK_MAX_CIRCUITS_PER_PAIR lifts it",
		   15000));
	EXPECT(&relay,
	       daemon_expect(
		   &relay,
		   "circuit refused: 3 more times in the last minute; DUSK_MAX_CIRCUITS_PER_PEER lifts it",
		   15000));
	EXPECT(&relay,
	       daemon_expect(
		   &relay,
		   "request refused: 4 more times in the last minute; DUSK_CONNECT_RATE_PER_PEER lifts it",
		   15000));
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_reservations), E2E_TEST(test_circuits_of_a_pair), E2E_TEST(test_circuits_of_a_peer),
	    E2E_TEST(test_rates),	 E2E_TEST(test_how_often),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
