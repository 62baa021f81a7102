/* SPDX-License-Identifier: MIT
 *
 * What a stranger may put where libp2p's Noise payload belongs.
 */
#include "tests/peer/peer.h"

#include <sodium.h>
#include <string.h>

#include "proto/noise_wire.h"

#define FIELD_KEY	0x0a
#define FIELD_SIGNATURE 0x12

static void peer_payload_sign(const struct client *c, const uint8_t static_key[32], uint8_t signature[64])
{
	uint8_t part[NOISE_SIGNED_MAX];

	noise_signed_part(part, static_key);
	identity_sign(&c->identity, part, sizeof(part), signature);
}

static void peer_payload_field(struct writer *w, uint8_t field, const void *bytes, size_t len)
{
	writer_u8(w, field);
	writer_span(w, bytes, len);
}

/* The public key message in a form of the test's. Returns its length. */
static size_t peer_payload_key(const struct client *c, enum peer_payload kind, uint8_t *out, size_t capacity)
{
	static const uint8_t padded[] = {0x08, 0x81, 0x00, 0x12, 0x20};
	static const uint8_t data_first[] = {0x12, 0x20};
	static const uint8_t type_last[] = {0x08, 0x01};
	static const uint8_t rsa[] = {0x08, 0x00, 0x12, 0xa6, 0x02};
	static const uint8_t secp256k1[] = {0x08, 0x02, 0x12, 0x21, 0x02};
	uint8_t rubbish[294];
	struct writer w = writer_of(out, capacity);

	randombytes_buf(rubbish, sizeof(rubbish));
	if (kind == PEER_PAYLOAD_NON_CANONICAL) {
		writer_bytes(&w, padded, sizeof(padded));
		writer_bytes(&w, c->identity.public_key, 32);
	} else if (kind == PEER_PAYLOAD_SWAPPED_FIELDS) {
		writer_bytes(&w, data_first, sizeof(data_first));
		writer_bytes(&w, c->identity.public_key, 32);
		writer_bytes(&w, type_last, sizeof(type_last));
	} else if (kind == PEER_PAYLOAD_RSA) {
		writer_bytes(&w, rsa, sizeof(rsa));
		writer_bytes(&w, rubbish, 294);
	} else if (kind == PEER_PAYLOAD_SECP256K1) {
		writer_bytes(&w, secp256k1, sizeof(secp256k1));
		writer_bytes(&w, rubbish, 32);
	} else {
		uint8_t key[PUBLIC_KEY_ED25519];

		public_key_write(key, c->identity.public_key);
		writer_bytes(&w, key, sizeof(key));
	}
	return writer_len(&w);
}

static void peer_payload_extra(struct writer *w, enum peer_payload kind)
{
	static const uint8_t unknown[] = {0x1a, 0x03, 'o',  'l',  'd', 0xa0, 0x06,
					  0x01, 0xfa, 0x07, 0x02, 'h', 'i'};
	static const uint8_t endless[] = {0x22, 0xff, 0xff, 0x03, 'x'};
	static const uint8_t zeros[NOISE_PAYLOAD_MAX];

	if (kind == PEER_PAYLOAD_UNKNOWN_FIELDS)
		writer_bytes(w, unknown, sizeof(unknown));
	else if (kind == PEER_PAYLOAD_ENDLESS)
		writer_bytes(w, endless, sizeof(endless));
	else if (kind == PEER_PAYLOAD_TOO_LONG)
		peer_payload_field(w, 0x1a, zeros, sizeof(zeros));
}

size_t peer_payload_write(const struct client *c, enum peer_payload kind, uint8_t *out, size_t capacity)
{
	const struct initiator *noise = c->session.noise;
	uint8_t signature[64];
	uint8_t key[320];
	uint8_t other[32];
	struct writer w = writer_of(out, capacity);
	size_t key_len = peer_payload_key(c, kind, key, sizeof(key));

	if (kind == PEER_PAYLOAD_EMPTY)
		return 0;
	if (kind == PEER_PAYLOAD_GARBAGE) {
		memset(out, 0xff, 64);
		return 64;
	}
	randombytes_buf(other, sizeof(other));
	peer_payload_sign(c, kind == PEER_PAYLOAD_OTHER_STATIC ? other : noise->static_public, signature);
	if (kind == PEER_PAYLOAD_BAD_SIGNATURE)
		signature[17] ^= 0x10;
	if (kind != PEER_PAYLOAD_NO_KEY)
		peer_payload_field(&w, FIELD_KEY, key, key_len);
	if (kind != PEER_PAYLOAD_NO_SIGNATURE)
		peer_payload_field(&w, FIELD_SIGNATURE, signature, sizeof(signature));
	peer_payload_extra(&w, kind);
	return w.bad ? 0 : writer_len(&w);
}
