/* SPDX-License-Identifier: MIT
 *
 * The page over HTTP: libmicrohttpd in one thread, driven by our own ppoll. Called by main.c. Trusts nobody
 * who connects: number, memory and time of connections are bounded, one request for each.
 */
#ifndef METRICS_HTTP_H
#define METRICS_HTTP_H

#include "metrics/metrics.h"

#define HTTP_CONNECTIONS 32

/* Before the lock: takes the listener, reserves what is needed. 0, or -1 when there is no memory. */
int http_start(struct metrics *metrics);
/* Waits for the parent's channel and the page's connections, at most a second, and serves the latter. True
 * when the channel has something to read. */
bool http_turn(struct metrics *metrics);

#endif
