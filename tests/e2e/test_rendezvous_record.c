/* SPDX-License-Identifier: MIT
 *
 * Records that must be refused: forged, changed, of somebody else, or that some client could not parse.
 */
#include "tests/e2e/rendezvous_peer.h"

#include <stdio.h>
#include <string.h>

static const char *const settings[] = {"DUSK_RENDEZVOUS_RATE=0", "DUSK_RENDEZVOUS_ANSWER_RATE=0", NULL};

/* The status for this record, and nothing was registered by it. */
static int refused_status(struct client *c, const struct record *r)
{
	struct rendezvous_result result;
	int status = rendezvous_register(c, "refused", r, 0);

	rendezvous_discover(c, "refused", &result);
	EXPECT_STATUS(0, (int)result.count);
	rendezvous_result_free(&result);
	return status;
}

static void test_record_of_another_peer(void **state)
{
	struct record r;
	struct client a;
	struct client b;

	(void)state;
	fixture_connect(&a);
	fixture_connect(&b);
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	EXPECT_STATUS(RENDEZVOUS_NOT_AUTHORIZED, refused_status(&b, &r));
	EXPECT(&relay, daemon_expect(&relay, "but was rejected", 2000));
	client_free(&a);
	client_free(&b);
}

/* Signed by oneself, but naming another peer inside. */
static void test_record_that_names_another_peer(void **state)
{
	uint8_t payload[200];
	struct writer w = writer_of(payload, sizeof(payload));
	struct record r;
	struct client a;
	int status;

	(void)state;
	fixture_connect(&a);
	peer_record_write(&w, &witness.identity.id, 1, NULL, 0);
	r.len = identity_envelope(&a.identity, ENVELOPE_RECORD, payload, writer_len(&w), r.bytes,
				  sizeof(r.bytes));
	status = refused_status(&a, &r);
	EXPECT_TRUE(status == RENDEZVOUS_INVALID_SIGNED_PEER_RECORD || status == RENDEZVOUS_NOT_AUTHORIZED);
	client_free(&a);
}

/* Every bit of the envelope, in turn: none may pass. */
static void test_every_bit_of_a_record(void **state)
{
	struct record good;
	struct client a;

	(void)state;
	fixture_connect(&a);
	for (int kind = ENVELOPE_RECORD; kind <= ENVELOPE_RECORD_LEGACY; kind++) {
		rendezvous_record(&good, &a, (enum envelope_kind)kind, 1700000000);
		for (size_t i = 0; i < good.len; i++) {
			struct record r = good;
			int status;

			r.bytes[i] ^= (uint8_t)(1 << (i % 8));
			status = rendezvous_register(&a, "bits", &r, 0);
			if (status != RENDEZVOUS_INVALID_SIGNED_PEER_RECORD &&
			    status != RENDEZVOUS_NOT_AUTHORIZED)
				fixture_fail(__FILE__, __LINE__, "a changed record",
					     fixture_number((long long)i));
		}
		EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&a, "bits", &good, 0));
	}
	EXPECT(&a, ask_unregister(&a, "bits"));
	client_free(&a);
}

static void test_record_under_the_wrong_domain(void **state)
{
	struct record r;
	struct client a;

	(void)state;
	fixture_connect(&a);
	/* A voucher's envelope, well signed, is no record; nor is a record cut short or with bytes behind it.
	 */
	r.len = identity_envelope(&a.identity, ENVELOPE_VOUCHER, (const uint8_t *)"payload", 7, r.bytes,
				  sizeof(r.bytes));
	EXPECT_STATUS(RENDEZVOUS_INVALID_SIGNED_PEER_RECORD, refused_status(&a, &r));
	rendezvous_record(&r, &a, ENVELOPE_RECORD, 1);
	r.len--;
	EXPECT_STATUS(RENDEZVOUS_INVALID_SIGNED_PEER_RECORD, refused_status(&a, &r));
	r.len = 0;
	EXPECT_STATUS(RENDEZVOUS_INVALID_SIGNED_PEER_RECORD, refused_status(&a, &r));
	client_free(&a);
}

/* The signature of one flavour around the type of the other. */
static void test_record_of_mixed_flavours(void **state)
{
	static const uint8_t standard_type[] = {0x12, 0x02, 0x03, 0x01};
	uint8_t legacy_type[30] = {0x12, 28};
	struct record legacy;
	struct record mixed;
	struct client a;

	(void)state;
	fixture_connect(&a);
	memcpy(legacy_type + 2, "/libp2p/routing-state-record", 28);
	rendezvous_record(&legacy, &a, ENVELOPE_RECORD_LEGACY, 1);
	assert_memory_equal(legacy.bytes + 38, legacy_type, 30);
	memcpy(mixed.bytes, legacy.bytes, 38);
	memcpy(mixed.bytes + 38, standard_type, 4);
	memcpy(mixed.bytes + 42, legacy.bytes + 68, legacy.len - 68);
	mixed.len = legacy.len - 26;
	EXPECT_STATUS(RENDEZVOUS_INVALID_SIGNED_PEER_RECORD, refused_status(&a, &mixed));
	client_free(&a);
}

static void one_address(struct client *c, const void *bytes, size_t len, int wanted)
{
	struct span addr = {bytes, len};
	struct record r;

	rendezvous_record_of(&r, c, ENVELOPE_RECORD, &addr, 1);
	EXPECT_STATUS(wanted, refused_status(c, &r));
}

/* Addresses that some client cannot parse, for one such record destroys the answer for everybody. */
static void test_addresses_nobody_can_parse(void **state)
{
	static const uint8_t code_282[] = {4, 127, 0, 0, 1, 6, 0x0f, 0xa1, 0x9a, 0x02};
	static const uint8_t code_300[] = {0xac, 0x02};
	static const uint8_t cut[] = {4, 127, 0, 0};
	static const uint8_t padded[] = {0x84, 0x00, 127, 0, 0, 1};
	static const uint8_t bad_peer[] = {0xa5, 0x03, 3, 'a', 'b', 'c'};
	static const uint8_t bad_name[] = {54, 2, 0xc3, 0x28};
	uint8_t many[17 * 2];
	struct client a;

	(void)state;
	for (size_t i = 0; i < 17; i++)
		memcpy(many + 2 * i, "\xa2\x02", 2); /* seventeen /p2p-circuit */
	fixture_connect(&a);
	one_address(&a, code_282, sizeof(code_282), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	one_address(&a, code_300, sizeof(code_300), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	one_address(&a, cut, sizeof(cut), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	one_address(&a, padded, sizeof(padded), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	one_address(&a, bad_peer, sizeof(bad_peer), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	one_address(&a, bad_name, sizeof(bad_name), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	one_address(&a, many, sizeof(many), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	one_address(&a, "", 0, RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	client_free(&a);
}

/* The privacy guard: no address but circuits through this relay to the registrant. */
static void guarded(struct client *c, const char *text)
{
	struct multiaddr a;

	EXPECT_STATUS(0, multiaddr_from_text(&a, text));
	one_address(c, a.bytes, a.len, RENDEZVOUS_NOT_AUTHORIZED);
}

static void test_addresses_that_give_somebody_away(void **state)
{
	char id[PEER_ID_TEXT_MAX];
	char text[400];
	struct rendezvous_result result;
	struct client a;

	(void)state;
	fixture_connect(&a);
	peer_id_to_text(&relay.id, id);
	guarded(&a, "/ip4/203.0.113.7/tcp/4001");
	guarded(&a, "/dns4/home.example.org/tcp/4001");
	guarded(
	    &a,
	    "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq/p2p-circuit");
	snprintf(text, sizeof(text), "/ip4/127.0.0.1/tcp/4001/p2p/%s", id);
	guarded(&a, text);
	snprintf(text, sizeof(text),
		 "/ip4/127.0.0.1/tcp/4001/p2p/%s/p2p-circuit/p2p/"
		 "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
		 id);
	guarded(&a, text);
	snprintf(text, sizeof(text), "/ip4/127.0.0.1/tcp/4001/p2p/%s/p2p-circuit/ip4/203.0.113.7/tcp/1", id);
	guarded(&a, text);
	EXPECT(&relay, daemon_expect(&relay, "DUSK_PRIVACY_GUARD", 2000));
	EXPECT(&a, ask_discover(&a, NULL, 0, NULL, 0, &result));
	EXPECT_STATUS(RENDEZVOUS_NOT_AUTHORIZED, result.status);
	rendezvous_result_free(&result);
	client_free(&a);
}

static void test_record_without_addresses(void **state)
{
	struct record r;
	struct client a;

	(void)state;
	fixture_connect(&a);
	rendezvous_record_of(&r, &a, ENVELOPE_RECORD, NULL, 0);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&a, "bare", &r, 0));
	EXPECT(&a, ask_unregister(&a, "bare"));
	client_free(&a);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_record_of_another_peer),
	    E2E_TEST(test_record_that_names_another_peer),
	    E2E_TEST(test_every_bit_of_a_record),
	    E2E_TEST(test_record_under_the_wrong_domain),
	    E2E_TEST(test_record_of_mixed_flavours),
	    E2E_TEST(test_addresses_nobody_can_parse),
	    E2E_TEST(test_addresses_that_give_somebody_away),
	    E2E_TEST(test_record_without_addresses),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
