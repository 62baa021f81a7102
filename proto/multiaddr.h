/* SPDX-License-Identifier: MIT
 *
 * Multiaddresses, binary and text. multiformats/multiaddr.
 * Called by parent (settings), keyproc (record), netproc (identify, hop, rendezvous), probe.
 * Trusts nothing: every component is checked against a table of known codes before its value is looked at.
 */
#ifndef PROTO_MULTIADDR_H
#define PROTO_MULTIADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/peer_id.h"

#define MULTIADDR_MAX	    1024 /* bytes accepted from a peer */
#define MULTIADDR_PARTS_MAX 16
#define MULTIADDR_TEXT_MAX  2200 /* characters and the terminator of any text written here */

enum multiaddr_code {
	MULTIADDR_IP4 = 4,
	MULTIADDR_TCP = 6,
	MULTIADDR_IP6 = 41,
	MULTIADDR_DNS = 53,
	MULTIADDR_DNS4 = 54,
	MULTIADDR_DNS6 = 55,
	MULTIADDR_DNSADDR = 56,
	MULTIADDR_UDP = 273,
	MULTIADDR_WEBRTC_DIRECT = 280,
	MULTIADDR_P2P_CIRCUIT = 290,
	MULTIADDR_P2P = 421,
	MULTIADDR_TLS = 448,
	MULTIADDR_NOISE = 454,
	MULTIADDR_QUIC = 460,
	MULTIADDR_QUIC_V1 = 461,
	MULTIADDR_WEBTRANSPORT = 465,
	MULTIADDR_CERTHASH = 466,
	MULTIADDR_WS = 477,
	MULTIADDR_WSS = 478
};

struct multiaddr {
	uint16_t len;
	uint8_t bytes[MULTIADDR_MAX];
};

struct multiaddr_part {
	uint32_t code;
	struct span value; /* without its length prefix */
};

/* The next component of a binary address in `r`; false at the end and on error (then r->bad is set). */
bool multiaddr_next(struct reader *r, struct multiaddr_part *part);
/* 0 when rust-multiaddr 0.18 and every other client can parse it (one bad record spoils a whole answer for
 * it): known codes only, valid values, 1 to 16 components, at most 1024 bytes. Else -1. */
int multiaddr_check(const uint8_t *bytes, size_t len);
/* Text to binary. 0, or -1 with nothing usable in `a`. */
int multiaddr_from_text(struct multiaddr *a, const char *text);
/* Binary to text, always terminated; -1 when the address is not valid. */
int multiaddr_to_text(const uint8_t *bytes, size_t len, char text[MULTIADDR_TEXT_MAX]);
/* /ip4 or /ip6 (by `ip_len` 4 or 16, network order) and /tcp; 0, -1 for another length. An IPv4-mapped IPv6
 * address becomes the /ip4 that it means. */
int multiaddr_from_ip(struct multiaddr *a, const uint8_t *ip, size_t ip_len, uint16_t port);
/* Appends /p2p/<id> or /p2p-circuit; -1 when full. */
int multiaddr_append_p2p(struct multiaddr *a, const struct peer_id *id);
int multiaddr_append_circuit(struct multiaddr *a);
/* True when the address ends in /p2p/<relay>/p2p-circuit and then nothing or /p2p/<owner>. */
bool multiaddr_is_circuit_of(const uint8_t *bytes, size_t len, const struct peer_id *relay,
			     const struct peer_id *owner);
/* True for an address whose first component is a private, loopback, link-local, CGNAT, documentation or
 * unspecified IP, or a DNS name that is not public (.local, .localhost, .test, .invalid, .home.arpa,
 * localhost). */
bool multiaddr_is_private(const uint8_t *bytes, size_t len);

#endif
