/* SPDX-License-Identifier: MIT
 *
 * A daemon whose time of day steps back an hour and then forward two, while peers have a reservation, a
 * registration, a circuit and a connection: all go on, what is new is granted, and nobody is taken for
 * hanging. Runs against the programs of clock_step.c.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/pair.h"
#include "tests/e2e/rendezvous_peer.h"

#define STEP	    3600
#define PATIENCE_MS 60000
#define WATCHDOG_MS 22000 /* longer than three unanswered pings */
#define NEAR	    120	  /* seconds */

/* What the relay's clock is ahead of ours, from the end of a reservation made now. */
static int64_t ahead(struct client *c)
{
	struct relay_answer a;

	EXPECT(c, ask_reserve(c, true, &a));
	EXPECT_STATUS(CIRCUIT_OK, a.status);
	return (int64_t)a.expire - 3600 - (int64_t)time(NULL);
}

static bool is_near(int64_t seconds, int64_t wanted)
{
	return seconds > wanted - NEAR && seconds < wanted + NEAR;
}

static void wait_step(struct client *c, int64_t wanted)
{
	int64_t end = client_now() + PATIENCE_MS;

	while (!is_near(ahead(c), wanted)) {
		EXPECT_TRUE(client_now() < end);
		client_turn(&c, 1, 1000);
	}
}

/* The circuit carries bytes both ways, its two ends answer, and the registration is found. */
static void all_goes_on(struct pair *p)
{
	struct rendezvous_result result;

	exchange_write(&p->x, "there", 5);
	pair_read(p, p->y, "there", 5);
	exchange_write(p->y, "back", 4);
	pair_read(p, &p->x, "back", 4);
	EXPECT(&p->a, ask_ping(&p->a, 1));
	EXPECT(&p->b, ask_ping(&p->b, 1));
	rendezvous_discover(&p->b, "clock", &result);
	EXPECT_STATUS(1, (int)result.count);
	EXPECT_TRUE(rendezvous_count_of(&result, &p->b) == 1);
	rendezvous_result_free(&result);
}

/* A stranger gets in, reserves, and a circuit to the one that reserved before. */
static void the_new_get_in(struct pair *p)
{
	struct exchange x;
	struct client c;

	fixture_reserve(&c);
	struct exchange *y = fixture_circuit(&c, &p->b, &x);

	fixture_end_circuit(&x, y);
	client_free(&c);
}

static void test_the_clock_steps(void **state)
{
	struct record r;
	struct pair p;
	struct client asker;

	(void)state;
	fixture_start(NULL);
	pair_open(&p);
	rendezvous_record(&r, &p.b, ENVELOPE_RECORD, 1700000000);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&p.b, "clock", &r, 0));
	fixture_connect(&asker);
	EXPECT_TRUE(is_near(ahead(&asker), 0));
	all_goes_on(&p);
	for (int64_t step = -STEP; step <= STEP; step += 2 * STEP) {
		wait_step(&asker, step);
		all_goes_on(&p);
		the_new_get_in(&p);
		print_message("the relay's clock is %lld s ahead\n", (long long)step);
	}
	int64_t end = client_now() + WATCHDOG_MS;

	while (client_now() < end) {
		client_turn((struct client *[]){&asker}, 1, 1000);
		all_goes_on(&p);
	}
	client_free(&asker);
	pair_close(&p);
	fixture_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {E2E_BARE_TEST(test_the_clock_steps)};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
