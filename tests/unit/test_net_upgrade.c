/* SPDX-License-Identifier: MIT
 *
 * netproc/upgrade.c: a stranger's first bytes in any pieces, up to Noise, and those inside Noise up to the
 * muxer; what is counted when a connection is established, and how it ends before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/limits.h"
#include "netproc/limits_state.h"
#include "netproc/noise.h"
#include "netproc/upgrade.h"
#include "netproc/yamux.h"

#define PUBLIC 0x08080808u
#define HEADER "\x13/multistream/1.0.0\n"
#define NOISE  "\x07/noise\n"
#define YAMUX  "\x0d/yamux/1.0.0\n"
#define NA     "\x03na\n"

static struct net *net;
static struct conn *conn;

/* What the connection, Noise and yamux were asked for. */
static struct {
	uint8_t said[4096];
	size_t said_len;
	size_t flushed; /* bytes said when it was flushed; SIZE_MAX: never */
	bool sealed;	/* said inside Noise */
	bool no_room;
	unsigned noise, yamux, watched, established;
	void (*done)(struct conn *conn);
	uint8_t muxed[64];
	size_t muxed_len;
	bool closes; /* the hook of a new connection */
} seen;

static void say(const uint8_t *bytes, size_t len)
{
	assert_true(seen.said_len + len <= sizeof(seen.said));
	memcpy(seen.said + seen.said_len, bytes, len);
	seen.said_len += len;
}

uint8_t *conn_out_room(struct conn *of, size_t len)
{
	assert_ptr_equal(of, conn);
	assert_true(seen.said_len + len <= sizeof(seen.said));
	return seen.no_room ? NULL : seen.said + seen.said_len;
}

void conn_out_add(struct conn *of, size_t len)
{
	(void)of;
	seen.said_len += len;
}

void conn_flush(struct conn *of)
{
	assert_true(conn_alive(of));
	seen.flushed = seen.said_len;
}

void conn_watch(struct conn *of)
{
	assert_ptr_equal(of, conn);
	seen.watched++;
}

void noise_start(struct conn *of, void (*done)(struct conn *conn))
{
	assert_ptr_equal(of, conn);
	seen.noise++;
	seen.done = done;
}

void noise_send(struct conn *of, const uint8_t *bytes, size_t len)
{
	(void)of;
	seen.sealed = true;
	say(bytes, len);
}

void noise_handshake_free(struct conn *of)
{
	if (of->handshake == NULL)
		return;
	selection_free(of->net, &of->handshake->selection);
	pool_free(of->net, of->handshake, sizeof(*of->handshake));
	of->handshake = NULL;
}

static size_t muxed_input(struct conn *of, uint8_t *bytes, size_t len)
{
	(void)of;
	assert_true(seen.muxed_len + len <= sizeof(seen.muxed));
	memcpy(seen.muxed + seen.muxed_len, bytes, len);
	seen.muxed_len += len;
	return len;
}

static const struct conn_layer muxed = {.input = muxed_input};

void yamux_start(struct conn *of)
{
	assert_int_equal(of->state, CONN_READY);
	seen.yamux++;
	of->upper = &muxed;
}

static void established(struct net *of, struct conn *who)
{
	assert_ptr_equal(of, net);
	seen.established++;
	if (seen.closes)
		conn_close(who, CLOSE_IDLE);
}

static void closed(struct net *of, struct conn *who)
{
	(void)of;
	upgrade_security.closed(who, CLOSE_REMOTE_CLOSED);
	list_remove(&who->opening);
}

static void arrive(void)
{
	static struct list opening;

	conn = fake_conn(net, 1, PUBLIC);
	conn->state = CONN_HANDSHAKE;
	conn->active = 0;
	list_init(&opening);
	list_append(&opening, &conn->opening);
	assert_int_equal(limits_accept(net, &conn->ip), CLOSE_NONE);
	memset(&seen, 0, sizeof(seen));
	seen.flushed = SIZE_MAX;
}

static int set_up(void **state)
{
	(void)state;
	net = fake_net();
	assert_int_equal(limits_init(net), 0);
	net->settings.max_handshakes_per_ip = 0;
	net->hooks.conn_closed = closed;
	net->hooks.conn_established = established;
	arrive();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_conn_close(conn);
	while (net->limits->half_open > 0)
		limits_half_open_end(net, &conn->ip);
	while (net->limits->connections > 0)
		limits_closed(net, &conn->ip);
	fake_net_end(net);
	return 0;
}

static size_t hear(size_t (*input)(struct conn *of, uint8_t *bytes, size_t len), const char *bytes,
		   size_t len)
{
	uint8_t *copy = malloc(len);
	size_t used;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	used = input(conn, copy, len);
	free(copy);
	return used;
}

static size_t hear_bare(const char *bytes)
{
	return hear(upgrade_security.input, bytes, strlen(bytes));
}

static void assert_said(const char *bytes)
{
	assert_int_equal(seen.said_len, strlen(bytes));
	assert_memory_equal(seen.said, bytes, seen.said_len);
	seen.said_len = 0;
}

static void assert_closed(enum close_reason reason)
{
	assert_false(conn_alive(conn));
	assert_int_equal(conn->reason, reason);
	assert_null(conn->handshake);
}

/* --- on the bare socket --- */

static void test_noise_is_agreed_in_any_pieces(void **state)
{
	static const char all[] = HEADER "\x0b/tls/1.0.0\n" NOISE "behind";

	(void)state;
	for (size_t cut = 1; cut < sizeof(all) - 1; cut++) {
		size_t used = hear(upgrade_security.input, all, cut);

		assert_true(used <= cut);
		if (seen.noise == 0)
			used += hear(upgrade_security.input, all + used, sizeof(all) - 1 - used);
		assert_int_equal(used, sizeof(all) - 1 - 6); /* the rest is Noise's */
		assert_int_equal(seen.noise, 1);
		assert_false(seen.sealed);
		assert_said(HEADER NA NOISE);
		assert_int_equal(conn->state, CONN_HANDSHAKE);
		fake_conn_close(conn);
		limits_half_open_end(net, &conn->ip);
		limits_closed(net, &conn->ip);
		arrive();
	}
}

static void test_other_first_bytes(void **state)
{
	(void)state;
	hear_bare("GET / HTTP/1.1\r\n");
	assert_said("");
	assert_closed(CLOSE_MULTISTREAM_HEADER);
	arrive();
	hear_bare(HEADER "\x03"
			 "abc");
	assert_int_equal(seen.flushed, 20); /* what was answered before is sent */
	assert_closed(CLOSE_MULTISTREAM_MALFORMED);
	arrive();
	hear_bare(HEADER);
	for (int i = 0; i < 17; i++)
		hear_bare("\x03no\n");
	assert_closed(CLOSE_MULTISTREAM_ROUNDS);
	assert_int_equal(seen.noise, 0);
}

static void test_no_memory(void **state)
{
	uint64_t cap = pool_cap(net);

	(void)state;
	pool_set_cap(net, 0);
	assert_int_equal(hear_bare(HEADER NOISE), 0);
	pool_set_cap(net, cap);
	assert_closed(CLOSE_MEMORY);
	arrive();
	seen.no_room = true; /* conn_out_room dooms it */
	hear_bare(HEADER);
	assert_said("");
}

/* --- inside Noise --- */

static void into_noise(void)
{
	hear_bare(HEADER NOISE);
	assert_said(HEADER NOISE);
	seen.done(conn);
	assert_non_null(conn->upper);
}

static void hear_inside(const char *bytes, size_t len)
{
	assert_int_equal(hear(conn->upper->input, bytes, len), len);
}

static void test_muxer_is_agreed_in_any_pieces(void **state)
{
	static const char all[] = HEADER "\x0d/mplex/6.7.0\n" YAMUX "behind";

	(void)state;
	for (size_t cut = 1; cut < sizeof(all) - 1; cut++) {
		uint64_t ready = net->counter[NET_COUNT_CONNECTIONS_READY];

		into_noise();
		hear_inside(all, cut);
		hear_inside(all + cut, sizeof(all) - 1 - cut);
		assert_said(HEADER NA YAMUX);
		assert_true(seen.sealed);
		assert_int_equal(seen.muxed_len, 6);
		assert_memory_equal(seen.muxed, "behind", 6);
		assert_true(seen.yamux == 1 && seen.watched == 1 && seen.established == 1);
		assert_int_equal(conn->state, CONN_READY);
		assert_int_equal(conn->active, net->now / 1000);
		assert_null(conn->handshake);
		assert_false(list_in(&conn->opening));
		assert_int_equal(net->limits->half_open, 0);
		assert_int_equal(net->limits->connections, 1);
		assert_int_equal(net->counter[NET_COUNT_CONNECTIONS_READY], ready + 1);
		assert_int_equal(net->counter[NET_COUNT_HANDSHAKES_OK], ready + 1);
		assert_int_equal(fake_events(LOG_EVENT_PEER_CONNECTED), ready + 1);
		fake_conn_close(conn);
		limits_closed(net, &conn->ip);
		arrive();
	}
}

static void test_muxer_is_not_agreed(void **state)
{
	(void)state;
	into_noise();
	hear_inside("yamux please", 12);
	assert_closed(CLOSE_MULTISTREAM_HEADER);
	assert_int_equal(seen.yamux, 0);
	assert_int_equal(net->counter[NET_COUNT_HANDSHAKES_OK], 0);
	assert_int_equal(net->limits->half_open, 1); /* whoever closes ends the count */
}

/* Closed by the first who hears of it: what came behind is for nobody. */
static void test_closed_as_soon_as_established(void **state)
{
	(void)state;
	into_noise();
	seen.closes = true;
	hear_inside(HEADER YAMUX "behind", 20 + 14 + 6);
	assert_int_equal(seen.established, 1);
	assert_int_equal(seen.muxed_len, 0);
}

#define UPGRADE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    UPGRADE_TEST(test_noise_is_agreed_in_any_pieces),
	    UPGRADE_TEST(test_other_first_bytes),
	    UPGRADE_TEST(test_no_memory),
	    UPGRADE_TEST(test_muxer_is_agreed_in_any_pieces),
	    UPGRADE_TEST(test_muxer_is_not_agreed),
	    UPGRADE_TEST(test_closed_as_soon_as_established),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
