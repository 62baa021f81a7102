/* SPDX-License-Identifier: MIT
 *
 * The one list of multiaddress protocols, inside proto only: adding one is a line here and its code in
 * multiaddr.h. Whatever is not in the list cannot be parsed; it is an allow-list: what
 * every client can parse.
 */
#ifndef PROTO_MULTIADDR_PROTOCOLS_H
#define PROTO_MULTIADDR_PROTOCOLS_H

#include "proto/multiaddr.h"

/* Shapes of a value. How each is checked is in multiaddr.c, how it is written as text in multiaddr_text.c. */
enum multiaddr_value {
	VALUE_NONE,
	VALUE_IP4,
	VALUE_IP6,
	VALUE_PORT,
	VALUE_NAME,
	VALUE_PEER_ID,
	VALUE_CERTHASH,
};

/* code, name, shape of the value */
#define MULTIADDR_PROTOCOLS(X)                                                                               \
	X(MULTIADDR_IP4, "ip4", VALUE_IP4)                                                                   \
	X(MULTIADDR_TCP, "tcp", VALUE_PORT)                                                                  \
	X(MULTIADDR_IP6, "ip6", VALUE_IP6)                                                                   \
	X(MULTIADDR_DNS, "dns", VALUE_NAME)                                                                  \
	X(MULTIADDR_DNS4, "dns4", VALUE_NAME)                                                                \
	X(MULTIADDR_DNS6, "dns6", VALUE_NAME)                                                                \
	X(MULTIADDR_DNSADDR, "dnsaddr", VALUE_NAME)                                                          \
	X(MULTIADDR_UDP, "udp", VALUE_PORT)                                                                  \
	X(MULTIADDR_WEBRTC_DIRECT, "webrtc-direct", VALUE_NONE)                                              \
	X(MULTIADDR_P2P_CIRCUIT, "p2p-circuit", VALUE_NONE)                                                  \
	X(MULTIADDR_P2P, "p2p", VALUE_PEER_ID)                                                               \
	X(MULTIADDR_TLS, "tls", VALUE_NONE)                                                                  \
	X(MULTIADDR_NOISE, "noise", VALUE_NONE)                                                              \
	X(MULTIADDR_QUIC, "quic", VALUE_NONE)                                                                \
	X(MULTIADDR_QUIC_V1, "quic-v1", VALUE_NONE)                                                          \
	X(MULTIADDR_WEBTRANSPORT, "webtransport", VALUE_NONE)                                                \
	X(MULTIADDR_CERTHASH, "certhash", VALUE_CERTHASH)                                                    \
	X(MULTIADDR_WS, "ws", VALUE_NONE)                                                                    \
	X(MULTIADDR_WSS, "wss", VALUE_NONE)

struct multiaddr_protocol {
	enum multiaddr_code code;
	enum multiaddr_value value;
	const char *name;
};

/* NULL for a code or name that is not in the list; `ipfs` is an old name of p2p. */
const struct multiaddr_protocol *multiaddr_protocol_by_code(uint64_t code);
const struct multiaddr_protocol *multiaddr_protocol_by_name(const char *name, size_t len);
/* multiaddr_next, and the component's row in the list; NULL at the end and on error. */
const struct multiaddr_protocol *multiaddr_read(struct reader *r, struct multiaddr_part *part);

#endif
