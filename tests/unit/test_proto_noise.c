/* SPDX-License-Identifier: MIT
 *
 * proto/noise_wire.h. Vector of CVE-2022-24759, CVE-2023-39533.
 */
#include "proto_vectors.h"

#include <sodium.h>

#include "proto/noise_wire.h"

#define STATIC_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SIGNATURE                                                                                            \
	"6748f6f4c32e36aa2ef8df283a99a76275a9358b224844c53ced6ae4789262d0"                                   \
	"0a86a6fe47a578ae243faa2a3ed9f4fd22d1bc38527f4797548e568ca43f500c"
#define PAYLOAD "0a24" K_ENCODED "1240" SIGNATURE
#define MUXERS	"220e 120c 2f79616d75782f312e302e30"

static enum noise_payload_result open_hex(const char *hex, struct noise_payload *p)
{
	struct bytes b = bytes_of_hex(hex), key = bytes_of_hex(STATIC_KEY);
	uint8_t *copy = exact_copy(b.at, b.len);
	enum noise_payload_result result = noise_payload_open(copy, b.len, key.at, p);

	free(copy);
	return result;
}

static void vector(void **state)
{
	struct bytes key = bytes_of_hex(STATIC_KEY), identity = bytes_of_hex(K_PUBLIC),
		     sig = bytes_of_hex(SIGNATURE);
	struct bytes seed = bytes_of_hex(K_SEED);
	uint8_t part[NOISE_SIGNED_MAX], out[NOISE_PAYLOAD_OURS], public_key[32], secret[64], signature[64];
	struct writer w = writer_of(out, sizeof(out));
	struct noise_payload p;

	(void)state;
	noise_signed_part(part, key.at);
	assert_bytes(part, sizeof(part), "6e6f6973652d6c69627032702d7374617469632d6b65793a" STATIC_KEY);
	crypto_sign_seed_keypair(public_key, secret, seed.at);
	crypto_sign_detached(signature, NULL, part, sizeof(part), secret);
	assert_bytes(signature, sizeof(signature), SIGNATURE);
	noise_payload_write(&w, identity.at, sig.at);
	assert_written(&w, PAYLOAD);
	assert_int_equal(writer_len(&w), NOISE_PAYLOAD_OURS);
	assert_int_equal(noise_payload_open(out, sizeof(out), key.at, &p), NOISE_PAYLOAD_OK);
	assert_bytes(p.identity, 32, K_PUBLIC);
	assert_span(p.signature, SIGNATURE);
	assert_false(p.has_muxers);
}

static void accepted(void **state)
{
	static const struct {
		const char *hex;
		bool muxers;
	} rows[] = {
	    {PAYLOAD MUXERS, true},
	    {MUXERS PAYLOAD, true},
	    {PAYLOAD "2200", false},
	    {PAYLOAD "2204 0a02 1220", false},		   /* certhashes only */
	    {PAYLOAD "2202 1200", true},		   /* an empty name is a list all the same */
	    {PAYLOAD "2206 1a00 2001 1200", true},	   /* py's early data */
	    {PAYLOAD "1a03616263 2801 3511223344", false}, /* old drafts, unknown fields */
	    {"1240" SIGNATURE "0a24" K_ENCODED, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct noise_payload p;

		assert_int_equal(open_hex(rows[i].hex, &p), NOISE_PAYLOAD_OK);
		assert_int_equal(p.has_muxers, rows[i].muxers);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *hex;
		enum noise_payload_result result;
	} rows[] = {
	    {"", NOISE_PAYLOAD_MALFORMED},
	    {"0a24" K_ENCODED, NOISE_PAYLOAD_MALFORMED},
	    {"1240" SIGNATURE, NOISE_PAYLOAD_MALFORMED},
	    {PAYLOAD "0a24" K_ENCODED, NOISE_PAYLOAD_MALFORMED},
	    {PAYLOAD "1240" SIGNATURE, NOISE_PAYLOAD_MALFORMED},
	    {PAYLOAD "2201", NOISE_PAYLOAD_MALFORMED},
	    {PAYLOAD "220112", NOISE_PAYLOAD_MALFORMED}, /* cut off inside the extensions */
	    {PAYLOAD "2001", NOISE_PAYLOAD_MALFORMED},	 /* extensions are a number */
	    {PAYLOAD "1b1c", NOISE_PAYLOAD_MALFORMED},	 /* group */
	    {PAYLOAD "00", NOISE_PAYLOAD_MALFORMED},
	    {"0aa400" K_ENCODED "1240" SIGNATURE, NOISE_PAYLOAD_MALFORMED},
	    {"0affffffff0f" K_ENCODED "1240" SIGNATURE, NOISE_PAYLOAD_MALFORMED},
	    /* RSA, by its first bytes; secp256k1; not canonical; empty */
	    {"0a08 080012a602308201 1240" SIGNATURE, NOISE_PAYLOAD_KEY_UNSUPPORTED},
	    {"0a25 0802122102" K_PUBLIC "1240" SIGNATURE, NOISE_PAYLOAD_KEY_UNSUPPORTED},
	    {"0a24 1220" K_PUBLIC "0801 1240" SIGNATURE, NOISE_PAYLOAD_KEY_UNSUPPORTED},
	    {"0a26" K_ENCODED "1800 1240" SIGNATURE, NOISE_PAYLOAD_KEY_UNSUPPORTED},
	    {"0a00 1240" SIGNATURE, NOISE_PAYLOAD_KEY_UNSUPPORTED},
	    {"0a24" K_ENCODED "1200", NOISE_PAYLOAD_SIGNATURE_BAD},
	    {"0a24" K_ENCODED "123f" SIGNATURE, NOISE_PAYLOAD_MALFORMED},
	    {"0a24" K_ENCODED "1241" SIGNATURE "00", NOISE_PAYLOAD_SIGNATURE_BAD},
	    /* another identity with K's signature */
	    {"0a24 08011220" STATIC_KEY "1240" SIGNATURE, NOISE_PAYLOAD_SIGNATURE_BAD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct noise_payload p;
		enum noise_payload_result result = open_hex(rows[i].hex, &p);

		if (result != rows[i].result)
			fail_msg("row %zu: %d instead of %d", i, (int)result, (int)rows[i].result);
	}
}

static bool opens(const uint8_t *bytes, size_t len)
{
	struct bytes key = bytes_of_hex(STATIC_KEY);
	struct noise_payload p;

	return noise_payload_open(bytes, len, key.at, &p) == NOISE_PAYLOAD_OK;
}

static void every_bit_counts(void **state)
{
	struct bytes b = bytes_of_hex(PAYLOAD), key = bytes_of_hex(STATIC_KEY);
	struct noise_payload p;

	(void)state;
	assert_no_prefix(&b, opens, true);
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (opens(b.at, b.len))
			fail_msg("accepted with bit %zu flipped", bit);
		b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 0; bit < key.len * 8; bit++) {
		key.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(noise_payload_open(b.at, b.len, key.at, &p), NOISE_PAYLOAD_SIGNATURE_BAD);
		key.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void sizes(void **state)
{
	struct bytes b = bytes_of_hex(PAYLOAD);

	(void)state;
	while (b.len < NOISE_PAYLOAD_MAX) {
		b.at[b.len++] = 0x78;
		b.at[b.len++] = 0x01;
	}
	assert_int_equal(b.len, NOISE_PAYLOAD_MAX);
	assert_true(opens(b.at, b.len));
	memcpy(b.at + b.len, "\x78\x01", 2);
	assert_false(opens(b.at, b.len + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vector),		cmocka_unit_test(accepted), cmocka_unit_test(refused),
	    cmocka_unit_test(every_bit_counts), cmocka_unit_test(sizes),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
