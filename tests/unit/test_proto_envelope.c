/* SPDX-License-Identifier: MIT
 *
 * proto/envelope.h: envelopes, peer records, vouchers. Vectors of CVE-2019-15545,
 * RUSTSEC-2022-0009.
 */
#include "proto_vectors.h"

#include <sodium.h>

#include "proto/envelope.h"
#include "proto/multiaddr.h"

#define LOCAL "047f000001060fa1"
#define RECORD_K                                                                                             \
	"0a26" K_PEER_ID "1080e2cfaa06"                                                                      \
	"1a0a0a08" LOCAL
#define SIGNATURE_A                                                                                          \
	"e030ea8298450ec8edb4c880101935ecd0ec4b3db92b31ee5b1cb2ef454b2516"                                   \
	"9f633ca9ae6bd2df1eab2775b22d8e295d1368e776560716cddb7128d289f806"
#define SIGNATURE_B                                                                                          \
	"abf656698c49b689e8a4115a3898971c2d97d8b4ea362a8859757584712f2766"                                   \
	"22221fbdcf87405744c68fb62ee39b8543977cb0d6b27b1b9cafea438f90be0f"
#define SIGNATURE_VOUCHER                                                                                    \
	"d20836286525d45fd8ff3789bdb422c192f13c4c6f814d36eba6096de09f4fb4"                                   \
	"d0a4646c53bad77d1c4ff01692cf9991e4b8197e9b7873482a4b6cc76bed5c08"
#define TYPE_B	  "2f6c69627032702f726f7574696e672d73746174652d7265636f7264"
#define VOUCHER_K "0a26" K_PEER_ID "1226" K_PEER_ID "1890fecfaa06"

#define ENVELOPE_A                                                                                           \
	"0a24" K_ENCODED "12020301"                                                                          \
	"1a3a" RECORD_K "2a40" SIGNATURE_A
#define ENVELOPE_B "0a24" K_ENCODED "121c" TYPE_B "1a3a" RECORD_K "2a40" SIGNATURE_B
#define ENVELOPE_V                                                                                           \
	"0a24" K_ENCODED "12020302"                                                                          \
	"1a56" VOUCHER_K "2a40" SIGNATURE_VOUCHER

static const struct {
	const char *name, *envelope, *payload, *signature, *signed_start;
	enum envelope_kind kind;
	size_t len;
} vectors[] = {
    {"standard", ENVELOPE_A, RECORD_K, SIGNATURE_A, "12 6c69627032702d706565722d7265636f7264 020301 3a",
     ENVELOPE_RECORD, 168},
    {"legacy", ENVELOPE_B, RECORD_K, SIGNATURE_B,
     "14 6c69627032702d726f7574696e672d7374617465 1c" TYPE_B "3a", ENVELOPE_RECORD_LEGACY, 194},
    {"voucher", ENVELOPE_V, VOUCHER_K, SIGNATURE_VOUCHER, "11 6c69627032702d72656c61792d72737670 020302 56",
     ENVELOPE_VOUCHER, 196},
};

static struct peer_id id_of(const char *hex)
{
	struct bytes b = bytes_of_hex(hex);
	struct peer_id id;

	assert_int_equal(peer_id_parse(&id, b.at, b.len), 0);
	return id;
}

static void secret_of_k(uint8_t secret[crypto_sign_SECRETKEYBYTES])
{
	struct bytes seed = bytes_of_hex(K_SEED);
	uint8_t public_key[32];

	crypto_sign_seed_keypair(public_key, secret, seed.at);
	assert_bytes(public_key, 32, K_PUBLIC);
}

/* Signs the payload as K and wraps it. */
static struct bytes sealed_by_k(enum envelope_kind kind, const struct bytes *payload)
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES], signature[64], signed_part[9216];
	struct writer part = writer_of(signed_part, sizeof(signed_part));
	struct bytes out = {0};
	struct writer w = writer_of(out.at, sizeof(out.at));

	secret_of_k(secret);
	envelope_write_signed_part(&part, kind, payload->at, payload->len);
	assert_false(part.bad);
	crypto_sign_detached(signature, NULL, signed_part, writer_len(&part), secret);
	envelope_write(&w, kind, secret + 32, payload->at, payload->len, signature);
	assert_false(w.bad);
	out.len = writer_len(&w);
	return out;
}

static void vectors_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		struct bytes payload = bytes_of_hex(vectors[i].payload),
			     start = bytes_of_hex(vectors[i].signed_start);
		struct bytes sealed = sealed_by_k(vectors[i].kind, &payload);
		uint8_t part[256];
		struct writer w = writer_of(part, sizeof(part));

		envelope_write_signed_part(&w, vectors[i].kind, payload.at, payload.len);
		assert_int_equal(writer_len(&w), start.len + payload.len);
		assert_memory_equal(part, start.at, start.len);
		assert_bytes(sealed.at, sealed.len, vectors[i].envelope);
		assert_int_equal(sealed.len, vectors[i].len);
	}
}

static void vectors_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		struct bytes b = bytes_of_hex(vectors[i].envelope);
		struct envelope e;

		assert_int_equal(envelope_parse(b.at, b.len, &e), ENVELOPE_OK);
		assert_bytes(e.public_key, 32, K_PUBLIC);
		assert_span(e.payload, vectors[i].payload);
		assert_span(e.signature, vectors[i].signature);
		assert_int_equal(envelope_kind(&e), vectors[i].kind);
		for (unsigned kind = 0; kind <= ENVELOPE_KINDS; kind++)
			assert_int_equal(envelope_verify(&e, (enum envelope_kind)kind),
					 kind == vectors[i].kind ? ENVELOPE_OK : ENVELOPE_TYPE_UNKNOWN);
	}
}

static enum envelope_result open_result(const uint8_t *bytes, size_t len)
{
	struct envelope e;
	enum envelope_kind kind;
	struct peer_record record;

	return peer_record_open(bytes, len, &e, &kind, &record);
}

static void records_opened(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bytes b = bytes_of_hex(vectors[i].envelope);
		struct peer_id k = id_of(K_PEER_ID);
		struct envelope e;
		enum envelope_kind kind;
		struct peer_record record;
		struct span addr;

		assert_int_equal(peer_record_open(b.at, b.len, &e, &kind, &record), ENVELOPE_OK);
		assert_int_equal(kind, vectors[i].kind);
		assert_true(peer_id_equal(&record.peer, &k));
		assert_int_equal(record.seq, 1700000000);
		assert_true(peer_record_next(&record, &addr));
		assert_span(addr, LOCAL);
		assert_false(peer_record_next(&record, &addr));
		assert_false(record.addrs.bad);
	}
}

static bool opens(const uint8_t *bytes, size_t len)
{
	return open_result(bytes, len) == ENVELOPE_OK;
}

static void every_bit_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bytes b = bytes_of_hex(vectors[i].envelope);

		assert_no_prefix(&b, opens, true);
		for (size_t bit = 0; bit < b.len * 8; bit++) {
			b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (opens(b.at, b.len))
				fail_msg("%s: accepted with bit %zu flipped", vectors[i].name, bit);
			b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_true(opens(b.at, b.len));
	}
}

static void envelopes_refused(void **state)
{
	static const struct {
		const char *hex;
		enum envelope_result result;
	} rows[] = {
	    {"", ENVELOPE_MALFORMED},
	    /* a field missing */
	    {"12020301 1a3a" RECORD_K "2a40" SIGNATURE_A, ENVELOPE_MALFORMED},
	    {"0a24" K_ENCODED "1a3a" RECORD_K "2a40" SIGNATURE_A, ENVELOPE_MALFORMED},
	    {"0a24" K_ENCODED "12020301 2a40" SIGNATURE_A, ENVELOPE_MALFORMED},
	    {"0a24" K_ENCODED "12020301 1a3a" RECORD_K, ENVELOPE_MALFORMED},
	    /* a field twice */
	    {ENVELOPE_A "0a24" K_ENCODED, ENVELOPE_MALFORMED},
	    {ENVELOPE_A "12020301", ENVELOPE_MALFORMED},
	    {ENVELOPE_A "1a00", ENVELOPE_MALFORMED},
	    {ENVELOPE_A "2a40" SIGNATURE_A, ENVELOPE_MALFORMED},
	    /* a wrong wire type, a group */
	    {"0801" ENVELOPE_A, ENVELOPE_MALFORMED},
	    {ENVELOPE_A "3334", ENVELOPE_MALFORMED},
	    /* lengths */
	    {"0aa400" K_ENCODED "12020301 1a3a" RECORD_K "2a40" SIGNATURE_A, ENVELOPE_MALFORMED},
	    {"0a24" K_ENCODED "12020301 1affffffffffffffffff01", ENVELOPE_MALFORMED},
	    /* keys: another kind, not canonical */
	    {"0a25 08021221 02" K_PUBLIC "12020301 1a3a" RECORD_K "2a40" SIGNATURE_A,
	     ENVELOPE_KEY_UNSUPPORTED},
	    {"0a24 1220" K_PUBLIC "0801 12020301 1a3a" RECORD_K "2a40" SIGNATURE_A, ENVELOPE_KEY_UNSUPPORTED},
	    {"0a00 12020301 1a3a" RECORD_K "2a40" SIGNATURE_A, ENVELOPE_KEY_UNSUPPORTED},
	    /* types: a varint instead of two bytes, a voucher's, none */
	    {"0a24" K_ENCODED "12028106 1a3a" RECORD_K "2a40" SIGNATURE_A, ENVELOPE_TYPE_UNKNOWN},
	    {"0a24" K_ENCODED "1200 1a3a" RECORD_K "2a40" SIGNATURE_A, ENVELOPE_TYPE_UNKNOWN},
	    {ENVELOPE_V, ENVELOPE_TYPE_UNKNOWN},
	    /* the other flavour's signature and type */
	    {"0a24" K_ENCODED "12020301 1a3a" RECORD_K "2a40" SIGNATURE_B, ENVELOPE_SIGNATURE_BAD},
	    {"0a24" K_ENCODED "121c" TYPE_B "1a3a" RECORD_K "2a40" SIGNATURE_A, ENVELOPE_SIGNATURE_BAD},
	    /* signatures of other lengths */
	    {"0a24" K_ENCODED "12020301 1a3a" RECORD_K "2a00", ENVELOPE_SIGNATURE_BAD},
	    {"0a24" K_ENCODED "12020301 1a3a" RECORD_K "2a41" SIGNATURE_A "00", ENVELOPE_SIGNATURE_BAD},
	    /* the low order point as key, signed by nobody */
	    {"0a24 08011220 0100000000000000000000000000000000000000000000000000000000000000 12020301 1a3a"
	     "0a26 0024 08011220 0100000000000000000000000000000000000000000000000000000000000000"
	     "1080e2cfaa06 1a0a0a08" LOCAL
	     "2a40 0100000000000000000000000000000000000000000000000000000000000000"
	     "0000000000000000000000000000000000000000000000000000000000000000",
	     ENVELOPE_SIGNATURE_BAD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bytes b = bytes_of_hex(rows[i].hex);
		enum envelope_result result = open_result(b.at, b.len);

		if (result != rows[i].result)
			fail_msg("row %zu: %d instead of %d", i, (int)result, (int)rows[i].result);
	}
}

/* S and S + L are equal to a lax verifier; two signatures for one message. */
static void malleable_signature(void **state)
{
	struct bytes order = bytes_of_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
	struct bytes b = bytes_of_hex(ENVELOPE_A);
	uint8_t *s = b.at + b.len - 32;
	unsigned carry = 0;

	(void)state;
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)s[i] + order.at[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(open_result(b.at, b.len), ENVELOPE_SIGNATURE_BAD);
}

static void unknown_fields_and_order(void **state)
{
	struct bytes b = bytes_of_hex("2001 2a40" SIGNATURE_A "1a3a" RECORD_K "12020301 3a0361626325"
				      "11223344 0a24" K_ENCODED);

	(void)state;
	assert_int_equal(open_result(b.at, b.len), ENVELOPE_OK);
}

/* What K signed itself: only the contents are wrong. */
static void records_refused(void **state)
{
	static const struct {
		const char *payload;
		enum envelope_result result;
	} rows[] = {
	    {"0a26" K_PEER_ID "1001", ENVELOPE_OK}, /* no address */
	    {"0a26" K_PEER_ID, ENVELOPE_OK},	    /* seq 0, as proto3 writes it */
	    {"1a0a0a08" LOCAL "1001 0a26" K_PEER_ID, ENVELOPE_OK},
	    {"0a26" K_PEER_ID "1001 2001 1a0c0a08" LOCAL "1001",
	     ENVELOPE_OK}, /* unknown fields, on both levels */
	    {"", ENVELOPE_MALFORMED},
	    {"1001 1a0a0a08" LOCAL, ENVELOPE_MALFORMED},		    /* no peer */
	    {"0a26" K_PEER_ID "0a26" K_PEER_ID "1001", ENVELOPE_MALFORMED}, /* peer twice */
	    {"0a26" K_PEER_ID "1001 1001", ENVELOPE_MALFORMED},		    /* seq twice */
	    {"0a25" K_PEER_ID "1001", ENVELOPE_MALFORMED},		    /* peer cut off */
	    {"0a00 1001", ENVELOPE_MALFORMED},				    /* peer empty */
	    {"0a26" K_PEER_ID "1001 1a00", ENVELOPE_MALFORMED},		    /* address info without address */
	    {"0a26" K_PEER_ID "1001 1a020a00", ENVELOPE_MALFORMED},	    /* empty address */
	    {"0a26" K_PEER_ID "1001 1a140a08" LOCAL "0a08" LOCAL,
	     ENVELOPE_MALFORMED},				/* two addresses in one info */
	    {"0a26" K_PEER_ID "1001 1801", ENVELOPE_MALFORMED}, /* info is a number */
	    {"0a26" K_PEER_ID "1001 1a0c0a0a" LOCAL "9a02", ENVELOPE_MALFORMED}, /* code 282 */
	    {"0a26" K_PEER_ID "1001 1a0a0a08" LOCAL "1a0c0a0a" LOCAL "ac02",
	     ENVELOPE_MALFORMED},						/* code 300, second */
	    {"0a26" K_PEER_ID "1001 1a080a063504ff616263", ENVELOPE_MALFORMED}, /* name not UTF-8 */
	    {"0a25 0024"
	     "08011220" K_PUBLIC "1001",
	     ENVELOPE_MALFORMED},
	    {"0a22 1220" K_PUBLIC "1001 1a0a0a08" LOCAL, ENVELOPE_PEER_MISMATCH}, /* another peer */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bytes payload = bytes_of_hex(rows[i].payload);

		for (unsigned kind = ENVELOPE_RECORD; kind <= ENVELOPE_RECORD_LEGACY; kind++) {
			struct bytes b = sealed_by_k((enum envelope_kind)kind, &payload);
			enum envelope_result result = open_result(b.at, b.len);

			if (result != rows[i].result)
				fail_msg("row %zu: %d instead of %d", i, (int)result, (int)rows[i].result);
		}
	}
}

/* A record that names K, signed by somebody else. */
static void foreign_record(void **state)
{
	struct bytes payload = bytes_of_hex(RECORD_K), b = {0};
	uint8_t key[32], secret[64], part[256], signature[64];
	struct writer signed_part = writer_of(part, sizeof(part)), w = writer_of(b.at, sizeof(b.at));

	(void)state;
	crypto_sign_keypair(key, secret);
	envelope_write_signed_part(&signed_part, ENVELOPE_RECORD, payload.at, payload.len);
	crypto_sign_detached(signature, NULL, part, writer_len(&signed_part), secret);
	envelope_write(&w, ENVELOPE_RECORD, key, payload.at, payload.len, signature);
	assert_int_equal(open_result(b.at, writer_len(&w)), ENVELOPE_PEER_MISMATCH);
}

static void record_written(void **state)
{
	struct peer_id k = id_of(K_PEER_ID);
	struct bytes local = bytes_of_hex(LOCAL);
	const struct span addrs[2] = {{local.at, local.len}, {local.at, local.len}};
	uint8_t out[128];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	peer_record_write(&w, &k, 1700000000, addrs, 1);
	assert_written(&w, RECORD_K);
	w = writer_of(out, sizeof(out));
	peer_record_write(&w, &k, 1700000000, addrs, 2);
	assert_written(&w, RECORD_K "1a0a0a08" LOCAL);
	w = writer_of(out, 57);
	peer_record_write(&w, &k, 1700000000, addrs, 1);
	assert_true(w.bad);
}

/* The largest envelope, and one byte more; many addresses. */
static void sizes(void **state)
{
	struct bytes payload = bytes_of_hex("0a26" K_PEER_ID "1001"), b;
	struct bytes addr = bytes_of_hex("1a0a0a08" LOCAL);

	(void)state;
	while (payload.len + addr.len + 112 <= ENVELOPE_MAX) {
		memcpy(payload.at + payload.len, addr.at, addr.len);
		payload.len += addr.len;
	}
	b = sealed_by_k(ENVELOPE_RECORD, &payload);
	assert_true(b.len <= ENVELOPE_MAX);
	assert_int_equal(open_result(b.at, b.len), ENVELOPE_OK);
	while (b.len <= ENVELOPE_MAX - 2) { /* unknown fields, to the limit */
		b.at[b.len++] = 0x78;
		b.at[b.len++] = 0x01;
	}
	assert_int_equal(open_result(b.at, b.len), ENVELOPE_OK);
	memcpy(b.at + b.len, "\x78\x01\x78\x01", 4);
	assert_int_equal(open_result(b.at, b.len + 2), ENVELOPE_MALFORMED);
}

static void vouchers(void **state)
{
	static const char *const bad[] = {
	    "",
	    "0a26" K_PEER_ID,
	    "0a26" K_PEER_ID "1226" K_PEER_ID,		/* no expiration */
	    "0a26" K_PEER_ID "1801",			/* no peer */
	    "1226" K_PEER_ID "1801",			/* no relay */
	    VOUCHER_K "1801",				/* expiration twice */
	    VOUCHER_K "0a26" K_PEER_ID,			/* relay twice */
	    VOUCHER_K "1226" K_PEER_ID,			/* peer twice */
	    "0a00 1226" K_PEER_ID "1801",		/* relay empty */
	    "0a26" K_PEER_ID "1202aabb 1801",		/* peer is none */
	    "0a26" K_PEER_ID "1226" K_PEER_ID "1a0101", /* expiration is bytes */
	};
	struct bytes b = bytes_of_hex(VOUCHER_K);
	struct peer_id k = id_of(K_PEER_ID);
	struct voucher v;
	uint8_t out[128];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	assert_int_equal(voucher_parse(b.at, b.len, &v), 0);
	assert_true(peer_id_equal(&v.relay, &k) && peer_id_equal(&v.peer, &k));
	assert_int_equal(v.expiration, 1700003600);
	voucher_write(&w, &k, &k, 1700003600);
	assert_written(&w, VOUCHER_K);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		b = bytes_of_hex(bad[i]);
		assert_int_equal(voucher_parse(b.at, b.len, &v), -1);
	}
	assert_true(2 + 36 + 4 + 2 + 2 * (2 + PEER_ID_MAX) + 11 + 66 <= VOUCHER_ENVELOPE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_written),
	    cmocka_unit_test(vectors_read),
	    cmocka_unit_test(records_opened),
	    cmocka_unit_test(every_bit_counts),
	    cmocka_unit_test(envelopes_refused),
	    cmocka_unit_test(malleable_signature),
	    cmocka_unit_test(unknown_fields_and_order),
	    cmocka_unit_test(records_refused),
	    cmocka_unit_test(foreign_record),
	    cmocka_unit_test(record_written),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(vouchers),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
