/* SPDX-License-Identifier: MIT
 *
 * Who relays most: SIGUSR1 names the ten busiest peers by bytes; and DUSK_RELAY_LOG_IDS decides how every
 * line writes the ids in it.
 */
#include "tests/e2e/flow.h"
#include "tests/e2e/rendezvous_peer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDERS 12
#define NAMED	10
#define UNIT	10000u /* bytes: the first sender sends one, the second two... */
#define BUSIEST "busiest peer "

static const char *const full[] = {"DUSK_RELAY_LOG_IDS=full", NULL};
static const char *const tail[] = {"DUSK_RELAY_LOG_IDS=short", NULL};
static const char *const none[] = {"DUSK_RELAY_LOG_IDS=none", NULL};

static struct client sender[SENDERS], listener;
static struct exchange x[SENDERS];
static struct exchange *y[SENDERS];

/* How ids are shown. */
static void show_full(const struct client *c, char *text)
{
	peer_id_to_text(&c->identity.id, text);
}

static void show_short(const struct client *c, char *text)
{
	char id[PEER_ID_TEXT_MAX];
	size_t len = peer_id_to_text(&c->identity.id, id);

	sprintf(text, "*%s", id + len - 6);
}

static void show_none(const struct client *c, char *text)
{
	(void)c;
	strcpy(text, "-");
}

typedef void show(const struct client *c, char *text);

/* --- the busiest --- */

/* Each sender has another number of bytes in its one circuit to the listener. */
static void be_busy(void)
{
	struct client *clients[SENDERS + 1] = {&listener};
	struct flow flows[SENDERS];

	fixture_reserve(&listener);
	for (size_t i = 0; i < SENDERS; i++) {
		fixture_connect(&sender[i]);
		clients[i + 1] = &sender[i];
		y[i] = fixture_circuit(&sender[i], &listener, &x[i]);
		flow_begin(&flows[i], &sender[i], &x[i], y[i], (i + 1) * UNIT);
	}
	flow_run(clients, SENDERS + 1, flows, SENDERS, 60000);
}

static void expect_busiest(show *shown)
{
	char id[PEER_ID_TEXT_MAX];
	char line[200];

	daemon_mark(&relay);
	daemon_counter(&relay, "dusk_relay_circuits"); /* a whole report */
	shown(&listener, id);
	snprintf(line, sizeof(line), BUSIEST "%s: %u bytes relayed, %d circuits", id,
		 SENDERS * (SENDERS + 1) / 2 * UNIT, SENDERS);
	EXPECT(&relay, daemon_expect(&relay, line, PEER_TIMEOUT_MS));
	for (size_t i = 0; i < NAMED - 1; i++) {
		size_t which = SENDERS - 1 - i;

		shown(&sender[which], id);
		snprintf(line, sizeof(line), BUSIEST "%s: %zu bytes relayed, 1 circuits", id,
			 (which + 1) * UNIT);
		EXPECT(&relay, daemon_expect(&relay, line, PEER_TIMEOUT_MS));
	}
	/* Each line once, so these are all, in whatever number of reports. */
	EXPECT_STATUS(0, (int)(daemon_count(&relay, BUSIEST) % NAMED));
	snprintf(line, sizeof(line), ": %u bytes relayed, 1 circuits", 3 * UNIT);
	EXPECT_TRUE(!daemon_said(&relay, line)); /* the third sender is the eleventh in all */
}

/* In the order of bytes: the second line comes behind the first. */
static void expect_order(void)
{
	const char *line = (const char *)bytes_at(&relay.log) + relay.mark;
	uint64_t last = UINT64_MAX;

	for (int i = 0; i < NAMED; i++) {
		uint64_t bytes;

		line = strstr(line, BUSIEST);
		EXPECT_TRUE(line != NULL);
		line += sizeof(BUSIEST) - 1;
		bytes = strtoull(strchr(line, ':') + 1, NULL, 10);
		EXPECT_TRUE(bytes < last);
		last = bytes;
	}
}

static void calm_down(void)
{
	for (size_t i = 0; i < SENDERS; i++) {
		fixture_end_circuit(&x[i], y[i]);
		client_free(&sender[i]);
	}
	client_free(&listener);
}

static void busiest(const char *const *settings, show *shown)
{
	fixture_start(settings);
	be_busy();
	expect_busiest(shown);
	expect_order();
	calm_down();
	fixture_stop();
}

static void test_the_ten_busiest(void **state)
{
	(void)state;
	busiest(full, show_full);
}

static void test_the_ten_busiest_shortened(void **state)
{
	(void)state;
	busiest(tail, show_short);
}

static void test_the_ten_busiest_without_names(void **state)
{
	(void)state;
	busiest(none, show_none);
}

static void test_nobody_is_busy(void **state)
{
	(void)state;
	fixture_start(full);
	fixture_reserve(&listener);
	daemon_mark(&relay);
	daemon_counter(&relay, "dusk_relay_circuits");
	EXPECT_TRUE(!daemon_said(&relay, BUSIEST));
	client_free(&listener);
	fixture_stop();
}

/* --- every line with an id --- */

/* A line of the daemon's about these two peers, in the order of a life. */
static const char *const lines[] = {
    "peer connected: %1$s (total",
    "relay reservation accepted for peer %1$s (total",
    "circuit opened: %2$s -> %1$s (through relay)",
    "circuit closed: %2$s -> %1$s\n",
    "peer %1$s registered under namespace '",
    "to peer %1$s\n",
    "peer %1$s unregistered from namespace '",
    "relay reservation ended for peer %1$s (total",
    "peer disconnected: %1$s (total",
};

static void live(struct client *a, struct client *b)
{
	struct rendezvous_result result = {0};
	struct record record;
	struct relay_answer answer;
	struct exchange end;
	struct exchange *other;

	rendezvous_join(b, "family", ENVELOPE_RECORD);
	fixture_connect(a);
	EXPECT(b, ask_reserve(b, true, &answer));
	EXPECT(b, ask_reserve(b, true, &answer));
	other = fixture_circuit(a, b, &end);
	fixture_end_circuit(&end, other);
	client_flush(b);
	rendezvous_record(&record, b, ENVELOPE_RECORD, 2);
	rendezvous_register(b, "family", &record, 0);
	rendezvous_discover(b, "family", &result);
	rendezvous_result_free(&result);
	EXPECT(b, ask_unregister(b, "family"));
	EXPECT(&relay, daemon_expect(&relay, "unregistered from", PEER_TIMEOUT_MS));
}

static void expect_lines(const char *first, const char *second)
{
	char text[300];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), lines[i], first, second);
		EXPECT(&relay, daemon_expect(&relay, text, PEER_TIMEOUT_MS));
	}
}

/* The whole log holds no more of an id than it should. */
static void expect_no_more(const struct client *c, show *shown)
{
	char id[PEER_ID_TEXT_MAX];
	size_t len = peer_id_to_text(&c->identity.id, id);
	bool namespaces = shown != show_none;

	EXPECT_TRUE((daemon_count(&relay, id) > 0) == (shown == show_full));
	EXPECT_TRUE((daemon_count(&relay, id + len - 6) > 0) == (shown != show_none));
	EXPECT_TRUE(shown == show_full || daemon_count(&relay, id + len - 7) == 0);
	EXPECT_TRUE((daemon_count(&relay, "family") > 0) == namespaces);
}

static void all_lines(const char *const *settings, show *shown)
{
	char first[PEER_ID_TEXT_MAX];
	char second[PEER_ID_TEXT_MAX];
	struct client a;
	struct client b;
	size_t mark;

	fixture_start(settings);
	mark = relay.mark;
	live(&a, &b);
	shown(&b, first);
	shown(&a, second);
	client_drop(&a, false);
	client_drop(&b, false);
	relay.mark = mark;
	expect_lines(first, second);
	expect_no_more(&a, shown);
	expect_no_more(&b, shown);
	client_free(&a);
	client_free(&b);
	fixture_stop();
}

static void test_every_line_in_full(void **state)
{
	(void)state;
	all_lines(full, show_full);
}

static void test_every_line_shortened(void **state)
{
	(void)state;
	all_lines(tail, show_short);
}

static void test_every_line_without_names(void **state)
{
	(void)state;
	all_lines(none, show_none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_the_ten_busiest),
	    E2E_BARE_TEST(test_the_ten_busiest_shortened),
	    E2E_BARE_TEST(test_the_ten_busiest_without_names),
	    E2E_BARE_TEST(test_nobody_is_busy),
	    E2E_BARE_TEST(test_every_line_in_full),
	    E2E_BARE_TEST(test_every_line_shortened),
	    E2E_BARE_TEST(test_every_line_without_names),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
