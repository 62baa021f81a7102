/* SPDX-License-Identifier: MIT
 *
 * Starts and stops the real, built daemon for one test program, and reads what it says. Called by fixture.c
 * and the test_*.c. E2E_BUILD is the build tree to run (build). E2E_MODE says how it runs: user, which as
 * root means uid E2E_USER (65534), root, container, unit or socket. Always in a directory of its own.
 */
#ifndef TESTS_E2E_DAEMON_H
#define TESTS_E2E_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "probe/bytes.h"
#include "proto/peer_id.h"

#define DAEMON_START_MS	  10000
#define DAEMON_STOP_MS	  5000
#define DAEMON_PATH_MAX	  200
#define DAEMON_STATUS_MAX 64

struct daemon {
	pid_t pid;     /* 0: not running; the script's, where one stands for it */
	pid_t parent;  /* where a script does: see daemon_parent */
	int exit_code; /* once it ended: its status, or 128 and the signal */
	uint16_t port;
	unsigned descriptors; /* its limit of open descriptors; 0: as it is here */
	struct peer_id id;
	char address[256];  /* as printed */
	char directory[64]; /* XDG_DATA_HOME */
	char log_path[DAEMON_PATH_MAX];
	int out;      /* its stdout */
	int log_file; /* its stderr, for reading */
	int log_watch;
	struct bytes printed;
	struct bytes log;
	size_t mark; /* lines before it have been looked at */
	char error[300];
};

/* --- its mode (daemon_mode.c) --- */

/* The value of E2E_MODE: user, root, container, unit or socket. */
const char *daemon_mode(void);
/* The script that starts it in this mode; NULL: none. */
const char *daemon_script(void);
/* Who it runs as, where it has no choice of its own. */
uid_t daemon_user(void);
/* The process of its parent; 0 when it cannot be found. */
pid_t daemon_parent(struct daemon *d);
/* How long to wait for what takes the daemon `ms`: where a script stands for it, a service manager or an
 * engine that has more to do takes its time besides. */
int daemon_patience(int ms);
/* True in this mode, and says that `what` was left out and why. */
bool daemon_is_left_out(const char *mode, const char *what, const char *why);

/* --- its life --- */

/* A free TCP port of 127.0.0.1. */
uint16_t daemon_free_port(void);
/* Makes the directory; daemon_start may then be called as often as is liked, each after the last one ended.
 */
int daemon_prepare(struct daemon *d);
/* Starts with DUSK_RELAY_PORT, XDG_DATA_HOME, RUST_LOG=debug and `settings` (NAME=value, NULL at the end;
 * NULL: none), and waits for the address line. 0; or -1 when it ended instead (exit_code) or said nothing in
 * time. */
int daemon_start(struct daemon *d, const char *const *settings);
/* Runs the daemon's program with words, to its end, its stdout in `printed` and its stderr in the log. The
 * exit code, or -1. */
int daemon_run(struct daemon *d, const char *const *words, const char *const *settings);
int daemon_signal(struct daemon *d, int number);
/* 0 when it ended within the time; exit_code says how. */
int daemon_wait(struct daemon *d, int timeout_ms);
/* SIGTERM; 0 when it ended with 0 in time, else -1 with `error`; kills it in any case. */
int daemon_stop(struct daemon *d);
/* Stops it if it runs, removes the directory, frees everything. */
void daemon_remove(struct daemon *d);

/* --- its processes (daemon_process.c) --- */

/* The child called `name` (netproc, keyproc); 0 when there is none. */
pid_t daemon_child(struct daemon *d, const char *name);
/* What the line `name` of a process's /proc status says, cut at the size; empty when it says nothing. 0 or
 * -1. */
int daemon_status(pid_t process, const char *name, char value[DAEMON_STATUS_MAX]);
/* Kilobytes of anonymous memory of that child; -1 when it cannot be seen. */
long daemon_memory(struct daemon *d, const char *name);
/* Open descriptors of that child; -1 when they cannot be seen (as an ordinary user they cannot). */
long daemon_descriptors(struct daemon *d, const char *name);

/* --- what it says (daemon_log.c) --- */

int daemon_log_open(struct daemon *d);
void daemon_log_close(struct daemon *d);
/* From here on: lines logged before are not looked at. */
void daemon_mark(struct daemon *d);
/* Waits for a line that holds `text`. 0, or -1. */
int daemon_expect(struct daemon *d, const char *text, int timeout_ms);
/* True when such a line is there already, since the mark. */
bool daemon_said(struct daemon *d, const char *text);
/* The number of such lines since the mark. */
size_t daemon_count(struct daemon *d, const char *text);
/* The values of these counters (labels included in their names) in one fresh report; 0 for those that are not
 * in it. */
void daemon_counters(struct daemon *d, const char *const *names, uint64_t *values, size_t count);
uint64_t daemon_counter(struct daemon *d, const char *name);
/* 0 when it is at least so much now, or -1. */
int daemon_expect_counter(struct daemon *d, const char *name, uint64_t least);
/* The first line of the whole log that holds `text`, or NULL; cut at 200 characters. */
const char *daemon_find_line(struct daemon *d, const char *text);
/* The last lines of the log, for messages. */
const char *daemon_tail(struct daemon *d);

#endif
