/* SPDX-License-Identifier: MIT
 *
 * What the strangers of a world do, as bytes of a script: well-formed requests, answers, payload, ends,
 * silence, time, and bytes as they are. Read by the fuzzer of connections and by the unit test of all of
 * netproc, which makes its scripts by chance.
 */
#ifndef TESTS_FUZZ_NET_WORLD_SCRIPT_H
#define TESTS_FUZZ_NET_WORLD_SCRIPT_H

#include "net_world.h"

/* One step of a script that has `size` bytes (> 0) left; returns how many bytes it took: may be more. */
size_t world_script_step(struct world *world, const uint8_t *data, size_t size);

#endif
