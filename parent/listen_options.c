/* SPDX-License-Identifier: MIT */
#include <netinet/tcp.h>

#include "parent/listen.h"

/* Set on the listener because accepted sockets inherit them: netproc has no setsockopt. KEEPALIVE finds peers
 * that vanished, in 60 seconds; USER_TIMEOUT ends connections whose data nobody acknowledges, not before that
 * (shorter ones kill live peers that pause); NOTSENT_LOWAT keeps the kernel's queue short, so that a pong
 * does not wait behind megabytes. REUSEPORT is left out: with it a second relay would share the port in
 * silence. */
static const struct {
	const char *name;
	int level;
	int option;
	int value;
	bool only_six;
} listen_option_rows[] = {
    {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1, false},
    {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, 1, true},
    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1, false},
    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1, false},
    {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 15, false},
    {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 15, false},
    {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 3, false},
    {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 75000, false},
    {"TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 32768, false},
};

int listen_options(int fd, int family, const char **failed)
{
	for (size_t i = 0; i < sizeof(listen_option_rows) / sizeof(listen_option_rows[0]); i++) {
		int value = listen_option_rows[i].value;

		*failed = listen_option_rows[i].name;
		if (listen_option_rows[i].only_six && family != AF_INET6)
			continue;
		if (setsockopt(fd, listen_option_rows[i].level, listen_option_rows[i].option, &value,
			       sizeof(value)) != 0)
			return -1;
	}
	return 0;
}
