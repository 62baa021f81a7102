/* SPDX-License-Identifier: MIT */
#include "parent/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_BACKLOG	     65535 /* a crowd waits there; the kernel clamps it to net.core.somaxconn */
#define LISTEN_PORT_ATTEMPTS 16	   /* for one free port that all addresses can have */

uint16_t listen_port(const union listen_address *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->four.sin_port : address->six.sin6_port);
}

static void listen_set_port(union listen_address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET)
		address->four.sin_port = htons(port);
	else
		address->six.sin6_port = htons(port);
}

void listen_multiaddr(struct multiaddr *multiaddr, const union listen_address *address)
{
	if (address->any.sa_family == AF_INET)
		multiaddr_from_ip(multiaddr, (const uint8_t *)&address->four.sin_addr, 4,
				  listen_port(address));
	else
		multiaddr_from_ip(multiaddr, address->six.sin6_addr.s6_addr, 16, listen_port(address));
}

static socklen_t listen_size(const union listen_address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->four) : sizeof(address->six);
}

void listen_text(char text[LISTEN_TEXT], const union listen_address *address)
{
	char ip[INET6_ADDRSTRLEN] = "?";
	bool six = address->any.sa_family == AF_INET6;

	if (six)
		inet_ntop(AF_INET6, &address->six.sin6_addr, ip, sizeof(ip));
	else
		inet_ntop(AF_INET, &address->four.sin_addr, ip, sizeof(ip));
	snprintf(text, LISTEN_TEXT, six ? "[%s]:%u" : "%s:%u", ip, listen_port(address));
}

void listen_close(struct listen_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		close(set->fd[i]);
	set->count = 0;
}

/* What to do about a failed bind, in words. A port that stands with its address is not DUSK_RELAY_PORT's. */
static const char *listen_advice(int error, bool port_named)
{
	switch (error) {
	case EADDRINUSE:
		return port_named
			   ? ": another program has that port; stop it (ss -ltnp shows it) or name another"
			   : ": another program has that port; stop it (ss -ltnp shows it) or set "
			     "DUSK_RELAY_PORT";
	case EACCES:
		return ": ports below net.ipv4.ip_unprivileged_port_start need the systemd socket unit or "
		       "another port";
	case EADDRNOTAVAIL:
		return port_named ? ": this machine has no such address"
				  : ": this machine has no such address; see DUSK_RELAY_LISTEN";
	default:
		return "";
	}
}

static int listen_fail(struct listen_set *set, const union listen_address *address, const char *what,
		       int error, bool port_named)
{
	char place[LISTEN_TEXT];

	listen_text(place, address);
	snprintf(set->error, sizeof(set->error), "cannot listen on %.64s: %s: %s%s", place, what,
		 strerror(error), listen_advice(error, port_named));
	return -1;
}

static void listen_skip(struct listen_set *set, const union listen_address *address)
{
	char place[LISTEN_TEXT];

	listen_text(place, address);
	snprintf(set->note[set->note_count++], LISTEN_TEXT,
		 "not listening on %.64s: this machine has no IPv6", place);
}

/* True for an error that says that the host has no IPv6 at all. */
static bool listen_without_six(const union listen_address *address, int error)
{
	bool wildcard =
	    address->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->six.sin6_addr);

	return address->any.sa_family == AF_INET6 &&
	       (error == EAFNOSUPPORT || (wildcard && error == EADDRNOTAVAIL));
}

/* Opens one. 0, or -1 with errno and what failed. */
static int listen_one(int *out, union listen_address *address, const char **what)
{
	socklen_t size = sizeof(*address);
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	*what = "socket";
	if (fd < 0)
		return -1;
	*out = fd;
	if (listen_options(fd, address->any.sa_family, what) != 0)
		goto failed;
	*what = "bind";
	if (bind(fd, &address->any, listen_size(address)) != 0)
		goto failed;
	*what = "listen";
	if (listen(fd, LISTEN_BACKLOG) != 0)
		goto failed;
	*what = "getsockname";
	if (getsockname(fd, &address->any, &size) == 0)
		return 0;
failed:;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* One round over the wish. EADDRINUSE in errno with *again set: the free port was taken meanwhile for another
 * address. */
static int listen_round(struct listen_set *set, const struct listen_wish *wish, uint16_t port, bool *again)
{
	bool random = port == 0;

	for (size_t i = 0; i < wish->count; i++) {
		union listen_address address = wish->item[i].address;
		const char *what;
		bool common = !wish->item[i].port_named;

		if (common)
			listen_set_port(&address, port);
		if (listen_one(&set->fd[set->count], &address, &what) == 0) {
			port = common ? listen_port(&address) : port;
			set->address[set->count++] = address;
			continue;
		}
		if (listen_without_six(&address, errno)) {
			listen_skip(set, &address);
			continue;
		}
		*again = random && common && port != 0 && errno == EADDRINUSE;
		return listen_fail(set, &address, what, errno, !common);
	}
	return 0;
}

int listen_open(struct listen_set *set, const struct listen_wish *wish, uint16_t port, const char *setting)
{
	memset(set, 0, sizeof(*set));
	for (int attempt = 0; attempt < LISTEN_PORT_ATTEMPTS; attempt++) {
		bool again = false;

		set->note_count = 0;
		if (listen_round(set, wish, port, &again) == 0 && set->count > 0)
			return 0;
		if (set->count == 0 && set->error[0] == '\0')
			snprintf(set->error, sizeof(set->error),
				 "no address to listen on is left: this machine has no IPv6; see %s",
				 setting);
		listen_close(set);
		if (!again)
			return -1;
	}
	return -1;
}

static int listen_number(int fd, int option)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/* Checks one descriptor of the service manager; says what is wrong with it, NULL when nothing. */
static const char *listen_check(int fd, union listen_address *address)
{
	socklen_t size = sizeof(*address);
	int family = listen_number(fd, SO_DOMAIN);
	const char *failed;

	if (family != AF_INET && family != AF_INET6)
		return "is not a socket of IPv4 or IPv6";
	if (listen_number(fd, SO_TYPE) != SOCK_STREAM || listen_number(fd, SO_PROTOCOL) != IPPROTO_TCP)
		return "is not a TCP socket";
	if (listen_number(fd, SO_ACCEPTCONN) != 1)
		return "does not listen (Accept= must be no)";
	if (getsockname(fd, &address->any, &size) != 0 || address->any.sa_family != family)
		return "has no address";
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) != 0)
		return "takes no flags";
	/* A bound socket's V6ONLY cannot change any more: the socket unit decides it. */
	return listen_options(fd, AF_INET, &failed) != 0 ? "takes no options" : NULL;
}

int listen_inherit(struct listen_set *set, int fd)
{
	const char *wrong = set->count < IMSG_LISTENERS ? listen_check(fd, &set->address[set->count])
							: "is one too many (16 at most)";

	if (wrong == NULL) {
		set->fd[set->count++] = fd;
		return 0;
	}
	snprintf(set->error, sizeof(set->error), "descriptor %d from the service manager %s", fd, wrong);
	return -1;
}
