/* SPDX-License-Identifier: MIT */
#include "probe/identity.h"

#include <sodium.h>

#define IDENTITY_SIGNED_MAX (ENVELOPE_MAX + 128)

void identity_from_seed(struct identity *me, const uint8_t seed[32])
{
	crypto_sign_seed_keypair(me->public_key, me->secret_key, seed);
	peer_id_from_ed25519(&me->id, me->public_key);
}

void identity_new(struct identity *me)
{
	uint8_t seed[32];

	randombytes_buf(seed, sizeof(seed));
	identity_from_seed(me, seed);
	sodium_memzero(seed, sizeof(seed));
}

void identity_sign(const struct identity *me, const uint8_t *bytes, size_t len, uint8_t signature[64])
{
	crypto_sign_detached(signature, NULL, bytes, len, me->secret_key);
}

size_t identity_envelope(const struct identity *me, enum envelope_kind kind, const uint8_t *payload,
			 size_t len, uint8_t *out, size_t capacity)
{
	uint8_t buffer[IDENTITY_SIGNED_MAX];
	uint8_t signature[64];
	struct writer w = writer_of(buffer, sizeof(buffer));

	envelope_write_signed_part(&w, kind, payload, len);
	if (w.bad)
		return 0;
	identity_sign(me, buffer, writer_len(&w), signature);
	w = writer_of(out, capacity);
	envelope_write(&w, kind, me->public_key, payload, len, signature);
	return w.bad ? 0 : writer_len(&w);
}

size_t identity_record(const struct identity *me, enum envelope_kind kind, uint64_t seq,
		       const struct span *addrs, size_t count, uint8_t *out, size_t capacity)
{
	uint8_t payload[ENVELOPE_MAX];
	struct writer w = writer_of(payload, sizeof(payload));

	peer_record_write(&w, &me->id, seq, addrs, count);
	if (w.bad)
		return 0;
	return identity_envelope(me, kind, payload, writer_len(&w), out, capacity);
}
