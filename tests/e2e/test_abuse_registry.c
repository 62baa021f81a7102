/* SPDX-License-Identifier: MIT
 *
 * Many identities behind one range of addresses and the registry: they get their share of a nearly full one,
 * others still register; and a crowd behind one address is served by default.
 */
#include "tests/e2e/rendezvous_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define MOST	   200
#define EACH	   20
#define CROWD	   200
#define NAMESPACES 50
#define REFUSED	   "libp2p_rendezvous_register_total{result=\"address_share\"}"
#define WARNED	   "registration refused: an IPv4 /24 or IPv6 /48 has its share of a nearly full registry"

static const char *const settings[] = {"DUSK_LIMIT_PRIVATE_IPS=1", "DUSK_MAX_REGISTRATIONS=200", NULL};
static const char *const by_default[] = {"DUSK_LIMIT_PRIVATE_IPS=1", NULL};

/* A client of 127.0.`third`.`last`, with its reservation. */
static void member_comes(struct client *c, unsigned third, unsigned last)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct dial_address address, source = {.len = sizeof(in)};
	struct relay_answer answer;
	int fd;

	in.sin_addr.s_addr = htonl(0x7f000000u | third << 8 | last);
	memcpy(&source.address, &in, sizeof(in));
	client_init(c, PEER_TIMEOUT_MS);
	dial_loopback(&address, relay.port);
	fd = dial_connect_from(&address, &source, PEER_TIMEOUT_MS);
	EXPECT_TRUE(fd >= 0);
	client_attach(c, fd);
	EXPECT(c, client_wait_phase(c, SESSION_OPEN, "the session to open"));
	EXPECT(c, ask_reserve(c, true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
}

/* Registers under `count` names from `first` on; how many were taken. */
static int register_many(struct client *c, int first, int count)
{
	struct record r;
	char ns[32];
	int taken = 0;

	rendezvous_record(&r, c, ENVELOPE_RECORD_LEGACY, 1700000000);
	for (int i = 0; i < count; i++) {
		snprintf(ns, sizeof(ns), "community/%d", first + i);
		taken += rendezvous_register(c, ns, &r, 0) == RENDEZVOUS_OK;
	}
	return taken;
}

static void test_identities_of_one_range(void **state)
{
	static struct client crowd[MOST / EACH], other;
	int taken = 0;

	(void)state;
	for (unsigned i = 0; i < MOST / EACH; i++) {
		member_comes(&crowd[i], 7, 1 + i * 20);
		taken += register_many(&crowd[i], (int)i * EACH, EACH);
	}
	EXPECT_STATUS(MOST * 8 / 10 + 1, taken);
	EXPECT_STATUS(MOST - taken, (int)daemon_counter(&relay, REFUSED));
	EXPECT(&relay, daemon_expect(&relay, WARNED "; DUSK_MAX_REGISTRATIONS lifts it", 5000));
	relay.mark = 0;
	EXPECT_STATUS(1, (int)daemon_count(&relay, WARNED));
	/* What they have they keep. */
	EXPECT_STATUS(EACH, register_many(&crowd[0], 0, EACH));
	member_comes(&other, 8, 1);
	EXPECT_STATUS(EACH, register_many(&other, 0, EACH));
	client_free(&other);
	for (unsigned i = 0; i < MOST / EACH; i++)
		client_free(&crowd[i]);
}

/* As a provider's address translation shows its customers. */
static void test_a_crowd_behind_one_address(void **state)
{
	static struct client crowd[CROWD];

	(void)state;
	for (unsigned i = 0; i < CROWD; i++) {
		member_comes(&crowd[i], 9, 9);
		EXPECT_STATUS(NAMESPACES, register_many(&crowd[i], (int)i % 100, NAMESPACES));
	}
	EXPECT_STATUS(CROWD * NAMESPACES, (int)daemon_counter(&relay, "libp2p_rendezvous_registered"));
	EXPECT_STATUS(0, (int)daemon_counter(&relay, REFUSED));
	for (unsigned i = 0; i < CROWD; i++)
		client_free(&crowd[i]);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

static int crowd_begin(void **state)
{
	(void)state;
	return fixture_begin(by_default);
}

int main(void)
{
	const struct CMUnitTest range[] = {E2E_TEST(test_identities_of_one_range)};
	const struct CMUnitTest crowd[] = {E2E_TEST(test_a_crowd_behind_one_address)};
	int failed = cmocka_run_group_tests(range, group_begin, fixture_group_end);

	return failed + cmocka_run_group_tests(crowd, crowd_begin, fixture_group_end);
}
