/* SPDX-License-Identifier: MIT
 *
 * Many at once: a crowd of honest clients that comes back in the same moment, floods of one address beside
 * newcomers of others, many identities of one address against one destination.
 */
#include "tests/e2e/fixture.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD	    1000
#define CROWD_SLOW  3000
#define CROWD_MS    120000
#define NEWCOMERS   25
#define FLOOD	    600 /* connections that one address holds in the handshake, or wants to */
#define FLOODER	    2	/* 127.0.0.2 */
#define IDENTITIES  12
#define PER_PAIR    4
#define SOURCE_MOST 64 /* circuits to one destination from one address */
#define OTHERS	    5

/* The handshake table is small beside the crowd and the floods; only what it does protects. */
static const char *const settings[] = {"DUSK_LIMIT_PRIVATE_IPS=1", "DUSK_MAX_HALF_OPEN=128",
				       "DUSK_MAX_HALF_OPEN_PER_IP=0", "DUSK_MAX_HANDSHAKES_PER_IP=0", NULL};

/* --- a crowd --- */

static struct client crowd[CROWD_SLOW];
static struct client *crowd_list[CROWD_SLOW];
static size_t crowd_count;
static size_t crowd_turned_away;

/* Connects without waiting for anything, each from one of 250 addresses. */
static void crowd_dial(size_t i)
{
	struct dial_address address;
	struct dial_address source;
	int fd;

	client_init(&crowd[i], PEER_TIMEOUT_MS);
	dial_loopback(&address, relay.port);
	dial_loopback_source(&source, (uint8_t)(3 + i % 250));
	fd = dial_begin(&address, &source);
	EXPECT_TRUE(fd >= 0);
	client_attach(&crowd[i], fd);
}

static bool crowd_is_in(void *argument)
{
	size_t in = 0;

	(void)argument;
	for (size_t i = 0; i < crowd_count; i++) {
		if (!client_alive(&crowd[i])) {
			crowd_turned_away++;
			client_free(&crowd[i]);
			crowd_dial(i);
		}
		in += crowd[i].session.phase == SESSION_OPEN;
	}
	return in == crowd_count;
}

static void test_a_crowd_comes_back(void **state)
{
	int64_t start = client_now();

	(void)state;
	crowd_count = getenv("E2E_SLOW") ? CROWD_SLOW : CROWD;
	for (size_t i = 0; i < crowd_count; i++) {
		crowd_dial(i);
		crowd_list[i] = &crowd[i];
	}
	EXPECT(&crowd[0],
	       client_wait_all(crowd_list, crowd_count, crowd_is_in, NULL, CROWD_MS, "the whole crowd"));
	printf("a crowd of %zu is in after %lld ms, %zu were turned away on the way\n", crowd_count,
	       (long long)(client_now() - start), crowd_turned_away);
	EXPECT_STATUS(0, (int)crowd_turned_away);
	for (size_t i = 0; i < crowd_count; i++)
		client_free(&crowd[i]);
	fixture_expect_connections(1);
}

/* --- floods --- */

/* What a flood sends on each connection; none goes on after it. */
struct flood {
	const char *name;
	const void *bytes;
	size_t len;
};

static uint8_t flood_noise[30 + 32] = "\x13/multistream/1.0.0\n\x07/noise\n\x00\x20";

static const struct flood floods[] = {
    {"that say nothing", "", 0},
    {"that stop after the first line", "\x13/multistream/1.0.0\n", 20},
    {"that stop after Noise message 1", flood_noise, sizeof(flood_noise)},
};

static int flood_dial(const struct flood *flood)
{
	struct dial_address address;
	struct dial_address source;
	int fd;

	dial_loopback(&address, relay.port);
	dial_loopback_source(&source, FLOODER);
	fd = dial_connect_from(&address, &source, 1000);
	if (fd >= 0 && flood->len > 0 && write(fd, flood->bytes, flood->len) < 0)
		fd = -1;
	return fd;
}

/* Holds as many connections as it can, and opens another for each that the relay closes. */
static _Noreturn void flood_run(const struct flood *flood)
{
	static struct pollfd held[FLOOD];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < FLOOD; i++)
		held[i] = (struct pollfd){.fd = flood_dial(flood), .events = POLLRDHUP};
	for (;;) {
		poll(held, FLOOD, 10);
		for (size_t i = 0; i < FLOOD; i++) {
			if (held[i].fd >= 0 && held[i].revents == 0)
				continue;
			if (held[i].fd >= 0)
				close(held[i].fd);
			held[i].fd = flood_dial(flood);
			held[i].revents = 0;
		}
	}
}

static pid_t flood_start(const struct flood *flood)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	EXPECT_TRUE(pid >= 0);
	if (pid == 0)
		flood_run(flood);
	return pid;
}

static void flood_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int by_time(const void *a, const void *b)
{
	const int64_t *left = a;
	const int64_t *right = b;

	return *left < *right ? -1 : *left > *right;
}

static int64_t newcomer_reserves(uint8_t last)
{
	struct relay_answer answer;
	struct client c;
	int64_t start = client_now();

	EXPECT(&c, peer_open_from(&c, relay.port, last));
	EXPECT(&c, ask_reserve(&c, true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	client_free(&c);
	return client_now() - start;
}

static void test_newcomers_beside_floods(void **state)
{
	static const char evicted[] = "dusk_relay_closed_total{reason=\"limit_half_open\"}";

	(void)state;
	for (size_t i = 30; i < sizeof(flood_noise); i++)
		flood_noise[i] = (uint8_t)(i * 7);
	for (size_t f = 0; f < sizeof(floods) / sizeof(floods[0]); f++) {
		uint64_t before = daemon_counter(&relay, evicted);
		int64_t took[NEWCOMERS];
		pid_t pid = flood_start(&floods[f]);

		EXPECT(&relay, daemon_expect_counter(&relay, evicted, before + FLOOD));
		for (size_t i = 0; i < NEWCOMERS; i++)
			took[i] = newcomer_reserves((uint8_t)(100 + i));
		flood_stop(pid);
		qsort(took, NEWCOMERS, sizeof(took[0]), by_time);
		printf("beside handshakes of one address %s: a newcomer reserves in %lld ms, at worst %lld\n",
		       floods[f].name, (long long)took[NEWCOMERS / 2], (long long)took[NEWCOMERS - 1]);
	}
	fixture_expect_connections(1);
}

/* --- many identities of one address --- */

struct asked {
	struct exchange x;
	struct relay_answer answer;
	int found;
};

static struct client identities[IDENTITIES];
static struct client *wait_list[IDENTITIES + 1];
static struct asked asked[IDENTITIES * PER_PAIR * 2];
static struct exchange *taken[IDENTITIES * PER_PAIR * 2 + OTHERS];
static size_t taken_count;

static bool all_asked_are_answered(void *argument)
{
	struct client *b = argument;
	struct stop_request request;
	struct exchange *y;
	size_t answered = 0;

	while ((y = accept_stop_ready(b, &request)) != NULL) {
		accept_stop_answer(y, CIRCUIT_OK);
		taken[taken_count++] = y;
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		if (asked[i].found == 0)
			asked[i].found = ask_relay_read(&asked[i].x, &asked[i].answer);
		answered += asked[i].found != 0;
	}
	return answered == sizeof(asked) / sizeof(asked[0]);
}

/* All that twelve identities may have, and as much again: how many circuits they got. */
static int identities_connect(struct client *b)
{
	int got = 0;

	for (size_t i = 0; i < IDENTITIES; i++) {
		EXPECT(&identities[i], peer_open_from(&identities[i], relay.port, FLOODER));
		wait_list[i] = &identities[i];
	}
	wait_list[IDENTITIES] = b;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct client *from = &identities[i % IDENTITIES];

		EXPECT_STATUS(0, exchange_open(&asked[i].x, &from->session.mux, CIRCUIT_HOP_PROTOCOL));
		ask_relay_send_connect(&asked[i].x, &b->identity.id);
	}
	EXPECT(b, client_wait_all(wait_list, IDENTITIES + 1, all_asked_are_answered, b, 4 * PEER_TIMEOUT_MS,
				  "an answer to each"));
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		got += asked[i].found > 0 && asked[i].answer.status == CIRCUIT_OK;
	return got;
}

static void test_identities_of_one_address(void **state)
{
	struct client b;
	struct client other;
	int got;

	(void)state;
	fixture_reserve(&b);
	got = identities_connect(&b);
	EXPECT_TRUE(got > 0 && got <= IDENTITIES * PER_PAIR && got <= SOURCE_MOST);
	for (uint8_t i = 0; i < OTHERS; i++) {
		struct exchange x;
		struct exchange *y;

		EXPECT(&other, peer_open_from(&other, relay.port, (uint8_t)(60 + i)));
		y = fixture_circuit(&other, &b, &x);
		fixture_end_circuit(&x, y);
		client_free(&other);
	}
	printf("twelve identities of one address hold %d circuits to one destination; others get theirs\n",
	       got);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		exchange_close(&asked[i].x);
	for (size_t i = 0; i < taken_count; i++) {
		exchange_close(taken[i]);
		free(taken[i]);
	}
	for (size_t i = 0; i < IDENTITIES; i++)
		client_free(&identities[i]);
	client_free(&b);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_a_crowd_comes_back),
	    E2E_TEST(test_newcomers_beside_floods),
	    E2E_TEST(test_identities_of_one_address),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
