/* SPDX-License-Identifier: MIT */
#include "tests/bench/limit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/multistream.h"
#include "proto/noise_wire.h"
#include "tests/bench/load_seal.h"

#define LIMIT_READ   (256 * 1024)
#define LIMIT_EVENTS 256

struct limit_relay relay;

/* --- the upgrade
 * ---------------------------------------------------------------------------------------------------------
 */

/* One line; what is expected is not checked, only answered. */
static size_t upgrade_line(struct limit_conn *c, const uint8_t *bytes, size_t len, const char *protocol,
			   bool sealed)
{
	uint8_t answer[64];
	struct writer w = writer_of(answer, sizeof(answer));
	struct span line;
	size_t used = 0;
	bool header;

	if (multistream_next(bytes, len, &line, &used) != MULTISTREAM_LINE)
		return 0;
	header = multistream_is(line, MULTISTREAM_HEADER);
	multistream_write_text(&w, header ? MULTISTREAM_HEADER : protocol);
	if (sealed)
		limit_send(c, answer, writer_len(&w));
	else
		bytes_append(&c->out, answer, writer_len(&w));
	if (!header)
		c->stage++;
	return used;
}

static void upgrade_noise(struct limit_conn *c, const uint8_t *message, size_t len)
{
	uint8_t out[2 + 32 + 48 + NOISE_PAYLOAD_OURS + 16];
	size_t written;

	if (c->stage == LIMIT_NOISE_3) {
		c->dead = limit_noise_finish(c, message, len) != 0;
	} else {
		written = limit_noise_answer(c, message, out + 2);
		out[0] = (uint8_t)(written >> 8);
		out[1] = (uint8_t)written;
		bytes_append(&c->out, out, 2 + written);
	}
	c->stage++;
}

static void limit_record(struct limit_conn *c, uint8_t *record, size_t len)
{
	size_t plain = len - SECURE_TAG;
	uint8_t *at = record + 2;

	if (c->stage < LIMIT_MUXER) {
		upgrade_noise(c, at, len);
		return;
	}
	if (load_open(&c->receive, at, at, len) != 0) {
		c->dead = true;
		return;
	}
	while (c->stage == LIMIT_MUXER && plain > 0) {
		size_t used = upgrade_line(c, at, plain, "/yamux/1.0.0", true);

		if (used == 0)
			return;
		at += used;
		plain -= used;
	}
	if (plain > 0)
		limit_plain(c, at == record + 2 ? record : NULL, at, plain);
}

static size_t limit_consume(struct limit_conn *c, uint8_t *bytes, size_t len)
{
	size_t total = 0;

	while (total < len && !c->dead) {
		size_t used;

		if (c->stage == LIMIT_SECURITY) {
			used = upgrade_line(c, bytes + total, len - total, "/noise", false);
		} else {
			used = len - total < 2 ? 0 : 2 + (size_t)(bytes[total] << 8 | bytes[total + 1]);
			if (used > len - total)
				used = 0;
			if (used > 0)
				limit_record(c, bytes + total, used - 2);
		}
		if (used == 0)
			break;
		total += used;
	}
	return total;
}

/* --- the loop
 * ------------------------------------------------------------------------------------------------------------
 */

static void limit_close(struct limit_conn *c)
{
	limit_streams_end(c);
	limit_send_end();
	limit_table_remove(c);
	close(c->fd);
	free(c->noise);
	bytes_free(&c->in);
	bytes_free(&c->out);
	free(c);
}

/* True when there may be more to read. */
static bool limit_read(struct limit_conn *c)
{
	static uint8_t scratch[LIMIT_READ + 2 * SECURE_RECORD_MAX];
	size_t held = bytes_len(&c->in);
	size_t used;
	ssize_t got;

	if (held > 0)
		memcpy(scratch, bytes_at(&c->in), held);
	got = read(c->fd, scratch + held, LIMIT_READ);
	if (got <= 0) {
		c->dead = got == 0 || (errno != EAGAIN && errno != EINTR);
		return false;
	}
	bytes_free(&c->in);
	used = limit_consume(c, scratch, held + (size_t)got);
	limit_send_end();
	if (!c->dead)
		bytes_append(&c->in, scratch + used, held + (size_t)got - used);
	limit_flush(c);
	if (bytes_len(&c->out) == 0)
		bytes_free(&c->out);
	return got == LIMIT_READ;
}

static void limit_accept(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct limit_conn *c = calloc(1, sizeof(*c));
		struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};

		if (!c || epoll_ctl(relay.epoll, EPOLL_CTL_ADD, fd, &e) != 0)
			abort();
		c->fd = fd;
	}
}

static void limit_event(struct limit_conn *c, uint32_t events)
{
	if (events & EPOLLOUT)
		limit_flush(c);
	while (events & ~(uint32_t)EPOLLOUT && !c->dead && limit_read(c))
		;
	if (c->dead)
		limit_close(c);
}

static int limit_listen(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) != 0)
		exit(1);
	relay.port = ntohs(in.sin_port);
	return fd;
}

static void limit_identity(void)
{
	uint8_t part[NOISE_SIGNED_MAX];
	char text[PEER_ID_TEXT_MAX];

	identity_new(&relay.me);
	randombytes_buf(relay.static_secret, 32);
	crypto_scalarmult_curve25519_base(relay.static_public, relay.static_secret);
	noise_signed_part(part, relay.static_public);
	identity_sign(&relay.me, part, sizeof(part), relay.signature);
	peer_id_to_text(&relay.me.id, text);
	printf("  relay address: /ip4/127.0.0.1/tcp/%u/p2p/%s\n", relay.port, text);
	fflush(stdout);
}

int main(void)
{
	struct epoll_event events[LIMIT_EVENTS];
	struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
	int listener = limit_listen();

	if (sodium_init() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	load_seal_init();
	relay.epoll = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(relay.epoll, EPOLL_CTL_ADD, listener, &e);
	limit_identity();
	for (;;) {
		int count = epoll_wait(relay.epoll, events, LIMIT_EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				limit_event(events[i].data.ptr, events[i].events);
			else
				limit_accept(listener);
		}
	}
}
