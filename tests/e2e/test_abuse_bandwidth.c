/* SPDX-License-Identifier: MIT
 *
 * DUSK_MAX_BANDWIDTH and DUSK_MAX_BANDWIDTH_PER_PEER: they delay and never drop, light circuits do not feel
 * them, the first window of each circuit counts, and who is far ahead opens no new circuit.
 */
#include "tests/e2e/flow.h"

#include <signal.h>
#include <stdlib.h>

#define RATE 131072
#define CIRCUITS                                                                                             \
	6 /* first windows that make a debt of more than eight seconds, and less than all patience           \
	   */
#define PATIENCE 60000
#define FIRST	 (YAMUX_WINDOW - 1024) /* what a first window takes behind the request */
#define REFUSED	 "libp2p_relaysvc_connection_rejections_total{reason=\"resource limit exceeded\"}"

static const char *const in_all[] = {"DUSK_MAX_BANDWIDTH=128k", "DUSK_MAX_CIRCUITS_PER_PAIR=0", NULL};
static const char *const per_peer[] = {"DUSK_MAX_BANDWIDTH_PER_PEER=128k", "DUSK_MAX_CIRCUITS_PER_PAIR=0",
				       NULL};

static struct client a, b, c;
static struct client *const all[] = {&a, &b, &c};

static struct client **clients(void)
{
	return (struct client **)all;
}

static void begin(const char *const *settings)
{
	fixture_start(settings);
	fixture_connect(&a);
	fixture_reserve(&b);
	fixture_connect(&c);
}

static void end(void)
{
	client_free(&a);
	client_free(&b);
	client_free(&c);
	fixture_stop();
}

/* Less what may be ahead: a quarter of a second, one lump of half a window, and the clock's grain. */
static void expect_rate(uint64_t bytes, int64_t took)
{
	uint64_t ahead = RATE / 4 + YAMUX_WINDOW / 2 + 16384;

	EXPECT_TRUE((uint64_t)took >= (bytes - ahead) * 1000 / RATE);
	EXPECT_TRUE((uint64_t)took <= 15000 + 3 * bytes * 1000 / RATE);
}

static void delays(const char *const *settings)
{
	struct exchange x;
	struct exchange *y;
	struct flow flow;

	begin(settings);
	y = fixture_circuit(&a, &b, &x);
	flow_begin(&flow, &a, &x, y, 6 * RATE);
	expect_rate(6 * RATE, flow_run(clients(), 3, &flow, 1, PATIENCE));
	EXPECT_TRUE(!x.reset && !y->reset);
	fixture_end_circuit(&x, y);
	end();
}

static void test_the_cap_in_all_delays(void **state)
{
	(void)state;
	delays(in_all);
}

static void test_the_cap_of_a_peer_delays(void **state)
{
	(void)state;
	delays(per_peer);
}

/* Two senders share the cap in all. */
static void test_the_cap_in_all_is_of_all(void **state)
{
	struct exchange x[2];
	struct exchange *y[2];
	struct flow flows[2];

	(void)state;
	begin(in_all);
	y[0] = fixture_circuit(&a, &b, &x[0]);
	y[1] = fixture_circuit(&c, &b, &x[1]);
	flow_begin(&flows[0], &a, &x[0], y[0], 4 * RATE);
	flow_begin(&flows[1], &c, &x[1], y[1], 4 * RATE);
	expect_rate(7 * RATE, flow_run(clients(), 3, flows, 2, PATIENCE));
	fixture_end_circuit(&x[0], y[0]);
	fixture_end_circuit(&x[1], y[1]);
	end();
}

/* While one peer waits for its share, another is as fast as ever. */
static void test_the_cap_of_a_peer_is_its_own(void **state)
{
	struct exchange x[2];
	struct exchange *y[2];
	struct flow slow;
	struct flow other;

	(void)state;
	begin(per_peer);
	y[0] = fixture_circuit(&a, &b, &x[0]);
	y[1] = fixture_circuit(&c, &b, &x[1]);
	flow_begin(&slow, &a, &x[0], y[0], 12 * RATE);
	flow_push(&slow);
	flow_begin(&other, &c, &x[1], y[1], FIRST);
	flow_run(clients(), 3, &other, 1, PATIENCE);
	EXPECT_TRUE(!flow_done(&slow));
	flow_run(clients(), 3, &slow, 1, PATIENCE);
	fixture_end_circuit(&x[0], y[0]);
	fixture_end_circuit(&x[1], y[1]);
	end();
}

/* Round trips of a kilobyte beside a circuit that waits for its share of either cap. */
static void light_beside_bulk(const char *const *settings)
{
	struct exchange x[2];
	struct exchange *y[2];
	struct flow bulk;
	int64_t took = 0;

	begin(settings);
	y[0] = fixture_circuit(&a, &b, &x[0]);
	y[1] = fixture_circuit(&a, &b, &x[1]);
	flow_begin(&bulk, &a, &x[0], y[0], 10 * RATE);
	for (int i = 0; i < 50; i++) {
		flow_push(&bulk);
		took += flow_round_trip(clients(), 3, &x[1], y[1], 1024);
	}
	EXPECT_TRUE(!flow_done(&bulk));
	EXPECT_TRUE(took < 50 * 60); /* a delayed one waits for a second or more */
	flow_run(clients(), 3, &bulk, 1, PATIENCE);
	fixture_end_circuit(&x[0], y[0]);
	fixture_end_circuit(&x[1], y[1]);
	end();
}

static void test_light_circuits_do_not_feel_the_cap_in_all(void **state)
{
	(void)state;
	light_beside_bulk(in_all);
}

static void test_light_circuits_do_not_feel_the_cap_of_a_peer(void **state)
{
	(void)state;
	light_beside_bulk(per_peer);
}

static int connect_status(struct client *from)
{
	struct relay_answer answer;
	struct exchange x;

	EXPECT(from, client_open(from, &x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&x, &b.identity.id);
	b.refuse_streams = true;
	for (int64_t until = client_now() + PEER_TIMEOUT_MS; client_now() < until;) {
		int found = ask_relay_read(&x, &answer);

		if (found != 0)
			break;
		client_turn(clients(), 3, 20);
	}
	exchange_close(&x);
	return answer.status;
}

/* First windows are nobody's credit: many circuits would carry them past any cap. */
static void far_ahead(const char *const *settings, const char *setting)
{
	struct exchange x[CIRCUITS];
	struct exchange *y[CIRCUITS];
	struct flow flows[CIRCUITS];
	int status;

	begin(settings);
	for (size_t i = 0; i < CIRCUITS; i++)
		y[i] = fixture_circuit(&a, &b, &x[i]);
	for (size_t i = 0; i < CIRCUITS; i++)
		flow_begin(&flows[i], &a, &x[i], y[i], FIRST);
	flow_run(clients(), 3, flows, CIRCUITS, PATIENCE);
	daemon_mark(&relay);
	EXPECT_STATUS(CIRCUIT_RESOURCE_LIMIT_EXCEEDED, connect_status(&a));
	EXPECT(&relay, daemon_expect(&relay, setting, 3000));
	EXPECT(&relay, daemon_expect_counter(&relay, REFUSED, 1));
	do {
		for (int64_t until = client_now() + 250; client_now() < until;)
			client_turn(clients(), 3, 50);
		status = connect_status(&a);
	} while (status == CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, status); /* asked, and the destination refused */
	EXPECT_STATUS(1, (int)daemon_count(&relay, "circuit refused: limit"));
	for (size_t i = 0; i < CIRCUITS; i++)
		fixture_end_circuit(&x[i], y[i]);
	end();
}

static void test_far_ahead_of_the_cap_in_all(void **state)
{
	(void)state;
	far_ahead(in_all, "DUSK_MAX_BANDWIDTH lifts it");
}

static void test_far_ahead_of_the_cap_of_a_peer(void **state)
{
	(void)state;
	far_ahead(per_peer, "DUSK_MAX_BANDWIDTH_PER_PEER lifts it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_the_cap_in_all_delays),
	    E2E_BARE_TEST(test_the_cap_of_a_peer_delays),
	    E2E_BARE_TEST(test_the_cap_in_all_is_of_all),
	    E2E_BARE_TEST(test_the_cap_of_a_peer_is_its_own),
	    E2E_BARE_TEST(test_light_circuits_do_not_feel_the_cap_in_all),
	    E2E_BARE_TEST(test_light_circuits_do_not_feel_the_cap_of_a_peer),
	    E2E_BARE_TEST(test_far_ahead_of_the_cap_in_all),
	    E2E_BARE_TEST(test_far_ahead_of_the_cap_of_a_peer),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
