/* SPDX-License-Identifier: MIT
 *
 * Fields by hand: whatever is accepted, written again field by field, is the same bytes (encodings are
 * minimal).
 */
#include "fuzz.h"

#include "proto/protobuf_field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[16384];
	struct writer w = writer_of(out, sizeof(out));
	struct reader r = reader_of(data, size);
	struct protobuf_field f;
	bool comparable = true;

	while (protobuf_field_next(&r, &f)) {
		fuzz_span_inside(f.bytes, data, size);
		if (f.number > 15)
			comparable = false;
		else if (f.wire == PROTOBUF_VARINT)
			protobuf_write_varint(&w, (uint8_t)f.number, f.varint);
		else if (f.wire == PROTOBUF_BYTES)
			protobuf_write_bytes(&w, (uint8_t)f.number, f.bytes.bytes, f.bytes.len);
		else
			comparable = false;
	}
	if (!r.bad && comparable && !w.bad) {
		FUZZ_ASSERT(writer_len(&w) == size);
		FUZZ_ASSERT(size == 0 || memcmp(out, data, size) == 0);
	}
	return 0;
}
