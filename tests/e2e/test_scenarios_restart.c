/* SPDX-License-Identifier: MIT
 *
 * A relay that was restarted has forgotten every reservation: it says so, and whoever reserves again is
 * reached again; a crowd of clients is back at once.
 * Runs alone: it tells how long the crowd takes. RETURNING=10000 makes it larger, E2E_SLOW bounds the time.
 */
#include "tests/e2e/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define RETURNING    1000
#define ADDRESSES    250 /* 127.0.0.3 and on: each some clients' */
#define PATIENCE_MS  120000
#define TOGETHER     500   /* that dial between two looks at what came */
#define SLICE	     2000  /* that wait together */
#define BACK_WITHIN  10000 /* ms, for a relay and clients that share two processors */
#define NEVER_LOADED (getenv("E2E_SLOW") && !getenv("E2E_SANITIZED"))

static const char *const settings[] = {"DUSK_LIMIT_PRIVATE_IPS=1", "DUSK_MAX_CONNECTIONS=12000",
				       "DUSK_MAX_RESERVATIONS=12000", NULL};

static int connect_status(struct client *a, const struct peer_id *to)
{
	struct relay_answer answer;
	struct exchange x;

	EXPECT(a, ask_connect(a, &x, to, NULL, 0, &answer));
	exchange_close(&x);
	return answer.status;
}

static void come_back(struct client *c, const struct identity *who)
{
	client_init(c, PEER_TIMEOUT_MS);
	c->identity = *who;
	EXPECT(c, peer_open_as(c, relay.port));
}

static void test_a_restart_forgets_reservations(void **state)
{
	struct relay_answer answer;
	struct identity was;
	struct pair p = {.both = {&p.a, &p.b}};

	(void)state;
	fixture_start(NULL);
	fixture_reserve(&p.b);
	was = p.b.identity;
	fixture_stop();
	client_free(&p.b);
	fixture_start(NULL);
	come_back(&p.b, &was);
	fixture_connect(&p.a);
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&p.a, &was.id));
	EXPECT_STATUS(0, (int)p.b.stop_count);
	EXPECT(&p.b, ask_reserve(&p.b, true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	p.y = fixture_circuit(&p.a, &p.b, &p.x);
	exchange_write(&p.x, "again", 5);
	pair_read(&p, p.y, "again", 5);
	pair_close(&p);
	fixture_stop();
}

/* --- a crowd --- */

struct member {
	struct client client;
	struct exchange reserving;
	bool dialled;
	bool asked;
	bool reserved;
};

static struct {
	struct member *members;
	struct client **list;
	size_t count;
	size_t turned_away;
} crowd;

static void member_leave(struct member *m)
{
	if (m->asked && !m->reserved)
		exchange_close(&m->reserving);
	client_free(&m->client);
}

/* The same peer, not connected. */
static void member_renew(struct member *m)
{
	struct identity who = m->client.identity;

	member_leave(m);
	client_init(&m->client, PEER_TIMEOUT_MS);
	m->client.identity = who;
	m->dialled = m->asked = m->reserved = false;
}

static void member_dial(struct member *m)
{
	size_t i = (size_t)(m - crowd.members);
	struct dial_address address;
	struct dial_address source;
	int fd;

	dial_loopback(&address, relay.port);
	dial_loopback_source(&source, (uint8_t)(3 + i % ADDRESSES));
	fd = dial_begin(&address, &source);
	EXPECT_TRUE(fd >= 0);
	client_attach(&m->client, fd);
	m->dialled = true;
}

/* The next step towards a reservation, if it can be made now. */
static void member_step(struct member *m)
{
	struct relay_answer answer;

	if (!m->asked && m->client.session.phase == SESSION_OPEN) {
		EXPECT_STATUS(0, exchange_open(&m->reserving, &m->client.session.mux, CIRCUIT_HOP_PROTOCOL));
		ask_relay_send_reserve(&m->reserving);
		exchange_finish(&m->reserving);
		m->asked = true;
	} else if (m->asked && !m->reserved && ask_relay_read(&m->reserving, &answer) > 0) {
		EXPECT_STATUS(CIRCUIT_OK, answer.status);
		exchange_close(&m->reserving);
		m->reserved = true;
	}
}

/* Dials those that have not yet, some at a time as their computers would, and those that were turned away. */
static bool crowd_is_reserved(void)
{
	size_t reserved = 0;
	size_t dialled = 0;

	for (size_t i = 0; i < crowd.count; i++) {
		struct member *m = &crowd.members[i];

		if (m->dialled && !client_alive(&m->client)) {
			crowd.turned_away++;
			member_renew(m);
		}
		if (!m->dialled && ++dialled <= TOGETHER)
			member_dial(m);
		if (!m->dialled)
			continue;
		member_step(m);
		reserved += m->reserved;
	}
	return reserved == crowd.count;
}

static void crowd_turn(void)
{
	for (size_t at = 0; at < crowd.count; at += SLICE) {
		size_t left = crowd.count - at;

		client_turn(crowd.list + at, left < SLICE ? left : SLICE, 1);
	}
}

static void crowd_begin(void)
{
	const char *text = getenv("RETURNING");
	struct rlimit limit;

	crowd.count = text ? strtoul(text, NULL, 10) : RETURNING;
	crowd.members = calloc(crowd.count, sizeof(*crowd.members));
	crowd.list = calloc(crowd.count, sizeof(struct client *));
	EXPECT_TRUE(crowd.count > 0 && crowd.members && crowd.list);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	EXPECT_TRUE(limit.rlim_cur > crowd.count + 100);
	for (size_t i = 0; i < crowd.count; i++) {
		client_init(&crowd.members[i].client, PEER_TIMEOUT_MS);
		crowd.list[i] = &crowd.members[i].client;
	}
}

static int64_t crowd_reserve(void)
{
	int64_t start = client_now();

	crowd.turned_away = 0;
	while (!crowd_is_reserved()) {
		EXPECT_TRUE(client_now() - start < PATIENCE_MS);
		crowd_turn();
	}
	EXPECT_STATUS((int)crowd.count, (int)daemon_counter(&relay, "dusk_relay_reservations"));
	return client_now() - start;
}

static void test_a_crowd_reserves_again(void **state)
{
	int64_t took;

	(void)state;
	crowd_begin();
	fixture_start(settings);
	printf("%zu clients reserve in %lld ms\n", crowd.count, (long long)crowd_reserve());
	fixture_stop();
	fixture_start(settings);
	for (size_t i = 0; i < crowd.count; i++)
		member_renew(&crowd.members[i]);
	took = crowd_reserve();
	printf("after a restart they are back in %lld ms, %zu were turned away on the way\n", (long long)took,
	       crowd.turned_away);
	EXPECT_TRUE(!NEVER_LOADED || took < BACK_WITHIN);
	for (size_t i = 0; i < crowd.count; i++)
		member_leave(&crowd.members[i]);
	free(crowd.members);
	free(crowd.list);
	fixture_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_a_restart_forgets_reservations),
	    E2E_BARE_TEST(test_a_crowd_reserves_again),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
