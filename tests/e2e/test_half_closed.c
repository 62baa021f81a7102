/* SPDX-License-Identifier: MIT
 *
 * Circuits that one end has finished while the other still reads, slowly, what waits: all of it is delivered,
 * then the end, whatever becomes of the side that sent it.
 */
#include "tests/e2e/fixture.h"

#include <stdlib.h>
#include <string.h>

#define CIRCUITS 48 /* windows in all above what sockets take, so that some wait inside the relay */
#define LENGTH	 (YAMUX_WINDOW - 1024) /* a request stood in front of it */

static const char *const settings[] = {"DUSK_MAX_CIRCUITS_PER_PAIR=64", NULL};

struct many {
	struct client a;
	struct client b;
	struct client *both[2];
	struct exchange x[CIRCUITS];
	struct exchange *y[CIRCUITS];
};

static struct many many;

/* Each end at `a` has sent nearly a whole window and its end; `b` reads nothing. */
static void send_and_finish(void)
{
	static uint8_t window[LENGTH];

	fixture_connect(&many.a);
	fixture_reserve(&many.b);
	many.both[0] = &many.a;
	many.both[1] = &many.b;
	for (size_t i = 0; i < CIRCUITS; i++)
		many.y[i] = fixture_circuit(&many.a, &many.b, &many.x[i]);
	many.b.deaf = true;
	for (size_t i = 0; i < CIRCUITS; i++) {
		memset(window, (int)i, sizeof(window));
		EXPECT(&many.a, client_write(&many.a, &many.x[i], window, sizeof(window)));
		exchange_finish(&many.x[i]);
	}
	EXPECT(&many.a, client_yamux_ping(&many.a, 5)); /* the relay has all of it */
}

static bool all_over(void *argument)
{
	(void)argument;
	for (size_t i = 0; i < CIRCUITS; i++)
		if (!exchange_over(many.y[i]))
			return false;
	return true;
}

static void read_all(struct client **clients, size_t count)
{
	many.b.deaf = false;
	EXPECT(&many.b, client_wait_all(clients, count, all_over, NULL, 20000, "all windows and their ends"));
	for (size_t i = 0; i < CIRCUITS; i++) {
		EXPECT_TRUE(many.y[i]->finished && !many.y[i]->reset);
		EXPECT_STATUS(LENGTH, (int)bytes_len(&many.y[i]->inbox));
		EXPECT_STATUS((int)i, bytes_at(&many.y[i]->inbox)[LENGTH - 1]);
	}
}

static void expect_no_circuit_left(void)
{
	int64_t end = client_now() + 5000;
	uint64_t left;

	do
		left = daemon_counter(&relay, "dusk_relay_circuits");
	while (left > 0 && client_now() < end);
	EXPECT_STATUS(0, (int)left);
}

static void end_all(void)
{
	for (size_t i = 0; i < CIRCUITS; i++) {
		exchange_finish(many.y[i]);
		exchange_close(many.y[i]);
		free(many.y[i]);
	}
	client_flush(&many.b);
	expect_no_circuit_left();
	client_free(&many.b);
}

static void test_the_sender_has_left(void **state)
{
	struct client *b = &many.b;

	(void)state;
	send_and_finish();
	client_free(&many.a);
	fixture_expect_connections(2);
	read_all(&b, 1);
	end_all();
}

/* rust resets a stream that is dropped after its end was sent. */
static void test_the_sender_reset_behind_its_end(void **state)
{
	(void)state;
	send_and_finish();
	for (size_t i = 0; i < CIRCUITS; i++)
		exchange_close(&many.x[i]);
	EXPECT(&many.a, client_yamux_ping(&many.a, 6));
	read_all(many.both, 2);
	end_all();
	client_free(&many.a);
}

static void test_both_have_finished(void **state)
{
	(void)state;
	send_and_finish();
	for (size_t i = 0; i < CIRCUITS; i++)
		exchange_finish(many.y[i]);
	client_flush(&many.b);
	read_all(many.both, 2);
	for (size_t i = 0; i < CIRCUITS; i++)
		exchange_close(&many.x[i]);
	end_all();
	client_free(&many.a);
}

/* Who writes to a side that is gone hears of it at once, when nothing waits for it any more. */
static void test_writing_to_who_has_left(void **state)
{
	struct exchange x;
	struct exchange *y;
	struct client a;
	struct client b;

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	y = fixture_circuit(&a, &b, &x);
	EXPECT(&a, client_write(&a, &x, "farewell", 8));
	exchange_finish(&x);
	EXPECT(&a, client_yamux_ping(&a, 5));
	client_free(&a);
	EXPECT(&b, client_wait_over(&b, y, "the end"));
	EXPECT_TRUE(y->finished && !y->reset);
	fixture_expect_connections(2);
	exchange_write(y, "an answer", 9);
	client_flush(&b);
	EXPECT_STREAM_CLOSED("circuit_peer_gone");
	expect_no_circuit_left();
	exchange_close(y);
	free(y);
	client_free(&b);
}

static void test_a_reader_that_takes_longer_than_a_minute(void **state)
{
	int64_t end;

	(void)state;
	if (!fixture_slow("75 s of a slow reader"))
		return;
	send_and_finish();
	for (end = client_now() + 75000; client_now() < end;)
		client_turn(many.both, 2, 1000);
	read_all(many.both, 2);
	for (size_t i = 0; i < CIRCUITS; i++)
		exchange_finish(many.y[i]);
	client_flush(&many.b);
	for (size_t i = 0; i < CIRCUITS; i++)
		exchange_close(&many.x[i]);
	end_all();
	client_free(&many.a);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_the_sender_has_left),
	    E2E_TEST(test_the_sender_reset_behind_its_end),
	    E2E_TEST(test_both_have_finished),
	    E2E_TEST(test_writing_to_who_has_left),
	    E2E_TEST(test_a_reader_that_takes_longer_than_a_minute),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
