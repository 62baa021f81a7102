/* SPDX-License-Identifier: MIT
 *
 * What libp2p puts inside the Noise handshake: identity key, signature, extensions. libp2p
 * specs noise/README.md. Called by keyproc (the bytes to sign), netproc and probe. Trusts nothing. Hand
 * codec: keyproc links it.
 */
#ifndef PROTO_NOISE_WIRE_H
#define PROTO_NOISE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

#define NOISE_SIGNED_PREFIX "noise-libp2p-static-key:" /* 24 bytes, no terminator */
#define NOISE_SIGNED_MAX    (24 + 32)
#define NOISE_PAYLOAD_MAX   4096 /* bytes of a handshake payload accepted */
#define NOISE_PAYLOAD_OURS  104	 /* bytes of ours: key 36 + 2, signature 64 + 2 */

enum noise_payload_result {
	NOISE_PAYLOAD_OK,
	NOISE_PAYLOAD_MALFORMED,
	NOISE_PAYLOAD_KEY_UNSUPPORTED, /* RSA and others are refused before anything of theirs is parsed */
	NOISE_PAYLOAD_SIGNATURE_BAD
};

struct noise_payload {
	uint8_t identity[32]; /* Ed25519 */
	struct span signature;
	bool has_muxers; /* extension f4.2 is there: go and js send it, rust never does */
};

/* The 56 bytes that an identity key signs over a Noise static key. */
void noise_signed_part(uint8_t out[NOISE_SIGNED_MAX], const uint8_t static_key[32]);
/* Parses, demands a canonical Ed25519 key and verifies its signature over `static_key`. Unknown fields are
 * skipped. */
enum noise_payload_result noise_payload_open(const uint8_t *bytes, size_t len, const uint8_t static_key[32],
					     struct noise_payload *p);
void noise_payload_write(struct writer *w, const uint8_t identity[32], const uint8_t signature[64]);

#endif
