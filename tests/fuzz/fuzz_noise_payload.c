/* SPDX-License-Identifier: MIT
 *
 * Payloads of the Noise handshake, over the static key of the vector in libp2p specs, noise/README.md.
 */
#include "fuzz.h"

#include "proto/noise_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t static_key[32];
	struct noise_payload p;
	enum noise_payload_result result;

	for (unsigned i = 0; i < sizeof(static_key); i++)
		static_key[i] = (uint8_t)i;
	result = noise_payload_open(data, size, static_key, &p);
	fuzz_span_inside(p.signature, data, size);
	if (result == NOISE_PAYLOAD_OK)
		FUZZ_ASSERT(size >= NOISE_PAYLOAD_OURS && size <= NOISE_PAYLOAD_MAX && p.signature.len == 64);
	return 0;
}
