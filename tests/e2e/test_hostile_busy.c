/* SPDX-License-Identifier: MIT
 *
 * Hostile strangers of every kind, in a process of their own, beside an honest pair that passes data in both
 * directions of a circuit all the time: the pair loses nothing, and its round trips are answered.
 */
#include "tests/e2e/flow.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTILE_MS 2500 /* of each kind */
#define WORST_MS   8000 /* of a round trip, on a busy machine */

/* --- strangers: nothing here may fail a test --- */

static struct client stranger[4];

static void frame(struct client *c, uint8_t type, uint16_t flags, uint32_t stream, uint32_t length)
{
	peer_frame(c, 0, type, flags, stream, length, NULL, 0);
}

static bool join(struct client *c)
{
	return peer_open(c, relay.port) == 0;
}

static void leave(struct client *c)
{
	client_flush(c);
	client_turn(&c, 1, 5);
	client_free(c);
}

/* Rubbish on the socket, in front of and behind a handshake. */
static void garbage(void)
{
	static uint8_t bytes[30000];
	struct client *c = &stranger[0];
	struct peer_raw p;

	randombytes_buf(bytes, sizeof(bytes));
	if (peer_raw_open(&p, relay.port) == 0) {
		peer_raw_send(&p, bytes, 3000);
		peer_raw_close(&p, true);
	}
	if (join(c)) {
		peer_socket_bytes(c, bytes, sizeof(bytes));
		leave(c);
	}
	if (join(c)) {
		peer_record(c, bytes, 10000);
		leave(c);
	}
}

static void streams(void)
{
	struct client *c = &stranger[0];

	if (!join(c))
		return;
	for (uint32_t i = 0; i < 6000 && client_alive(c); i++) {
		frame(c, YAMUX_WINDOW_UPDATE, YAMUX_SYN, 2 * i + 1, 0);
		if (i % 64 == 0)
			client_turn(&c, 1, 0);
	}
	leave(c);
}

static void resets(void)
{
	struct client *c = &stranger[0];

	if (!join(c))
		return;
	for (uint32_t i = 0; i < 6000 && client_alive(c); i++) {
		frame(c, YAMUX_WINDOW_UPDATE, YAMUX_SYN, 2 * i + 1, 0);
		frame(c, YAMUX_WINDOW_UPDATE, YAMUX_RST, 2 * i + 1, 0);
		if (i % 64 == 0)
			client_turn(&c, 1, 0);
	}
	leave(c);
}

static void oversize_frames(void)
{
	static uint8_t payload[60000];
	struct client *c = &stranger[0];

	if (join(c)) {
		frame(c, YAMUX_DATA, YAMUX_SYN, 1, 0xffffffff);
		leave(c);
	}
	if (join(c)) {
		for (int i = 0; i < 100 && client_alive(c); i++) { /* for a stream that is not there */
			peer_frame(c, 0, YAMUX_DATA, 0, 77, sizeof(payload), payload, sizeof(payload));
			client_turn(&c, 1, 0);
		}
		leave(c);
	}
}

static void window_overruns(void)
{
	static uint8_t bytes[YAMUX_WINDOW * 2];
	struct client *c = &stranger[0];
	struct exchange x;

	if (!join(c))
		return;
	if (peer_stream(c, &x, CIRCUIT_HOP_PROTOCOL) == 0) {
		peer_overrun(&x, bytes, sizeof(bytes));
		client_turn(&c, 1, 50);
		exchange_close(&x);
	}
	leave(c);
}

/* Pings by yamux and by the protocol, and not an answer read. */
static void deaf_readers(void)
{
	static uint8_t pings[PING_SIZE * 512];

	for (size_t i = 0; i < 4; i++) {
		struct client *c = &stranger[i];
		struct exchange x;

		if (!join(c))
			return;
		if (peer_stream(c, &x, PING_PROTOCOL) == 0) {
			c->deaf = true;
			for (int k = 0; k < 64; k++) {
				exchange_write(&x, pings, sizeof(pings));
				mux_ping(&c->session.mux, (uint32_t)k);
				client_flush(c);
			}
			exchange_close(&x);
		}
	}
	for (size_t i = 0; i < 4; i++)
		client_free(&stranger[i]);
}

static void bad_headers(void)
{
	struct client *c = &stranger[0];

	for (uint8_t type = 0; type < 8; type++) {
		if (!join(c))
			return;
		peer_frame(c, type == 0, type, 0xfff0, type, 1, NULL, 0);
		leave(c);
	}
}

/* Handshakes that are begun, and go away in the middle of it. */
static void half_handshakes(void)
{
	for (int i = 0; i < 20; i++) {
		struct client *c = &stranger[0];

		if (peer_hold(c, relay.port) == 0)
			client_drop(c, i % 2);
		client_free(c);
	}
}

/* One request behind the other, each stream given up at once. */
static void requests(const struct peer_id *destination)
{
	struct client *c = &stranger[0];

	if (!join(c))
		return;
	for (int i = 0; i < 200 && client_alive(c); i++) {
		struct exchange x;

		if (exchange_open(&x, &c->session.mux, CIRCUIT_HOP_PROTOCOL) != 0)
			break;
		if (destination)
			ask_relay_send_connect(&x, destination);
		else
			ask_relay_send_reserve(&x);
		client_turn(&c, 1, 1);
		exchange_close(&x);
	}
	leave(c);
}

static void reserves(void)
{
	requests(NULL);
}

/* --- the honest pair --- */

struct honest {
	struct client a;
	struct client b;
	struct client *both[2];
	struct exchange bulk;
	struct exchange *bulk_end;
	struct exchange light;
	struct exchange *light_end;
	struct flow flows[2];
};

static struct honest honest;

/* To the one of the pair that can be reached, who refuses all. */
static void connects(void)
{
	requests(&honest.b.identity.id);
}

static void honest_begin(void)
{
	struct honest *h = &honest;

	fixture_connect(&h->a);
	fixture_reserve(&h->b);
	h->both[0] = &h->a;
	h->both[1] = &h->b;
	h->bulk_end = fixture_circuit(&h->a, &h->b, &h->bulk);
	h->light_end = fixture_circuit(&h->a, &h->b, &h->light);
	h->b.refuse_streams = true;
	flow_begin(&h->flows[0], &h->a, &h->bulk, h->bulk_end, UINT64_MAX);
	flow_begin(&h->flows[1], &h->b, h->bulk_end, &h->bulk, UINT64_MAX);
}

static void honest_end(void)
{
	struct honest *h = &honest;

	for (size_t i = 0; i < 2; i++)
		h->flows[i].len = h->flows[i].sent;
	flow_run(h->both, 2, h->flows, 2, 60000);
	EXPECT_TRUE(!exchange_over(&h->bulk) && !exchange_over(h->bulk_end));
	EXPECT_TRUE(!exchange_over(&h->light) && !exchange_over(h->light_end));
	fixture_end_circuit(&h->bulk, h->bulk_end);
	fixture_end_circuit(&h->light, h->light_end);
	EXPECT_TRUE(h->a.go_aways == 0 && h->b.go_aways == 0);
	client_free(&h->a);
	client_free(&h->b);
}

static pid_t strangers(void (*act)(void))
{
	pid_t pid = fork();
	int64_t until = client_now() + HOSTILE_MS;

	if (pid != 0)
		return pid;
	do
		act();
	while (client_now() < until);
	_exit(0);
}

static void beside(void (*act)(void))
{
	struct honest *h = &honest;
	uint64_t before;
	pid_t pid;
	int trips = 0;
	int status;

	honest_begin();
	before = h->flows[0].received;
	pid = strangers(act);
	EXPECT_TRUE(pid > 0);
	do {
		flow_push(&h->flows[0]);
		flow_push(&h->flows[1]);
		EXPECT_TRUE(flow_round_trip(h->both, 2, &h->light, h->light_end, 512) < WORST_MS);
		trips++;
	} while (waitpid(pid, &status, WNOHANG) == 0);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	EXPECT_TRUE(trips > 3 && h->flows[0].received > before);
	honest_end();
}

static void test_garbage(void **state)
{
	(void)state;
	beside(garbage);
}

static void test_floods_of_streams(void **state)
{
	(void)state;
	beside(streams);
}

static void test_floods_of_resets(void **state)
{
	(void)state;
	beside(resets);
}

static void test_oversize_frames(void **state)
{
	(void)state;
	beside(oversize_frames);
}

static void test_window_overruns(void **state)
{
	(void)state;
	beside(window_overruns);
}

static void test_readers_that_do_not_read(void **state)
{
	(void)state;
	beside(deaf_readers);
}

static void test_bad_headers(void **state)
{
	(void)state;
	beside(bad_headers);
}

static void test_half_handshakes(void **state)
{
	(void)state;
	beside(half_handshakes);
}

static void test_floods_of_reservations(void **state)
{
	(void)state;
	beside(reserves);
}

static void test_floods_of_circuits_to_the_pair(void **state)
{
	(void)state;
	beside(connects);
}

static void all_of_it(void)
{
	static void (*const acts[])(void) = {garbage,	      streams,	    resets,	 oversize_frames,
					     window_overruns, deaf_readers, bad_headers, half_handshakes,
					     reserves,	      connects};

	acts[randombytes_uniform(sizeof(acts) / sizeof(acts[0]))]();
}

static void test_all_of_it(void **state)
{
	(void)state;
	beside(all_of_it);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_garbage),
	    E2E_TEST(test_floods_of_streams),
	    E2E_TEST(test_floods_of_resets),
	    E2E_TEST(test_oversize_frames),
	    E2E_TEST(test_window_overruns),
	    E2E_TEST(test_readers_that_do_not_read),
	    E2E_TEST(test_bad_headers),
	    E2E_TEST(test_half_handshakes),
	    E2E_TEST(test_floods_of_reservations),
	    E2E_TEST(test_floods_of_circuits_to_the_pair),
	    E2E_TEST(test_all_of_it),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
