/* SPDX-License-Identifier: MIT
 *
 * The libp2p payload of Noise handshake messages, see noise_wire.h. libp2p specs, noise/README.md.
 */
#include "proto/noise_wire.h"

#include <sodium.h>
#include <string.h>

#include "proto/peer_id.h"
#include "proto/protobuf_field.h"

enum { PAYLOAD_KEY = 1, PAYLOAD_SIGNATURE = 2, PAYLOAD_EXTENSIONS = 4 };
enum { EXTENSIONS_MUXERS = 2 };

void noise_signed_part(uint8_t out[NOISE_SIGNED_MAX], const uint8_t static_key[32])
{
	memcpy(out, NOISE_SIGNED_PREFIX, NOISE_SIGNED_MAX - 32);
	memcpy(out + NOISE_SIGNED_MAX - 32, static_key, 32);
}

/* Only whether muxers are listed matters to us; which ones does not. libp2p specs, noise/README.md. */
static void noise_extensions_read(struct reader *payload, const struct protobuf_field *extensions,
				  bool *has_muxers)
{
	struct reader r = reader_of(extensions->bytes.bytes, extensions->bytes.len);
	struct protobuf_field f;

	while (protobuf_field_next(&r, &f))
		if (f.number == EXTENSIONS_MUXERS)
			*has_muxers = true;
	if (r.bad || extensions->wire != PROTOBUF_BYTES)
		payload->bad = true;
}

/* Takes the payload apart. False when it is malformed. */
static bool noise_payload_split(const uint8_t *bytes, size_t len, struct span *key, struct noise_payload *p)
{
	struct reader r = reader_of(bytes, len);
	struct protobuf_field f;

	while (protobuf_field_next(&r, &f)) {
		switch (f.number) {
		case PAYLOAD_KEY:
			protobuf_take_bytes(&r, &f, key);
			break;
		case PAYLOAD_SIGNATURE:
			protobuf_take_bytes(&r, &f, &p->signature);
			break;
		case PAYLOAD_EXTENSIONS:
			noise_extensions_read(&r, &f, &p->has_muxers);
			break;
		default: /* old drafts and py put data of their own here */
			break;
		}
	}
	return !r.bad && key->bytes != NULL && p->signature.bytes != NULL;
}

enum noise_payload_result noise_payload_open(const uint8_t *bytes, size_t len, const uint8_t static_key[32],
					     struct noise_payload *p)
{
	uint8_t signed_part[NOISE_SIGNED_MAX];
	struct span key = {0};

	*p = (struct noise_payload){0};
	if (len > NOISE_PAYLOAD_MAX || !noise_payload_split(bytes, len, &key, p))
		return NOISE_PAYLOAD_MALFORMED;
	if (public_key_parse(key.bytes, key.len, p->identity) != 0)
		return NOISE_PAYLOAD_KEY_UNSUPPORTED;
	if (p->signature.len != crypto_sign_BYTES)
		return NOISE_PAYLOAD_SIGNATURE_BAD;
	noise_signed_part(signed_part, static_key);
	if (crypto_sign_verify_detached(p->signature.bytes, signed_part, sizeof(signed_part), p->identity) !=
	    0)
		return NOISE_PAYLOAD_SIGNATURE_BAD;
	return NOISE_PAYLOAD_OK;
}

void noise_payload_write(struct writer *w, const uint8_t identity[32], const uint8_t signature[64])
{
	uint8_t key[PUBLIC_KEY_ED25519];

	public_key_write(key, identity);
	protobuf_write_bytes(w, PAYLOAD_KEY, key, sizeof(key));
	protobuf_write_bytes(w, PAYLOAD_SIGNATURE, signature, 64);
}
