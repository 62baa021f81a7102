/* SPDX-License-Identifier: MIT
 *
 * Rendezvous requests; one that parses, written and parsed again, is the same.
 */
#include "fuzz.h"

#include "proto/rendezvous_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[2 * RENDEZVOUS_REQUEST_MAX];
	struct writer w = writer_of(out, sizeof(out));
	struct rendezvous_request q, again;

	if (rendezvous_request_parse(data, size, &q) != 0)
		return 0;
	FUZZ_ASSERT(size <= RENDEZVOUS_REQUEST_MAX);
	fuzz_span_inside(q.ns, data, size);
	fuzz_span_inside(q.record, data, size);
	fuzz_span_inside(q.cookie, data, size);
	rendezvous_request_write(&w, &q);
	FUZZ_ASSERT(!w.bad);

	struct reader r = reader_of(out, writer_len(&w));
	struct span message = reader_span(&r);

	if (message.len > RENDEZVOUS_REQUEST_MAX) /* an absent type is written */
		return 0;
	FUZZ_ASSERT(rendezvous_request_parse(message.bytes, message.len, &again) == 0);
	FUZZ_ASSERT(q.type == again.type && q.has_ns == again.has_ns && q.has_ttl == again.has_ttl);
	FUZZ_ASSERT(q.ttl == again.ttl && q.limit == again.limit);
	FUZZ_ASSERT(fuzz_span_equal(q.ns, again.ns) && fuzz_span_equal(q.record, again.record));
	FUZZ_ASSERT(fuzz_span_equal(q.cookie, again.cookie));
	return 0;
}
