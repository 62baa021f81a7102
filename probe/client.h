/* SPDX-License-Identifier: MIT
 *
 * The blocking driver: one session over one socket, waited upon with time limits. The simple way for the
 * probe program and for tests; several clients may wait together, so two peers of one test are served by one
 * loop. Called by steps.c, the ask_*.c functions that wait, and tests.
 */
#ifndef PROBE_CLIENT_H
#define PROBE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/dial.h"
#include "probe/exchange.h"
#include "probe/session.h"

#define CLIENT_STOPS_MAX 512
#define CLIENT_ERROR_MAX 200

struct client {
	int fd; /* -1: not connected */
	int timeout_ms;
	bool deaf; /* does not read its socket */
	struct identity identity;
	struct session_options options;
	struct session session;
	struct exchange *stops[CLIENT_STOPS_MAX]; /* streams that the relay opened, in order, until
						     accept_stop takes them */
	size_t stop_count;
	bool refuse_streams; /* reset what the relay opens */
	uint64_t go_aways;
	uint32_t go_away_code;
	uint32_t last_pong;
	char error[CLIENT_ERROR_MAX];
};

typedef bool client_condition(void *argument);

/* A fresh identity, and the given time limit for each wait. */
void client_init(struct client *c, int timeout_ms);
/* Starts the session over `fd`, which is connected and belongs to the client from now on. client_attach also
 * sends the first bytes; after client_prepare they wait in session.out. */
void client_attach(struct client *c, int fd);
void client_prepare(struct client *c, int fd);
/* All of it: connect to one address and wait for the session to be open. -1 with `error`. */
int client_connect(struct client *c, const struct dial_address *address);
/* Runs the loop of all clients until `done` says true: 0. -1 with the first client's `error`, which names
 * `what`, when its session ends or `timeout_ms` passes. Other clients' ends are left to `done`. */
int client_wait_all(struct client **clients, size_t count, client_condition *done, void *argument,
		    int timeout_ms, const char *what);
int client_wait(struct client *c, client_condition *done, void *argument, const char *what);
/* Waits for the session's end; 0 when it came. */
int client_wait_end(struct client *c, int timeout_ms);
int client_wait_phase(struct client *c, enum session_phase phase, const char *what);
/* One round of the loop: at most `timeout_ms` of waiting, then whatever can be read and written. */
void client_turn(struct client **clients, size_t count, int timeout_ms);
/* Writes what the socket takes now. */
void client_flush(struct client *c);
bool client_alive(const struct client *c);
/* Sends one yamux ping and waits for its answer. */
int client_yamux_ping(struct client *c, uint32_t value);
int client_fail(struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Closes the socket; `linger_zero` makes it a TCP reset. */
void client_drop(struct client *c, bool linger_zero);
void client_free(struct client *c);
int64_t client_now(void); /* monotonic milliseconds */

/* Stream helpers that wait. -1 with `error`. */
int client_open(struct client *c, struct exchange *x, const char *protocol);
int client_message(struct client *c, struct exchange *x, size_t most, struct span *message, const char *what);
/* Writes all of it, waiting for credit. */
int client_write(struct client *c, struct exchange *x, const void *bytes, size_t len);
/* Until the inbox holds `len` bytes. */
int client_read(struct client *c, struct exchange *x, size_t len, const char *what);
/* Until the other side finished or reset the stream. */
int client_wait_over(struct client *c, struct exchange *x, const char *what);

#endif
