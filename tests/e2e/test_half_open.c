/* SPDX-License-Identifier: MIT
 *
 * Peers that fall silent: at every step of a connection's upgrade, and in front of or inside the first
 * message of each protocol. Each ends with its reason in the log and in the counters.
 */
#include "tests/e2e/fixture.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HANDSHAKE_MS 3000
#define PATIENCE     30000

static const char *const settings[] = {"DUSK_HANDSHAKE_TIMEOUT=3", "DUSK_STOP_TIMEOUT=2", NULL};

/* Reads whatever comes until the relay ends it; how long that took since `start`. */
static int64_t ended_after(int fd, int64_t start)
{
	uint8_t bytes[512];
	ssize_t got = 1;

	while (got > 0) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		if (poll(&ready, 1, PATIENCE) <= 0)
			return -1;
		got = read(fd, bytes, sizeof(bytes));
	}
	return client_now() - start;
}

/* So many more of this reason than before: in the log, and in the counters. */
static void expect_reason(const char *what, const char *reason, uint64_t before, size_t count)
{
	char text[100];

	snprintf(text, sizeof(text), "%s closed: %s", what, reason);
	EXPECT(&relay, daemon_expect(&relay, text, PEER_TIMEOUT_MS));
	snprintf(text, sizeof(text), "dusk_relay_closed_total{reason=\"%s\"}", reason);
	EXPECT(&relay, daemon_expect_counter(&relay, text, before + count));
}

static uint64_t handshakes_before;

static void all_end(const int *fds, size_t count, int64_t start)
{
	for (size_t i = 0; i < count; i++) {
		int64_t took = ended_after(fds[i], start);

		EXPECT_TRUE(took >= HANDSHAKE_MS - 200);
	}
	expect_reason("connection", "handshake_timeout", handshakes_before, count);
	handshakes_before += count;
}

/* multistream-select's header and /noise, Noise's first message: in front of each, inside and behind. */
static void test_before_the_relay_has_answered(void **state)
{
	static const size_t lengths[] = {0, 1, 19, 20, 21, 28, 29, 30, 45, 61};
	int fds[sizeof(lengths) / sizeof(lengths[0])];
	size_t count = sizeof(lengths) / sizeof(lengths[0]);
	int64_t start = client_now();
	struct peer_raw p;
	struct client c;

	(void)state;
	client_init(&c, PEER_TIMEOUT_MS);
	EXPECT(&c, peer_begin(&c, relay.port)); /* connected too, and silent */
	EXPECT_TRUE(session_pending(&c.session) == 62);
	for (size_t i = 0; i < count; i++) {
		EXPECT(&p, peer_raw_open(&p, relay.port));
		peer_raw_send(&p, bytes_at(&c.session.out), lengths[i]);
		fds[i] = p.fd;
		bytes_free(&p.in);
	}
	all_end(fds, count, start);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	all_end(&c.fd, 1, start);
	client_free(&c);
}

/* Noise message 3 with 20 bytes less, then the muxer's lines in records of their own. */
static size_t silent_place(const struct client *c, size_t place)
{
	const uint8_t *out = bytes_at(&c->session.out);
	size_t message3 = 2 + ((size_t)out[0] << 8 | out[1]);
	const size_t places[] = {0, 1, 2, message3 - 20, message3, message3 + 1, message3 + 10};

	return places[place];
}

static void test_behind_the_relays_answer(void **state)
{
	struct client c[7];
	int fds[7];
	int64_t start = client_now();

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		uint8_t payload[256];
		size_t len;

		EXPECT(&c[i], peer_hold(&c[i], relay.port));
		session_send_message3(&c[i].session, payload,
				      peer_payload_write(&c[i], PEER_PAYLOAD_GOOD, payload, sizeof(payload)));
		EXPECT_TRUE(session_pending(&c[i].session) > 120);
		len = silent_place(&c[i], i);
		EXPECT_STATUS((int)len, (int)write(c[i].fd, bytes_at(&c[i].session.out), len));
		fds[i] = c[i].fd;
	}
	all_end(fds, 7, start);
	for (size_t i = 0; i < 7; i++)
		client_free(&c[i]);
}

/* --- streams --- */

static struct client peer;

static void stream_of(struct exchange *x, const char *bytes, size_t len)
{
	EXPECT_STATUS(0, exchange_open_silent(x, &peer.session.mux, PING_PROTOCOL));
	mux_announce(x->stream);
	if (len > 0)
		EXPECT_STATUS((int)len, (int)exchange_write(x, bytes, len));
}

static bool is_over(void *argument)
{
	return exchange_over(argument);
}

static void expect_reset(struct exchange *x, size_t count, const char *reason)
{
	struct client *clients = &peer;

	for (size_t i = 0; i < count; i++) {
		EXPECT(&peer, client_wait_all(&clients, 1, is_over, &x[i], 60000, "the end of a stream"));
		EXPECT_TRUE(x[i].reset);
		exchange_close(&x[i]);
	}
	expect_reason("stream", reason, 0, count);
}

static void test_inside_the_negotiation_of_a_stream(void **state)
{
	static const char lines[] = "\x13/multistream/1.0.0\n\x11/ipfs/ping/1.0.0\n";
	static const size_t lengths[] = {0, 1, 20, 30};
	struct exchange x[4];

	(void)state;
	fixture_connect(&peer);
	for (size_t i = 0; i < 4; i++)
		stream_of(&x[i], lines, lengths[i]);
	expect_reset(x, 4, "negotiation_timeout");
	EXPECT(&peer, ask_ping(&peer, 1));
	client_free(&peer);
}

static void test_before_or_inside_the_first_request(void **state)
{
	static const struct {
		const char *protocol;
		size_t len; /* of a length that promises 60 bytes, and the first of them */
	} rows[] = {
	    {CIRCUIT_HOP_PROTOCOL, 0}, {CIRCUIT_HOP_PROTOCOL, 1}, {CIRCUIT_HOP_PROTOCOL, 3},
	    {RENDEZVOUS_PROTOCOL, 1},  {RENDEZVOUS_PROTOCOL, 3},
	};
	struct exchange x[5];

	(void)state;
	fixture_connect(&peer);
	for (size_t i = 0; i < 5; i++) {
		EXPECT(&peer, peer_stream(&peer, &x[i], rows[i].protocol));
		exchange_write(&x[i], "\x3c\x08\x00", rows[i].len);
	}
	expect_reset(x, 5, "message_timeout");
	EXPECT(&peer, ask_ping(&peer, 1));
	client_free(&peer);
}

/* A destination that negotiates STOP and then says nothing. */
static void test_in_front_of_the_answer_to_a_circuit(void **state)
{
	struct relay_answer answer;
	struct exchange x;
	struct client silent;
	struct client *others[] = {&silent};

	(void)state;
	fixture_connect(&peer);
	fixture_reserve(&silent);
	EXPECT(&peer, ask_connect(&peer, &x, &silent.identity.id, others, 1, &answer));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, answer.status);
	EXPECT_STREAM_CLOSED("stop_timeout");
	EXPECT(&silent, ask_ping(&silent, 1));
	exchange_close(&x);
	client_free(&peer);
	client_free(&silent);
}

static void test_inside_a_record(void **state)
{
	(void)state;
	if (!fixture_slow("a minute and more inside one record"))
		return;
	fixture_connect(&peer);
	EXPECT_STATUS(3, (int)write(peer.fd, "\x01\x00x", 3));
	EXPECT(&peer, client_wait_end(&peer, 90000));
	EXPECT_CLOSED("record_timeout");
	client_free(&peer);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_before_the_relay_has_answered),
	    E2E_TEST(test_behind_the_relays_answer),
	    E2E_TEST(test_inside_the_negotiation_of_a_stream),
	    E2E_TEST(test_before_or_inside_the_first_request),
	    E2E_TEST(test_in_front_of_the_answer_to_a_circuit),
	    E2E_TEST(test_inside_a_record),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
