/* SPDX-License-Identifier: MIT
 *
 * The counters that operators watch: after a known number of events each shows just that number. The names
 * are those of go-libp2p where it has one, so that its boards work.
 */
#include "tests/e2e/rendezvous_peer.h"

#include <string.h>

#define MOST 16

struct expected {
	const char *name;
	uint64_t value;
};

/* All of them in one report. */
static void expect_all(const struct expected *list, size_t count)
{
	const char *names[MOST] = {0};
	uint64_t values[MOST];

	for (size_t i = 0; i < count; i++)
		names[i] = list[i].name;
	daemon_counters(&relay, names, values, count);
	for (size_t i = 0; i < count; i++)
		if (values[i] != list[i].value)
			fixture_fail(__FILE__, __LINE__, names[i], fixture_number((long long)values[i]));
}

#define EXPECT_COUNTERS(...)                                                                                 \
	do {                                                                                                 \
		const struct expected list[] = {__VA_ARGS__};                                                \
		expect_all(list, sizeof(list) / sizeof(list[0]));                                            \
	} while (0)

static void test_reservations(void **state)
{
	struct relay_answer a;
	struct client c;

	(void)state;
	fixture_reserve(&c);
	EXPECT(&c, ask_reserve(&c, true, &a));
	EXPECT(&c, ask_reserve(&c, true, &a));
	EXPECT_COUNTERS({"dusk_relay_reservations", 2},
			{"libp2p_relaysvc_reservations_total{type=\"opened\"}", 2},
			{"libp2p_relaysvc_reservations_total{type=\"renewed\"}", 2},
			{"libp2p_relaysvc_reservation_request_response_status_total{status=\"ok\"}", 4});
	client_free(&c);
	fixture_expect_connections(1);
	EXPECT_COUNTERS({"libp2p_relaysvc_reservations_total{type=\"closed\"}", 1},
			{"dusk_relay_reservations", 1}, {"libp2p_relaysvc_status", 1});
}

static void test_circuits(void **state)
{
	struct relay_answer answer;
	struct exchange x;
	struct exchange *y;
	struct exchange nowhere;
	struct client a;
	struct client b;

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	y = fixture_circuit(&a, &b, &x);
	exchange_write(&x, "0123456789", 10);
	client_flush(&a);
	EXPECT(&b, client_read(&b, y, 10, "ten bytes"));
	EXPECT_COUNTERS({"dusk_relay_circuits", 1}, {"libp2p_relaysvc_connections_total{type=\"opened\"}", 1},
			{"libp2p_relaysvc_connection_request_response_status_total{status=\"ok\"}", 1},
			{"libp2p_relaysvc_data_transferred_bytes_total", 10});
	EXPECT(&a, ask_connect(&a, &nowhere, &a.identity.id, NULL, 0, &answer));
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, answer.status);
	exchange_close(&nowhere);
	EXPECT_COUNTERS({"libp2p_relaysvc_connection_rejections_total{reason=\"no reservation\"}", 1},
			{"libp2p_relaysvc_connection_request_response_status_total{status=\"rejected\"}", 1});
	fixture_end_circuit(&x, y);
	client_free(&a);
	client_free(&b);
	fixture_expect_connections(1);
	EXPECT_COUNTERS({"libp2p_relaysvc_connections_total{type=\"closed\"}", 1},
			{"libp2p_relaysvc_connection_duration_seconds_count", 1}, {"dusk_relay_circuits", 0},
			{"dusk_relay_circuits_pending", 0});
}

static void test_rendezvous(void **state)
{
	struct rendezvous_result result;
	struct client a;
	struct record r;

	(void)state;
	rendezvous_join(&a, "counted", ENVELOPE_RECORD);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1700000000);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&a, "counted", &r, 0));
	EXPECT_STATUS(RENDEZVOUS_INVALID_TTL, rendezvous_register(&a, "counted", &r, 5));
	rendezvous_discover(&a, "counted", &result);
	rendezvous_result_free(&result);
	EXPECT_COUNTERS({"libp2p_rendezvous_registered", 1}, {"libp2p_rendezvous_namespaces", 1},
			{"libp2p_rendezvous_register_total{result=\"ok\"}", 1},
			{"libp2p_rendezvous_register_total{result=\"refreshed\"}", 1},
			{"libp2p_rendezvous_register_total{result=\"invalid_ttl\"}", 1},
			{"libp2p_rendezvous_discover_total{result=\"ok\"}", 1},
			{"libp2p_rendezvous_served_total", 1});
	EXPECT(&a, ask_unregister(&a, "counted"));
	EXPECT_COUNTERS({"libp2p_rendezvous_unregister_total", 1}, {"libp2p_rendezvous_registered", 0},
			{"libp2p_rendezvous_record_bytes", 0});
	client_free(&a);
}

static void test_connections_and_streams(void **state)
{
	struct exchange x;
	struct client c;
	uint64_t pings;
	uint64_t refused;

	(void)state;
	fixture_connect(&c);
	pings = daemon_counter(&relay, "dusk_relay_yamux_pings_total");
	refused = daemon_counter(&relay, "dusk_relay_protocol_refused_total");
	EXPECT(&c, client_yamux_ping(&c, 1));
	EXPECT_COUNTERS({"dusk_relay_yamux_pings_total", pings + 1});
	EXPECT_STATUS(-1, client_open(&c, &x, "/unknown/1.0.0"));
	EXPECT_COUNTERS({"dusk_relay_protocol_refused_total", refused + 1}, {"dusk_relay_connections", 2},
			{"dusk_relay_connections_established", 2}, {"dusk_relay_streams", 1});
	exchange_close(&x);
	client_flush(&c);
	EXPECT(&c, client_yamux_ping(&c, 2));
	EXPECT_COUNTERS({"dusk_relay_streams", 0});
	client_free(&c);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_reservations),
	    E2E_TEST(test_circuits),
	    E2E_TEST(test_rendezvous),
	    E2E_TEST(test_connections_and_streams),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
