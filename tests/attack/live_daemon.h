/* SPDX-License-Identifier: MIT
 *
 * The built daemon, started in a folder of its own on a free port, as an ordinary user or in root mode; its
 * processes by number. Called by the attack tests that look at, or disturb, the running daemon.
 */
#ifndef TESTS_ATTACK_LIVE_DAEMON_H
#define TESTS_ATTACK_LIVE_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/attack/attack.h"

#define LIVE_SAID_MAX 262144

struct live_daemon_wish {
	const char *build;	     /* NULL: that of ATTACK_BUILD */
	bool root;		     /* root mode; else ATTACK_NOBODY when root, else who we are */
	const char *const *settings; /* NAME=value, NULL at the end; may be NULL */
	void (*before_exec)(void);   /* in the new process, already of its user; may be NULL */
	bool own_output;	     /* before_exec has set up descriptors 0-2 */
	bool page;		     /* with the metrics page, on a port of its own */
};

struct live_daemon {
	pid_t pid, keyproc, netproc, metrics; /* all but the first 0 until found */
	bool page;
	uint16_t port;
	int out; /* its stdout and stderr */
	char folder[64];
	char said[LIVE_SAID_MAX];
	size_t said_len;
};

/* Starts it; waits for nothing. 0 or -1. */
int live_daemon_spawn(struct live_daemon *live, const struct live_daemon_wish *wish);
/* Starts it and waits until it serves and its children are found. 0 or -1 (then `said` tells). */
int live_daemon_start(struct live_daemon *live, const struct live_daemon_wish *wish);
/* Waits for a text in what it says. */
bool live_daemon_says(struct live_daemon *live, const char *text, int milliseconds);
/* Waits for its end, reading what it says. */
struct attack_end live_daemon_wait(struct live_daemon *live, int milliseconds);
/* A TCP connection to it, with twenty seconds of patience for each read and write: descriptor or -1. */
int live_daemon_connect(const struct live_daemon *live);
/* A stranger says hello, begins a handshake and is answered: netproc and keyproc work. */
bool live_daemon_serves(const struct live_daemon *live);
/* A connection to its metrics page. */
int live_daemon_connect_page(const struct live_daemon *live);
/* The port of the page, as the log says it; 0 when it does not. */
uint16_t live_daemon_page_port(const struct live_daemon *live);
/* True when no process of it is left. */
bool live_daemon_left_nobody(const struct live_daemon *live);
/* Kills what still runs, removes the folder. */
void live_daemon_end(struct live_daemon *live);

#endif
