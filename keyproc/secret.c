/* SPDX-License-Identifier: MIT
 *
 * The memory of the secrets. Called by keyfile.c, sign.c and main.c; see secret.h. No system call after
 * key_secret_seal.
 */
#include "keyproc/secret.h"

#include <sodium.h>
#include <string.h>

/* One allocation between two guard pages. */
struct relay_secret {
	uint8_t identity[crypto_sign_SECRETKEYBYTES]; /* seed and public key */
	uint8_t noise[crypto_scalarmult_SCALARBYTES];
	uint8_t file[KEY_FILE_SIZE];
};

static struct relay_secret *secret;
static int locked;
static uint8_t noise_public[crypto_scalarmult_BYTES];
static uint8_t identity_public[crypto_sign_PUBLICKEYBYTES];

static const uint8_t file_prefix[4] = {0x08, 0x01, 0x12, 0x40};

int key_secret_reserve(void)
{
	if (sodium_init() < 0)
		return -1;
	secret = sodium_malloc(sizeof(*secret));
	if (secret == NULL)
		return -1;
	memset(secret, 0, sizeof(*secret));
	/* sodium_malloc also locks, but does not say when it could not. */
	locked = sodium_mlock(secret, sizeof(*secret)) == 0;
	return 0;
}

int key_secret_is_locked(void)
{
	return locked;
}

uint8_t *key_secret_file(void)
{
	return secret->file;
}

void key_secret_generate(void)
{
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];

	crypto_sign_keypair(public_key, secret->identity);
	memcpy(secret->file, file_prefix, sizeof(file_prefix));
	memcpy(secret->file + sizeof(file_prefix), secret->identity, sizeof(secret->identity));
	sodium_memzero(secret->identity, sizeof(secret->identity));
}

enum key_form key_secret_accept(void)
{
	const uint8_t *seed = secret->file + sizeof(file_prefix);
	enum key_form form = KEY_FORM_OK;

	crypto_sign_seed_keypair(identity_public, secret->identity, seed);
	if (memcmp(secret->file, file_prefix, sizeof(file_prefix)) != 0)
		form = KEY_FORM_PREFIX;
	else if (sodium_memcmp(identity_public, seed + crypto_sign_SEEDBYTES, sizeof(identity_public)) != 0)
		form = KEY_FORM_MISMATCH;
	sodium_memzero(secret->file, sizeof(secret->file));
	if (form != KEY_FORM_OK)
		sodium_memzero(secret->identity, sizeof(secret->identity));
	return form;
}

int key_secret_seal(void)
{
	randombytes_buf(secret->noise, sizeof(secret->noise));
	if (crypto_scalarmult_base(noise_public, secret->noise) != 0)
		return -1;
	return sodium_mprotect_readonly(secret);
}

void key_secret_forget(void)
{
	sodium_free(secret);
	secret = NULL;
}

const uint8_t *key_secret_identity(void)
{
	return identity_public;
}

const uint8_t *key_secret_noise(void)
{
	return noise_public;
}

void key_secret_sign(uint8_t signature[64], const uint8_t *bytes, size_t len)
{
	crypto_sign_detached(signature, NULL, bytes, len, secret->identity);
}

int key_secret_exchange(uint8_t shared[32], const uint8_t point[32])
{
	return crypto_scalarmult(shared, secret->noise, point);
}
