/* SPDX-License-Identifier: MIT
 *
 * Multiaddresses as text; one that is accepted is valid, and its text gives the same address.
 */
#include "fuzz.h"

#include "proto/multiaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4096];
	struct multiaddr a, again;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (multiaddr_from_text(&a, text) != 0) {
		FUZZ_ASSERT(a.len == 0);
		return 0;
	}
	FUZZ_ASSERT(multiaddr_check(a.bytes, a.len) == 0);
	FUZZ_ASSERT(multiaddr_to_text(a.bytes, a.len, text) == 0);
	FUZZ_ASSERT(multiaddr_from_text(&again, text) == 0);
	FUZZ_ASSERT(again.len == a.len && memcmp(again.bytes, a.bytes, a.len) == 0);
	return 0;
}
