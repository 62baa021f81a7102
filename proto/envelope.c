/* SPDX-License-Identifier: MIT
 *
 * Signed envelopes, see envelope.h. What is inside them is in signed_record.c.
 */
#include "proto/envelope.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "proto/protobuf_field.h"

enum { FIELD_KEY = 1, FIELD_TYPE = 2, FIELD_PAYLOAD = 3, FIELD_SIGNATURE = 5 };

/* Longest domain, longest type and three length prefixes, generously. */
#define SIGNED_PART_MAX (ENVELOPE_MAX + 64)

struct envelope_form {
	const char *domain;
	const char *type;
	uint8_t type_len;
};

static const struct envelope_form envelope_forms[ENVELOPE_KINDS] = {
    [ENVELOPE_RECORD] = {"libp2p-peer-record", "\x03\x01", 2},
    [ENVELOPE_RECORD_LEGACY] = {"libp2p-routing-state", "/libp2p/routing-state-record", 28},
    [ENVELOPE_VOUCHER] = {"libp2p-relay-rsvp", "\x03\x02", 2},
};

static void envelope_split(struct reader *r, struct span *key, struct envelope *e)
{
	struct protobuf_field f;

	while (protobuf_field_next(r, &f)) {
		switch (f.number) {
		case FIELD_KEY:
			protobuf_take_bytes(r, &f, key);
			break;
		case FIELD_TYPE:
			protobuf_take_bytes(r, &f, &e->type);
			break;
		case FIELD_PAYLOAD:
			protobuf_take_bytes(r, &f, &e->payload);
			break;
		case FIELD_SIGNATURE:
			protobuf_take_bytes(r, &f, &e->signature);
			break;
		default:
			break;
		}
	}
}

enum envelope_result envelope_parse(const uint8_t *bytes, size_t len, struct envelope *e)
{
	struct reader r = reader_of(bytes, len);
	struct span key = {0};

	*e = (struct envelope){0};
	if (len > ENVELOPE_MAX)
		return ENVELOPE_MALFORMED;
	envelope_split(&r, &key, e);
	if (r.bad || key.bytes == NULL || e->type.bytes == NULL || e->payload.bytes == NULL ||
	    e->signature.bytes == NULL)
		return ENVELOPE_MALFORMED;
	if (public_key_parse(key.bytes, key.len, e->public_key) != 0)
		return ENVELOPE_KEY_UNSUPPORTED;
	return ENVELOPE_OK;
}

enum envelope_kind envelope_kind(const struct envelope *e)
{
	for (unsigned kind = 0; kind < ENVELOPE_KINDS; kind++) {
		const struct envelope_form *form = &envelope_forms[kind];

		if (e->type.len == form->type_len && memcmp(e->type.bytes, form->type, form->type_len) == 0)
			return (enum envelope_kind)kind;
	}
	return ENVELOPE_KINDS;
}

void envelope_write_signed_part(struct writer *w, enum envelope_kind kind, const uint8_t *payload, size_t len)
{
	const struct envelope_form *form = &envelope_forms[kind];

	writer_span(w, form->domain, strlen(form->domain));
	writer_span(w, form->type, form->type_len);
	writer_span(w, payload, len);
}

/* libsodium refuses S >= L, keys and R of small order and keys that are not canonical: all that RFC 8032
 * leaves open. */
enum envelope_result envelope_verify(const struct envelope *e, enum envelope_kind kind)
{
	uint8_t signed_part[SIGNED_PART_MAX];
	struct writer w = writer_of(signed_part, sizeof(signed_part));

	if (kind >= ENVELOPE_KINDS || envelope_kind(e) != kind)
		return ENVELOPE_TYPE_UNKNOWN;
	envelope_write_signed_part(&w, kind, e->payload.bytes, e->payload.len);
	if (w.bad || e->signature.len != crypto_sign_BYTES)
		return ENVELOPE_SIGNATURE_BAD;
	if (crypto_sign_verify_detached(e->signature.bytes, signed_part, writer_len(&w), e->public_key) != 0)
		return ENVELOPE_SIGNATURE_BAD;
	return ENVELOPE_OK;
}

void envelope_write(struct writer *w, enum envelope_kind kind, const uint8_t public_key[32],
		    const uint8_t *payload, size_t len, const uint8_t signature[64])
{
	const struct envelope_form *form = &envelope_forms[kind];
	uint8_t key[PUBLIC_KEY_ED25519];

	public_key_write(key, public_key);
	protobuf_write_bytes(w, FIELD_KEY, key, sizeof(key));
	protobuf_write_bytes(w, FIELD_TYPE, form->type, form->type_len);
	protobuf_write_bytes(w, FIELD_PAYLOAD, payload, len);
	protobuf_write_bytes(w, FIELD_SIGNATURE, signature, 64);
}
