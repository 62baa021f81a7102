/* SPDX-License-Identifier: MIT
 *
 * What happens when the memory budget runs out. Called by the loop.
 */
#ifndef NETPROC_MEMORY_H
#define NETPROC_MEMORY_H

struct net;

/* After each connection that was served. Above POOL_TIGHT: of the IP key that holds most, closes what has
 * held bytes times time without progress longest, until there is room again. The reader that does not read is
 * the largest, not the honest sender. Looks at all connections, and while that helps nobody only 20 times a
 * second. */
void memory_turn(struct net *net);

#endif
