/* SPDX-License-Identifier: MIT
 *
 * Readers that stop: the relay's memory stays bounded, pings are answered, and every other circuit goes on.
 */
#include "tests/e2e/fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STALLED 40

static const char *const settings[] = {"DUSK_MAX_MEMORY=128m", NULL};

struct stalled {
	struct client a;
	struct client b;
	struct exchange x;
	struct exchange *y;
	uint64_t pushed;
	uint64_t before; /* bytes that the reader had got when the circuit was open */
};

static uint8_t block[65536];

static void stall_begin(struct stalled *s)
{
	memset(s, 0, sizeof(*s));
	fixture_connect(&s->a);
	fixture_reserve(&s->b);
	s->y = fixture_circuit(&s->a, &s->b, &s->x);
	s->y->stream->hold_credit = true;
	s->before = s->y->stream->received;
}

static void stall_end(struct stalled *s)
{
	fixture_end_circuit(&s->x, s->y);
	client_free(&s->a);
	client_free(&s->b);
}

/* Pushes until the relay has given no credit for a while. */
static void stall_push(struct stalled *s, bool serve_reader, int quiet_ms)
{
	struct client *both[] = {&s->a, &s->b};
	int64_t last = client_now();

	while (client_now() - last < quiet_ms && client_alive(&s->a)) {
		size_t put = session_pending(&s->a.session) < YAMUX_WINDOW
				 ? exchange_write(&s->x, block, sizeof(block))
				 : 0;

		s->pushed += put;
		if (put > 0)
			last = client_now();
		client_turn(both, serve_reader ? 2 : 1, put > 0 ? 0 : 20);
	}
}

/* One good circuit moves this much while others stand still. */
static void other_circuits_go_on(size_t len)
{
	struct stalled s;
	struct client *both[] = {&s.a, &s.b};
	int64_t end = client_now() + 20000;
	size_t sent = 0;

	stall_begin(&s);
	s.y->stream->hold_credit = false;
	while (s.y->stream->received < len && client_now() < end) {
		size_t put =
		    sent < len
			? exchange_write(&s.x, block, len - sent < sizeof(block) ? len - sent : sizeof(block))
			: 0;

		sent += put;
		client_turn(both, 2, put > 0 ? 0 : 100);
		bytes_consume(&s.y->inbox, bytes_len(&s.y->inbox));
	}
	EXPECT_TRUE(s.y->stream->received >= len);
	stall_end(&s);
}

static void pool_is_within_its_cap(void)
{
	uint64_t cap = daemon_counter(&relay, "dusk_relay_pool_cap_bytes");

	EXPECT_TRUE(cap > 0);
	EXPECT_TRUE(daemon_counter(&relay, "dusk_relay_pool_bytes") <= cap);
}

/* A reader that reads its socket but gives no credit: at most its window and the source's stand in the relay.
 */
static void test_reader_that_gives_no_credit(void **state)
{
	struct stalled s;

	(void)state;
	stall_begin(&s);
	stall_push(&s, true, 500);
	EXPECT_TRUE(s.y->stream->received == YAMUX_WINDOW); /* exactly what its window allows */
	EXPECT_TRUE(s.pushed <= 2 * YAMUX_WINDOW + 65536);
	EXPECT(&s.a, client_yamux_ping(&s.a, 1));
	EXPECT(&s.b, client_yamux_ping(&s.b, 1));
	other_circuits_go_on(8u << 20);
	stall_end(&s);
}

/* Afterwards the same circuit goes on as if nothing had been. */
static void test_a_reader_that_goes_on(void **state)
{
	struct stalled s;
	struct client *both[] = {&s.a, &s.b};
	int64_t end;

	(void)state;
	stall_begin(&s);
	stall_push(&s, true, 300);
	s.y->stream->hold_credit = false;
	mux_give_credit(s.y->stream);
	end = client_now() + PEER_TIMEOUT_MS;
	while (s.y->stream->received < s.before + s.pushed && client_now() < end)
		client_turn(both, 2, 100);
	EXPECT_TRUE(s.y->stream->received == s.before + s.pushed);
	stall_end(&s);
}

/* A reader that does not even read its socket. */
static void test_reader_that_is_deaf(void **state)
{
	struct stalled s;
	int seconds = fixture_slow("a deaf reader for a whole minute (here 3 s)") ? 60 : 3;

	(void)state;
	stall_begin(&s);
	s.b.deaf = true;
	stall_push(&s, false, 500);
	EXPECT_TRUE(s.pushed <= 16u << 20);
	for (int i = 0; i < seconds; i++) {
		int64_t next = client_now() + 1000;
		int64_t asked = client_now();

		EXPECT(&s.a, client_yamux_ping(&s.a, (uint32_t)i));
		EXPECT(&s.a, ask_ping(&s.a, 1));
		EXPECT_TRUE(client_now() - asked < 1000);
		while (client_now() < next)
			client_turn((struct client *[]){&s.a}, 1, (int)(next - client_now()));
	}
	other_circuits_go_on(4u << 20);
	pool_is_within_its_cap();
	stall_end(&s);
}

/* One connection with a stalled and a good circuit: the stalled one holds up nobody. */
static void test_two_circuits_of_one_connection(void **state)
{
	struct stalled s;
	struct exchange x;
	struct exchange *y;
	struct client *both[] = {&s.a, &s.b};
	int64_t end;

	(void)state;
	stall_begin(&s);
	stall_push(&s, true, 300);
	y = fixture_circuit(&s.a, &s.b, &x);
	end = client_now() + 10000;
	while (y->stream->received < 4u << 20 && client_now() < end) {
		exchange_write(&x, block, sizeof(block));
		client_turn(both, 2, 10);
		bytes_consume(&y->inbox, bytes_len(&y->inbox));
	}
	EXPECT_TRUE(y->stream->received >= 4u << 20);
	fixture_end_circuit(&x, y);
	stall_end(&s);
}

static void test_many_deaf_readers(void **state)
{
	static struct stalled s[STALLED];
	int64_t end = client_now() + 30000;

	(void)state;
	for (size_t i = 0; i < STALLED; i++) {
		stall_begin(&s[i]);
		s[i].b.deaf = true;
	}
	for (size_t i = 0; i < STALLED && client_now() < end; i++)
		stall_push(&s[i], false, 100);
	pool_is_within_its_cap();
	other_circuits_go_on(1u << 20);
	EXPECT(&witness, ask_ping(&witness, 5));
	for (size_t i = 0; i < STALLED; i++)
		stall_end(&s[i]);
}

/* What was held is given back. */
static void test_the_pool_is_empty_in_the_end(void **state)
{
	int64_t end = client_now() + PEER_TIMEOUT_MS;
	uint64_t used;

	(void)state;
	fixture_expect_connections(1);
	do
		used = daemon_counter(&relay, "dusk_relay_pool_bytes");
	while (used > 65536 && client_now() < end);
	EXPECT_TRUE(used <= 65536);
	EXPECT_STATUS(0, (int)daemon_counter(&relay, "dusk_relay_circuits"));
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_reader_that_gives_no_credit),
	    E2E_TEST(test_a_reader_that_goes_on),
	    E2E_TEST(test_two_circuits_of_one_connection),
	    E2E_TEST(test_reader_that_is_deaf),
	    E2E_TEST(test_many_deaf_readers),
	    E2E_TEST(test_the_pool_is_empty_in_the_end),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
