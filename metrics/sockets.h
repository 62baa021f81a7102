/* SPDX-License-Identifier: MIT
 *
 * The socket calls that libmicrohttpd makes, answered by read and write alone: this program defines accept4,
 * recv, send, sendmsg, shutdown and setsockopt itself, and the library finds these before those of libc. So
 * no call that could connect or send elsewhere is left after the lock. A connection has SOCKETS_LIFE for its
 * one request, however it trickles in and out. Called by the library; told the time by http.c.
 */
#ifndef METRICS_SOCKETS_H
#define METRICS_SOCKETS_H

#include <stdint.h>

#define SOCKETS_LIFE 10000 /* milliseconds of a connection */
#define SOCKETS_MAX  64	   /* descriptor numbers */

void sockets_tick(uint64_t now);
/* How many connections were cut since the last question. */
uint64_t sockets_cut(void);

#endif
