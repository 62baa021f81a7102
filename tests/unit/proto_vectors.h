/* SPDX-License-Identifier: MIT
 *
 * Helpers and vectors of the test_proto_* programs. Key K is the Ed25519 pair of libp2p specs
 * peer-ids/peer-ids.md; what is derived from it was computed independently.
 */
#ifndef TESTS_UNIT_PROTO_VECTORS_H
#define TESTS_UNIT_PROTO_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/buf.h"

#define K_SEED	  "7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
#define K_PUBLIC  "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define K_ENCODED "08011220" K_PUBLIC
#define K_PEER_ID "0024" K_ENCODED
#define K_BASE58  "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct bytes {
	size_t len;
	uint8_t at[9216];
};

static inline int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Lower-case hex; spaces are for the reader. */
static inline struct bytes bytes_of_hex(const char *hex)
{
	struct bytes b = {0};

	for (; *hex != '\0'; hex++) {
		if (*hex == ' ')
			continue;
		assert_true(b.len < sizeof(b.at));
		b.at[b.len++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		hex++;
	}
	return b;
}

/* A copy that ends where its memory ends, so that a sanitizer sees every read behind it. */
static inline uint8_t *exact_copy(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return copy;
}

static inline void assert_bytes(const uint8_t *got, size_t len, const char *hex)
{
	struct bytes want = bytes_of_hex(hex);

	assert_int_equal(len, want.len);
	assert_memory_equal(got, want.at, len);
}

static inline void assert_span(struct span s, const char *hex)
{
	assert_bytes(s.bytes, s.len, hex);
}

static inline void assert_written(const struct writer *w, const char *hex)
{
	assert_false(w->bad);
	assert_bytes(w->start, writer_len(w), hex);
}

/* Calls `accepts` with every proper prefix of the message; none may be accepted (but the empty one, where
 * told). */
static inline void assert_no_prefix(const struct bytes *whole, bool (*accepts)(const uint8_t *, size_t),
				    bool empty_too)
{
	for (size_t len = empty_too ? 0 : 1; len < whole->len; len++) {
		uint8_t *copy = exact_copy(whole->at, len);
		bool accepted = accepts(copy, len);

		free(copy);
		if (accepted)
			fail_msg("accepted %zu of %zu bytes", len, whole->len);
	}
}

#endif
