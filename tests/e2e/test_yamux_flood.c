/* SPDX-License-Identifier: MIT
 *
 * Yamux: floods of every kind of frame. Each ends the connection of whoever sends it and disturbs nobody
 * else.
 */
#include "tests/e2e/fixture.h"

static void frame(struct client *c, uint8_t type, uint16_t flags, uint32_t stream, uint32_t length)
{
	peer_frame(c, 0, type, flags, stream, length, NULL, 0);
}

static void flood(struct client *c, void (*one)(struct client *c, uint32_t i), uint32_t count)
{
	for (uint32_t i = 0; i < count && client_alive(c); i++) {
		one(c, i);
		if (i % 64 == 63)
			client_turn(&c, 1, 0);
	}
	client_flush(c);
}

static void one_ping(struct client *c, uint32_t i)
{
	mux_ping(&c->session.mux, i);
}

static void one_stream(struct client *c, uint32_t i)
{
	frame(c, YAMUX_WINDOW_UPDATE, YAMUX_SYN, 2 * i + 1, 0);
}

static void one_reset(struct client *c, uint32_t i)
{
	frame(c, YAMUX_WINDOW_UPDATE, YAMUX_SYN, 2 * i + 1, 0);
	frame(c, YAMUX_WINDOW_UPDATE, YAMUX_RST, 2 * i + 1, 0);
}

static void one_nothing(struct client *c, uint32_t i)
{
	(void)i;
	frame(c, YAMUX_WINDOW_UPDATE, 0, 12345, 0);
}

static void flood_ends(void (*one)(struct client *c, uint32_t i), uint32_t count, const char *reason)
{
	struct client c;

	fixture_connect(&c);
	flood(&c, one, count);
	EXPECT(&c, client_wait_end(&c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED(reason);
	client_free(&c);
}

static void test_ping_flood(void **state)
{
	(void)state;
	flood_ends(one_ping, 200000, "yamux_ping_flood");
}

static void test_reset_flood(void **state)
{
	(void)state;
	flood_ends(one_reset, 200000, "yamux_stream_flood");
}

static void test_frame_flood(void **state)
{
	(void)state;
	flood_ends(one_nothing, 2000000, "yamux_frame_flood");
}

/* More streams than a connection may have: those above are reset; a flood that goes on ends the connection.
 */
static void test_stream_flood(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	flood(&c, one_stream, 200000);
	EXPECT(&c, client_wait_end(&c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED("yamux_stream_flood");
	client_free(&c);
}

/* A peer that pings and reads nothing: the answers may not pile up without end. */
static void test_pings_without_reading(void **state)
{
	struct client c;

	(void)state;
	fixture_connect(&c);
	c.deaf = true;
	flood(&c, one_ping, 200000);
	EXPECT_CLOSED("yamux_ping_flood");
	client_free(&c);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_ping_flood),	 E2E_TEST(test_reset_flood),	       E2E_TEST(test_frame_flood),
	    E2E_TEST(test_stream_flood), E2E_TEST(test_pings_without_reading),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
