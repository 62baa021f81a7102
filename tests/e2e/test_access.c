/* SPDX-License-Identifier: MIT
 *
 * Who may connect: caps of one address and of all, rates, idle connections, IPv6, the places kept for
 * loopback.
 */
#include "tests/e2e/fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define PER_IP	  6
#define HALF_OPEN 4
#define TOTAL	  40

static const char *const settings[] = {"DUSK_LIMIT_PRIVATE_IPS=1",    "DUSK_MAX_CONNECTIONS_PER_IP=6",
				       "DUSK_MAX_HALF_OPEN_PER_IP=4", "DUSK_MAX_HANDSHAKES_PER_IP=5",
				       "DUSK_MAX_CONNECTIONS=40",     "DUSK_IDLE_TIMEOUT=10",
				       "DUSK_HANDSHAKE_TIMEOUT=3",    NULL};

static void closed_at_once(uint8_t last)
{
	struct peer_raw p;

	EXPECT(&p, peer_raw_open_from(&p, relay.port, last));
	EXPECT(&p, peer_raw_wait_end(&p, 1500));
	peer_raw_close(&p, false);
}

static void test_connections_of_one_address(void **state)
{
	struct client peers[PER_IP];
	struct client other;

	(void)state;
	for (size_t i = 0; i < PER_IP; i++)
		EXPECT(&peers[i], peer_open_from(&peers[i], relay.port, 10));
	closed_at_once(10);
	EXPECT_CLOSED("limit_connections_per_ip");
	EXPECT(&relay, daemon_expect_counter(
			   &relay, "dusk_relay_closed_total{reason=\"limit_connections_per_ip\"}", 1));
	EXPECT(&other, peer_open_from(&other, relay.port, 11));
	client_free(&other);
	client_free(&peers[0]);
	fixture_expect_connections(PER_IP);
	EXPECT(&peers[0], peer_open_from(&peers[0], relay.port, 10));
	for (size_t i = 0; i < PER_IP; i++)
		client_free(&peers[i]);
}

static void test_half_open_connections_of_one_address(void **state)
{
	struct peer_raw silent[HALF_OPEN];

	(void)state;
	for (size_t i = 0; i < HALF_OPEN; i++)
		EXPECT(&silent[i], peer_raw_open_from(&silent[i], relay.port, 12));
	closed_at_once(12);
	EXPECT_CLOSED("limit_half_open");
	for (size_t i = 0; i < HALF_OPEN; i++)
		peer_raw_close(&silent[i], false);
}

static void test_handshakes_of_one_address(void **state)
{
	struct peer_raw p;
	int refused = 0;

	(void)state;
	for (int i = 0; i < 120 && refused == 0; i++) { /* a burst of eight seconds' worth is allowed */
		EXPECT(&p, peer_raw_open_from(&p, relay.port, 13));
		peer_raw_line(&p, "/multistream/1.0.0");
		refused = peer_raw_read(&p, 20, 2000) != 0;
		peer_raw_close(&p, false);
		if (refused)
			EXPECT_TRUE(i >= 40);
	}
	EXPECT_TRUE(refused);
	EXPECT_CLOSED("limit_handshakes_per_ip");
	EXPECT(&p, peer_raw_open_from(&p, relay.port, 14)); /* others are not held to it */
	peer_raw_line(&p, "/multistream/1.0.0");
	EXPECT(&p, peer_raw_expect_line(&p, "/multistream/1.0.0"));
	peer_raw_close(&p, false);
}

/* Above four fifths of all places nobody may have more than a share; loopback keeps a few places. */
static void test_connections_in_all(void **state)
{
	static struct client peers[TOTAL * 2];
	size_t count = 0;
	bool full = false;

	(void)state;
	for (uint8_t last = 20; last < 60 && !full; last++)
		for (int i = 0; i < 2 && !full; i++, count++)
			full = peer_open_from(&peers[count], relay.port, last) != 0;
	EXPECT_TRUE(full);
	EXPECT_TRUE(count <= TOTAL);
	EXPECT_TRUE(count >= TOTAL * 4 / 5 - 1);
	EXPECT(&witness, ask_ping(&witness, 1));
	for (size_t i = 0; i < count; i++)
		client_free(&peers[i]);
	fixture_expect_connections(1);
}

static void test_idle_connections_end(void **state)
{
	struct relay_answer answer;
	struct client idle;
	struct client reserved;
	int64_t start = client_now();

	(void)state;
	EXPECT(&idle, peer_open_from(&idle, relay.port, 15));
	EXPECT(&reserved, peer_open_from(&reserved, relay.port, 16));
	EXPECT(&reserved, ask_reserve(&reserved, true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	EXPECT(&idle, client_wait_end(&idle, 15000));
	EXPECT_TRUE(client_now() - start >= 9900);
	EXPECT_CLOSED("idle");
	EXPECT(&reserved, ask_ping(&reserved, 1)); /* a reservation keeps it */
	client_free(&idle);
	client_free(&reserved);
}

static void test_ip6(void **state)
{
	static struct identify_answer a;
	struct dial_target target;
	char text[MULTIADDR_TEXT_MAX];
	char address[64];
	struct client c;

	(void)state;
	snprintf(address, sizeof(address), "/ip6/::1/tcp/%u", relay.port);
	EXPECT_TRUE(dial_parse(&target, address) == NULL && dial_resolve(&target) == NULL);
	client_init(&c, PEER_TIMEOUT_MS);
	EXPECT(&c, client_connect(&c, &target.addresses[0]));
	EXPECT(&c, ask_identify(&c, &a));
	EXPECT_STATUS(0, multiaddr_to_text(a.message.observed.bytes, a.message.observed.len, text));
	EXPECT_TRUE(strncmp(text, "/ip6/::1/tcp/", 13) == 0);
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
	    E2E_TEST(test_connections_of_one_address), E2E_TEST(test_half_open_connections_of_one_address),
	    E2E_TEST(test_handshakes_of_one_address),  E2E_TEST(test_connections_in_all),
	    E2E_TEST(test_idle_connections_end),       E2E_TEST(test_ip6),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
