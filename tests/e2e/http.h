/* SPDX-License-Identifier: MIT
 *
 * A client of the metrics page, well-behaved or not. Called by test_metrics*.c. Trusts nothing that it reads.
 */
#ifndef TESTS_E2E_HTTP_H
#define TESTS_E2E_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/e2e/daemon.h"

#define HTTP_PATIENCE 20000 /* milliseconds */

struct http_answer {
	int status;	    /* 0: none came */
	char text[1 << 17]; /* all of it, terminated */
	size_t len;
	const char *body;
};

/* The port that the daemon says its page has; 0 when it says none. */
uint16_t http_port(struct daemon *d);
/* A connection, or -1. */
int http_connect(uint16_t port);
/* False when the other side does not take it all. */
bool http_write(int fd, const char *bytes, size_t len);
/* Reads to the end of the connection, and closes it. */
void http_read(int fd, struct http_answer *answer);
/* True when the other side closes within the time; what it sends is dropped. */
bool http_is_closed(int fd, int timeout_ms);
/* A whole request of that text. The status. */
int http_ask(uint16_t port, const char *request, struct http_answer *answer);
int http_get(uint16_t port, const char *path, struct http_answer *answer);
/* The value of a line of the page, by all that stands before the blank; -1: no such line. */
long long http_value(const struct http_answer *answer, const char *name);

#endif
