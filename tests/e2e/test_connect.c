/* SPDX-License-Identifier: MIT
 *
 * CONNECTs that lead nowhere: nobody there, destinations that refuse, vanish or say nothing, sources that
 * leave.
 */
#include "tests/e2e/pair.h"

#include <stdlib.h>

static const char *const settings[] = {"DUSK_STOP_TIMEOUT=3", NULL};

static int connect_status(struct client *c, const struct peer_id *to)
{
	struct relay_answer answer;
	struct exchange x;

	EXPECT(c, ask_connect(c, &x, to, NULL, 0, &answer));
	EXPECT(c, client_wait_over(c, &x, "the end of the refused stream"));
	EXPECT_TRUE(x.finished && !x.reset);
	exchange_close(&x);
	return answer.status;
}

static void test_connect_to_nobody(void **state)
{
	struct identity stranger;
	struct client a;
	struct client unreserved;

	(void)state;
	identity_new(&stranger);
	fixture_connect(&a);
	fixture_connect(&unreserved);
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&a, &stranger.id));
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&a, &unreserved.identity.id));
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&a, &relay.id));
	client_free(&unreserved);
	client_free(&a);
}

static void test_connect_to_oneself(void **state)
{
	struct client a;

	(void)state;
	fixture_reserve(&a);
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&a, &a.identity.id));
	EXPECT_STATUS(0, (int)a.stop_count);
	client_free(&a);
}

struct refusal {
	struct client *b;
	struct exchange *x;
	void (*answer)(struct exchange *y);
	struct relay_answer got;
	int found;
};

static bool refusal_done(void *argument)
{
	struct refusal *r = argument;
	struct stop_request request;
	struct exchange *y = accept_stop_ready(r->b, &request);

	if (y) {
		r->answer(y);
		exchange_close(y);
		free(y);
	}
	if (r->found == 0)
		r->found = ask_relay_read(r->x, &r->got);
	return r->found != 0;
}

/* A CONNECT whose destination does `answer` with the STOP. */
static int stop_answered_by(void (*answer)(struct exchange *y), int timeout_ms)
{
	struct exchange x;
	struct client a;
	struct client b;
	struct client *both[] = {&a, &b};
	struct refusal r = {.b = &b, .x = &x, .answer = answer};

	fixture_connect(&a);
	fixture_reserve(&b);
	EXPECT(&a, client_open(&a, &x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&x, &b.identity.id);
	EXPECT(&a, client_wait_all(both, 2, refusal_done, &r, timeout_ms, "the answer to CONNECT"));
	EXPECT_TRUE(r.found > 0);
	EXPECT(&a, client_wait_over(&a, &x, "the end of the refused stream"));
	exchange_close(&x);
	EXPECT(&b, ask_ping(&b, 1));
	client_free(&a);
	client_free(&b);
	return r.got.status;
}

static void answer_refused(struct exchange *y)
{
	accept_stop_answer(y, CIRCUIT_PERMISSION_DENIED);
	exchange_finish(y);
}

static void answer_nonsense(struct exchange *y)
{
	exchange_write(y, "\x03\xff\xff\xff", 4);
}

static void answer_connect(struct exchange *y)
{
	exchange_write(y, "\x02\x08\x00", 3);
}

static void answer_too_long(struct exchange *y)
{
	exchange_write(y, "\xff\xff\x7f", 3);
}

static void answer_reset(struct exchange *y)
{
	exchange_reset(y);
}

static void answer_finish(struct exchange *y)
{
	exchange_finish(y);
}

static void test_destinations_that_refuse(void **state)
{
	(void)state;
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_refused, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_nonsense, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_connect, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_too_long, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_reset, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_finish, PEER_TIMEOUT_MS));
	EXPECT(&relay,
	       daemon_expect_counter(
		   &relay, "libp2p_relaysvc_connection_rejections_total{reason=\"connection failed\"}", 6));
}

static void test_destination_without_the_stop_protocol(void **state)
{
	struct relay_answer answer;
	struct exchange x;
	struct client a;
	struct client b;
	struct client *others[] = {&b};

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	b.refuse_streams = true;
	EXPECT(&a, ask_connect(&a, &x, &b.identity.id, others, 1, &answer));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, answer.status);
	exchange_close(&x);
	client_free(&a);
	client_free(&b);
}

/* 203 when the time is over, and neither side loses its reservation. */
static void test_destination_that_never_answers(void **state)
{
	struct relay_answer answer;
	struct exchange x;
	struct exchange later;
	struct exchange *later_end;
	struct client a;
	struct client b;
	struct client caller;
	int64_t start;

	(void)state;
	fixture_reserve(&a);
	fixture_reserve(&b);
	fixture_connect(&caller);
	start = client_now();
	EXPECT(&a, ask_connect(&a, &x, &b.identity.id, NULL, 0, &answer));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, answer.status);
	EXPECT_TRUE(client_now() - start >= 2900 && client_now() - start < 4500);
	EXPECT_STREAM_CLOSED("stop_timeout");
	exchange_close(&x);
	later_end = fixture_circuit(&caller, &a, &later); /* the source's own reservation lives */
	fixture_end_circuit(&later, later_end);
	client_turn((struct client *[]){&b}, 1, 100);
	while (b.stop_count > 0) { /* what b never looked at */
		exchange_close(b.stops[--b.stop_count]);
		free(b.stops[b.stop_count]);
	}
	later_end = fixture_circuit(&caller, &b, &later); /* and the destination's */
	fixture_end_circuit(&later, later_end);
	client_free(&caller);
	client_free(&a);
	client_free(&b);
}

static void test_source_leaves_while_the_stop_waits(void **state)
{
	struct client a;
	struct client b;

	(void)state;
	fixture_reserve(&b);
	for (int i = 0; i < 3; i++) {
		struct client *both[] = {&b};
		struct stop_request request;
		struct exchange *y;
		struct exchange x;

		fixture_connect(&a);
		EXPECT(&a, client_open(&a, &x, CIRCUIT_HOP_PROTOCOL));
		ask_relay_send_connect(&x, &b.identity.id);
		client_flush(&a);
		y = accept_stop(&b, both, 1, &request);
		EXPECT_TRUE(y != NULL);
		if (i == 0)
			exchange_reset(&x);
		client_flush(&a);
		if (i > 0)
			client_drop(&a, i == 1);
		EXPECT(&b, client_wait_over(&b, y, "the reset of a STOP whose source left"));
		exchange_close(&x);
		exchange_close(y);
		free(y);
		client_free(&a);
	}
	EXPECT(&b, ask_ping(&b, 1));
	client_free(&b);
	fixture_expect_connections(1);
}

static void test_destination_leaves_while_the_stop_waits(void **state)
{
	struct relay_answer answer;
	struct stop_request request;
	struct pair p = {.both = {&p.a, &p.b}};
	struct span message;

	(void)state;
	fixture_connect(&p.a);
	fixture_reserve(&p.b);
	EXPECT(&p.a, client_open(&p.a, &p.x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&p.x, &p.b.identity.id);
	p.y = accept_stop(&p.b, p.both, 2, &request);
	EXPECT_TRUE(p.y != NULL);
	client_drop(&p.b, true);
	EXPECT(&p.a, client_message(&p.a, &p.x, CIRCUIT_MESSAGE_MAX, &message, "the answer"));
	EXPECT_TRUE(ask_relay_read(&p.x, &answer) > 0);
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, answer.status);
	pair_close(&p);
}

/* js makes a RESERVE before it answers a STOP: it must be served meanwhile. */
static void test_reserve_while_a_stop_waits(void **state)
{
	struct relay_answer answer;
	struct stop_request request;
	struct pair p = {.both = {&p.a, &p.b}};

	(void)state;
	fixture_connect(&p.a);
	fixture_reserve(&p.b);
	EXPECT(&p.a, client_open(&p.a, &p.x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&p.x, &p.b.identity.id);
	p.y = accept_stop(&p.b, p.both, 2, &request);
	EXPECT_TRUE(p.y != NULL);
	EXPECT(&p.b, ask_reserve(&p.b, false, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	accept_stop_answer(p.y, CIRCUIT_OK);
	exchange_write(p.y, "x", 1);
	pair_wait_bytes(&p, &p.x, 6);
	EXPECT_TRUE(ask_relay_read(&p.x, &answer) > 0);
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	pair_close(&p);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_connect_to_nobody),
	    E2E_TEST(test_connect_to_oneself),
	    E2E_TEST(test_destinations_that_refuse),
	    E2E_TEST(test_destination_without_the_stop_protocol),
	    E2E_TEST(test_destination_that_never_answers),
	    E2E_TEST(test_source_leaves_while_the_stop_waits),
	    E2E_TEST(test_destination_leaves_while_the_stop_waits),
	    E2E_TEST(test_reserve_while_a_stop_waits),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
