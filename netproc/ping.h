/* SPDX-License-Identifier: MIT
 *
 * ping: 32 bytes come, the same 32 bytes go back, until the peer finishes. libp2p specs, ping/ping.md. Found
 * by protocols.c; the bytes mean nothing.
 */
#ifndef NETPROC_PING_H
#define NETPROC_PING_H

#include "netproc/stream.h"

extern const struct stream_protocol ping_protocol;

#endif
