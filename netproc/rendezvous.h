/* SPDX-License-Identifier: MIT
 *
 * Rendezvous: peers register under namespaces and find each other. libp2p specs
 * rendezvous/README.md. Called by main (init, and the hook of relay) and by negotiate through the list of
 * protocols. Every request is a stranger's.
 */
#ifndef NETPROC_RENDEZVOUS_H
#define NETPROC_RENDEZVOUS_H

#include <stdbool.h>
#include <stdint.h>

#include "netproc/stream.h"

extern const struct stream_protocol rendezvous_protocol;

/* 0, or -1 without memory. Before it: settings, hash key, wheel. */
int rendezvous_init(struct net *net);
/* net->hooks.reserved: the peer got its first, or lost its last, reservation. */
void rendezvous_peer(struct net *net, const uint8_t peer[32], bool held);
/* Once a turn of the loop: verifies a few records that wait, begins a few answers. True: more wait, do not
 * sleep. Until it is called for the first time nothing waits. */
bool rendezvous_turn(struct net *net);
/* For tests and the end of the program: all streams are gone. */
void rendezvous_free(struct net *net);

#endif
