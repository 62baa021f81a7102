/* SPDX-License-Identifier: MIT
 *
 * Which descriptors are ready: epoll, and nothing on top. Used by conn, accept and loop. Trusts nothing that
 * comes through a descriptor; it only passes on what the kernel says of it, failures too.
 */
#ifndef NETPROC_POLLER_H
#define NETPROC_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "netproc/list.h"

#define POLLER_READ  1u /* bytes, a message or a connection waits */
#define POLLER_WRITE 2u /* there is room again */
#define POLLER_END   4u /* the other side finished, or the descriptor failed: reads go on until they tell */

struct net;

/* Lives inside whatever is watched, which must outlive the wait that reports it. */
struct poller_watch {
	void (*ready)(struct poller_watch *watch, unsigned what);
};

/* A watch that only writes down that its descriptor is readable, or has ended. */
struct poller_flag {
	struct poller_watch watch;
	bool set;
};

/* Before the lock. 0, or -1 with errno. */
int poller_init(struct net *net);
/* Every change is told once, of reading and writing: for who reads and writes until there is nothing left.
 * Closing a descriptor that is in no other process ends the watch. 0, or -1 with errno. */
int poller_add(struct net *net, int fd, struct poller_watch *watch);
/* Sets the flag at every wait in which the descriptor is readable. 0, or -1 with errno. */
int poller_add_flag(struct net *net, int fd, struct poller_flag *flag);
/* The same once for each change. 0, or -1 with errno. */
int poller_add_flag_edge(struct net *net, int fd, struct poller_flag *flag);
/* For a descriptor that others hold too: closing it would not be enough. */
void poller_remove(struct net *net, int fd);
/* Waits until something is ready, at most so many milliseconds, and tells who watches. */
void poller_wait(struct net *net, uint64_t milliseconds);

#endif
