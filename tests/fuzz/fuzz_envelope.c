/* SPDX-License-Identifier: MIT
 *
 * Signed envelopes, opened as a REGISTER's would be.
 */
#include "fuzz.h"

#include "proto/envelope.h"
#include "proto/multiaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envelope e;
	struct peer_record record;
	struct peer_id signer;
	enum envelope_kind kind;
	struct span addr;
	enum envelope_result result = peer_record_open(data, size, &e, &kind, &record);

	if (envelope_parse(data, size, &e) == ENVELOPE_OK) {
		fuzz_span_inside(e.type, data, size);
		fuzz_span_inside(e.payload, data, size);
		fuzz_span_inside(e.signature, data, size);
		if (envelope_kind(&e) == ENVELOPE_VOUCHER)
			envelope_verify(&e, ENVELOPE_VOUCHER);
	} else {
		FUZZ_ASSERT(result != ENVELOPE_OK);
	}
	if (result != ENVELOPE_OK)
		return 0;
	FUZZ_ASSERT(size <= ENVELOPE_MAX && (kind == ENVELOPE_RECORD || kind == ENVELOPE_RECORD_LEGACY));
	peer_id_from_ed25519(&signer, e.public_key);
	FUZZ_ASSERT(peer_id_equal(&signer, &record.peer));
	while (peer_record_next(&record, &addr))
		FUZZ_ASSERT(multiaddr_check(addr.bytes, addr.len) == 0);
	FUZZ_ASSERT(!record.addrs.bad);
	return 0;
}
