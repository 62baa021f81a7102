/* SPDX-License-Identifier: MIT
 *
 * DUSK_RELAY_DENY_PEERS: who stands in it gets PERMISSION_DENIED for all that concerns the relay, and so does
 * whoever asks for them; a list that cannot be read is no start.
 */
#include "tests/e2e/fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define EXIT_SETTINGS 78
#define RESERVES      "libp2p_relaysvc_reservation_rejections_total{reason=\"permission denied\"}"
#define CONNECTS      "libp2p_relaysvc_connection_rejections_total{reason=\"permission denied\"}"

static struct identity denied[2];
static char deny_setting[300];
static const char *const settings[] = {deny_setting, NULL};

static void connect_denied(struct client *c, size_t which)
{
	client_init(c, PEER_TIMEOUT_MS);
	c->identity = denied[which];
	EXPECT(c, peer_open_as(c, relay.port));
}

static int reserve_status(struct client *c)
{
	struct relay_answer answer;

	EXPECT(c, ask_reserve(c, true, &answer));
	EXPECT_TRUE(answer.status == CIRCUIT_OK || !answer.has_reservation);
	return answer.status;
}

static int connect_status(struct client *c, const struct peer_id *destination)
{
	struct relay_answer answer;
	struct exchange x;

	EXPECT(c, ask_connect(c, &x, destination, NULL, 0, &answer));
	exchange_close(&x);
	return answer.status;
}

static void test_each_of_the_list_may_not_reserve(void **state)
{
	struct client c;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		connect_denied(&c, i);
		EXPECT_STATUS(CIRCUIT_PERMISSION_DENIED, reserve_status(&c));
		EXPECT_STATUS(CIRCUIT_PERMISSION_DENIED, reserve_status(&c));
		EXPECT(&c, ask_ping(&c, 1)); /* the connection goes on */
		client_free(&c);
	}
	EXPECT(&relay, daemon_expect_counter(&relay, RESERVES, 4));
	EXPECT_STATUS(1, (int)daemon_counter(&relay, "dusk_relay_reservations"));
}

static void test_a_denied_source(void **state)
{
	struct client c;

	(void)state;
	connect_denied(&c, 0);
	EXPECT_STATUS(CIRCUIT_PERMISSION_DENIED, connect_status(&c, &witness.identity.id));
	EXPECT_STATUS(CIRCUIT_PERMISSION_DENIED, connect_status(&c, &denied[1].id));
	client_free(&c);
	EXPECT(&relay, daemon_expect_counter(&relay, CONNECTS, 2));
}

static void test_a_denied_destination(void **state)
{
	struct client c;
	struct client there;

	(void)state;
	fixture_connect(&c);
	EXPECT_STATUS(CIRCUIT_PERMISSION_DENIED, connect_status(&c, &denied[0].id));
	connect_denied(&there, 1); /* connected or not */
	EXPECT_STATUS(CIRCUIT_PERMISSION_DENIED, connect_status(&c, &denied[1].id));
	EXPECT_STATUS(CIRCUIT_OK, reserve_status(&c)); /* who asked is not denied anything else */
	client_free(&there);
	client_free(&c);
}

/* The first test's warning; nothing of a denied peer is another. */
static void test_one_warning_for_all_of_it(void **state)
{
	(void)state;
	relay.mark = 0;
	EXPECT_STATUS(1,
		      (int)daemon_count(&relay, "request of a denied peer refused (DUSK_RELAY_DENY_PEERS)"));
}

static int group_begin(void **state)
{
	char id[2][PEER_ID_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		identity_new(&denied[i]);
		peer_id_to_text(&denied[i].id, id[i]);
	}
	snprintf(deny_setting, sizeof(deny_setting), "DUSK_RELAY_DENY_PEERS=%s,%s", id[0], id[1]);
	return fixture_begin(settings);
}

/* --- lists that cannot be read --- */

static void no_start(const char *list, const char *named)
{
	static char setting[400];
	static const char *const bad[] = {setting, NULL};

	snprintf(setting, sizeof(setting), "DUSK_RELAY_DENY_PEERS=%s", list);
	EXPECT_TRUE(daemon_start(&relay, bad) != 0);
	EXPECT_STATUS(EXIT_SETTINGS, relay.exit_code);
	EXPECT_TRUE(daemon_said(&relay, "DUSK_RELAY_DENY_PEERS"));
	EXPECT_TRUE(daemon_said(&relay, named));
}

static void test_a_bad_entry_is_named(void **state)
{
	char list[300];
	char id[PEER_ID_TEXT_MAX];
	size_t len;

	(void)state;
	len = peer_id_to_text(&denied[0].id, id);
	no_start("somebody", "somebody");
	snprintf(list, sizeof(list), "%s,not-a-peer", id);
	no_start(list, "not-a-peer");
	snprintf(list, sizeof(list), "%s,%.*s", id, (int)len - 1, id);
	no_start(list, "DUSK_RELAY_DENY_PEERS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_each_of_the_list_may_not_reserve),
	    E2E_TEST(test_a_denied_source),
	    E2E_TEST(test_a_denied_destination),
	    E2E_TEST(test_one_warning_for_all_of_it),
	};
	const struct CMUnitTest starts[] = {
	    E2E_BARE_TEST(test_a_bad_entry_is_named),
	};
	int failed = cmocka_run_group_tests(tests, group_begin, fixture_group_end);

	return failed + cmocka_run_group_tests(starts, fixture_bare_begin, fixture_bare_end);
}
