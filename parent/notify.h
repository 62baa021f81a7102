/* SPDX-License-Identifier: MIT
 *
 * What a service manager tells and is told: systemd's notification socket and inherited sockets, by hand
 * (sd_notify(3), sd_listen_fds(3)). Called by main.c, start.c, loop.c. Trusts nothing: values of the
 * environment are parsed, the socket is only written to.
 */
#ifndef PARENT_NOTIFY_H
#define PARENT_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#define NOTIFY_NAME 256 /* bytes of a socket's name and the terminator: systemd allows 255 */

struct notify {
	int fd;		   /* connected; -1: nobody to tell */
	uint64_t watchdog; /* milliseconds between signs of life; 0: none wanted */
	size_t inherited;  /* sockets from descriptor 3 on */
	const char *names; /* of these, with colons between; of the environment */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES from the
 * environment. Connects nothing yet, so that the inherited descriptors can be counted first. */
void notify_read(struct notify *notify, char *const *environment);
/* The name of an inherited socket; "" for one that has none. */
void notify_name(const struct notify *notify, size_t index, char name[NOTIFY_NAME]);
/* Connects. To be called after descriptors that nobody asked for are closed. */
void notify_open(struct notify *notify, char *const *environment);
/* Sends lines such as "READY=1\nSTATUS=..."; a service manager that does not listen is no reason to fail. */
void notify_send(const struct notify *notify, const char *lines);

#endif
