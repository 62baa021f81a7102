/* SPDX-License-Identifier: MIT
 *
 * Profile libp2p: limits of circuits as shown to clients and as kept, caps, rates, denied peers.
 */
#include "tests/e2e/fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DURATION 2
#define BYTES	 131072

static struct identity denied;
static char deny_setting[100];
static const char *const settings[] = {"DUSK_RELAY_PROFILE=libp2p",
				       "DUSK_CIRCUIT_DURATION=2",
				       "DUSK_MAX_RESERVATIONS=4",
				       "DUSK_MAX_CIRCUITS_PER_PEER=2",
				       "DUSK_RESERVE_RATE_PER_PEER=6",
				       "DUSK_CONNECT_RATE_PER_PEER=8",
				       "DUSK_RESERVE_RATE_PER_IP=0",
				       "DUSK_CONNECT_RATE_PER_IP=0",
				       deny_setting,
				       NULL};

static bool is_over(void *argument)
{
	return exchange_over(argument);
}

static void expect_limit(const struct circuit_limit *limit)
{
	EXPECT_TRUE(limit->present);
	EXPECT_STATUS(DURATION, (int)limit->duration);
	EXPECT_STATUS(BYTES, (int)limit->data);
}

struct connecting {
	struct client *b;
	struct exchange *x;
	struct exchange *y;
	struct stop_request request;
	struct relay_answer answer;
	int found;
};

static bool connected(void *argument)
{
	struct connecting *w = argument;

	if (!w->y) {
		w->y = accept_stop_ready(w->b, &w->request);
		if (w->y)
			accept_stop_answer(w->y, CIRCUIT_OK);
	}
	if (w->found == 0)
		w->found = ask_relay_read(w->x, &w->answer);
	return w->found != 0;
}

static void test_limits_are_told_three_times(void **state)
{
	struct relay_answer reserved;
	struct exchange x;
	struct client a;
	struct client b;
	struct client *both[] = {&a, &b};
	struct connecting w = {.b = &b, .x = &x};

	(void)state;
	fixture_connect(&a);
	fixture_connect(&b);
	EXPECT(&b, ask_reserve(&b, true, &reserved));
	expect_limit(&reserved.limit);
	EXPECT(&a, client_open(&a, &x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&x, &b.identity.id);
	EXPECT(&a, client_wait_all(both, 2, connected, &w, PEER_TIMEOUT_MS, "a circuit"));
	EXPECT_TRUE(w.y != NULL);
	expect_limit(&w.request.limit);
	expect_limit(&w.answer.limit);
	fixture_end_circuit(&x, w.y);
	client_free(&a);
	client_free(&b);
}

static void test_a_circuit_ends_after_its_time(void **state)
{
	struct relay_answer again;
	struct exchange x;
	struct exchange *y;
	struct client a;
	struct client b;
	struct client *both[] = {&a, &b};
	int64_t start;

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	y = fixture_circuit(&a, &b, &x);
	start = client_now();
	EXPECT(&a, client_wait_all(both, 2, is_over, &x, PEER_TIMEOUT_MS, "the end of the circuit"));
	EXPECT_TRUE(client_now() - start >= DURATION * 1000 - 100);
	EXPECT(&a, client_wait_all(both, 2, is_over, y, PEER_TIMEOUT_MS, "the end at the other side"));
	EXPECT_TRUE(x.reset && y->reset);
	EXPECT_STREAM_CLOSED("circuit_limit_time");
	EXPECT(&b, ask_reserve(&b, true, &again)); /* the reservation is not touched */
	EXPECT_STATUS(CIRCUIT_OK, again.status);
	fixture_end_circuit(&x, y);
	client_free(&a);
	client_free(&b);
}

static void test_a_circuit_ends_after_its_bytes(void **state)
{
	static uint8_t block[BYTES];
	struct exchange x;
	struct exchange *y;
	struct client a;
	struct client b;
	struct client *both[] = {&a, &b};

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	y = fixture_circuit(&a, &b, &x);
	exchange_write(&x, block, BYTES / 2);
	exchange_write(y, block, BYTES / 2 - 100);
	for (int i = 0; i < 20; i++)
		client_turn(both, 2, 20);
	EXPECT_TRUE(!x.reset && !y->reset); /* within the limit */
	exchange_write(&x, block, 200);
	EXPECT(&a, client_wait_all(both, 2, is_over, &x, 1500, "the end of the circuit"));
	EXPECT(&a, client_wait_all(both, 2, is_over, y, 1500, "the end at the other side"));
	EXPECT_TRUE(x.reset && y->reset);
	EXPECT_STREAM_CLOSED("circuit_limit_bytes");
	EXPECT_TRUE(y->stream->received <= BYTES);
	EXPECT(&a, ask_ping(&a, 1));
	EXPECT(&b, ask_ping(&b, 1));
	fixture_end_circuit(&x, y);
	client_free(&a);
	client_free(&b);
}

static void test_more_reservations_than_allowed(void **state)
{
	struct relay_answer answer;
	struct client peers[4]; /* the witness holds one of 4 */

	(void)state;
	for (size_t i = 0; i < 3; i++)
		fixture_reserve(&peers[i]);
	fixture_connect(&peers[3]);
	EXPECT(&peers[3], ask_reserve(&peers[3], true, &answer));
	EXPECT_TRUE(answer.status == CIRCUIT_RESOURCE_LIMIT_EXCEEDED ||
		    answer.status == CIRCUIT_RESERVATION_REFUSED);
	EXPECT(&relay,
	       daemon_expect(&relay, "DUSK_MAX_RESERVATIONS", 2000)); /* a warning names what lifts it */
	EXPECT(&peers[0], ask_reserve(&peers[0], true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status); /* renewals are never refused */
	client_free(&peers[0]);
	fixture_expect_connections(4);
	EXPECT(&peers[3], ask_reserve(&peers[3], true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	for (size_t i = 1; i < 4; i++)
		client_free(&peers[i]);
}

static void test_more_circuits_than_allowed(void **state)
{
	struct relay_answer answer;
	struct exchange x[3];
	struct exchange *y[2];
	struct client a;
	struct client b;

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	for (size_t i = 0; i < 2; i++)
		y[i] = fixture_circuit(&a, &b, &x[i]);
	EXPECT(&a, ask_connect(&a, &x[2], &b.identity.id, NULL, 0, &answer));
	EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, answer.status);
	exchange_close(&x[2]);
	fixture_end_circuit(&x[0], y[0]);
	EXPECT(&a, client_yamux_ping(&a, 1)); /* the relay has seen the end */
	y[0] = fixture_circuit(&a, &b, &x[0]);
	fixture_end_circuit(&x[0], y[0]);
	fixture_end_circuit(&x[1], y[1]);
	client_free(&a);
	client_free(&b);
}

static void test_reserving_too_often(void **state)
{
	struct relay_answer answer = {0};
	struct client c;
	int granted = 0;

	(void)state;
	fixture_connect(&c);
	for (int i = 0; i < 8; i++) {
		EXPECT(&c, ask_reserve(&c, true, &answer));
		granted += answer.status == CIRCUIT_OK;
	}
	EXPECT_STATUS(6, granted);
	EXPECT_TRUE(answer.status == CIRCUIT_RESOURCE_LIMIT_EXCEEDED ||
		    answer.status == CIRCUIT_RESERVATION_REFUSED);
	client_free(&c);
}

static void test_connecting_too_often(void **state)
{
	struct relay_answer answer = {0};
	struct identity nobody;
	struct client c;
	int asked = 0;

	(void)state;
	identity_new(&nobody);
	fixture_connect(&c);
	do {
		struct exchange x;

		EXPECT(&c, ask_connect(&c, &x, &nobody.id, NULL, 0, &answer));
		exchange_close(&x);
	} while (answer.status == CIRCUIT_NO_RESERVATION && ++asked < 20);
	EXPECT_STATUS(8, asked);
	EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, answer.status);
	client_free(&c);
}

static void test_denied_peers(void **state)
{
	struct relay_answer answer;
	struct exchange x;
	struct client c;

	(void)state;
	client_init(&c, PEER_TIMEOUT_MS);
	c.identity = denied;
	EXPECT(&c, peer_open_as(&c, relay.port));
	EXPECT(&c, ask_reserve(&c, true, &answer));
	EXPECT_STATUS(CIRCUIT_PERMISSION_DENIED, answer.status);
	EXPECT(&c, ask_connect(&c, &x, &witness.identity.id, NULL, 0, &answer));
	EXPECT_STATUS(CIRCUIT_PERMISSION_DENIED, answer.status);
	exchange_close(&x);
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
	fixture_connect(&c);
	EXPECT(&c, ask_connect(&c, &x, &denied.id, NULL, 0, &answer));
	EXPECT_TRUE(answer.status == CIRCUIT_PERMISSION_DENIED || answer.status == CIRCUIT_NO_RESERVATION);
	exchange_close(&x);
	client_free(&c);
}

static int group_begin(void **state)
{
	static const uint8_t seed[32] = "somebody whom nobody wants here";
	char id[PEER_ID_TEXT_MAX];

	(void)state;
	identity_from_seed(&denied, seed);
	peer_id_to_text(&denied.id, id);
	snprintf(deny_setting, sizeof(deny_setting), "DUSK_RELAY_DENY_PEERS=%s", id);
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_limits_are_told_three_times),	   E2E_TEST(test_a_circuit_ends_after_its_time),
	    E2E_TEST(test_a_circuit_ends_after_its_bytes), E2E_TEST(test_more_reservations_than_allowed),
	    E2E_TEST(test_more_circuits_than_allowed),	   E2E_TEST(test_reserving_too_often),
	    E2E_TEST(test_connecting_too_often),	   E2E_TEST(test_denied_peers),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
