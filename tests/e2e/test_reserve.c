/* SPDX-License-Identifier: MIT
 *
 * RESERVE: reservations, renewals, several connections, addresses, vouchers; and every request that is not
 * one.
 */
#include "tests/e2e/fixture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const settings[] = {
    "DUSK_RELAY_EXTERNAL_ADDR=/dns4/relay.example.org/tcp/4001,203.0.113.7", NULL};

static void expect_good(const struct client *c, const struct relay_answer *a)
{
	const char *wrong;

	EXPECT_STATUS(CIRCUIT_OK, a->status);
	wrong = ask_relay_check(a, &relay.id, &c->identity.id, (uint64_t)time(NULL));
	if (wrong)
		fixture_fail(__FILE__, __LINE__, "the reservation", wrong);
}

static void expect_addr(const struct multiaddr *got, const char *before_id)
{
	char text[MULTIADDR_TEXT_MAX];
	char wanted[MULTIADDR_TEXT_MAX];
	char id[PEER_ID_TEXT_MAX];

	peer_id_to_text(&relay.id, id);
	snprintf(wanted, sizeof(wanted), "%s/p2p/%s", before_id, id);
	EXPECT_STATUS(0, multiaddr_to_text(got->bytes, got->len, text));
	assert_string_equal(text, wanted);
}

static void test_reservation_is_what_clients_want(void **state)
{
	struct relay_answer a;
	struct client c;
	char second[64];

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, ask_reserve(&c, true, &a));
	expect_good(&c, &a);
	EXPECT_TRUE(a.expire >= (uint64_t)time(NULL) + 3590 && a.expire <= (uint64_t)time(NULL) + 3610);
	EXPECT_TRUE(!a.limit.present);
	EXPECT_TRUE(a.voucher_len > 0);
	EXPECT_STATUS(2, (int)a.addr_count);
	expect_addr(&a.addrs[0], "/dns4/relay.example.org/tcp/4001");
	snprintf(second, sizeof(second), "/ip4/203.0.113.7/tcp/%u", relay.port);
	expect_addr(&a.addrs[1], second);
	EXPECT(&relay, daemon_expect(&relay, "relay reservation accepted for peer", 2000));
	client_free(&c);
}

static void test_stream_left_open_after_the_request(void **state)
{
	struct relay_answer a;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, ask_reserve(&c, false, &a));
	expect_good(&c, &a);
	client_free(&c);
}

static void test_renewals_are_granted_and_counted_once(void **state)
{
	struct relay_answer a;
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (int i = 0; i < 20; i++) {
		EXPECT(&c, ask_reserve(&c, i % 2, &a));
		expect_good(&c, &a);
	}
	EXPECT_STATUS(2, (int)daemon_counter(&relay, "dusk_relay_reservations"));
	EXPECT_TRUE(daemon_counter(&relay, "libp2p_relaysvc_reservations_total{type=\"renewed\"}") >= 19);
	client_free(&c);
}

static void connect_as(struct client *c, const struct client *who)
{
	client_init(c, PEER_TIMEOUT_MS);
	c->identity = who->identity;
	EXPECT(c, peer_open_as(c, relay.port));
}

static void test_two_connections_of_one_peer(void **state)
{
	struct relay_answer a;
	struct client first;
	struct client second;
	struct client caller;
	struct exchange x;
	struct exchange *y;

	(void)state;
	fixture_reserve(&first);
	connect_as(&second, &first);
	EXPECT(&second, ask_reserve(&second, true, &a));
	expect_good(&second, &a);
	fixture_connect(&caller);
	y = fixture_circuit(&caller, &second, &x); /* the newest that reserved */
	fixture_end_circuit(&x, y);
	client_drop(&second, false);
	EXPECT(&relay, daemon_expect(&relay, "peer disconnected", 2000));
	y = fixture_circuit(&caller, &first, &x); /* the other one is still there */
	fixture_end_circuit(&x, y);
	client_free(&caller);
	client_free(&second);
	client_free(&first);
}

/* A connection of the same peer that never reserved does not get STOPs. */
static void test_stop_goes_to_the_connection_that_reserved(void **state)
{
	struct client first;
	struct client second;
	struct client caller;
	struct exchange x;
	struct exchange *y;

	(void)state;
	fixture_reserve(&first);
	connect_as(&second, &first);
	fixture_connect(&caller);
	y = fixture_circuit(&caller, &first, &x);
	EXPECT_STATUS(0, (int)second.stop_count);
	fixture_end_circuit(&x, y);
	client_free(&caller);
	client_free(&second);
	client_free(&first);
}

static void test_reservation_ends_with_the_last_connection(void **state)
{
	struct relay_answer a;
	struct client b;
	struct client caller;
	struct exchange x;
	struct peer_id gone;

	(void)state;
	fixture_reserve(&b);
	gone = b.identity.id;
	client_drop(&b, true);
	client_free(&b);
	fixture_expect_connections(1);
	fixture_connect(&caller);
	EXPECT(&caller, ask_connect(&caller, &x, &gone, NULL, 0, &a));
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, a.status);
	exchange_close(&x);
	client_free(&caller);
	EXPECT_STATUS(1, (int)daemon_counter(&relay, "dusk_relay_reservations"));
}

static void test_a_request_in_single_bytes(void **state)
{
	struct relay_answer a;
	struct exchange x;
	struct client c;
	struct span message;

	(void)state;
	fixture_connect(&c);
	c.session.mux.frame_max = 1;
	EXPECT(&c, peer_stream(&c, &x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_reserve(&x);
	EXPECT(&c, client_message(&c, &x, CIRCUIT_MESSAGE_MAX, &message, "the answer"));
	EXPECT_TRUE(ask_relay_read(&x, &a) > 0);
	expect_good(&c, &a);
	exchange_close(&x);
	client_free(&c);
}

/* The stream goes while keyproc signs the voucher. */
static void test_reset_right_after_the_request(void **state)
{
	struct client c;

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct exchange x;

		fixture_connect(&c);
		EXPECT_STATUS(0, exchange_open(&x, &c.session.mux, CIRCUIT_HOP_PROTOCOL));
		ask_relay_send_reserve(&x);
		exchange_close(&x);
		client_flush(&c);
		if (i % 2)
			EXPECT(&c, ask_ping(&c, 1));
		client_drop(&c, i % 3 == 0);
		client_free(&c);
	}
	fixture_expect_connections(1);
	EXPECT_STATUS(1, (int)daemon_counter(&relay, "dusk_relay_reservations"));
}

static uint64_t vouchers_left_out(void)
{
	static const char *const names[] = {"dusk_relay_vouchers_left_out_total{reason=\"rate\"}",
					    "dusk_relay_vouchers_left_out_total{reason=\"keyproc\"}"};
	uint64_t values[2];

	daemon_counters(&relay, names, values, 2);
	return values[0] + values[1];
}

/* All are granted; keyproc signs for one connection 16 at once, then one a second. */
static void test_many_requests_at_once(void **state)
{
	static struct exchange x[100];
	uint64_t before = vouchers_left_out();
	unsigned vouchers = 0;
	struct relay_answer a;
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (size_t i = 0; i < 100; i++) {
		EXPECT_STATUS(0, exchange_open(&x[i], &c.session.mux, CIRCUIT_HOP_PROTOCOL));
		ask_relay_send_reserve(&x[i]);
	}
	for (size_t i = 0; i < 100; i++) {
		struct span message;

		EXPECT(&c, client_message(&c, &x[i], CIRCUIT_MESSAGE_MAX, &message, "one of 100 answers"));
		EXPECT_TRUE(ask_relay_read(&x[i], &a) > 0);
		EXPECT_STATUS(CIRCUIT_OK, a.status);
		vouchers += a.voucher_len > 0;
		exchange_close(&x[i]);
	}
	EXPECT_TRUE(vouchers >= 1 && vouchers < 100);
	EXPECT_STATUS(100 - (int)vouchers, (int)(vouchers_left_out() - before));
	client_free(&c);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_reservation_is_what_clients_want),
	    E2E_TEST(test_stream_left_open_after_the_request),
	    E2E_TEST(test_renewals_are_granted_and_counted_once),
	    E2E_TEST(test_two_connections_of_one_peer),
	    E2E_TEST(test_stop_goes_to_the_connection_that_reserved),
	    E2E_TEST(test_reservation_ends_with_the_last_connection),
	    E2E_TEST(test_a_request_in_single_bytes),
	    E2E_TEST(test_reset_right_after_the_request),
	    E2E_TEST(test_many_requests_at_once),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
