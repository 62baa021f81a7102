/* SPDX-License-Identifier: MIT
 *
 * Payloads of envelopes: peer records and vouchers, past the signature.
 */
#include "fuzz.h"

#include "proto/envelope.h"

static void record_walked(struct peer_record record, const uint8_t *data, size_t size)
{
	struct span addr;

	while (peer_record_next(&record, &addr))
		fuzz_span_inside(addr, data, size);
	FUZZ_ASSERT(!record.addrs.bad); /* peer_record_parse saw all of it */
}

static void voucher_again(const struct voucher *v)
{
	uint8_t out[VOUCHER_ENVELOPE_MAX];
	struct writer w = writer_of(out, sizeof(out));
	struct voucher again;

	voucher_write(&w, &v->relay, &v->peer, v->expiration);
	FUZZ_ASSERT(!w.bad && voucher_parse(out, writer_len(&w), &again) == 0);
	FUZZ_ASSERT(peer_id_equal(&v->relay, &again.relay) && peer_id_equal(&v->peer, &again.peer));
	FUZZ_ASSERT(v->expiration == again.expiration);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer_record record;
	struct voucher v;

	if (peer_record_parse(data, size, &record) == 0)
		record_walked(record, data, size);
	if (voucher_parse(data, size, &v) == 0)
		voucher_again(&v);
	return 0;
}
