/* SPDX-License-Identifier: MIT */
#include "tests/peer/peer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int peer_begin(struct client *c, uint16_t port)
{
	struct dial_address address;
	int fd;

	dial_loopback(&address, port);
	fd = dial_connect(&address, c->timeout_ms);
	if (fd < 0)
		return client_fail(c, "connect: %s", strerror(errno));
	client_prepare(c, fd);
	return 0;
}

int peer_open_as(struct client *c, uint16_t port)
{
	struct dial_address address;

	dial_loopback(&address, port);
	return client_connect(c, &address);
}

int peer_open(struct client *c, uint16_t port)
{
	client_init(c, PEER_TIMEOUT_MS);
	return peer_open_as(c, port);
}

int peer_open_from(struct client *c, uint16_t port, uint8_t last)
{
	struct dial_address address;
	struct dial_address source;
	int fd;

	client_init(c, PEER_TIMEOUT_MS);
	dial_loopback(&address, port);
	dial_loopback_source(&source, last);
	fd = dial_connect_from(&address, &source, c->timeout_ms);
	if (fd < 0)
		return client_fail(c, "connect: %s", strerror(errno));
	client_attach(c, fd);
	return client_wait_phase(c, SESSION_OPEN, "the session to open");
}

static bool peer_knows_relay(void *argument)
{
	struct client *c = argument;

	return c->session.relay.len > 0;
}

int peer_hold(struct client *c, uint16_t port)
{
	client_init(c, PEER_TIMEOUT_MS);
	c->options.hold_handshake = true;
	if (peer_begin(c, port) != 0)
		return -1;
	session_send_message1(&c->session, c->session.noise->ephemeral_public, INITIATOR_MESSAGE1);
	return client_wait(c, peer_knows_relay, c, "Noise message 2");
}

static int peer_write_all(struct client *c, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		struct pollfd ready = {.fd = c->fd, .events = POLLOUT};
		ssize_t put;

		if (poll(&ready, 1, c->timeout_ms) <= 0)
			return client_fail(c, "the relay takes no bytes");
		put = write(c->fd, bytes, len);
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return client_fail(c, "write: %s", strerror(errno));
		if (put > 0) {
			bytes += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

/* Writes the first `len` bytes of what is queued, and waits until the relay has read them. */
static int peer_write_taken(struct client *c, size_t len)
{
	if (peer_write_all(c, bytes_at(&c->session.out), len) != 0)
		return -1;
	bytes_consume(&c->session.out, len);
	return peer_wait_taken(c->fd, c->timeout_ms) == 0 ? 0 : client_fail(c, "the relay does not read");
}

int peer_trickle(struct client *c, size_t chunk)
{
	while (session_pending(&c->session) > 0) {
		size_t len = bytes_len(&c->session.out);

		if (peer_write_taken(c, len < chunk ? len : chunk) != 0)
			return -1;
	}
	return 0;
}

int peer_split(struct client *c, size_t first)
{
	size_t len = session_pending(&c->session);

	if (first > 0 && peer_write_taken(c, first < len ? first : len) != 0)
		return -1;
	client_flush(c);
	return 0;
}

void peer_record(struct client *c, const void *plain, size_t len)
{
	secure_seal(&c->session.sending, &c->session.out, plain, len);
}

void peer_socket_bytes(struct client *c, const void *bytes, size_t len)
{
	session_pending(&c->session); /* seal what stands before it */
	bytes_append(&c->session.out, bytes, len);
}

void peer_frame(struct client *c, uint8_t version, uint8_t type, uint16_t flags, uint32_t stream,
		uint32_t length, const void *payload, size_t len)
{
	uint8_t header[YAMUX_HEADER];

	yamux_frame_write(header, type, flags, stream, length);
	header[0] = version;
	bytes_append(&c->session.plain, header, sizeof(header));
	bytes_append(&c->session.plain, payload, len);
}

void peer_message(struct exchange *x, const void *bytes, size_t len)
{
	uint8_t prefix[VARINT_MAX];
	struct writer w = writer_of(prefix, sizeof(prefix));

	writer_varint(&w, len);
	exchange_write(x, prefix, writer_len(&w));
	exchange_write(x, bytes, len);
}

int peer_stream(struct client *c, struct exchange *x, const char *protocol)
{
	return client_open(c, x, protocol);
}

void peer_overrun(struct exchange *x, const void *bytes, size_t len)
{
	struct mux_stream *s = x->stream;

	mux_frame(s->mux, YAMUX_DATA, s->flags_due, s->id, (uint32_t)len, bytes, len);
	s->flags_due = 0;
}
