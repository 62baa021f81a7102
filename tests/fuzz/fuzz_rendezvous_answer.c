/* SPDX-License-Identifier: MIT
 *
 * Rendezvous answers, as a client reads them; the pieces that we would write for one have the sizes foretold.
 */
#include "fuzz.h"

#include "proto/rendezvous_message.h"

static void written_again(struct rendezvous_answer a)
{
	static uint8_t out[4 * RENDEZVOUS_REQUEST_MAX];
	struct writer w = writer_of(out, sizeof(out));
	struct rendezvous_answer walk = a;
	struct rendezvous_registration registration;
	size_t total = 0;

	while (rendezvous_answer_next(&walk, &registration))
		total += rendezvous_registration_size(&registration);
	rendezvous_discover_head_write(&w, total, a.cookie.len);
	while (rendezvous_answer_next(&a, &registration))
		rendezvous_registration_write(&w, &registration);
	rendezvous_discover_tail_write(&w, a.cookie.bytes, a.cookie.len);
	if (w.bad)
		return;

	struct reader r = reader_of(out, writer_len(&w));
	struct span message = reader_span(&r);

	FUZZ_ASSERT(!r.bad && reader_left(&r) == 0);
	FUZZ_ASSERT(rendezvous_answer_parse(message.bytes, message.len, &walk) == 0);
	FUZZ_ASSERT(walk.count == a.count && fuzz_span_equal(walk.cookie, a.cookie));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rendezvous_answer a, walk;
	struct rendezvous_registration registration;
	size_t count = 0;

	if (rendezvous_answer_parse(data, size, &a) != 0)
		return 0;
	fuzz_span_inside(a.cookie, data, size);
	walk = a;
	for (; rendezvous_answer_next(&walk, &registration); count++) {
		fuzz_span_inside(registration.ns, data, size);
		fuzz_span_inside(registration.record, data, size);
	}
	FUZZ_ASSERT(!walk.registrations.bad && count == a.count);
	if (a.type == RENDEZVOUS_DISCOVER_RESPONSE)
		written_again(a);
	return 0;
}
