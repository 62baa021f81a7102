/* SPDX-License-Identifier: MIT
 *
 * The waits that tests and steps use most, each a condition and a name.
 */
#include "probe/client.h"

struct client_wait_message {
	struct exchange *x;
	size_t most;
	struct span *message;
	int result;
};

struct client_wait_value {
	struct client *c;
	struct exchange *x;
	uint64_t value;
};

static bool client_reached_phase(void *argument)
{
	struct client_wait_value *w = argument;

	return w->c->session.phase != SESSION_FAILED && w->c->session.phase >= w->value;
}

int client_wait_phase(struct client *c, enum session_phase phase, const char *what)
{
	struct client_wait_value w = {.c = c, .value = phase};

	return client_wait(c, client_reached_phase, &w, what);
}

int client_wait_end(struct client *c, int timeout_ms)
{
	int64_t end = client_now() + timeout_ms;

	while (client_alive(c)) {
		int64_t left = end - client_now();

		if (left <= 0)
			return client_fail(c, "the relay did not end the connection within %d ms",
					   timeout_ms);
		client_turn(&c, 1, (int)left);
	}
	return 0;
}

static bool client_ponged(void *argument)
{
	struct client_wait_value *w = argument;

	return w->c->session.mux.counters.pongs > w->value;
}

int client_yamux_ping(struct client *c, uint32_t value)
{
	const struct mux *m = &c->session.mux;
	struct client_wait_value w = {.c = c, .value = m->counters.pongs + m->pings_open};

	mux_ping(&c->session.mux, value);
	if (client_wait(c, client_ponged, &w, "the answer to a yamux ping") != 0)
		return -1;
	return c->last_pong == value ? 0 : client_fail(c, "a yamux ping came back with another value");
}

static bool client_agreed(void *argument)
{
	struct exchange *x = argument;

	return x->state == EXCHANGE_OPEN || exchange_over(x);
}

int client_open(struct client *c, struct exchange *x, const char *protocol)
{
	if (exchange_open(x, &c->session.mux, protocol) != 0)
		return client_fail(c, "no stream for %s: the session is over", protocol);
	if (client_wait(c, client_agreed, x, protocol) != 0)
		return -1;
	if (x->state == EXCHANGE_OPEN)
		return 0;
	return client_fail(c, "%s: %s", protocol,
			   x->state == EXCHANGE_REFUSED ? "the relay does not speak it" : "the stream ended");
}

static bool client_has_message(void *argument)
{
	struct client_wait_message *w = argument;

	w->result = exchange_message(w->x, w->most, w->message);
	return w->result != 0;
}

int client_message(struct client *c, struct exchange *x, size_t most, struct span *message, const char *what)
{
	struct client_wait_message w = {.x = x, .most = most, .message = message};

	if (client_wait(c, client_has_message, &w, what) != 0)
		return -1;
	if (w.result > 0)
		return 0;
	if (x->state == EXCHANGE_REFUSED)
		return client_fail(c, "the relay does not speak %s", x->protocol);
	return client_fail(c, "the stream ended before %s came", what);
}

static bool client_may_write(void *argument)
{
	struct exchange *x = argument;

	return !x->stream || x->stream->send_window > 0 || x->reset;
}

int client_write(struct client *c, struct exchange *x, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		size_t part;

		if (client_wait(c, client_may_write, x, "credit to write") != 0)
			return -1;
		part = exchange_write(x, at, len);
		if (part == 0)
			return client_fail(c, "the stream ended while writing");
		at += part;
		len -= part;
	}
	client_flush(c);
	return 0;
}

static bool client_has_bytes(void *argument)
{
	struct client_wait_value *w = argument;

	return bytes_len(&w->x->inbox) >= w->value || exchange_over(w->x);
}

int client_read(struct client *c, struct exchange *x, size_t len, const char *what)
{
	struct client_wait_value w = {.x = x, .value = len};

	if (client_wait(c, client_has_bytes, &w, what) != 0)
		return -1;
	return bytes_len(&x->inbox) >= len ? 0 : client_fail(c, "the stream ended before %s came", what);
}

static bool client_over(void *argument)
{
	return exchange_over(argument);
}

int client_wait_over(struct client *c, struct exchange *x, const char *what)
{
	return client_wait(c, client_over, x, what);
}
