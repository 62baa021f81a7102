/* SPDX-License-Identifier: MIT
 *
 * From a proposal to the protocol that answers it. Called by negotiate for each proposal on a stream; trusts
 * nothing of it.
 */
#ifndef NETPROC_PROTOCOLS_H
#define NETPROC_PROTOCOLS_H

#include "netproc/stream.h"
#include "proto/buf.h"

struct net;

/* NULL: not served, answer `na`. */
const struct stream_protocol *protocols_find(const struct net *net, struct span proposal);

#endif
