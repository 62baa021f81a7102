/* SPDX-License-Identifier: MIT
 *
 * The listening sockets: bound here with every option that accepted sockets shall inherit, or taken from the
 * service manager. Called by settings.c (parses the wish), run.c and metrics.c (open), inherited.c. Trusts
 * nothing: inherited descriptors are checked one by one.
 */
#ifndef PARENT_LISTEN_H
#define PARENT_LISTEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "imsg/catalogue.h"
#include "proto/multiaddr.h"

#define LISTEN_FIRST_INHERITED 3
#define LISTEN_TEXT	       256

union listen_address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* What DUSK_RELAY_LISTEN asks for. A port of 0 in an item without one stands for DUSK_RELAY_PORT. */
struct listen_wish {
	size_t count;
	struct {
		union listen_address address;
		bool port_named;
	} item[IMSG_LISTENERS];
};

struct listen_set {
	size_t count;
	int fd[IMSG_LISTENERS];
	union listen_address address[IMSG_LISTENERS]; /* as bound */
	size_t note_count;
	char note[IMSG_LISTENERS][LISTEN_TEXT]; /* warnings, to be logged */
	char error[LISTEN_TEXT];		/* after -1 */
};

/* 0, or -1 when an item is not an IP address (with or without port) or an /ip4 or /ip6 multiaddr (with or
 * without /tcp). */
int listen_parse(struct listen_wish *wish, const char *text);
/* Binds and listens where `setting`, a variable, asks for it. 0, or -1 and set->error: then nothing is open.
 */
int listen_open(struct listen_set *set, const struct listen_wish *wish, uint16_t port, const char *setting);
/* Adds a socket that the service manager left (inherited.c knows whose it is). 0, or -1 and set->error. */
int listen_inherit(struct listen_set *set, int fd);
void listen_close(struct listen_set *set);

uint16_t listen_port(const union listen_address *address);
/* 127.0.0.1:4001, [::]:4001 */
void listen_text(char text[LISTEN_TEXT], const union listen_address *address);
void listen_multiaddr(struct multiaddr *multiaddr, const union listen_address *address);
/* listen_options.c: the options of a listener of ours; names the one that failed. */
int listen_options(int fd, int family, const char **failed);

#endif
