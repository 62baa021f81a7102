/* SPDX-License-Identifier: MIT
 *
 * The small parts of probe: command line, addresses, byte queues, records, envelopes, reservations as a
 * careful client sees them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "probe/arguments.h"
#include "probe/ask_relay.h"
#include "probe/dial.h"
#include "probe/identity.h"
#include "probe/secure.h"

#define NOW 1700000000u

/* --- command line --- */

static const char *parse(struct arguments *a, const char *one, const char *two, const char *three)
{
	char *words[] = {(char *)"probe", (char *)one, (char *)two, (char *)three, NULL};
	int count = 1;

	while (words[count])
		count++;
	return arguments_parse(a, count, words);
}

static void test_arguments(void **state)
{
	struct arguments a;

	(void)state;
	assert_null(parse(&a, "/ip4/1.2.3.4/tcp/1", NULL, NULL));
	assert_int_equal(a.timeout_seconds, 5);
	assert_false(a.health);
	assert_null(parse(&a, "--timeout", "17", "/x"));
	assert_int_equal(a.timeout_seconds, 17);
	assert_string_equal(a.multiaddr, "/x");
	assert_null(parse(&a, "--timeout=600", "--health", "/x"));
	assert_true(a.health);
	assert_null(parse(&a, "--help", NULL, NULL));
	assert_true(a.help);
}

static void test_wrong_arguments(void **state)
{
	static const char *const bad[][3] = {{NULL},
					     {"--timeout"},
					     {"--timeout", "0", "/x"},
					     {"--timeout", "601", "/x"},
					     {"--timeout", "5s", "/x"},
					     {"--timeout", "", "/x"},
					     {"--timeout=", "/x"},
					     {"/x", "/y"},
					     {"--healthy", "/x"},
					     {"-t", "5", "/x"},
					     {"--timeout", "99999999999999999999", "/x"}};
	struct arguments a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(parse(&a, bad[i][0], bad[i][1], bad[i][2]));
}

/* --- addresses --- */

static void test_addresses_that_can_be_dialled(void **state)
{
	struct dial_target t;

	(void)state;
	assert_null(dial_parse(&t, "/ip4/127.0.0.1/tcp/4001"));
	assert_string_equal(t.host, "127.0.0.1");
	assert_int_equal(t.port, 4001);
	assert_int_equal(t.peer.len, 0);
	assert_null(dial_resolve(&t));
	assert_int_equal(t.count, 1);
	assert_null(
	    dial_parse(&t, "/ip6/::1/tcp/65535/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"));
	assert_int_equal(t.family, AF_INET6);
	assert_int_equal(t.port, 65535);
	assert_int_equal(t.peer.len, PEER_ID_ED25519);
	assert_null(dial_parse(&t, "/dns4/relay.example.org/tcp/4001"));
	assert_string_equal(t.host, "relay.example.org");
	assert_false(t.numeric);
}

static void test_addresses_that_cannot(void **state)
{
	static const char *const bad[] = {
	    "",
	    "relay.example.org",
	    "/ip4/1.2.3.4",
	    "/ip4/1.2.3.4/udp/4001",
	    "/ip4/1.2.3.4/tcp/70000",
	    "/ip4/1.2.3.4/tcp/4001/ws",
	    "/tcp/4001",
	    "/ip4/1.2.3.4/tcp/4001/p2p/nonsense",
	    "/ip4/1.2.3.4/tcp/4001/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq/p2p-circuit",
	};
	struct dial_target t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(dial_parse(&t, bad[i]));
}

/* --- bytes --- */

static void test_bytes_keep_their_order(void **state)
{
	struct bytes b = {0};
	uint8_t in = 0;
	uint8_t next = 0;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < round % 37; i++, in++)
			bytes_append(&b, &in, 1);
		for (size_t i = bytes_len(&b) / 2; i > 0; i--, next++) {
			assert_int_equal(*bytes_at(&b), next);
			bytes_consume(&b, 1);
		}
	}
	assert_true(b.capacity <= 1024);
	bytes_free(&b);
	assert_int_equal(bytes_len(&b), 0);
}

/* --- records --- */

static void test_records_open_again(void **state)
{
	struct secure_key seal = {.key = {1, 2, 3}};
	struct secure_key open = seal;
	struct bytes out = {0};
	uint8_t plain[1000];
	size_t got = 0;

	(void)state;
	randombytes_buf(plain, sizeof(plain));
	secure_seal_all(&seal, &out, plain, sizeof(plain), 300);
	assert_int_equal(bytes_len(&out), sizeof(plain) + 4 * (2 + SECURE_TAG));
	while (bytes_len(&out) > 0) {
		uint8_t *at = bytes_at(&out);
		size_t len = (size_t)(at[0] << 8 | at[1]);
		long opened = secure_open(&open, at + 2, len);

		assert_true(opened > 0 && opened <= 300);
		assert_memory_equal(at + 2, plain + got, (size_t)opened);
		got += (size_t)opened;
		bytes_consume(&out, 2 + len);
	}
	assert_int_equal(got, sizeof(plain));
	assert_int_equal(open.nonce, 4);
	bytes_free(&out);
}

static void test_changed_records_do_not_open(void **state)
{
	struct secure_key seal = {0};
	uint8_t short_one[SECURE_TAG - 1] = {0};

	(void)state;
	for (size_t i = 2; i < 2 + 5 + SECURE_TAG; i++) {
		struct secure_key open = seal;
		struct bytes out = {0};

		secure_seal(&seal, &out, (const uint8_t *)"plain", 5);
		bytes_at(&out)[i] ^= 1;
		assert_int_equal(secure_open(&open, bytes_at(&out) + 2, 5 + SECURE_TAG), -1);
		bytes_free(&out);
	}
	assert_int_equal(secure_open(&seal, short_one, sizeof(short_one)), -1);
}

/* Nonce: four zero bytes, then the counter little-endian (Noise specification, ChaChaPoly). */
static void test_nonce(void **state)
{
	static const uint8_t wanted[12] = {0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
	uint8_t nonce[12];

	(void)state;
	secure_nonce(nonce, 0x0102030405060708u);
	assert_memory_equal(nonce, wanted, 12);
}

/* --- identity --- */

static void test_records_of_an_identity(void **state)
{
	static const uint8_t addr[] = {4, 127, 0, 0, 1, 6, 0x0f, 0xa1};
	struct span addrs = {addr, sizeof(addr)};
	struct identity me;
	uint8_t out[ENVELOPE_MAX];

	(void)state;
	identity_new(&me);
	for (int kind = ENVELOPE_RECORD; kind <= ENVELOPE_RECORD_LEGACY; kind++) {
		size_t len = identity_record(&me, (enum envelope_kind)kind, NOW, &addrs, 1, out, sizeof(out));
		enum envelope_kind found;
		struct peer_record record;
		struct envelope e;

		assert_int_equal(peer_record_open(out, len, &e, &found, &record), ENVELOPE_OK);
		assert_int_equal(found, kind);
		assert_int_equal(record.seq, NOW);
		assert_true(peer_id_equal(&record.peer, &me.id));
	}
	assert_int_equal(identity_record(&me, ENVELOPE_RECORD, NOW, &addrs, 1, out, 50), 0);
}

/* --- what a careful client thinks of a reservation --- */

static void good_answer(struct relay_answer *a, const struct identity *relay, const struct identity *me)
{
	uint8_t payload[128];
	struct writer w = writer_of(payload, sizeof(payload));

	memset(a, 0, sizeof(*a));
	a->status = CIRCUIT_OK;
	a->has_reservation = true;
	a->expire = NOW + 3600;
	a->addr_count = 1;
	assert_int_equal(multiaddr_from_text(&a->addrs[0], "/ip4/203.0.113.7/tcp/4001"), 0);
	assert_int_equal(multiaddr_append_p2p(&a->addrs[0], &relay->id), 0);
	voucher_write(&w, &relay->id, &me->id, a->expire);
	a->voucher_len = identity_envelope(relay, ENVELOPE_VOUCHER, payload, writer_len(&w), a->voucher,
					   sizeof(a->voucher));
}

static void test_reservations(void **state)
{
	struct relay_answer a;
	struct identity relay;
	struct identity me;

	(void)state;
	identity_new(&relay);
	identity_new(&me);
	good_answer(&a, &relay, &me);
	assert_null(ask_relay_check(&a, &relay.id, &me.id, NOW));
	a.voucher_len = 0;
	assert_null(ask_relay_check(&a, &relay.id, &me.id, NOW));
	a.limit = (struct circuit_limit){true, 120, 131072};
	assert_null(ask_relay_check(&a, &relay.id, &me.id, NOW));
}

static void test_reservations_of_no_use(void **state)
{
	struct relay_answer a;
	struct identity relay;
	struct identity me;

	(void)state;
	identity_new(&relay);
	identity_new(&me);
	good_answer(&a, &relay, &me);
	assert_non_null(ask_relay_check(&a, &relay.id, &me.id, NOW + 3600)); /* over */
	assert_non_null(ask_relay_check(&a, &relay.id, &relay.id, NOW));     /* a voucher for somebody else */
	assert_non_null(ask_relay_check(&a, &me.id, &me.id, NOW));	     /* another relay */
	a.voucher[a.voucher_len - 1] ^= 1;
	assert_non_null(ask_relay_check(&a, &relay.id, &me.id, NOW)); /* a wrong signature */
	good_answer(&a, &relay, &me);
	a.expire++;
	assert_non_null(ask_relay_check(&a, &relay.id, &me.id, NOW)); /* voucher and reservation disagree */
	good_answer(&a, &relay, &me);
	a.addr_count = 0;
	assert_non_null(ask_relay_check(&a, &relay.id, &me.id, NOW));
	good_answer(&a, &relay, &me);
	assert_int_equal(multiaddr_append_circuit(&a.addrs[0]), 0);
	assert_non_null(ask_relay_check(&a, &relay.id, &me.id, NOW)); /* rust appends /p2p-circuit itself */
	good_answer(&a, &relay, &me);
	a.limit.present = true;
	assert_non_null(ask_relay_check(&a, &relay.id, &me.id, NOW)); /* {0, 0} limits go */
	good_answer(&a, &relay, &me);
	a.has_reservation = false;
	assert_non_null(ask_relay_check(&a, &relay.id, &me.id, NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arguments),
	    cmocka_unit_test(test_wrong_arguments),
	    cmocka_unit_test(test_addresses_that_can_be_dialled),
	    cmocka_unit_test(test_addresses_that_cannot),
	    cmocka_unit_test(test_bytes_keep_their_order),
	    cmocka_unit_test(test_records_open_again),
	    cmocka_unit_test(test_changed_records_do_not_open),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_records_of_an_identity),
	    cmocka_unit_test(test_reservations),
	    cmocka_unit_test(test_reservations_of_no_use),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
