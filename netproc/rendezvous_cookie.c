/* SPDX-License-Identifier: MIT */
#include "netproc/rendezvous_cookie.h"

#include <string.h>

#include "netproc/rendezvous_order.h"
#include "netproc/table.h"

#define ROUNDS 4

/* Half of a Feistel round's work: 32 bits out of 32 that nobody without the key can tell. */
static uint32_t mix(const uint8_t key[16], uint32_t round, uint32_t half)
{
	uint32_t input[2] = {round, half};

	return (uint32_t)table_hash(key, input, sizeof(input));
}

static uint64_t seal(const uint8_t key[16], uint64_t value)
{
	uint32_t left = (uint32_t)(value >> 32), right = (uint32_t)value;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t next = left ^ mix(key, round, right);

		left = right;
		right = next;
	}
	return (uint64_t)left << 32 | right;
}

static uint64_t unseal(const uint8_t key[16], uint64_t value)
{
	uint32_t left = (uint32_t)(value >> 32), right = (uint32_t)value;

	for (uint32_t round = ROUNDS; round-- > 0;) {
		uint32_t last = right ^ mix(key, round, left);

		right = left;
		left = last;
	}
	return (uint64_t)left << 32 | right;
}

void rendezvous_cookie_key(uint8_t key[16], const uint8_t hash_key[16])
{
	static const char purpose[2][20] = {"rendezvous cookie 0", "rendezvous cookie 1"};

	for (size_t i = 0; i < 2; i++) {
		uint64_t half = table_hash(hash_key, purpose[i], sizeof(purpose[i]));

		memcpy(key + i * sizeof(half), &half, sizeof(half));
	}
}

size_t rendezvous_cookie_write(uint8_t *out, const uint8_t key[16], uint64_t serial, struct span ns)
{
	struct writer w = writer_of(out, RENDEZVOUS_COOKIE_HEAD);
	uint64_t head = seal(key, serial & RENDEZVOUS_SERIAL_MAX);

	writer_u32(&w, (uint32_t)(head >> 32));
	writer_u32(&w, (uint32_t)head);
	if (ns.len > 0)
		memcpy(out + RENDEZVOUS_COOKIE_HEAD, ns.bytes, ns.len);
	return RENDEZVOUS_COOKIE_HEAD + ns.len;
}

int rendezvous_cookie_read(struct span cookie, const uint8_t key[16], uint64_t latest, struct span ns,
			   uint64_t *after)
{
	struct reader r = reader_of(cookie.bytes, cookie.len);
	uint64_t head = (uint64_t)reader_u32(&r) << 32;
	size_t rest;

	head |= reader_u32(&r);
	rest = reader_left(&r);
	if (r.bad)
		return -1;
	/* One without namespace is of a client that asked for all of them before. */
	if (rest > 0 && (rest != ns.len || memcmp(r.at, ns.bytes, rest) != 0))
		return -1;
	*after = unseal(key, head);
	if (*after > latest)
		*after = 0;
	return 0;
}
