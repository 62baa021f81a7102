/* SPDX-License-Identifier: MIT
 *
 * From a multiaddress to a connected socket. Called by main.c through steps.c, by client.c, tests and load
 * generators. The address is the user's own; names are resolved by the system, for probe is a client tool.
 */
#ifndef PROBE_DIAL_H
#define PROBE_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proto/peer_id.h"

#define DIAL_ADDRESSES_MAX 8
#define DIAL_TEXT_MAX	   300

struct dial_address {
	struct sockaddr_storage address;
	socklen_t len;
};

struct dial_target {
	char host[256];
	uint16_t port;
	int family; /* AF_UNSPEC, AF_INET or AF_INET6 */
	bool numeric;
	struct peer_id peer; /* len 0: the address names nobody */
	size_t count;
	struct dial_address addresses[DIAL_ADDRESSES_MAX];
};

/* `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT[/p2p/ID]`. NULL, or what is wrong. */
const char *dial_parse(struct dial_target *target, const char *multiaddr);
/* Fills the addresses. NULL, or the resolver's words. */
const char *dial_resolve(struct dial_target *target);
/* A connected non-blocking socket, or -1 with errno; tries one address. */
int dial_connect(const struct dial_address *address, int timeout_ms);
/* The same in one step without waiting: the socket becomes writable when it is connected. `source` may be
 * NULL. */
int dial_begin(const struct dial_address *address, const struct dial_address *source);
int dial_connect_from(const struct dial_address *address, const struct dial_address *source, int timeout_ms);
/* 127.0.0.1 and `port`. */
void dial_loopback(struct dial_address *address, uint16_t port);
/* 127.0.0.`last` with any port, to dial from. */
void dial_loopback_source(struct dial_address *address, uint8_t last);
void dial_text(const struct dial_address *address, char text[DIAL_TEXT_MAX]);

#endif
