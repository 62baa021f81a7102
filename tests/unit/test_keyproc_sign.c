/* SPDX-License-Identifier: MIT
 *
 * keyproc's typed operations against vectors computed elsewhere (libp2p specs, noise/README.md) and against
 * what a client checks.
 */
#include "proto_vectors.h"

#include <sodium.h>

#include "keyproc/secret.h"
#include "keyproc/sign.h"
#include "proto/envelope.h"
#include "proto/noise_wire.h"

#define K_FILE	"08011240" K_SEED K_PUBLIC
#define ADDRESS "047f000001060fa1" /* /ip4/127.0.0.1/tcp/4001 */
#define RECORD                                                                                               \
	"0a24" K_ENCODED "12020301"                                                                          \
	"1a3a0a26" K_PEER_ID "1080e2cfaa061a0a0a08" ADDRESS "2a40"                                           \
	"e030ea8298450ec8edb4c880101935ecd0ec4b3db92b31ee5b1cb2ef454b2516"                                   \
	"9f633ca9ae6bd2df1eab2775b22d8e295d1368e776560716cddb7128d289f806"
#define VOUCHER_SIGNATURE                                                                                    \
	"d20836286525d45fd8ff3789bdb422c192f13c4c6f814d36eba6096de09f4fb4"                                   \
	"d0a4646c53bad77d1c4ff01692cf9991e4b8197e9b7873482a4b6cc76bed5c08"
#define NOW 1700000000

static int set_up(void **state)
{
	struct bytes k = bytes_of_hex(K_FILE);

	(void)state;
	if (key_secret_reserve() != 0)
		return -1;
	memcpy(key_secret_file(), k.at, KEY_FILE_SIZE);
	return key_secret_accept() == KEY_FORM_OK ? key_secret_seal() : -1;
}

static int tear_down(void **state)
{
	(void)state;
	key_secret_forget();
	return 0;
}

static void test_identity(void **state)
{
	struct bytes k = bytes_of_hex(K_PUBLIC);

	(void)state;
	assert_memory_equal(key_secret_identity(), k.at, 32);
	/* Nothing of the file stays behind. */
	assert_true(sodium_is_zero(key_secret_file(), KEY_FILE_SIZE));
}

static void test_hello(void **state)
{
	struct imsg_hello hello;
	uint8_t text[NOISE_SIGNED_MAX];

	(void)state;
	key_sign_hello(&hello);
	assert_memory_equal(hello.static_key, key_secret_noise(), 32);
	noise_signed_part(text, hello.static_key);
	assert_int_equal(
	    crypto_sign_verify_detached(hello.signature, text, sizeof(text), key_secret_identity()), 0);
	assert_memory_equal(text, NOISE_SIGNED_PREFIX, 24);
}

/* The vector's static key is not ours, so the signature is made one floor below. */
static void test_noise_vector(void **state)
{
	struct bytes expected =
	    bytes_of_hex("6748f6f4c32e36aa2ef8df283a99a76275a9358b224844c53ced6ae4789262d0"
			 "0a86a6fe47a578ae243faa2a3ed9f4fd22d1bc38527f4797548e568ca43f500c");
	uint8_t static_key[32], text[NOISE_SIGNED_MAX], signature[64];

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		static_key[i] = i;
	noise_signed_part(text, static_key);
	key_secret_sign(signature, text, sizeof(text));
	assert_memory_equal(signature, expected.at, 64);
}

static void test_exchange(void **state)
{
	struct imsg_noise_dh ask = {.count = IMSG_DH_BATCH};
	struct imsg_noise_dh_answer answer;
	uint8_t secret[IMSG_DH_BATCH][32], shared[32];

	(void)state;
	for (size_t i = 0; i < IMSG_DH_BATCH; i++) {
		randombytes_buf(secret[i], 32);
		crypto_scalarmult_base(ask.request[i].ephemeral, secret[i]);
		ask.request[i].id = UINT64_MAX - i;
	}
	assert_int_equal(key_sign_exchange(&ask, &answer), 0);
	assert_int_equal(answer.count, IMSG_DH_BATCH);
	for (size_t i = 0; i < IMSG_DH_BATCH; i++) {
		assert_int_equal(answer.answer[i].id, UINT64_MAX - i);
		assert_int_equal(answer.answer[i].status, IMSG_DH_OK);
		assert_int_equal(crypto_scalarmult(shared, secret[i], key_secret_noise()), 0);
		assert_memory_equal(answer.answer[i].shared, shared, 32);
	}
}

/* Every point of small order, in each of its encodings, is answered with a status and zeros; others of the
 * batch are served. */
static void test_points_of_low_order(void **state)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "0000000000000000000000000000000000000000000000000000000000000080",
	};
	struct imsg_noise_dh ask = {.count = COUNT_OF(points) + 1};
	struct imsg_noise_dh_answer answer;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(points); i++)
		memcpy(ask.request[i].ephemeral, bytes_of_hex(points[i]).at, 32);
	memcpy(ask.request[COUNT_OF(points)].ephemeral, key_secret_noise(), 32);
	assert_int_equal(key_sign_exchange(&ask, &answer), COUNT_OF(points));
	for (size_t i = 0; i < COUNT_OF(points); i++) {
		assert_int_equal(answer.answer[i].status, IMSG_DH_POINT);
		assert_true(sodium_is_zero(answer.answer[i].shared, 32));
	}
	assert_int_equal(answer.answer[COUNT_OF(points)].status, IMSG_DH_OK);
	assert_true(sodium_is_zero((const uint8_t *)&answer.answer[ask.count], sizeof(answer.answer[0])));
}

static struct imsg_voucher ask_for(const char *peer, uint32_t lifetime)
{
	struct bytes bytes = bytes_of_hex(peer);
	struct imsg_voucher ask = {.id = 42, .lifetime = lifetime, .peer_len = (uint8_t)bytes.len};

	memcpy(ask.peer, bytes.at, bytes.len);
	return ask;
}

static void test_voucher_vector(void **state)
{
	struct bytes expected = bytes_of_hex("0a24" K_ENCODED "12020302 1a56 0a26" K_PEER_ID "1226" K_PEER_ID
					     "1890fecfaa06 2a40" VOUCHER_SIGNATURE);
	struct imsg_voucher ask = ask_for(K_PEER_ID, 3600);
	struct imsg_voucher_answer answer;

	(void)state;
	assert_int_equal(key_sign_voucher(&ask, NOW, 3600, &answer), IMSG_VOUCHER_OK);
	assert_int_equal(answer.id, 42);
	assert_int_equal(answer.expire, 1700003600);
	assert_int_equal(answer.status, IMSG_VOUCHER_OK);
	assert_int_equal(answer.len, 196);
	assert_int_equal(expected.len, 196);
	assert_memory_equal(answer.envelope, expected.at, 196);
	assert_true(sodium_is_zero(answer.envelope + 196, IMSG_VOUCHER_MAX - 196));
}

/* The longest peer id still fits. */
static void test_voucher_of_hashed_peer(void **state)
{
	struct imsg_voucher ask =
	    ask_for("1220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 60);
	struct imsg_voucher_answer answer;
	struct envelope e;
	struct voucher v;

	(void)state;
	assert_int_equal(key_sign_voucher(&ask, NOW, 3600, &answer), IMSG_VOUCHER_OK);
	assert_int_equal(envelope_parse(answer.envelope, answer.len, &e), ENVELOPE_OK);
	assert_int_equal(envelope_kind(&e), ENVELOPE_VOUCHER);
	assert_int_equal(envelope_verify(&e, ENVELOPE_VOUCHER), ENVELOPE_OK);
	assert_int_equal(voucher_parse(e.payload.bytes, e.payload.len, &v), 0);
	assert_memory_equal(v.peer.bytes, ask.peer, ask.peer_len);
	assert_int_equal(v.expiration, NOW + 60);
	/* Its signature is none for another kind. */
	assert_int_not_equal(envelope_verify(&e, ENVELOPE_RECORD), ENVELOPE_OK);
	assert_int_not_equal(envelope_verify(&e, ENVELOPE_RECORD_LEGACY), ENVELOPE_OK);
}

static void refused(struct imsg_voucher ask, uint64_t now, enum imsg_voucher_status status)
{
	struct imsg_voucher_answer answer;

	assert_int_equal(key_sign_voucher(&ask, now, 3600, &answer), status);
	assert_int_equal(answer.status, status);
	assert_int_equal(answer.id, 42);
	assert_int_equal(answer.len, 0);
	assert_int_equal(answer.expire, 0);
	assert_true(sodium_is_zero(answer.envelope, sizeof(answer.envelope)));
}

static void test_voucher_refused(void **state)
{
	(void)state;
	refused(ask_for(K_PEER_ID, 3601), NOW, IMSG_VOUCHER_LIFETIME);
	refused(ask_for(K_PEER_ID, 0), NOW, IMSG_VOUCHER_LIFETIME);
	refused(ask_for(K_PEER_ID, UINT32_MAX), NOW, IMSG_VOUCHER_LIFETIME);
	refused(ask_for("", 60), NOW, IMSG_VOUCHER_PEER);
	refused(ask_for("00", 60), NOW, IMSG_VOUCHER_PEER);
	refused(ask_for("00240801122000", 60), NOW, IMSG_VOUCHER_PEER);
	refused(ask_for("1221000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", 60), NOW,
		IMSG_VOUCHER_PEER);
	refused(ask_for(K_PEER_ID, 60), 0, IMSG_VOUCHER_CLOCK);
	refused(ask_for(K_PEER_ID, 60), NOW - 1, IMSG_VOUCHER_CLOCK);
	refused(ask_for(K_PEER_ID, 60), UINT64_MAX, IMSG_VOUCHER_CLOCK);
}

static void test_record_vector(void **state)
{
	struct bytes expected = bytes_of_hex(RECORD), address = bytes_of_hex(ADDRESS);
	struct span addr = {address.at, address.len};
	uint8_t record[IMSG_RECORD_MAX];

	(void)state;
	assert_int_equal(key_sign_record(&addr, 1, NOW, record, sizeof(record)), 168);
	assert_int_equal(expected.len, 168);
	assert_memory_equal(record, expected.at, 168);
	for (size_t capacity = 0; capacity < 168; capacity++)
		assert_int_equal(key_sign_record(&addr, 1, NOW, record, capacity), 0);
}

/* As many and as long addresses as the parent can send. */
static void test_largest_record(void **state)
{
	static uint8_t bytes[IMSG_ADDRS][IMSG_ADDR_MAX];
	struct span addrs[IMSG_ADDRS];
	uint8_t record[IMSG_RECORD_MAX];

	(void)state;
	for (size_t i = 0; i < IMSG_ADDRS; i++)
		addrs[i] = (struct span){bytes[i], IMSG_ADDR_MAX};
	size_t len = key_sign_record(addrs, IMSG_ADDRS, UINT64_MAX, record, sizeof(record));

	assert_in_range(len, IMSG_ADDRS * IMSG_ADDR_MAX, IMSG_RECORD_MAX);
}

static void test_the_secret_is_guarded(void **state)
{
	(void)state;
	assert_true(key_secret_is_locked() == 0 || key_secret_is_locked() == 1);
	/* Two starts, two Noise keys. */
	uint8_t first[32];

	memcpy(first, key_secret_noise(), 32);
	key_secret_forget();
	assert_int_equal(set_up(NULL), 0);
	assert_memory_not_equal(first, key_secret_noise(), 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_identity),
	    cmocka_unit_test(test_hello),
	    cmocka_unit_test(test_noise_vector),
	    cmocka_unit_test(test_exchange),
	    cmocka_unit_test(test_points_of_low_order),
	    cmocka_unit_test(test_voucher_vector),
	    cmocka_unit_test(test_voucher_of_hashed_peer),
	    cmocka_unit_test(test_voucher_refused),
	    cmocka_unit_test(test_record_vector),
	    cmocka_unit_test(test_largest_record),
	    cmocka_unit_test(test_the_secret_is_guarded),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
