/* SPDX-License-Identifier: MIT
 *
 * Many circuits: everybody dials everybody at once, the caps between two connections, STOPs that wait for
 * their turn.
 */
#include "tests/e2e/fixture.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS	     10
#define DIALS	     (MEMBERS * (MEMBERS - 1))
#define PER_PAIR     4
#define PENDING	     8
#define WAITING	     20
#define LIVE_STREAMS 384 /* of one connection, beyond which no circuit is added to it */

static struct client members[MEMBERS];

struct dial {
	struct exchange x;
	struct relay_answer answer;
	int found;
};

static struct dial dials[DIALS];
static struct exchange *ends[DIALS];
static size_t end_count;

/* Every STOP that is there is accepted, and says one byte. */
static void members_accept(void)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		struct stop_request request;
		struct exchange *y;

		while ((y = accept_stop_ready(&members[i], &request)) != NULL) {
			accept_stop_answer(y, CIRCUIT_OK);
			exchange_write(y, "!", 1);
			ends[end_count++] = y;
		}
	}
}

static bool all_dials_answered(void *argument)
{
	size_t answered = 0;

	(void)argument;
	members_accept();
	for (size_t i = 0; i < DIALS; i++) {
		if (dials[i].found == 0)
			dials[i].found = ask_relay_read(&dials[i].x, &dials[i].answer);
		answered += dials[i].found != 0 && bytes_len(&dials[i].x.inbox) > 0;
	}
	return answered == DIALS;
}

/* What ten members of one community do when they find each other. */
static void test_everybody_dials_everybody(void **state)
{
	struct client *all[MEMBERS];
	struct dial *d = dials;

	(void)state;
	for (size_t i = 0; i < MEMBERS; i++) {
		fixture_reserve(&members[i]);
		all[i] = &members[i];
	}
	for (size_t i = 0; i < MEMBERS; i++) {
		for (size_t k = 0; k < MEMBERS; k++) {
			if (i == k)
				continue;
			EXPECT_STATUS(0, exchange_open(&d->x, &members[i].session.mux, CIRCUIT_HOP_PROTOCOL));
			ask_relay_send_connect(&d->x, &members[k].identity.id);
			d++;
		}
	}
	EXPECT(&members[0],
	       client_wait_all(all, MEMBERS, all_dials_answered, NULL, 10000, "ninety circuits"));
	for (size_t i = 0; i < DIALS; i++)
		EXPECT_STATUS(CIRCUIT_OK, dials[i].answer.status);
	EXPECT_STATUS(DIALS, (int)end_count);
	EXPECT_STATUS(DIALS, (int)daemon_counter(&relay, "dusk_relay_circuits"));
	for (size_t i = 0; i < DIALS; i++)
		fixture_end_circuit(&dials[i].x, ends[i]);
	for (size_t i = 0; i < MEMBERS; i++)
		client_free(&members[i]);
}

static int connect_status(struct client *a, struct client *b)
{
	struct client *others[] = {b};
	struct relay_answer answer;
	struct exchange x;

	EXPECT(a, ask_connect(a, &x, &b->identity.id, others, 1, &answer));
	exchange_close(&x);
	return answer.status;
}

/* The clients open one more every two minutes and close none: the refusal is what bounds it. */
static void test_circuits_of_one_pair(void **state)
{
	struct exchange x[PER_PAIR];
	struct exchange *y[PER_PAIR];
	struct client a;
	struct client b;
	struct client other;
	struct exchange z;
	struct exchange *z_end;

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	for (size_t i = 0; i < PER_PAIR; i++)
		y[i] = fixture_circuit(&a, &b, &x[i]);
	EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, connect_status(&a, &b));
	fixture_connect(&other); /* the cap is of two connections, not of the destination */
	z_end = fixture_circuit(&other, &b, &z);
	fixture_end_circuit(&z, z_end);
	fixture_end_circuit(&x[0], y[0]);
	EXPECT(&a, client_yamux_ping(&a, 1));
	y[0] = fixture_circuit(&a, &b, &x[0]);
	for (size_t i = 0; i < PER_PAIR; i++)
		fixture_end_circuit(&x[i], y[i]);
	client_free(&other);
	client_free(&a);
	client_free(&b);
}

/* rust ends a connection with 512 streams: the relay stops adding circuits well before. */
static void test_destination_with_many_streams(void **state)
{
	static struct exchange streams[LIVE_STREAMS];
	struct exchange x;
	struct exchange *y;
	struct client a;
	struct client b;

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	for (size_t i = 0; i < LIVE_STREAMS; i++) {
		EXPECT_STATUS(0, exchange_open_silent(&streams[i], &b.session.mux, PING_PROTOCOL));
		mux_announce(streams[i].stream);
	}
	EXPECT(&b, client_yamux_ping(&b, 1));
	EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, connect_status(&a, &b));
	for (size_t i = 0; i < LIVE_STREAMS; i++)
		exchange_close(&streams[i]);
	EXPECT(&b, client_yamux_ping(&b, 2));
	y = fixture_circuit(&a, &b, &x);
	fixture_end_circuit(&x, y);
	client_free(&a);
	client_free(&b);
}

struct waiting {
	struct client *b;
	struct exchange *taken[WAITING];
	size_t count;
	size_t wanted;
};

static bool stops_came(void *argument)
{
	struct waiting *w = argument;
	struct stop_request request;
	struct exchange *y;

	while ((y = accept_stop_ready(w->b, &request)) != NULL)
		w->taken[w->count++] = y;
	return w->count >= w->wanted;
}

/* rust takes ten STOPs at once and drops the rest: the relay asks a few at a time, and the others wait their
 * turn. */
static void test_stops_wait_their_turn(void **state)
{
	static struct client sources[WAITING];
	static struct exchange x[WAITING];
	struct client b;
	struct waiting w = {.b = &b, .wanted = PENDING};

	(void)state;
	fixture_reserve(&b);
	for (size_t i = 0; i < WAITING; i++) {
		fixture_connect(&sources[i]);
		EXPECT_STATUS(0, exchange_open(&x[i], &sources[i].session.mux, CIRCUIT_HOP_PROTOCOL));
		ask_relay_send_connect(&x[i], &b.identity.id);
		EXPECT(&sources[i], client_yamux_ping(&sources[i], 1));
	}
	EXPECT(&b, client_wait(&b, stops_came, &w, "the first STOPs"));
	EXPECT(&b, client_yamux_ping(&b, 1));
	stops_came(&w);
	EXPECT_STATUS(PENDING, (int)w.count);
	for (size_t i = 0; i < WAITING; i++) { /* each answer lets the next one in */
		w.wanted = i + 1;
		EXPECT(&b, client_wait(&b, stops_came, &w, "the next STOP"));
		accept_stop_answer(w.taken[i], CIRCUIT_OK);
		client_flush(&b);
	}
	for (size_t i = 0; i < WAITING; i++) {
		struct relay_answer answer;
		struct span message;

		EXPECT(&sources[i],
		       client_message(&sources[i], &x[i], CIRCUIT_MESSAGE_MAX, &message, "a status"));
		EXPECT_TRUE(ask_relay_read(&x[i], &answer) > 0);
		EXPECT_STATUS(CIRCUIT_OK, answer.status);
		exchange_close(&x[i]);
		client_free(&sources[i]);
	}
	for (size_t i = 0; i < WAITING; i++) {
		exchange_close(w.taken[i]);
		free(w.taken[i]);
	}
	client_free(&b);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_everybody_dials_everybody),
	    E2E_TEST(test_circuits_of_one_pair),
	    E2E_TEST(test_destination_with_many_streams),
	    E2E_TEST(test_stops_wait_their_turn),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
