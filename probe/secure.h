/* SPDX-License-Identifier: MIT
 *
 * The record layer of libp2p-noise after the handshake: two-byte length, ChaCha20-Poly1305, counter nonces.
 * libp2p specs, noise/README.md. Called by the session; tests seal wrong records with it. Trusts nothing that
 * is opened.
 */
#ifndef PROBE_SECURE_H
#define PROBE_SECURE_H

#include <stddef.h>
#include <stdint.h>

#include "probe/bytes.h"

#define SECURE_TAG	  16
#define SECURE_PLAIN_MAX  (65535 - SECURE_TAG)
#define SECURE_RECORD_MAX (2 + 65535)

struct secure_key {
	uint8_t key[32];
	uint64_t nonce;
};

/* The 12 bytes of a Noise nonce. */
void secure_nonce(uint8_t out[12], uint64_t nonce);
/* Appends one whole record (length and ciphertext) for at most SECURE_PLAIN_MAX bytes. */
void secure_seal(struct secure_key *k, struct bytes *out, const uint8_t *plain, size_t len);
/* Appends as many records as `len` needs, each of at most `most` plain bytes. */
void secure_seal_all(struct secure_key *k, struct bytes *out, const uint8_t *plain, size_t len, size_t most);
/* Opens the ciphertext of one record in place; the plain bytes' length, or -1 when the tag is wrong. */
long secure_open(struct secure_key *k, uint8_t *cipher, size_t len);

#endif
