/* SPDX-License-Identifier: MIT
 *
 * proto/peer_id.h: all forms of a peer id, and what is none. libp2p specs, peer-ids/peer-ids.md.
 */
#include "proto_vectors.h"

#include <sodium.h>

#include "proto/peer_id.h"

/* The other public keys of libp2p specs peer-ids/peer-ids.md. */
#define SECP256K1_ENCODED "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"
#define SECP256K1_BASE58  "16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5KvLpY"
#define ECDSA_ENCODED                                                                                        \
	"0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44ab" \
	"f3161f"                                                                                             \
	"162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c409e62"
#define ECDSA_BASE58 "QmVMT29id3TUASyfZZ6k9hmNyc2nYabCo4uMSpDw4zrgDk"
/* A sha2-256 id whose digest is the bytes of K. */
#define HASH_BASE32 "bafzbeia62hupvyweufclrpup2s2hx46twnfyohb4vt3acdyoilkhj7hcpy"

static struct peer_id id_k(void)
{
	struct bytes key = bytes_of_hex(K_PUBLIC);
	struct peer_id id;

	peer_id_from_ed25519(&id, key.at);
	return id;
}

static void key_to_id_to_text(void **state)
{
	struct peer_id id = id_k();
	char text[PEER_ID_TEXT_MAX];

	(void)state;
	assert_bytes(id.bytes, id.len, K_PEER_ID);
	assert_int_equal(peer_id_to_text(&id, text), strlen(K_BASE58));
	assert_string_equal(text, K_BASE58);
	assert_non_null(peer_id_ed25519(&id));
	assert_bytes(peer_id_ed25519(&id), 32, K_PUBLIC);
}

/* Every text of one id gives the same bytes: a ban by one of them is a ban by all. */
static void texts_of_one_id(void **state)
{
	static const char *const texts[] = {
	    K_BASE58,
	    "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6",
	    "k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe",
	};
	struct peer_id want = id_k(), id;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		char *copy =
		    (char *)exact_copy((const uint8_t *)texts[i], strlen(texts[i])); /* no terminator */

		assert_int_equal(peer_id_from_text(&id, copy, strlen(texts[i])), 0);
		assert_true(peer_id_equal(&id, &want));
		free(copy);
	}
}

static void other_kinds(void **state)
{
	struct bytes key = bytes_of_hex(SECP256K1_ENCODED),
		     multihash = bytes_of_hex("0025" SECP256K1_ENCODED);
	struct bytes ecdsa = bytes_of_hex(ECDSA_ENCODED);
	struct peer_id id;
	char text[PEER_ID_TEXT_MAX];

	(void)state;
	assert_int_equal(key.len, 37);
	assert_int_equal(peer_id_parse(&id, multihash.at, multihash.len), 0);
	peer_id_to_text(&id, text);
	assert_string_equal(text, SECP256K1_BASE58);
	assert_null(peer_id_ed25519(&id));

	multihash = bytes_of_hex("1220");
	crypto_hash_sha256(multihash.at + 2, ecdsa.at, ecdsa.len);
	assert_int_equal(peer_id_parse(&id, multihash.at, 34), 0);
	peer_id_to_text(&id, text);
	assert_string_equal(text, ECDSA_BASE58);
	assert_null(peer_id_ed25519(&id));
	assert_int_equal(peer_id_from_text(&id, ECDSA_BASE58, strlen(ECDSA_BASE58)), 0);
	assert_memory_equal(id.bytes, multihash.at, 34);

	assert_int_equal(peer_id_from_text(&id, HASH_BASE32, strlen(HASH_BASE32)), 0);
	assert_bytes(id.bytes, id.len, "1220" K_PUBLIC);
}

static bool accepts_id(const uint8_t *bytes, size_t len)
{
	struct peer_id id;

	return peer_id_parse(&id, bytes, len) == 0;
}

static void bytes_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "00",
	    "0000",			     /* no key */
	    "0023" K_ENCODED,		     /* length one less */
	    "0025" K_ENCODED,		     /* length one more */
	    "00a400" K_ENCODED,		     /* length not minimal */
	    "0024" K_ENCODED "00",	     /* a byte behind it */
	    "0124" K_ENCODED,		     /* another hash */
	    "0024 1220" K_PUBLIC "0801",     /* fields swapped */
	    "0025 0801 12a000" K_PUBLIC,     /* padded varint in the key */
	    "0026 08011220" K_PUBLIC "1800", /* unknown field in the key */
	    "0024 08001220" K_PUBLIC,	     /* RSA of 32 bytes */
	    "0024 08021220" K_PUBLIC,	     /* secp256k1 of 32 bytes */
	    "0024 08041220" K_PUBLIC,	     /* unknown kind */
	    "0025 08021221 04" K_PUBLIC,     /* secp256k1, not compressed */
	    "0022 1220" K_PUBLIC,	     /* data only */
	    "1220" K_PUBLIC "00",	     /* sha2-256 of 33 bytes */
	    "121f" K_PUBLIC,		     /* length one less */
	    "1320" K_PUBLIC,		     /* sha2-512 code */
	    "112014" K_PUBLIC,		     /* sha1 */
	    "008080808008",		     /* identity of 2 GiB, CVE-2020-35909 */
	    "00ffffffffffffffffff01",
	    "002b 08011227" K_PUBLIC "00000000000000", /* 43 bytes of identity */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);
		uint8_t *copy = exact_copy(b.at, b.len);

		if (accepts_id(copy, b.len))
			fail_msg("accepted %s", bad[i]);
		free(copy);
	}
}

static void bytes_truncated(void **state)
{
	struct bytes ed25519 = bytes_of_hex(K_PEER_ID), hash = bytes_of_hex("1220" K_PUBLIC);

	(void)state;
	assert_no_prefix(&ed25519, accepts_id, true);
	assert_no_prefix(&hash, accepts_id, true);
}

static void text_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "1",
	    "Q",
	    "Qm",
	    "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3p",   /* a character short */
	    "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pqq", /* one too many */
	    "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3p0",  /* 0 is not in base58 */
	    "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3p\xff",
	    " 12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
	    "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq ",
	    "z12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
	    "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt",	   /* short */
	    "bafzbeia62hupvyweufclrpup2s2hx46twnfyohb4vt3acdyoilkhj7hcpz",	   /* left-over bits set */
	    "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6a",  /* a digit too many */
	    "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6==", /* padded */
	    "BAFZAAJAIAEJCAHWR5D5OFRFBIS4L5D6UWR57HU5TJODRYPFM6YAQ6DSC2R2PZYT6",
	    "bafyaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6", /* another codec */
	    "k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1o",
	    "k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oE",
	    "b",
	    "k",
	    "11111111111111111111111111111111111111111111111111111111111111111111111111111111", /* 80 zeros */
	    "kzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
	    "1zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
	};
	struct peer_id id;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char *copy = (char *)exact_copy((const uint8_t *)bad[i], strlen(bad[i]));

		if (peer_id_from_text(&id, copy, strlen(bad[i])) == 0)
			fail_msg("accepted %s", bad[i]);
		assert_int_equal(id.len, 0);
		free(copy);
	}
	assert_int_equal(peer_id_from_text(&id, K_BASE58 "\0", strlen(K_BASE58) + 1), -1);
}

static void texts_come_back(void **state)
{
	char text[PEER_ID_TEXT_MAX];

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		uint8_t key[32];
		struct peer_id id, again;

		randombytes_buf(key, sizeof(key));
		if (n % 3 == 0)
			memset(key, 0, n % 33); /* leading zeros */
		peer_id_from_ed25519(&id, key);
		assert_int_equal(peer_id_from_text(&again, text, peer_id_to_text(&id, text)), 0);
		assert_true(peer_id_equal(&id, &again));
	}
}

static void equality(void **state)
{
	struct peer_id a = id_k(), b = id_k(), none = {0};

	(void)state;
	assert_true(peer_id_equal(&a, &b));
	b.bytes[37] ^= 1;
	assert_false(peer_id_equal(&a, &b));
	assert_false(peer_id_equal(&a, &none));
	assert_true(peer_id_equal(&none, &none));
}

static void keys(void **state)
{
	static const char *const bad[] = {
	    "",
	    "0801",
	    "08011221" K_PUBLIC,
	    "0801121f" K_PUBLIC,
	    "08011220" K_PUBLIC "00",
	    "1220" K_PUBLIC "0801",	/* fields swapped */
	    "0881001220" K_PUBLIC,	/* padded varint */
	    "080112a000" K_PUBLIC,	/* padded length */
	    "080108011220" K_PUBLIC,	/* type twice */
	    "08011220" K_PUBLIC "1800", /* unknown field */
	    "08001220" K_PUBLIC,	/* RSA */
	    "08021220" K_PUBLIC,	/* secp256k1 */
	    SECP256K1_ENCODED,
	    ECDSA_ENCODED,
	};
	struct bytes b = bytes_of_hex(K_ENCODED);
	uint8_t key[32], out[PUBLIC_KEY_ED25519];

	(void)state;
	assert_int_equal(public_key_parse(b.at, b.len, key), 0);
	assert_bytes(key, 32, K_PUBLIC);
	public_key_write(out, key);
	assert_bytes(out, sizeof(out), K_ENCODED);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		b = bytes_of_hex(bad[i]);
		assert_int_equal(public_key_parse(b.at, b.len, key), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_to_id_to_text),
	    cmocka_unit_test(texts_of_one_id),
	    cmocka_unit_test(other_kinds),
	    cmocka_unit_test(bytes_refused),
	    cmocka_unit_test(bytes_truncated),
	    cmocka_unit_test(text_refused),
	    cmocka_unit_test(texts_come_back),
	    cmocka_unit_test(equality),
	    cmocka_unit_test(keys),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
