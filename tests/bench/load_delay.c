/* SPDX-License-Identifier: MIT */
#include "tests/bench/load_delay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load_meter.h"

#define DELAY_PIPES_MAX 64 /* one for each direction */
#define DELAY_CHUNK	65536
#define DELAY_LISTEN	16

struct delay_chunk {
	struct delay_chunk *next;
	uint64_t at; /* when it may go on */
	size_t start;
	size_t end;
	uint8_t bytes[DELAY_CHUNK];
};

/* One direction of one connection. */
struct delay_pipe {
	int from;
	int to;
	bool ended;
	struct delay_chunk *first;
	struct delay_chunk *last;
};

struct delay_path {
	int listener;
	struct dial_address onwards;
	uint64_t delay; /* nanoseconds */
	size_t count;
	struct delay_pipe pipe[DELAY_PIPES_MAX];
	struct delay_chunk *spare;
};

static struct delay_chunk *delay_chunk_take(struct delay_path *d)
{
	struct delay_chunk *c = d->spare ? d->spare : malloc(sizeof(*c));

	if (!c)
		_exit(1);
	if (d->spare)
		d->spare = c->next;
	c->next = NULL;
	return c;
}

/* Reads what is there; each piece is stamped with when it may go on. */
static void delay_read(struct delay_path *d, struct delay_pipe *p)
{
	for (int i = 0; i < 16; i++) {
		struct delay_chunk *c = delay_chunk_take(d);
		ssize_t got = read(p->from, c->bytes, sizeof(c->bytes));

		if (got <= 0) {
			c->next = d->spare;
			d->spare = c;
			if (got == 0 || (errno != EAGAIN && errno != EINTR))
				p->ended = true;
			return;
		}
		c->at = load_now() + d->delay;
		c->start = 0;
		c->end = (size_t)got;
		if (p->last)
			p->last->next = c;
		else
			p->first = c;
		p->last = c;
	}
}

static void delay_write(struct delay_path *d, struct delay_pipe *p)
{
	uint64_t now = load_now();

	while (p->first && p->first->at <= now) {
		struct delay_chunk *c = p->first;
		ssize_t put = write(p->to, c->bytes + c->start, c->end - c->start);

		if (put < 0 && errno != EAGAIN && errno != EINTR)
			p->ended = true;
		if (put < 0)
			return;
		c->start += (size_t)put;
		if (c->start < c->end)
			return;
		p->first = c->next;
		if (!p->first)
			p->last = NULL;
		c->next = d->spare;
		d->spare = c;
	}
}

static void delay_accept(struct delay_path *d)
{
	int one = 1;
	int from = accept4(d->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int to = from >= 0 ? dial_connect(&d->onwards, 1000) : -1;

	if (to < 0 || d->count + 2 > DELAY_PIPES_MAX) {
		close(from);
		return;
	}
	setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	d->pipe[d->count++] = (struct delay_pipe){.from = from, .to = to};
	d->pipe[d->count++] = (struct delay_pipe){.from = to, .to = from};
}

/* How long until a piece is due: what has waited for its time. A piece that waits for the socket is left to
 * poll. */
static struct timespec delay_next(const struct delay_path *d)
{
	uint64_t now = load_now();
	uint64_t wait = 100000000;

	for (size_t i = 0; i < d->count; i++) {
		const struct delay_chunk *c = d->pipe[i].first;

		if (c && c->at > now && c->at - now < wait)
			wait = c->at - now;
	}
	return (struct timespec){.tv_nsec = (long)wait};
}

static void delay_turn(struct delay_path *d)
{
	struct pollfd poll_for[1 + 2 * DELAY_PIPES_MAX];
	struct timespec wait = delay_next(d);
	uint64_t now = load_now();
	nfds_t count = 1;

	poll_for[0] = (struct pollfd){.fd = d->listener, .events = POLLIN};
	for (size_t i = 0; i < d->count; i++) {
		struct delay_pipe *p = &d->pipe[i];
		bool due = p->first && p->first->at <= now;

		poll_for[count++] = (struct pollfd){.fd = p->ended ? -1 : p->from, .events = POLLIN};
		poll_for[count++] = (struct pollfd){.fd = due ? p->to : -1, .events = POLLOUT};
	}
	ppoll(poll_for, count, &wait, NULL);
	for (size_t i = 0; i < d->count; i++) {
		if (!d->pipe[i].ended)
			delay_read(d, &d->pipe[i]);
		delay_write(d, &d->pipe[i]);
	}
	if (poll_for[0].revents)
		delay_accept(d);
}

static int delay_listen(struct dial_address *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 || listen(fd, DELAY_LISTEN) != 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) != 0) {
		perror("delay");
		exit(1);
	}
	dial_loopback(address, ntohs(in.sin_port));
	return fd;
}

struct load_delay load_delay_start(const struct dial_address *onwards, unsigned one_way_ms, int core)
{
	static struct delay_path path;
	struct load_delay d;

	path = (struct delay_path){.onwards = *onwards, .delay = one_way_ms * 1000000ull};
	path.listener = delay_listen(&d.address);
	fflush(NULL);
	d.pid = fork();
	if (d.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		load_pin(0, core);
		for (;;)
			delay_turn(&path);
	}
	close(path.listener);
	return d;
}

void load_delay_stop(struct load_delay *d)
{
	if (d->pid <= 0)
		return;
	kill(d->pid, SIGKILL);
	waitpid(d->pid, NULL, 0);
	d->pid = 0;
}
