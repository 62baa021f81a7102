/* SPDX-License-Identifier: MIT
 *
 * A daemon whose time of day steps back an hour and then forward two, while peers have a reservation, a
 * registration, a circuit and a connection: all go on, what is new is granted, expiries and the log have the
 * new time, nothing expires, and nobody is taken for hanging. Runs against the programs of clock_step.c,
 * which step by themselves; or, with CLOCK_SET, as root on a machine of its own (tests/deploy/machine.sh),
 * whose clock it sets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/pair.h"
#include "tests/e2e/rendezvous_peer.h"

#define STEP	    3600
#define PATIENCE_MS 60000
#define WATCHDOG_MS 22000 /* longer than three unanswered pings */
#define NEAR	    120	  /* seconds */

/* The time of day as it would be had nobody stepped it. */
static int64_t truth(void)
{
	static int64_t began;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (began == 0)
		began = (int64_t)time(NULL) - now.tv_sec;
	return began + now.tv_sec;
}

static void set_clock(int64_t seconds)
{
	char command[80];

	snprintf(command, sizeof(command), "date -s @%lld", (long long)(truth() + seconds));
	EXPECT_TRUE(system(command) == 0);
}

/* What the relay's clock is ahead of the truth, from the end of a reservation made now. */
static int64_t ahead(struct client *c)
{
	struct relay_answer a;

	EXPECT(c, ask_reserve(c, true, &a));
	EXPECT_STATUS(CIRCUIT_OK, a.status);
	return (int64_t)a.expire - 3600 - truth();
}

static bool is_near(int64_t seconds, int64_t wanted)
{
	return seconds > wanted - NEAR && seconds < wanted + NEAR;
}

static void wait_step(struct client *c, int64_t wanted)
{
	int64_t end = client_now() + PATIENCE_MS;

	if (getenv("CLOCK_SET") != NULL)
		set_clock(wanted);
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

/* Lines are still written, with the new time; none says that anything's time was over. */
static void the_log_goes_on(int64_t step)
{
	static const char words[] = "circuit opened: ";
	struct tm when = {0};

	EXPECT_TRUE(daemon_expect(&relay, words, PATIENCE_MS) == 0);
	const char *log = (const char *)bytes_at(&relay.log) + relay.mark;
	const char *at = strstr(log, words);

	while (at != NULL && at > log && at[-1] != '\n')
		at--;
	EXPECT_TRUE(at != NULL && strptime(at, "[%Y-%m-%dT%H:%M:%SZ ", &when) != NULL);
	EXPECT_TRUE(is_near((int64_t)timegm(&when) - truth(), step));
	EXPECT_TRUE(daemon_find_line(&relay, " expired ") == NULL);
}

static void test_the_clock_steps(void **state)
{
	struct record r;
	struct pair p;
	struct client asker;

	(void)state;
	truth();
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
		daemon_mark(&relay);
		the_new_get_in(&p);
		the_log_goes_on(step);
		print_message("the relay's clock is %lld s ahead\n", (long long)step);
	}
	int64_t end = client_now() + WATCHDOG_MS;

	while (client_now() < end) {
		client_turn((struct client *[]){&asker}, 1, 1000);
		all_goes_on(&p);
	}
	if (getenv("CLOCK_SET") != NULL)
		set_clock(0);
	client_free(&asker);
	pair_close(&p);
	fixture_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {E2E_BARE_TEST(test_the_clock_steps)};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
