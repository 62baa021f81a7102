/* SPDX-License-Identifier: MIT
 *
 * Which addresses nobody on the Internet can reach, see multiaddr_is_private. Ranges: IANA special-purpose
 * address registries (RFC 6890), names: RFC 6761, RFC 6762, RFC 8375.
 */
#include "proto/multiaddr.h"

#include <string.h>
#include <strings.h>

#include "proto/multiaddr_protocols.h"

struct ip_range {
	uint8_t prefix[16];
	uint8_t bits;
};

static const struct ip_range private_ip4[] = {
    {{0}, 8},		  /* this network, unspecified */
    {{10}, 8},		  /* private */
    {{100, 64}, 10},	  /* carrier-grade NAT */
    {{127}, 8},		  /* loopback */
    {{169, 254}, 16},	  /* link-local */
    {{172, 16}, 12},	  /* private */
    {{192, 0, 0}, 24},	  /* protocol assignments */
    {{192, 0, 2}, 24},	  /* documentation */
    {{192, 168}, 16},	  /* private */
    {{198, 18}, 15},	  /* benchmarks */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 3},		  /* multicast and reserved */
};

static const struct ip_range private_ip6[] = {
    {{0}, 127},			       /* unspecified and loopback */
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 48}, /* local translation */
    {{0x01}, 64},		       /* discard */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},    /* documentation */
    {{0x3f, 0xff}, 20},		       /* documentation */
    {{0xfc}, 7},		       /* unique local */
    {{0xfe, 0x80}, 10},		       /* link-local */
    {{0xfe, 0xc0}, 10},		       /* site-local, deprecated */
    {{0xff}, 8},		       /* multicast */
};

/* IPv6 addresses that mean an IPv4 one, and where it stands in them. */
static const struct ip4_inside {
	struct ip_range range;
	uint8_t at;
} ip4_inside_ip6[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12}, /* mapped */
    {{{0, 0x64, 0xff, 0x9b}, 96}, 12},			    /* NAT64 */
    {{{0x20, 0x02}, 16}, 2},				    /* 6to4 */
};

static const char *const private_names[] = {"local", "localhost", "test", "invalid", "home.arpa"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool ip_in(const uint8_t *ip, const struct ip_range *range)
{
	size_t whole = range->bits / 8u;
	uint8_t mask = (uint8_t)(0xff00u >> (range->bits % 8u));

	if (memcmp(ip, range->prefix, whole) != 0)
		return false;
	return mask == 0 || (ip[whole] & mask) == (range->prefix[whole] & mask);
}

static bool ip4_private(const uint8_t *ip)
{
	for (size_t i = 0; i < COUNT(private_ip4); i++)
		if (ip_in(ip, &private_ip4[i]))
			return true;
	return false;
}

static bool ip6_private(const uint8_t *ip)
{
	for (size_t i = 0; i < COUNT(ip4_inside_ip6); i++)
		if (ip_in(ip, &ip4_inside_ip6[i].range))
			return ip4_private(ip + ip4_inside_ip6[i].at);
	for (size_t i = 0; i < COUNT(private_ip6); i++)
		if (ip_in(ip, &private_ip6[i]))
			return true;
	return false;
}

/* True when `name` is `suffix` or ends in a dot and `suffix`. */
static bool name_under(struct span name, const char *suffix)
{
	size_t len = strlen(suffix);

	if (name.len < len || strncasecmp((const char *)name.bytes + name.len - len, suffix, len) != 0)
		return false;
	return name.len == len || name.bytes[name.len - len - 1] == '.';
}

static bool name_private(struct span name)
{
	if (name.len > 0 && name.bytes[name.len - 1] == '.') /* the root, written out */
		name.len--;
	for (size_t i = 0; i < COUNT(private_names); i++)
		if (name_under(name, private_names[i]))
			return true;
	return false;
}

bool multiaddr_is_private(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct multiaddr_part first;

	if (!multiaddr_next(&r, &first))
		return false;
	switch (first.code) {
	case MULTIADDR_IP4:
		return ip4_private(first.value.bytes);
	case MULTIADDR_IP6:
		return ip6_private(first.value.bytes);
	case MULTIADDR_DNS:
	case MULTIADDR_DNS4:
	case MULTIADDR_DNS6:
	case MULTIADDR_DNSADDR:
		return name_private(first.value);
	default:
		return false;
	}
}
