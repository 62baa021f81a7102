/* SPDX-License-Identifier: MIT */
#include "tests/bench/load_seal.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_SWITCH 512

static EVP_CIPHER_CTX *seal_context;
static EVP_CIPHER_CTX *open_context;

void load_seal_init(void)
{
	static const uint8_t zero[32];

	seal_context = EVP_CIPHER_CTX_new();
	open_context = EVP_CIPHER_CTX_new();
	if (!seal_context || !open_context ||
	    EVP_EncryptInit_ex(seal_context, EVP_chacha20_poly1305(), NULL, zero, zero) != 1 ||
	    EVP_DecryptInit_ex(open_context, EVP_chacha20_poly1305(), NULL, zero, zero) != 1)
		abort();
}

static void seal_evp(const uint8_t *key, const uint8_t *nonce, uint8_t *out, const uint8_t *plain, size_t len)
{
	int n;

	if (EVP_EncryptInit_ex(seal_context, NULL, NULL, key, nonce) != 1 ||
	    EVP_EncryptUpdate(seal_context, out, &n, plain, (int)len) != 1 ||
	    EVP_EncryptFinal_ex(seal_context, out + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(seal_context, EVP_CTRL_AEAD_GET_TAG, SECURE_TAG, out + len) != 1)
		abort();
}

static int open_evp(const uint8_t *key, const uint8_t *nonce, uint8_t *out, const uint8_t *cipher, size_t len)
{
	uint8_t tag[SECURE_TAG];
	int n;

	memcpy(tag, cipher + len, SECURE_TAG);
	if (EVP_DecryptInit_ex(open_context, NULL, NULL, key, nonce) != 1 ||
	    EVP_CIPHER_CTX_ctrl(open_context, EVP_CTRL_AEAD_SET_TAG, SECURE_TAG, tag) != 1 ||
	    EVP_DecryptUpdate(open_context, out, &n, cipher, (int)len) != 1 ||
	    EVP_DecryptFinal_ex(open_context, out + n, &n) != 1)
		return -1;
	return 0;
}

void load_seal(struct secure_key *k, uint8_t *out, const uint8_t *plain, size_t len)
{
	uint8_t nonce[12];

	secure_nonce(nonce, k->nonce++);
	if (len >= SEAL_SWITCH)
		seal_evp(k->key, nonce, out + 2, plain, len);
	else
		crypto_aead_chacha20poly1305_ietf_encrypt(out + 2, NULL, plain, len, NULL, 0, NULL, nonce,
							  k->key);
	out[0] = (uint8_t)((len + SECURE_TAG) >> 8);
	out[1] = (uint8_t)(len + SECURE_TAG);
}

int load_open(struct secure_key *k, uint8_t *out, const uint8_t *cipher, size_t len)
{
	uint8_t nonce[12];

	if (len < SECURE_TAG)
		return -1;
	secure_nonce(nonce, k->nonce++);
	if (len - SECURE_TAG >= SEAL_SWITCH)
		return open_evp(k->key, nonce, out, cipher, len - SECURE_TAG);
	return crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, cipher, len, NULL, 0, nonce,
							 k->key);
}
