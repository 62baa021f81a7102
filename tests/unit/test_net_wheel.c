/* SPDX-License-Identifier: MIT
 *
 * netproc/wheel.c: how long the loop may wait for the next timer, timers that arm, end or outlast others, and
 * a clock that jumps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/net.h"
#include "netproc/wheel.h"

#define TICK  64u
#define ROUND (256u * TICK) /* after which the wheel must be turned, whatever is armed */

static struct net net;

static struct timed {
	struct wheel_timer timer;
	unsigned fired;
	struct timed *other;
} one, two;

static int set_up(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	net.now = 1000000;
	net.wheel = wheel_new(net.now);
	return net.wheel != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(net.wheel);
	return 0;
}

static void fire(struct net *of, struct wheel_timer *timer)
{
	(void)of;
	((struct timed *)timer)->fired++;
}

static void arm(struct timed *timed, uint64_t milliseconds)
{
	*timed = (struct timed){.timer = {.fire = fire}};
	wheel_arm(&net, &timed->timer, milliseconds);
}

static void turn(void)
{
	assert_false(wheel_turn(&net, SIZE_MAX));
}

/* Whoever sleeps as long as it is told fires each timer in its time, and wakes seldom: for the timer, at the
 * end of a round, and where the wheel hands down. */
static void test_wait_is_long_and_never_too_long(void **state)
{
	static const uint64_t spans[] = {0,	1,     63,    64,      65,	5000,	 ROUND - 1, ROUND,
					 20000, 40000, 60000, 1000000, 4194303, 4194304, 5000000,   90000000};

	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		uint64_t due = net.now + spans[i];
		unsigned woken = 0;

		arm(&one, spans[i]);
		while (one.fired == 0) {
			uint64_t wait = wheel_wait(&net);

			assert_true(wait > 0 && wait <= ROUND);
			net.now += wait;
			woken++;
			turn();
		}
		assert_true(net.now >= due && net.now <= due + 2 * TICK);
		assert_true(woken <= spans[i] / ROUND + 2);
		net.now += 7;
		turn();
	}
}

static void test_wait_for_nothing(void **state)
{
	(void)state;
	assert_true(wheel_wait(&net) > 0 && wheel_wait(&net) <= ROUND);
	net.now += ROUND; /* slept for too long */
	assert_int_equal(wheel_wait(&net), 0);
	turn();
	arm(&one, 0), arm(&two, 0);
	net.now += 2 * TICK;
	assert_true(wheel_turn(&net, 1)); /* one is left that is due */
	assert_int_equal(wheel_wait(&net), 0);
	turn();
	assert_int_equal(one.fired + two.fired, 2);
}

/* Beyond what the wheel can tell apart it waits as long as it can; no sum goes round. */
static void test_longest(void **state)
{
	static const uint64_t spans[] = {UINT64_MAX, UINT64_MAX - 1000000, (UINT64_C(1) << 38) + 1};

	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		arm(&one, spans[i]);
		assert_true(wheel_armed(&one.timer));
		net.now += 100000000; /* more than a day, at once */
		turn();
		assert_int_equal(one.fired, 0);
		wheel_cancel(&one.timer);
		assert_false(wheel_armed(&one.timer));
	}
}

static void test_clock_that_jumps(void **state)
{
	static const uint64_t spans[] = {1, 20000, 5000000, 1100000000};
	struct timed timed[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		arm(&timed[i], spans[i]);
	net.now += 1200000000; /* two weeks */
	turn();
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(timed[i].fired, 1);
		assert_false(wheel_armed(&timed[i].timer));
	}
	net.now -= 10000; /* back: what is armed now is due when it is where it was */
	arm(&one, 0);
	net.now += 10000 + 2 * TICK;
	turn();
	assert_int_equal(one.fired, 1);
}

static void fire_again(struct net *of, struct wheel_timer *timer)
{
	fire(of, timer);
	wheel_arm(of, timer, 0);
}

/* A timer that arms itself for at once does not keep the turn from ending. */
static void test_arms_itself(void **state)
{
	(void)state;
	one = (struct timed){.timer = {.fire = fire_again}};
	wheel_arm(&net, &one.timer, 0);
	for (unsigned i = 0; i < 5; i++) {
		unsigned fired = one.fired;

		net.now += TICK;
		turn();
		assert_true(one.fired <= fired + 1);
	}
	assert_true(one.fired >= 4);
	net.now += 10 * TICK; /* for the turns that were missed, once each at most */
	turn();
	assert_true(one.fired <= 15);
	wheel_cancel(&one.timer);
}

static void fire_ends_other(struct net *of, struct wheel_timer *timer)
{
	fire(of, timer);
	wheel_cancel(&((struct timed *)timer)->other->timer);
}

/* Of two that are due, the one that is ended by the other does not fire. */
static void test_ends_another_that_is_due(void **state)
{
	(void)state;
	for (uint64_t span = 0; span < 40000; span += 13000) {
		one = (struct timed){.timer = {.fire = fire_ends_other}, .other = &two};
		two = (struct timed){.timer = {.fire = fire_ends_other}, .other = &one};
		wheel_arm(&net, &one.timer, span);
		wheel_arm(&net, &two.timer, span);
		net.now += span + 2 * TICK;
		turn();
		assert_int_equal(one.fired + two.fired, 1);
		assert_false(wheel_armed(&one.timer) || wheel_armed(&two.timer));
	}
}

/* Ended in any order, in one place or several, the others stay. */
static void test_ends_in_the_middle(void **state)
{
	struct timed timed[9];

	(void)state;
	for (size_t leave = 0; leave < 9; leave++) {
		for (size_t i = 0; i < 9; i++)
			arm(&timed[i], i < 6 ? 1000 : 100000);
		wheel_cancel(&timed[leave].timer);
		wheel_cancel(&timed[(leave + 4) % 9].timer);
		net.now += 101000;
		turn();
		for (size_t i = 0; i < 9; i++)
			assert_int_equal(timed[i].fired, i != leave && i != (leave + 4) % 9);
	}
}

#define WHEEL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WHEEL_TEST(test_wait_is_long_and_never_too_long),
	    WHEEL_TEST(test_wait_for_nothing),
	    WHEEL_TEST(test_longest),
	    WHEEL_TEST(test_clock_that_jumps),
	    WHEEL_TEST(test_arms_itself),
	    WHEEL_TEST(test_ends_another_that_is_due),
	    WHEEL_TEST(test_ends_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
