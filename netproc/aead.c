/* SPDX-License-Identifier: MIT */
#include "netproc/aead.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "netproc/net.h"

#define AEAD_NONCE	  12
#define AEAD_SWITCH_LEAST 256u
#define AEAD_SWITCH_MOST  8192u
#define AEAD_ROUNDS	  200

/* One libcrypto context for each direction, keyed anew for every message: it keeps no state of any
 * connection. */
struct aead {
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
	size_t switch_at;
};

/* Noise: four zero bytes, then the counter, little-endian. */
static void aead_nonce(uint8_t nonce[AEAD_NONCE], uint64_t counter)
{
	int i;

	memset(nonce, 0, 4);
	for (i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(counter >> (8 * i));
}

static int aead_seal_evp(struct aead *aead, const uint8_t *key, const uint8_t *nonce, uint8_t *out,
			 const uint8_t *plain, size_t len)
{
	int n;

	if (EVP_EncryptInit_ex(aead->seal, NULL, NULL, key, nonce) != 1 ||
	    EVP_EncryptUpdate(aead->seal, out, &n, plain, (int)len) != 1 ||
	    EVP_EncryptFinal_ex(aead->seal, out + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(aead->seal, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, out + len) != 1)
		return -1;
	return 0;
}

static int aead_open_evp(struct aead *aead, const uint8_t *key, const uint8_t *nonce, uint8_t *out,
			 const uint8_t *sealed, size_t len)
{
	uint8_t tag[AEAD_TAG];
	int n;

	len -= AEAD_TAG;
	memcpy(tag, sealed + len, AEAD_TAG);
	if (EVP_DecryptInit_ex(aead->open, NULL, NULL, key, nonce) != 1 ||
	    EVP_CIPHER_CTX_ctrl(aead->open, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag) != 1 ||
	    EVP_DecryptUpdate(aead->open, out, &n, sealed, (int)len) != 1 ||
	    EVP_DecryptFinal_ex(aead->open, out + n, &n) != 1)
		return -1;
	return 0;
}

static int aead_seal_sodium(const uint8_t *key, const uint8_t *nonce, uint8_t *out, const uint8_t *plain,
			    size_t len)
{
	return crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, NULL, 0, NULL, nonce, key);
}

static int aead_open_sodium(const uint8_t *key, const uint8_t *nonce, uint8_t *out, const uint8_t *sealed,
			    size_t len)
{
	return crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, len, NULL, 0, nonce, key);
}

static uint64_t aead_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* True when libcrypto seals messages of `len` bytes faster; the quickest of three trials each, since machines
 * are noisy. */
static bool aead_evp_wins(struct aead *aead, uint8_t *scratch, size_t len)
{
	static const uint8_t key[32], nonce[AEAD_NONCE];
	uint64_t best[2] = {UINT64_MAX, UINT64_MAX};
	int trial, library, i;

	for (trial = 0; trial < 3; trial++) {
		for (library = 0; library < 2; library++) {
			uint64_t from = aead_clock(), took;

			for (i = 0; i < AEAD_ROUNDS; i++)
				library == 0 ? aead_seal_sodium(key, nonce, scratch + len, scratch, len)
					     : aead_seal_evp(aead, key, nonce, scratch + len, scratch, len);
			took = aead_clock() - from;
			if (took < best[library])
				best[library] = took;
		}
	}
	return best[1] < best[0];
}

/* The smallest size, doubling, from which libcrypto wins. */
static int aead_time(struct aead *aead)
{
	uint8_t *scratch = calloc(2, AEAD_SWITCH_MOST + AEAD_TAG);

	if (scratch == NULL)
		return -1;
	for (aead->switch_at = AEAD_SWITCH_LEAST; aead->switch_at < AEAD_SWITCH_MOST; aead->switch_at *= 2)
		if (aead_evp_wins(aead, scratch, aead->switch_at))
			break;
	free(scratch);
	return 0;
}

static int aead_contexts(struct aead *aead)
{
	static const uint8_t zero[32];

	/* No configuration file: it could name modules to load. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return -1;
	aead->seal = EVP_CIPHER_CTX_new();
	aead->open = EVP_CIPHER_CTX_new();
	if (aead->seal == NULL || aead->open == NULL ||
	    EVP_EncryptInit_ex(aead->seal, EVP_chacha20_poly1305(), NULL, zero, zero) != 1 ||
	    EVP_DecryptInit_ex(aead->open, EVP_chacha20_poly1305(), NULL, zero, zero) != 1)
		return -1;
	return 0;
}

int aead_init(struct net *net)
{
	net->aead = calloc(1, sizeof(*net->aead));
	if (net->aead == NULL || aead_contexts(net->aead) != 0)
		return -1;
	return aead_time(net->aead);
}

int aead_seal(struct net *net, struct cipher *cipher, uint8_t *out, const uint8_t *plain, size_t len)
{
	uint8_t nonce[AEAD_NONCE];

	if (cipher->nonce == UINT64_MAX)
		return -1;
	aead_nonce(nonce, cipher->nonce++);
	if (len < net->aead->switch_at)
		return aead_seal_sodium(cipher->key, nonce, out, plain, len);
	return aead_seal_evp(net->aead, cipher->key, nonce, out, plain, len);
}

int aead_open(struct net *net, struct cipher *cipher, uint8_t *out, const uint8_t *sealed, size_t len)
{
	uint8_t nonce[AEAD_NONCE];

	if (cipher->nonce == UINT64_MAX || len < AEAD_TAG)
		return -1;
	aead_nonce(nonce, cipher->nonce++);
	if (len < net->aead->switch_at)
		return aead_open_sodium(cipher->key, nonce, out, sealed, len);
	return aead_open_evp(net->aead, cipher->key, nonce, out, sealed, len);
}

size_t aead_switch(const struct net *net)
{
	return net->aead->switch_at;
}
