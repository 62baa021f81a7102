/* SPDX-License-Identifier: MIT
 *
 * The symmetric state of a Noise handshake: chaining key, hash and the key of the moment. noiseprotocol.org
 * revision 34, sections 4.3 and 5.2. Called by noise.c only.
 */
#ifndef NETPROC_NOISE_SYMMETRIC_H
#define NETPROC_NOISE_SYMMETRIC_H

#include <stddef.h>
#include <stdint.h>

struct noise_symmetric {
	uint64_t nonce;
	uint8_t hash[32];
	uint8_t chaining_key[32];
	uint8_t key[32];
};

/* `name` of exactly 32 bytes is the first hash itself. */
void noise_symmetric_init(struct noise_symmetric *s, const char name[32]);
void noise_mix_hash(struct noise_symmetric *s, const uint8_t *bytes, size_t len);
/* HKDF with two outputs (section 4.3); Split is it with no input. */
void noise_hkdf(const uint8_t chaining_key[32], const uint8_t *input, size_t len, uint8_t first[32],
		uint8_t second[32]);
void noise_mix_key(struct noise_symmetric *s, const uint8_t shared[32]);
/* EncryptAndHash: `out` takes len + AEAD_TAG bytes. */
void noise_encrypt_and_hash(struct noise_symmetric *s, uint8_t *out, const uint8_t *plain, size_t len);
/* DecryptAndHash: `len` with tag, `out` without. 0, or -1 on a bad tag. */
int noise_decrypt_and_hash(struct noise_symmetric *s, uint8_t *out, const uint8_t *sealed, size_t len);

#endif
