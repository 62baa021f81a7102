/* SPDX-License-Identifier: MIT
 *
 * What every fuzzer needs: the entry point, and an assertion that libFuzzer reports.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(condition)                                                                               \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			__builtin_trap();                                                                    \
	} while (0)

/* A span that a parser handed out lies within what it was given. */
static inline void fuzz_span_inside(struct span s, const uint8_t *data, size_t size)
{
	if (s.len > 0)
		FUZZ_ASSERT(s.bytes >= data && s.len <= size && s.bytes <= data + (size - s.len));
}

static inline bool fuzz_span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

#endif
