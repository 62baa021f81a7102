/* SPDX-License-Identifier: MIT
 *
 * The three messages of the Noise handshake, good and wrong ones of every kind.
 */
#include "tests/e2e/fixture.h"

#include <sodium.h>
#include <string.h>

/* --- message 1 --- */

static void message1_is_refused(const uint8_t *message, size_t len, const char *reason)
{
	struct client c;

	client_init(&c, PEER_TIMEOUT_MS);
	c.options.hold_handshake = true;
	EXPECT(&c, peer_begin(&c, relay.port));
	session_send_message1(&c.session, message, len);
	client_flush(&c);
	EXPECT(&c, client_wait_end(&c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED(reason);
	client_free(&c);
}

static void test_message1_of_wrong_size(void **state)
{
	static const size_t sizes[] = {0, 1, 31, 33, 96, 4096, 65535};
	static uint8_t message[65535];

	(void)state;
	randombytes_buf(message, sizeof(message));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		message1_is_refused(message, sizes[i], "noise_size");
}

/* The points whose order divides 8, and their encodings above the prime. */
static void test_message1_of_low_order(void **state)
{
	static const uint8_t points[][32] = {
	    {0},
	    {1},
	    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
	     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
	    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
	     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		message1_is_refused(points[i], 32, "noise_point");
}

/* --- message 3 --- */

static void held(struct client *c)
{
	EXPECT(c, peer_hold(c, relay.port));
	EXPECT_TRUE(peer_id_equal(&c->session.relay, &relay.id));
}

static void ends_with(struct client *c, const char *reason)
{
	client_flush(c);
	EXPECT(c, client_wait_end(c, PEER_TIMEOUT_MS));
	EXPECT_CLOSED(reason);
	client_free(c);
}

static void payload_is_refused(enum peer_payload kind, const char *reason)
{
	uint8_t payload[8192];
	struct client c;

	held(&c);
	session_send_message3(&c.session, payload, peer_payload_write(&c, kind, payload, sizeof(payload)));
	ends_with(&c, reason);
}

static void test_payload_with_wrong_signature(void **state)
{
	(void)state;
	payload_is_refused(PEER_PAYLOAD_BAD_SIGNATURE, "noise_signature");
	payload_is_refused(PEER_PAYLOAD_OTHER_STATIC, "noise_signature");
}

static void test_payload_with_a_key_not_canonical_or_not_ed25519(void **state)
{
	(void)state;
	payload_is_refused(PEER_PAYLOAD_NON_CANONICAL, "noise_key_unsupported");
	payload_is_refused(PEER_PAYLOAD_SWAPPED_FIELDS, "noise_key_unsupported");
	payload_is_refused(PEER_PAYLOAD_RSA, "noise_key_unsupported");
	payload_is_refused(PEER_PAYLOAD_SECP256K1, "noise_key_unsupported");
}

static void test_payload_malformed(void **state)
{
	(void)state;
	payload_is_refused(PEER_PAYLOAD_NO_KEY, "noise_payload");
	payload_is_refused(PEER_PAYLOAD_NO_SIGNATURE, "noise_payload");
	payload_is_refused(PEER_PAYLOAD_EMPTY, "noise_payload");
	payload_is_refused(PEER_PAYLOAD_GARBAGE, "noise_payload");
	payload_is_refused(PEER_PAYLOAD_ENDLESS, "noise_payload");
	payload_is_refused(PEER_PAYLOAD_TOO_LONG, "noise_size");
}

static void test_payload_with_fields_nobody_knows(void **state)
{
	uint8_t payload[1024];
	struct client c;

	(void)state;
	held(&c);
	session_send_message3(&c.session, payload,
			      peer_payload_write(&c, PEER_PAYLOAD_UNKNOWN_FIELDS, payload, sizeof(payload)));
	EXPECT(&c, client_wait_phase(&c, SESSION_OPEN, "the session to open"));
	EXPECT(&c, ask_ping(&c, 1));
	client_free(&c);
}

/* The good message 3, in which byte `at` is changed, or which is cut to `len` bytes. */
static void message3_is_refused(size_t change_at, size_t len, const char *reason)
{
	uint8_t payload[256];
	struct client c;
	uint8_t *message;

	held(&c);
	session_send_message3(&c.session, payload,
			      peer_payload_write(&c, PEER_PAYLOAD_GOOD, payload, sizeof(payload)));
	bytes_consume(&c.session.plain, bytes_len(&c.session.plain));
	message = bytes_at(&c.session.out);
	if (len > 0) {
		message[0] = (uint8_t)(len >> 8);
		message[1] = (uint8_t)len;
		c.session.out.end = c.session.out.start + 2 + len;
	} else {
		message[2 + change_at] ^= 1;
	}
	ends_with(&c, reason);
}

static void test_message3_with_a_bit_changed(void **state)
{
	static const size_t places[] = {0, 31, 32, 47, 48, 100, 151, 152, 167};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		message3_is_refused(places[i], 0, "noise_decrypt");
}

static void test_message3_too_short(void **state)
{
	(void)state;
	message3_is_refused(0, 1, "noise_size");
	message3_is_refused(0, 47, "noise_size");
	message3_is_refused(0, 63, "noise_size");
	message3_is_refused(0, 100, "noise_decrypt");
}

static void test_message3_with_a_static_key_of_low_order(void **state)
{
	uint8_t payload[256];
	struct client c;

	(void)state;
	held(&c);
	memset(c.session.noise->static_public, 0, 32);
	session_send_message3(&c.session, payload,
			      peer_payload_write(&c, PEER_PAYLOAD_GOOD, payload, sizeof(payload)));
	ends_with(&c, "noise_point");
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_message1_of_wrong_size),
	    E2E_TEST(test_message1_of_low_order),
	    E2E_TEST(test_payload_with_wrong_signature),
	    E2E_TEST(test_payload_with_a_key_not_canonical_or_not_ed25519),
	    E2E_TEST(test_payload_malformed),
	    E2E_TEST(test_payload_with_fields_nobody_knows),
	    E2E_TEST(test_message3_with_a_bit_changed),
	    E2E_TEST(test_message3_too_short),
	    E2E_TEST(test_message3_with_a_static_key_of_low_order),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
