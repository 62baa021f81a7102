/* SPDX-License-Identifier: MIT */
#include "netproc/rendezvous_cookie.h"

#include <string.h>

#include "netproc/rendezvous_order.h"
#include "netproc/table.h"

#define SERIAL_BITS 40
#define TAG_MASK    0xffffff

uint32_t rendezvous_cookie_tag(const uint8_t hash_key[16])
{
	static const char purpose[] = "rendezvous cookie";

	return (uint32_t)table_hash(hash_key, purpose, sizeof(purpose)) & TAG_MASK;
}

size_t rendezvous_cookie_write(uint8_t *out, uint32_t tag, uint64_t serial, struct span ns)
{
	struct writer w = writer_of(out, RENDEZVOUS_COOKIE_HEAD);
	uint64_t head = (uint64_t)(tag & TAG_MASK) << SERIAL_BITS | (serial & RENDEZVOUS_SERIAL_MAX);

	writer_u32(&w, (uint32_t)(head >> 32));
	writer_u32(&w, (uint32_t)head);
	if (ns.len > 0)
		memcpy(out + RENDEZVOUS_COOKIE_HEAD, ns.bytes, ns.len);
	return RENDEZVOUS_COOKIE_HEAD + ns.len;
}

int rendezvous_cookie_read(struct span cookie, uint32_t tag, uint64_t latest, struct span ns, uint64_t *after)
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
	*after = head & RENDEZVOUS_SERIAL_MAX;
	if (head >> SERIAL_BITS != tag || *after > latest)
		*after = 0;
	return 0;
}
