/* SPDX-License-Identifier: MIT
 *
 * The ping client. libp2p specs, ping/ping.md. Called by steps.c and tests.
 */
#ifndef PROBE_ASK_PING_H
#define PROBE_ASK_PING_H

#include "probe/client.h"

#define PING_PROTOCOL "/ipfs/ping/1.0.0"
#define PING_SIZE     32

/* One ping on a stream that is open already. */
int ask_ping_once(struct client *c, struct exchange *x);
/* A stream of its own, `count` pings one after another, and the end of the stream both ways. */
int ask_ping(struct client *c, unsigned count);

#endif
