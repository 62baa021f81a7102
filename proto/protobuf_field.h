/* SPDX-License-Identifier: MIT
 *
 * One protobuf field after another: what the hand codecs (public key, envelope, record, voucher, Noise
 * payload, large rendezvous answers) are made of. protobuf.dev/programming-guides/encoding. Trusts nothing:
 * groups, field number 0, varints that are not minimal and lengths past the end spoil the reader, and so does
 * a field that a codec takes twice. Copies nothing, recurses nowhere.
 */
#ifndef PROTO_PROTOBUF_FIELD_H
#define PROTO_PROTOBUF_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

enum protobuf_wire {
	PROTOBUF_VARINT = 0,
	PROTOBUF_FIXED64 = 1,
	PROTOBUF_BYTES = 2,
	PROTOBUF_FIXED32 = 5,
};

struct protobuf_field {
	uint32_t number;
	enum protobuf_wire wire;
	uint64_t varint;   /* of PROTOBUF_VARINT */
	struct span bytes; /* of PROTOBUF_BYTES */
};

/* The next field, its value read or skipped; false at the end and on error (then r->bad is set). */
bool protobuf_field_next(struct reader *r, struct protobuf_field *f);
/* Keeps the value of a field that may stand once: `out->bytes` is NULL until then. Spoils `r` when the field
 * stands again or has another wire type. */
void protobuf_take_bytes(struct reader *r, const struct protobuf_field *f, struct span *out);
void protobuf_take_varint(struct reader *r, const struct protobuf_field *f, uint64_t *out, bool *seen);

/* Fields 1 to 15 only: tags of one byte. */
void protobuf_write_varint(struct writer *w, uint8_t number, uint64_t v);
void protobuf_write_bytes(struct writer *w, uint8_t number, const void *bytes, size_t len);
/* Tag and length of a bytes field or message whose content follows. */
void protobuf_write_head(struct writer *w, uint8_t number, size_t len);
/* Bytes of a whole field, tag included. */
size_t protobuf_varint_size(uint64_t v);
size_t protobuf_bytes_size(size_t len);

#endif
