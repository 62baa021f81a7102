/* SPDX-License-Identifier: MIT
 *
 * Protobuf fields by hand, see protobuf_field.h.
 */
#include "proto/protobuf_field.h"

#define PROTOBUF_TAG_MAX UINT32_MAX /* field numbers have 29 bits, wire types 3 */

bool protobuf_field_next(struct reader *r, struct protobuf_field *f)
{
	if (reader_left(r) == 0)
		return false;

	uint64_t tag = reader_varint(r);

	*f = (struct protobuf_field){.number = (uint32_t)(tag >> 3), .wire = (enum protobuf_wire)(tag & 7)};
	if (tag > PROTOBUF_TAG_MAX || f->number == 0)
		r->bad = true;
	switch (tag & 7) {
	case PROTOBUF_VARINT:
		f->varint = reader_varint(r);
		break;
	case PROTOBUF_FIXED64:
		reader_bytes(r, 8);
		break;
	case PROTOBUF_BYTES:
		f->bytes = reader_span(r);
		break;
	case PROTOBUF_FIXED32:
		reader_bytes(r, 4);
		break;
	default: /* groups: rust clients refuse them too */
		r->bad = true;
	}
	return !r->bad;
}

void protobuf_take_bytes(struct reader *r, const struct protobuf_field *f, struct span *out)
{
	if (f->wire != PROTOBUF_BYTES || out->bytes != NULL)
		r->bad = true;
	else
		*out = f->bytes;
}

void protobuf_take_varint(struct reader *r, const struct protobuf_field *f, uint64_t *out, bool *seen)
{
	if (f->wire != PROTOBUF_VARINT || *seen) {
		r->bad = true;
		return;
	}
	*out = f->varint;
	*seen = true;
}

static void protobuf_write_tag(struct writer *w, uint8_t number, enum protobuf_wire wire)
{
	writer_u8(w, (uint8_t)((unsigned)number << 3 | wire));
}

void protobuf_write_varint(struct writer *w, uint8_t number, uint64_t v)
{
	protobuf_write_tag(w, number, PROTOBUF_VARINT);
	writer_varint(w, v);
}

void protobuf_write_head(struct writer *w, uint8_t number, size_t len)
{
	protobuf_write_tag(w, number, PROTOBUF_BYTES);
	writer_varint(w, len);
}

void protobuf_write_bytes(struct writer *w, uint8_t number, const void *bytes, size_t len)
{
	protobuf_write_head(w, number, len);
	writer_bytes(w, bytes, len);
}

size_t protobuf_varint_size(uint64_t v)
{
	return 1 + varint_size(v);
}

size_t protobuf_bytes_size(size_t len)
{
	return 1 + varint_size(len) + len;
}
