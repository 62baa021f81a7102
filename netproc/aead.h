/* SPDX-License-Identifier: MIT
 *
 * ChaCha20-Poly1305 (RFC 8439) with the nonce of Noise, by whichever library is faster for the size. Called
 * by noise only. Cipher state is key and counter: no library context is held for a connection.
 */
#ifndef NETPROC_AEAD_H
#define NETPROC_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AEAD_TAG 16

struct net;

struct cipher {
	uint8_t key[32];
	uint64_t nonce;
};

/* Makes the shared context and times both libraries; before the lock. 0, or -1 when a library fails. */
int aead_init(struct net *net);
/* Seals `len` bytes into `out` (len + AEAD_TAG bytes, not overlapping) and counts the nonce up. -1 when the
 * nonce is used up. */
int aead_seal(struct net *net, struct cipher *cipher, uint8_t *out, const uint8_t *plain, size_t len);
/* Opens `len` bytes (tag included) into `out` (not overlapping). -1 on a bad tag or nonce; `out` is not to be
 * used then. */
int aead_open(struct net *net, struct cipher *cipher, uint8_t *out, const uint8_t *sealed, size_t len);
/* The size from which libcrypto is used. */
size_t aead_switch(const struct net *net);

#endif
