/* SPDX-License-Identifier: MIT
 *
 * A run of multistream lines; the same bytes arriving one by one give the same lines.
 */
#include "fuzz.h"

#include "proto/multistream.h"

/* What the first line is when it comes byte by byte. */
static void arrives_slowly(const uint8_t *data, size_t size, enum multistream_result whole, size_t whole_used)
{
	enum multistream_result result = MULTISTREAM_MORE;
	struct span line;
	size_t used = 0, len;

	for (len = 0; len <= size && result == MULTISTREAM_MORE; len++)
		result = multistream_next(data, len, &line, &used);
	FUZZ_ASSERT(result == whole && used == whole_used);
	FUZZ_ASSERT(result != MULTISTREAM_LINE || used == len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[2 + MULTISTREAM_LINE_MAX];
	enum multistream_result result;
	struct span line;
	size_t used;

	if (size < 2 * MULTISTREAM_LINE_MAX)
		arrives_slowly(data, size, multistream_next(data, size, &line, &used), used);
	while ((result = multistream_next(data, size, &line, &used)) == MULTISTREAM_LINE) {
		struct writer w = writer_of(out, sizeof(out));

		FUZZ_ASSERT(used > 0 && used <= size);
		fuzz_span_inside(line, data, used);
		multistream_write(&w, line.bytes, line.len);
		FUZZ_ASSERT(!w.bad && writer_len(&w) == used && memcmp(out, data, used) == 0);
		data += used;
		size -= used;
	}
	FUZZ_ASSERT(result != MULTISTREAM_MORE || size < 2 + MULTISTREAM_LINE_MAX);
	return 0;
}
