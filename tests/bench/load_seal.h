/* SPDX-License-Identifier: MIT
 *
 * Sealing and opening of Noise records for programs whose own cost must stay small: libcrypto for messages of
 * 512 bytes and more, libsodium below, one context keyed anew for each message. Called by the wire of the
 * load and by the bare forwarder. Not of the daemon: benchmarks must not share its code.
 */
#ifndef TESTS_BENCH_LOAD_SEAL_H
#define TESTS_BENCH_LOAD_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "probe/secure.h"

void load_seal_init(void);
/* Writes length, ciphertext and tag: 2 + len + SECURE_TAG bytes. `out + 2` may be `plain`. */
void load_seal(struct secure_key *k, uint8_t *out, const uint8_t *plain, size_t len);
/* `len` with tag; `out` may be `cipher`. 0 or -1. */
int load_open(struct secure_key *k, uint8_t *out, const uint8_t *cipher, size_t len);

#endif
