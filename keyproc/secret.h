/* SPDX-License-Identifier: MIT
 *
 * The two secrets of the relay: the identity seed and the Noise static key. Only secret.c can name the memory
 * that they lie in; it is guarded, locked, left out of core dumps, and read-only once the process serves.
 * Called by keyfile.c (fills in the file's bytes), sign.c (uses the keys) and main.c. Trusts its callers.
 */
#ifndef KEYPROC_SECRET_H
#define KEYPROC_SECRET_H

#include <stddef.h>
#include <stdint.h>

#define KEY_FILE_SIZE 68 /* bytes: 08 01 12 40, seed, public key; what rust-libp2p writes */

enum key_form {
	KEY_FORM_OK,
	KEY_FORM_PREFIX,  /* not the protobuf of an Ed25519 private key */
	KEY_FORM_MISMATCH /* the public half does not belong to the seed */
};

/* Reserves the memory. 0, or -1 when there is none. */
int key_secret_reserve(void);
/* 1 when the memory is locked, so that it never reaches a swap device. */
int key_secret_is_locked(void);
/* Where the file's KEY_FILE_SIZE bytes are read to and written from: no other copy is ever made. */
uint8_t *key_secret_file(void);
/* Fills those bytes with a new identity. */
void key_secret_generate(void);
/* Takes the identity out of those bytes, if they hold one, and wipes them in any case. */
enum key_form key_secret_accept(void);
/* Makes the Noise static key of this start and makes the memory read-only. 0, or -1. */
int key_secret_seal(void);
/* Wipes and gives back everything; for tests, and for a start that failed. */
void key_secret_forget(void);

/* Public halves, 32 bytes; valid after key_secret_accept and key_secret_seal. */
const uint8_t *key_secret_identity(void);
const uint8_t *key_secret_noise(void);
/* The identity's Ed25519 signature. Only sign.c calls it, over bytes that sign.c composed. */
void key_secret_sign(uint8_t signature[64], const uint8_t *bytes, size_t len);
/* X25519 of the Noise static key with a point; -1 when the result would be all zero (a point of low order).
 */
int key_secret_exchange(uint8_t shared[32], const uint8_t point[32]);

#endif
