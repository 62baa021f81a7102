/* SPDX-License-Identifier: MIT
 *
 * Whole connections past their handshake: what three strangers send into yamux, in pieces, with time going
 * on. Some steps send a well-formed request, so that circuits and registrations are reached; all others are
 * bytes of the input as they are.
 */
#include "fuzz.h"

#include "net_world_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;

	world_begin(&world);
	for (unsigned peer = 0; peer < WORLD_PEERS; peer++)
		world_connect_ready(&world, peer);
	while (size > 0) {
		size_t took = world_script_step(&world, data, size);

		took = took < size ? took : size;
		data += took;
		size -= took;
	}
	world_end(&world);
	return 0;
}
