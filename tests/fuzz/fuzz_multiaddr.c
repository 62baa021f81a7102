/* SPDX-License-Identifier: MIT
 *
 * Binary multiaddresses; one that is accepted survives the way through text.
 */
#include "fuzz.h"

#include "proto/multiaddr.h"
#include "proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[MULTIADDR_TEXT_MAX];
	struct reader r = reader_of(data, size);
	struct multiaddr_part part;
	struct multiaddr again;
	struct peer_id id = {0};
	unsigned parts = 0;

	for (; multiaddr_next(&r, &part); parts++) {
		fuzz_span_inside(part.value, data, size);
		if (part.code == MULTIADDR_P2P)
			peer_id_parse(&id, part.value.bytes, part.value.len);
	}
	multiaddr_is_private(data, size);
	multiaddr_is_circuit_of(data, size, &id, &id);
	if (multiaddr_check(data, size) != 0) {
		FUZZ_ASSERT(multiaddr_to_text(data, size, text) == -1 && text[0] == '\0');
		return 0;
	}
	FUZZ_ASSERT(!r.bad && parts >= 1 && parts <= MULTIADDR_PARTS_MAX && size <= MULTIADDR_MAX);
	FUZZ_ASSERT(multiaddr_to_text(data, size, text) == 0);
	FUZZ_ASSERT(utf8_valid((const uint8_t *)text, strlen(text)));
	FUZZ_ASSERT(multiaddr_from_text(&again, text) == 0);
	FUZZ_ASSERT(again.len == size && memcmp(again.bytes, data, size) == 0);
	return 0;
}
