/* SPDX-License-Identifier: MIT
 *
 * A relay whose connections are all taken: newcomers are turned away with a reason, those inside are not
 * disturbed, and the machine's own health check still gets in. And one that may have few descriptors.
 */
#include "tests/e2e/fixture.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define MOST	    24
#define DESCRIPTORS 160

static struct dial_address outside; /* an address of this machine that is not loopback */
static struct client peers[DESCRIPTORS * 2];

static bool find_outside(void)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (getifaddrs(&list) != 0)
		return false;
	for (struct ifaddrs *a = list; a && !found; a = a->ifa_next) {
		found = a->ifa_addr && a->ifa_addr->sa_family == AF_INET && !(a->ifa_flags & IFF_LOOPBACK) &&
			(a->ifa_flags & IFF_UP);
		if (found) {
			memcpy(&outside.address, a->ifa_addr, sizeof(struct sockaddr_in));
			outside.len = sizeof(struct sockaddr_in);
		}
	}
	freeifaddrs(list);
	((struct sockaddr_in *)&outside.address)->sin_port = htons(relay.port);
	return found;
}

/* Connects from outside, from this place of the list on, until the relay turns one away; how many are in
 * then. */
static size_t fill(size_t count, size_t most)
{
	while (count < most) {
		client_init(&peers[count], PEER_TIMEOUT_MS);
		if (client_connect(&peers[count], &outside) != 0) {
			client_free(&peers[count]);
			break;
		}
		count++;
	}
	return count;
}

static void leave(size_t count)
{
	for (size_t i = 0; i < count; i++)
		client_free(&peers[i]);
}

static void test_all_connections_taken(void **state)
{
	static const char *const settings[] = {"DUSK_MAX_CONNECTIONS=24", NULL};
	static const char *const health[] = {"health", NULL};
	struct daemon runner;
	struct client late;
	size_t count;

	(void)state;
	if (!find_outside()) {
		printf("left out, needs an address that is not loopback: a full relay\n");
		return;
	}
	fixture_start(settings);
	count = fill(0, MOST * 2);
	EXPECT_TRUE(count > MOST / 2 && count <= MOST);
	/* By the total, or by the share of one address when it is a public one; either names what lifts it.
	 */
	EXPECT(&relay, daemon_expect(&relay, "connection rejected: ", 2000));
	EXPECT(&relay, daemon_expect(&relay, "DUSK_MAX_CONNECTIONS", 2000));
	EXPECT(&peers[0], ask_ping(&peers[0], 1));
	EXPECT(&peers[count - 1], ask_ping(&peers[count - 1], 1));
	EXPECT(&late, peer_open(&late, relay.port)); /* loopback */
	EXPECT(&late, ask_ping(&late, 1));
	client_free(&late);
	EXPECT(&runner, daemon_prepare(&runner));
	runner.port = relay.port;
	EXPECT_STATUS(0, daemon_run(&runner, health, NULL));
	daemon_remove(&runner);
	client_free(&peers[--count]);
	fixture_expect_connections(count);
	EXPECT_STATUS((int)count + 1, (int)fill(count, count + 1)); /* the place of the one that left */
	leave(count + 1);
	fixture_stop();
}

static void test_few_descriptors(void **state)
{
	static const char *const settings[] = {"DUSK_MAX_CONNECTIONS=5000", NULL};
	size_t count;

	(void)state;
	if (outside.len == 0) {
		printf("left out, needs an address that is not loopback: few descriptors\n");
		return;
	}
	relay.descriptors = DESCRIPTORS;
	fixture_start(settings);
	EXPECT(&relay, daemon_expect(&relay, "descriptor limit allows", 2000));
	count = fill(0, DESCRIPTORS * 2);
	EXPECT_TRUE(count >= 16 && count < DESCRIPTORS);
	for (size_t i = 0; i < count; i++)
		EXPECT(&peers[i], client_yamux_ping(&peers[i], (uint32_t)i));
	leave(count);
	fixture_expect_connections(0);
	EXPECT_STATUS(4, (int)fill(0, 4));
	leave(4);
	fixture_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_all_connections_taken),
	    E2E_BARE_TEST(test_few_descriptors),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
