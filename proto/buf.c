/* SPDX-License-Identifier: MIT
 *
 * Cursors over bytes, see buf.h. Every bound is checked here and nowhere else.
 */
#include "proto/buf.h"

#include <string.h>

struct reader reader_of(const void *bytes, size_t len)
{
	const uint8_t *start = bytes;

	return (struct reader){.at = start, .end = len > 0 ? start + len : start, .bad = false};
}

size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->at);
}

/* True when `len` bytes can be read; else the reader is spoilt. */
static bool reader_has(struct reader *r, uint64_t len)
{
	if (!r->bad && len > (uint64_t)(r->end - r->at))
		r->bad = true;
	return !r->bad;
}

const uint8_t *reader_bytes(struct reader *r, uint64_t len)
{
	const uint8_t *bytes = r->at;

	if (!reader_has(r, len))
		return NULL;
	if (len > 0)
		r->at += len;
	return bytes;
}

uint8_t reader_u8(struct reader *r)
{
	return reader_has(r, 1) ? *r->at++ : 0;
}

uint16_t reader_u16(struct reader *r)
{
	const uint8_t *b = reader_bytes(r, 2);

	return b == NULL ? 0 : (uint16_t)(b[0] << 8 | b[1]);
}

uint32_t reader_u32(struct reader *r)
{
	const uint8_t *b = reader_bytes(r, 4);

	if (b == NULL)
		return 0;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint64_t reader_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < VARINT_MAX; i++) {
		uint8_t b = reader_u8(r);

		if (r->bad)
			return 0;
		if (i == VARINT_MAX - 1 && b > 1)
			break; /* the tenth byte has room for bit 63 only */
		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if (b & 0x80)
			continue;
		if (b == 0 && i > 0)
			break; /* a shorter encoding exists */
		return v;
	}
	r->bad = true;
	return 0;
}

struct span reader_span(struct reader *r)
{
	uint64_t len = reader_varint(r);
	const uint8_t *bytes = reader_bytes(r, len);

	return (struct span){.bytes = bytes, .len = bytes == NULL ? 0 : (size_t)len};
}

struct writer writer_of(void *bytes, size_t capacity)
{
	uint8_t *start = bytes;

	return (struct writer){
	    .start = start, .at = start, .end = capacity > 0 ? start + capacity : start, .bad = false};
}

size_t writer_len(const struct writer *w)
{
	return (size_t)(w->at - w->start);
}

void writer_bytes(struct writer *w, const void *bytes, size_t len)
{
	if (!w->bad && len > (size_t)(w->end - w->at))
		w->bad = true;
	if (w->bad || len == 0)
		return;
	memcpy(w->at, bytes, len);
	w->at += len;
}

void writer_u8(struct writer *w, uint8_t v)
{
	writer_bytes(w, &v, 1);
}

void writer_u16(struct writer *w, uint16_t v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	writer_bytes(w, b, sizeof(b));
}

void writer_u32(struct writer *w, uint32_t v)
{
	const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	writer_bytes(w, b, sizeof(b));
}

void writer_varint(struct writer *w, uint64_t v)
{
	uint8_t b[VARINT_MAX];
	size_t len = 0;

	for (; v >= 0x80; v >>= 7)
		b[len++] = (uint8_t)(v | 0x80);
	b[len++] = (uint8_t)v;
	writer_bytes(w, b, len);
}

void writer_span(struct writer *w, const void *bytes, size_t len)
{
	writer_varint(w, len);
	writer_bytes(w, bytes, len);
}

size_t varint_size(uint64_t v)
{
	size_t len = 1;

	for (; v >= 0x80; v >>= 7)
		len++;
	return len;
}
