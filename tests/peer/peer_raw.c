/* SPDX-License-Identifier: MIT */
#include "tests/peer/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/multistream.h"

static int peer_raw_fail(struct peer_raw *p, const char *what)
{
	snprintf(p->error, sizeof(p->error), "%s", what);
	return -1;
}

int peer_raw_open(struct peer_raw *p, uint16_t port)
{
	return peer_raw_open_from(p, port, 1);
}

int peer_raw_open_from(struct peer_raw *p, uint16_t port, uint8_t last)
{
	struct dial_address address;
	struct dial_address source;

	memset(p, 0, sizeof(*p));
	dial_loopback(&address, port);
	dial_loopback_source(&source, last);
	p->fd = dial_connect_from(&address, &source, PEER_TIMEOUT_MS);
	return p->fd >= 0 ? 0 : peer_raw_fail(p, strerror(errno));
}

void peer_raw_send(struct peer_raw *p, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		struct pollfd ready = {.fd = p->fd, .events = POLLOUT};
		ssize_t put;

		if (poll(&ready, 1, PEER_TIMEOUT_MS) <= 0)
			return;
		put = write(p->fd, at, len);
		if (put < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (put <= 0)
			return;
		at += put;
		len -= (size_t)put;
	}
}

void peer_raw_line(struct peer_raw *p, const char *text)
{
	uint8_t line[MULTISTREAM_LINE_MAX + 2];
	struct writer w = writer_of(line, sizeof(line));

	multistream_write_text(&w, text);
	peer_raw_send(p, line, writer_len(&w));
}

/* Waits for something to read once; false when the time is over or the connection is. */
static bool peer_raw_turn(struct peer_raw *p, int64_t end)
{
	struct pollfd ready = {.fd = p->fd, .events = POLLIN};
	int64_t left = end - client_now();
	ssize_t got;

	if (left <= 0 || p->ended || poll(&ready, 1, (int)left) <= 0)
		return false;
	got = read(p->fd, bytes_room(&p->in, 4096), 4096);
	if (got > 0)
		bytes_added(&p->in, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		p->ended = true;
	return !p->ended;
}

int peer_raw_read(struct peer_raw *p, size_t len, int timeout_ms)
{
	int64_t end = client_now() + timeout_ms;

	while (bytes_len(&p->in) < len)
		if (!peer_raw_turn(p, end))
			return peer_raw_fail(p, p->ended ? "the relay ended the connection"
							 : "no bytes in time");
	return 0;
}

int peer_raw_expect_line(struct peer_raw *p, const char *text)
{
	struct span line;
	size_t used;
	size_t wanted = 1;

	for (;;) {
		if (peer_raw_read(p, wanted, PEER_TIMEOUT_MS) != 0)
			return -1;
		switch (multistream_next(bytes_at(&p->in), bytes_len(&p->in), &line, &used)) {
		case MULTISTREAM_BAD:
			return peer_raw_fail(p, "not a multistream-select line");
		case MULTISTREAM_MORE:
			wanted = bytes_len(&p->in) + 1;
			continue;
		case MULTISTREAM_LINE:
			break;
		}
		break;
	}
	if (!multistream_is(line, text))
		return peer_raw_fail(p, "another line than expected");
	bytes_consume(&p->in, used);
	return 0;
}

int peer_raw_wait_end(struct peer_raw *p, int timeout_ms)
{
	int64_t end = client_now() + timeout_ms;

	while (peer_raw_turn(p, end))
		bytes_consume(&p->in, bytes_len(&p->in));
	return p->ended ? 0 : peer_raw_fail(p, "the relay did not end the connection");
}

void peer_raw_close(struct peer_raw *p, bool reset)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (p->fd < 0)
		return;
	if (reset)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(p->fd);
	p->fd = -1;
	bytes_free(&p->in);
}
