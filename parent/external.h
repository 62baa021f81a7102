/* SPDX-License-Identifier: MIT
 *
 * DUSK_RELAY_EXTERNAL_ADDR: what clients are told to reach the relay at. Each item is a multiaddr with or
 * without /p2p/<our id>, an IP address or a host name, the last two perhaps with a port. Called by settings.c
 * (parses) and start.c (sends them to the children). Trusts nothing.
 */
#ifndef PARENT_EXTERNAL_H
#define PARENT_EXTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/catalogue.h"
#include "proto/multiaddr.h"
#include "proto/peer_id.h"

struct external_list {
	size_t count;
	struct imsg_addr address[IMSG_ADDRS]; /* binary, without /p2p */
	struct peer_id owner;		      /* the id that a /p2p named; len 0: none did */
};

/* Parses the list; items without a port get `port`. 0, or -1 and nothing usable. */
int external_parse(struct external_list *list, const char *text, uint16_t port);
/* True when no address of the list is one that strangers can reach. */
bool external_is_private(const struct external_list *list);

#endif
