/* SPDX-License-Identifier: MIT
 *
 * identify: says once who we are, and finishes. identify push: taken in silence, since nothing here asks what
 * clients serve. libp2p specs, identify/README.md. Found by protocols.c; reads nothing of what the peer
 * sends.
 */
#ifndef NETPROC_IDENTIFY_H
#define NETPROC_IDENTIFY_H

#include "netproc/stream.h"

extern const struct stream_protocol identify_protocol;
extern const struct stream_protocol identify_push_protocol;

#endif
