/* SPDX-License-Identifier: MIT
 *
 * What limits of one address count by: an IPv4 address or an IPv6 /64, IPv4-mapped addresses in canonical
 * form.
 */
#ifndef NETPROC_IP_KEY_H
#define NETPROC_IP_KEY_H

#include <stdbool.h>
#include <stdint.h>

struct ip_key {
	uint64_t prefix; /* IPv4: the address; IPv6: the first 64 bits */
	uint8_t family;	 /* 4 or 6 */
	bool exempt;	 /* private or loopback source: limits of one address do not hold */
	bool loopback;
	uint8_t zero[5];
};

/* From the 16 bytes of an IPv6 or IPv4-mapped address. `limit_private`: nothing is exempt. */
struct ip_key ip_key_of(const uint8_t address[16], bool limit_private);
bool ip_key_equal(const struct ip_key *a, const struct ip_key *b);

#endif
