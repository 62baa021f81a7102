/* SPDX-License-Identifier: MIT */
#include "probe/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/multiaddr.h"

static const char *dial_take_ip(struct dial_target *target, int family, const struct multiaddr_part *part)
{
	target->family = family;
	target->numeric = true;
	inet_ntop(family, part->value.bytes, target->host, sizeof(target->host));
	return NULL;
}

static const char *dial_take_name(struct dial_target *target, int family, const struct multiaddr_part *part)
{
	if (part->value.len >= sizeof(target->host))
		return "the name is too long";
	target->family = family;
	memcpy(target->host, part->value.bytes, part->value.len);
	target->host[part->value.len] = '\0';
	return NULL;
}

static const char *dial_take_host(struct dial_target *target, const struct multiaddr_part *part)
{
	switch (part->code) {
	case MULTIADDR_IP4:
		return dial_take_ip(target, AF_INET, part);
	case MULTIADDR_IP6:
		return dial_take_ip(target, AF_INET6, part);
	case MULTIADDR_DNS:
		return dial_take_name(target, AF_UNSPEC, part);
	case MULTIADDR_DNS4:
		return dial_take_name(target, AF_INET, part);
	case MULTIADDR_DNS6:
		return dial_take_name(target, AF_INET6, part);
	default:
		return "it does not begin with /ip4, /ip6, /dns, /dns4 or /dns6";
	}
}

static const char *dial_take_peer(struct dial_target *target, struct reader *r)
{
	struct multiaddr_part part;

	if (!multiaddr_next(r, &part))
		return NULL;
	if (part.code != MULTIADDR_P2P || peer_id_parse(&target->peer, part.value.bytes, part.value.len) != 0)
		return "only /p2p/<peer id> may follow the port";
	return multiaddr_next(r, &part) ? "nothing may follow /p2p/<peer id>" : NULL;
}

const char *dial_parse(struct dial_target *target, const char *multiaddr)
{
	struct multiaddr a;
	struct multiaddr_part part;
	struct reader r;
	const char *wrong;

	memset(target, 0, sizeof(*target));
	if (multiaddr_from_text(&a, multiaddr) != 0)
		return "not a multiaddress";
	r = reader_of(a.bytes, a.len);
	wrong = multiaddr_next(&r, &part) ? dial_take_host(target, &part) : "it is empty";
	if (wrong)
		return wrong;
	if (!multiaddr_next(&r, &part) || part.code != MULTIADDR_TCP)
		return "only /tcp/PORT is supported after the host";
	target->port = (uint16_t)(part.value.bytes[0] << 8 | part.value.bytes[1]);
	return dial_take_peer(target, &r);
}

const char *dial_resolve(struct dial_target *target)
{
	struct addrinfo hints = {.ai_family = target->family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char port[8];
	int result;

	hints.ai_flags = AI_NUMERICSERV | (target->numeric ? AI_NUMERICHOST : 0);
	snprintf(port, sizeof(port), "%u", target->port);
	result = getaddrinfo(target->host, port, &hints, &list);
	if (result != 0)
		return gai_strerror(result);
	target->count = 0;
	for (struct addrinfo *a = list; a && target->count < DIAL_ADDRESSES_MAX; a = a->ai_next) {
		struct dial_address *to = &target->addresses[target->count++];

		memcpy(&to->address, a->ai_addr, a->ai_addrlen);
		to->len = a->ai_addrlen;
	}
	freeaddrinfo(list);
	return target->count ? NULL : "the name has no address";
}

/* A local address for the socket; its port is chosen when it connects, so that thousands may share the
 * address. */
static int dial_bind(int fd, const struct dial_address *source)
{
	int one = 1;

	if (!source)
		return 0;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(fd, (const struct sockaddr *)&source->address, source->len);
}

static int dial_start(int fd, const struct dial_address *address, const struct dial_address *source)
{
	if (dial_bind(fd, source) != 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address->address, address->len) != 0 &&
	    errno != EINPROGRESS)
		return -1;
	return 0;
}

int dial_begin(const struct dial_address *address, const struct dial_address *source)
{
	int one = 1;
	int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (dial_start(fd, address, source) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int dial_wait(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);
	int ready;

	do
		ready = poll(&p, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return ETIMEDOUT;
	if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

int dial_connect(const struct dial_address *address, int timeout_ms)
{
	return dial_connect_from(address, NULL, timeout_ms);
}

int dial_connect_from(const struct dial_address *address, const struct dial_address *source, int timeout_ms)
{
	int fd = dial_begin(address, source);
	int error;

	if (fd < 0)
		return -1;
	error = dial_wait(fd, timeout_ms);
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

void dial_loopback(struct dial_address *address, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

	memset(address, 0, sizeof(*address));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(&address->address, &in, sizeof(in));
	address->len = sizeof(in);
}

void dial_loopback_source(struct dial_address *address, uint8_t last)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	memset(address, 0, sizeof(*address));
	in.sin_addr.s_addr = htonl((INADDR_LOOPBACK & 0xffffff00u) | last);
	memcpy(&address->address, &in, sizeof(in));
	address->len = sizeof(in);
}

void dial_text(const struct dial_address *address, char text[DIAL_TEXT_MAX])
{
	char host[128];
	char port[8];

	if (getnameinfo((const struct sockaddr *)&address->address, address->len, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(text, DIAL_TEXT_MAX, "?");
	else
		snprintf(text, DIAL_TEXT_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}
