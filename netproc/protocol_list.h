/* SPDX-License-Identifier: MIT
 *
 * Every protocol that is served: one list. protocols.c finds by it what a proposal names, identify.c says it
 * to clients. Adding one is one line. It knows names only, so that both may include it without knowing each
 * other.
 *
 * X(id, object, listed, wanted): `object` is the struct stream_protocol, `listed` whether identify names it
 * (push is answered and not named, so that nobody pushes), `wanted` an expression of `settings`.
 */
#ifndef NETPROC_PROTOCOL_LIST_H
#define NETPROC_PROTOCOL_LIST_H

#include "proto/circuit_message.h"
#include "proto/identify_message.h"
#include "proto/rendezvous_message.h"

#define PING_PROTOCOL "/ipfs/ping/1.0.0"

#define PROTOCOLS(X)                                                                                         \
	X(CIRCUIT_HOP_PROTOCOL, hop_protocol, 1, 1)                                                          \
	X(IDENTIFY_PROTOCOL, identify_protocol, 1, 1)                                                        \
	X(IDENTIFY_PUSH_PROTOCOL, identify_push_protocol, 0, 1)                                              \
	X(PING_PROTOCOL, ping_protocol, 1, 1)                                                                \
	X(RENDEZVOUS_PROTOCOL, rendezvous_protocol, 1, settings->rendezvous)

#endif
