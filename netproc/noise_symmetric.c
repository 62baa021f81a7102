/* SPDX-License-Identifier: MIT */
#include "netproc/noise_symmetric.h"

#include <sodium.h>
#include <string.h>

#include "netproc/aead.h"

void noise_symmetric_init(struct noise_symmetric *s, const char name[32])
{
	memcpy(s->hash, name, 32);
	memcpy(s->chaining_key, name, 32);
	s->nonce = 0;
}

void noise_mix_hash(struct noise_symmetric *s, const uint8_t *bytes, size_t len)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, s->hash, sizeof(s->hash));
	crypto_hash_sha256_update(&state, bytes, len);
	crypto_hash_sha256_final(&state, s->hash);
}

void noise_hkdf(const uint8_t chaining_key[32], const uint8_t *input, size_t len, uint8_t first[32],
		uint8_t second[32])
{
	uint8_t temporary[32], block[33];
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, chaining_key, 32);
	crypto_auth_hmacsha256_update(&state, input, len);
	crypto_auth_hmacsha256_final(&state, temporary);
	block[0] = 1;
	crypto_auth_hmacsha256(first, block, 1, temporary);
	memcpy(block, first, 32);
	block[32] = 2;
	crypto_auth_hmacsha256(second, block, sizeof(block), temporary);
	sodium_memzero(temporary, sizeof(temporary));
	sodium_memzero(block, sizeof(block));
	sodium_memzero(&state, sizeof(state));
}

void noise_mix_key(struct noise_symmetric *s, const uint8_t shared[32])
{
	uint8_t chaining_key[32];

	noise_hkdf(s->chaining_key, shared, 32, chaining_key, s->key);
	memcpy(s->chaining_key, chaining_key, 32);
	sodium_memzero(chaining_key, sizeof(chaining_key));
	s->nonce = 0;
}

static void noise_handshake_nonce(const struct noise_symmetric *s, uint8_t nonce[12])
{
	memset(nonce, 0, 12);
	nonce[4] = (uint8_t)s->nonce; /* at most two messages under one key */
}

void noise_encrypt_and_hash(struct noise_symmetric *s, uint8_t *out, const uint8_t *plain, size_t len)
{
	uint8_t nonce[12];

	noise_handshake_nonce(s, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, s->hash, sizeof(s->hash), NULL,
						  nonce, s->key);
	s->nonce++;
	noise_mix_hash(s, out, len + AEAD_TAG);
}

int noise_decrypt_and_hash(struct noise_symmetric *s, uint8_t *out, const uint8_t *sealed, size_t len)
{
	uint8_t nonce[12];

	noise_handshake_nonce(s, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, len, s->hash, sizeof(s->hash),
						      nonce, s->key) != 0)
		return -1;
	s->nonce++;
	noise_mix_hash(s, sealed, len);
	return 0;
}
