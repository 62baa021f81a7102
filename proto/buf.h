/* SPDX-License-Identifier: MIT
 *
 * Cursors over bytes: the only way any codec here reads or writes.
 * Called by every codec in proto and by netproc, keyproc and probe.
 * Trusts nothing: a read past the end, a varint that is not minimal or does not fit, and a write
 * past the capacity all set `bad`, after which every call is a no-op; the caller asks once, at the end.
 */
#ifndef PROTO_BUF_H
#define PROTO_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_MAX 10 /* bytes of the longest unsigned LEB128 varint of 64 bits */

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

struct writer {
	uint8_t *start;
	uint8_t *at;
	uint8_t *end;
	bool bad;
};

struct span {
	const uint8_t *bytes;
	size_t len;
};

struct reader reader_of(const void *bytes, size_t len);
size_t reader_left(const struct reader *r);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r); /* big-endian */
uint32_t reader_u32(struct reader *r); /* big-endian */
/* Unsigned LEB128, at most 10 bytes, minimal encoding demanded (multiformats unsigned-varint). */
uint64_t reader_varint(struct reader *r);
/* The next `len` bytes, not copied; NULL and `bad` when there are fewer. */
const uint8_t *reader_bytes(struct reader *r, uint64_t len);
/* A varint length and that many bytes, not copied. */
struct span reader_span(struct reader *r);

struct writer writer_of(void *bytes, size_t capacity);
size_t writer_len(const struct writer *w);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_varint(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *bytes, size_t len);
/* A varint length and the bytes. */
void writer_span(struct writer *w, const void *bytes, size_t len);

/* Bytes that the minimal varint of `v` takes, 1 to 10. */
size_t varint_size(uint64_t v);

#endif
