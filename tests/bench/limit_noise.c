/* SPDX-License-Identifier: MIT */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/noise_wire.h"
#include "tests/bench/limit.h"

static void mix_hash(struct limit_noise *n, const uint8_t *bytes, size_t len)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, n->hash, sizeof(n->hash));
	crypto_hash_sha256_update(&state, bytes, len);
	crypto_hash_sha256_final(&state, n->hash);
}

static void hkdf(const uint8_t chain[32], const uint8_t *input, size_t len, uint8_t one[32], uint8_t two[32])
{
	uint8_t key[32];
	uint8_t block[33];
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, chain, 32);
	crypto_auth_hmacsha256_update(&state, input, len);
	crypto_auth_hmacsha256_final(&state, key);
	block[0] = 1;
	crypto_auth_hmacsha256(block, block, 1, key);
	memcpy(one, block, 32);
	block[32] = 2;
	crypto_auth_hmacsha256(two, block, sizeof(block), key);
}

static void mix_dh(struct limit_noise *n, const uint8_t secret[32], const uint8_t public_key[32])
{
	uint8_t shared[32];
	uint8_t chain[32];

	if (crypto_scalarmult_curve25519(shared, secret, public_key) != 0)
		memset(shared, 0, sizeof(shared));
	hkdf(n->chain, shared, sizeof(shared), chain, n->key.key);
	memcpy(n->chain, chain, sizeof(chain));
	n->key.nonce = 0;
}

static void seal_and_hash(struct limit_noise *n, const uint8_t *plain, size_t len, uint8_t *out)
{
	uint8_t nonce[12];

	secure_nonce(nonce, n->key.nonce++);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, n->hash, sizeof(n->hash), NULL,
						  nonce, n->key.key);
	mix_hash(n, out, len + SECURE_TAG);
}

static int open_and_hash(struct limit_noise *n, const uint8_t *cipher, size_t len, uint8_t *out)
{
	uint8_t nonce[12];

	secure_nonce(nonce, n->key.nonce++);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, cipher, len, n->hash, sizeof(n->hash),
						      nonce, n->key.key) != 0)
		return -1;
	mix_hash(n, cipher, len);
	return 0;
}

size_t limit_noise_answer(struct limit_conn *c, const uint8_t message1[32], uint8_t *out)
{
	struct limit_noise *n = calloc(1, sizeof(*n));
	uint8_t plain[NOISE_PAYLOAD_OURS];
	struct writer w = writer_of(plain, sizeof(plain));

	if (!n)
		abort();
	c->noise = n;
	memcpy(n->hash, "Noise_XX_25519_ChaChaPoly_SHA256", 32);
	memcpy(n->chain, n->hash, 32);
	mix_hash(n, NULL, 0);
	mix_hash(n, message1, 32);
	mix_hash(n, NULL, 0);
	randombytes_buf(n->ephemeral, 32);
	crypto_scalarmult_curve25519_base(out, n->ephemeral);
	mix_hash(n, out, 32);
	mix_dh(n, n->ephemeral, message1);
	seal_and_hash(n, relay.static_public, 32, out + 32);
	mix_dh(n, relay.static_secret, message1);
	noise_payload_write(&w, relay.me.public_key, relay.signature);
	seal_and_hash(n, plain, writer_len(&w), out + 80);
	return 80 + writer_len(&w) + SECURE_TAG;
}

int limit_noise_finish(struct limit_conn *c, const uint8_t *message3, size_t len)
{
	struct limit_noise *n = c->noise;
	uint8_t remote_static[32];
	uint8_t plain[NOISE_PAYLOAD_MAX];
	struct noise_payload payload;

	if (len < 48 + SECURE_TAG || len > sizeof(plain) ||
	    open_and_hash(n, message3, 48, remote_static) != 0)
		return -1;
	mix_dh(n, n->ephemeral, remote_static);
	if (open_and_hash(n, message3 + 48, len - 48, plain) != 0 ||
	    noise_payload_open(plain, len - 48 - SECURE_TAG, remote_static, &payload) != NOISE_PAYLOAD_OK)
		return -1;
	memcpy(c->peer, payload.identity, sizeof(c->peer));
	hkdf(n->chain, NULL, 0, c->receive.key, c->send.key);
	c->receive.nonce = c->send.nonce = 0;
	free(n);
	c->noise = NULL;
	return 0;
}
