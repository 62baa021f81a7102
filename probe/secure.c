/* SPDX-License-Identifier: MIT */
#include "probe/secure.h"

#include <sodium.h>
#include <string.h>

void secure_nonce(uint8_t out[12], uint64_t nonce)
{
	memset(out, 0, 12);
	for (int i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(nonce >> (8 * i));
}

void secure_seal(struct secure_key *k, struct bytes *out, const uint8_t *plain, size_t len)
{
	uint8_t nonce[12];
	uint8_t *at = bytes_room(out, 2 + len + SECURE_TAG);

	secure_nonce(nonce, k->nonce++);
	at[0] = (uint8_t)((len + SECURE_TAG) >> 8);
	at[1] = (uint8_t)(len + SECURE_TAG);
	crypto_aead_chacha20poly1305_ietf_encrypt(at + 2, NULL, plain, len, NULL, 0, NULL, nonce, k->key);
	bytes_added(out, 2 + len + SECURE_TAG);
}

void secure_seal_all(struct secure_key *k, struct bytes *out, const uint8_t *plain, size_t len, size_t most)
{
	while (len > 0) {
		size_t part = len < most ? len : most;

		secure_seal(k, out, plain, part);
		plain += part;
		len -= part;
	}
}

long secure_open(struct secure_key *k, uint8_t *cipher, size_t len)
{
	uint8_t nonce[12];
	unsigned long long plain = 0;

	if (len < SECURE_TAG)
		return -1;
	secure_nonce(nonce, k->nonce++);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(cipher, &plain, NULL, cipher, len, NULL, 0, nonce,
						      k->key) != 0)
		return -1;
	return (long)plain;
}
