/* SPDX-License-Identifier: MIT
 *
 * From an address to what its limits count by.
 */
#include "netproc/ip_key.h"

#include <stddef.h>
#include <string.h>

static bool is_mapped(const uint8_t address[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
	return memcmp(address, prefix, sizeof(prefix)) == 0;
}

static uint64_t big_endian(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* RFC 1918, link-local, and 100.64.0.0/10, from which clusters and overlay networks show all their clients as
 * one. */
static bool private4(uint64_t address)
{
	return address >> 24 == 10 || address >> 20 == 0xac1 || address >> 16 == 0xc0a8 ||
	       address >> 16 == 0xa9fe || address >> 22 == 0x6440 >> 6;
}

/* fc00::/7 and fe80::/10 */
static bool private6(uint64_t prefix)
{
	return prefix >> 57 == 0xfc >> 1 || prefix >> 54 == 0xfe80 >> 6;
}

static bool loopback6(const uint8_t address[16])
{
	static const uint8_t loopback[16] = {[15] = 1};
	return memcmp(address, loopback, sizeof(loopback)) == 0;
}

struct ip_key ip_key_of(const uint8_t address[16], bool limit_private)
{
	struct ip_key key = {0};
	bool is_private;
	if (is_mapped(address)) {
		key.family = 4;
		key.prefix = big_endian(address + 12, 4);
		key.loopback = key.prefix >> 24 == 127;
		is_private = private4(key.prefix);
	} else {
		key.family = 6;
		key.prefix = big_endian(address, 8);
		key.loopback = loopback6(address);
		is_private = private6(key.prefix);
	}
	key.exempt = !limit_private && (key.loopback || is_private);
	return key;
}

bool ip_key_equal(const struct ip_key *a, const struct ip_key *b)
{
	return a->prefix == b->prefix && a->family == b->family;
}
