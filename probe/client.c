/* SPDX-License-Identifier: MIT */
#include "probe/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/circuit_message.h"

#define CLIENT_TOGETHER_MAX 4096

int64_t client_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int client_fail(struct client *c, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(c->error, sizeof(c->error), format, arguments);
	va_end(arguments);
	return -1;
}

/* --- what the relay does by itself --- */

static void client_incoming(void *owner, struct mux_stream *stream)
{
	struct client *c = owner;
	struct exchange *x;

	if (c->refuse_streams || c->stop_count == CLIENT_STOPS_MAX) {
		mux_release(stream);
		return;
	}
	x = calloc(1, sizeof(*x));
	if (!x)
		abort();
	exchange_accept(x, stream, CIRCUIT_STOP_PROTOCOL);
	c->stops[c->stop_count++] = x;
}

static void client_pong(void *owner, uint32_t value)
{
	struct client *c = owner;

	c->last_pong = value;
}

static void client_go_away(void *owner, uint32_t code)
{
	struct client *c = owner;

	c->go_aways++;
	c->go_away_code = code;
}

static const struct mux_events client_events = {
    .incoming = client_incoming,
    .pong = client_pong,
    .go_away = client_go_away,
};

/* --- life --- */

void client_init(struct client *c, int timeout_ms)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->timeout_ms = timeout_ms;
	identity_new(&c->identity);
	c->options.identity = &c->identity;
}

void client_prepare(struct client *c, int fd)
{
	c->fd = fd;
	session_start(&c->session, &c->options, &client_events, c);
}

void client_attach(struct client *c, int fd)
{
	client_prepare(c, fd);
	client_flush(c);
}

int client_connect(struct client *c, const struct dial_address *address)
{
	int fd = dial_connect(address, c->timeout_ms);

	if (fd < 0)
		return client_fail(c, "connect: %s", strerror(errno));
	client_attach(c, fd);
	return client_wait_phase(c, SESSION_OPEN, "the session to open");
}

bool client_alive(const struct client *c)
{
	return c->fd >= 0 && c->session.phase != SESSION_FAILED;
}

void client_drop(struct client *c, bool linger_zero)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (c->fd < 0)
		return;
	if (linger_zero)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(c->fd);
	c->fd = -1;
	session_end(&c->session, "dropped by this side");
}

void client_free(struct client *c)
{
	for (size_t i = 0; i < c->stop_count; i++) {
		exchange_close(c->stops[i]);
		free(c->stops[i]);
	}
	if (c->fd >= 0)
		close(c->fd);
	session_free(&c->session);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

/* --- the loop --- */

void client_flush(struct client *c)
{
	if (client_alive(c))
		session_write(&c->session, c->fd);
}

static void client_fill(struct client *c, struct pollfd *p)
{
	p->fd = client_alive(c) ? c->fd : -1;
	p->events = c->deaf ? 0 : POLLIN;
	p->revents = 0;
	if (client_alive(c) && session_pending(&c->session) > 0)
		p->events |= POLLOUT;
}

static void client_serve(struct client *c, short events)
{
	if ((events & (POLLIN | POLLHUP | POLLERR)) && !c->deaf) {
		while (client_alive(c) && session_read(&c->session, c->fd) > 0)
			;
	}
	client_flush(c);
}

void client_turn(struct client **clients, size_t count, int timeout_ms)
{
	struct pollfd polls[CLIENT_TOGETHER_MAX];

	if (count > CLIENT_TOGETHER_MAX)
		abort();
	for (size_t i = 0; i < count; i++)
		client_flush(clients[i]);
	for (size_t i = 0; i < count; i++)
		client_fill(clients[i], &polls[i]);
	if (poll(polls, (nfds_t)count, timeout_ms) <= 0)
		return;
	for (size_t i = 0; i < count; i++)
		client_serve(clients[i], polls[i].revents);
}

static const char *client_end_reason(const struct client *c)
{
	return c->session.failure ? c->session.failure : "not connected";
}

int client_wait_all(struct client **clients, size_t count, client_condition *done, void *argument,
		    int timeout_ms, const char *what)
{
	int64_t end = client_now() + timeout_ms;

	while (!done(argument)) {
		int64_t left = end - client_now();

		if (!client_alive(clients[0]))
			return client_fail(clients[0], "waiting for %s: %s", what,
					   client_end_reason(clients[0]));
		if (left <= 0)
			return client_fail(clients[0], "no answer within %d ms, waiting for %s", timeout_ms,
					   what);
		client_turn(clients, count, (int)left);
	}
	for (size_t i = 0; i < count; i++)
		client_flush(clients[i]);
	return 0;
}

int client_wait(struct client *c, client_condition *done, void *argument, const char *what)
{
	return client_wait_all(&c, 1, done, argument, c->timeout_ms, what);
}
