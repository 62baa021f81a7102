/* SPDX-License-Identifier: MIT
 *
 * The Ed25519 key of a client, its peer id, and what it signs: the Noise static key and peer records of both
 * flavours. Called by the session, the rendezvous client, tests and benchmarks.
 */
#ifndef PROBE_IDENTITY_H
#define PROBE_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/envelope.h"
#include "proto/peer_id.h"

struct identity {
	uint8_t public_key[32];
	uint8_t secret_key[64];
	struct peer_id id;
};

void identity_new(struct identity *me);
/* Always the same key for the same seed: tests that need two runs to agree. */
void identity_from_seed(struct identity *me, const uint8_t seed[32]);
void identity_sign(const struct identity *me, const uint8_t *bytes, size_t len, uint8_t signature[64]);
/* A signed envelope of any kind around `payload`. Returns its length, 0 when it does not fit. */
size_t identity_envelope(const struct identity *me, enum envelope_kind kind, const uint8_t *payload,
			 size_t len, uint8_t *out, size_t capacity);
/* A signed peer record (ENVELOPE_RECORD or ENVELOPE_RECORD_LEGACY) of this identity. */
size_t identity_record(const struct identity *me, enum envelope_kind kind, uint64_t seq,
		       const struct span *addrs, size_t count, uint8_t *out, size_t capacity);

#endif
