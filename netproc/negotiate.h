/* SPDX-License-Identifier: MIT
 *
 * multistream-select on a stream: the listener's side for streams that a peer opens, the dialler's for those
 * that we open (STOP). Called by yamux. While it lasts, negotiation is the stream's protocol;
 * then the protocol it found is.
 */
#ifndef NETPROC_NEGOTIATE_H
#define NETPROC_NEGOTIATE_H

#include "netproc/stream.h"

/* 0, or -1 at the pool's cap (then the stream has no protocol and is to be deleted). */
int negotiate_inbound(struct stream *stream);
/* Proposes `protocol`; its `open` follows once the peer agreed, or its `closed`. On -1 `state` stays the
 * caller's. */
int negotiate_outbound(struct stream *stream, const struct stream_protocol *protocol, void *state);

#endif
