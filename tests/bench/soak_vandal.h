/* SPDX-License-Identifier: MIT
 *
 * A process that misbehaves towards a relay until it is ended: garbage before, in and after the handshake,
 * frames that are not allowed, connections left in every state. Called by soak.c.
 */
#ifndef TESTS_BENCH_SOAK_VANDAL_H
#define TESTS_BENCH_SOAK_VANDAL_H

#include <sys/types.h>

#include "probe/dial.h"

/* Forks. `tries`, shared memory, counts what it did. */
pid_t soak_vandal_start(const struct dial_address *relay, int core, uint64_t *tries);

#endif
