/* SPDX-License-Identifier: MIT */
#include "tests/bench/load_peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "probe/accept_stop.h"
#include "probe/ask_relay.h"
#include "proto/identify_message.h"
#include "tests/bench/load_worker.h"

#define PEER_READ    (256 * 1024)
#define PEER_PENDING (128 * 1024) /* sealed and unsent above which bulk waits for the socket */
#define PEER_SOURCES 50		  /* addresses that connections come from: 127.0.0.2 and up */

void load_identity(struct identity *me, enum load_role role, uint32_t number)
{
	uint8_t seed[32] = {0};

	seed[0] = (uint8_t)(1 + role);
	memcpy(seed + 4, &number, sizeof(number));
	identity_from_seed(me, seed);
}

/* --- streams that the relay opens
 * ---------------------------------------------------------------------------------------- */

static void peer_incoming(void *owner, struct mux_stream *stream)
{
	struct load_peer *p = owner;
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	exchange_accept(x, stream, CIRCUIT_STOP_PROTOCOL);
	x->user = p;
	if (p->worker->plan.role == LOAD_DESTINATION && !p->stop) {
		p->stop = x;
		return;
	}
	/* One at a time is looked at; others are answered `na` and left to the session's end. */
	x->protocol = "/none";
}

static const struct mux_events peer_events = {.incoming = peer_incoming};

static void peer_drop_stop(struct load_peer *p)
{
	exchange_close(p->stop);
	free(p->stop);
	p->stop = NULL;
}

static void peer_fail(struct load_peer *p, const char *why)
{
	load_worker_failed(p->worker, p, why);
	p->step = LOAD_STEP_OVER;
}

/* A circuit stands: the plan's traffic may begin. */
static void peer_circuit(struct load_peer *p, struct exchange *x)
{
	const struct load_plan *plan = &p->worker->plan;
	bool back = plan->role == LOAD_DESTINATION;

	if (plan->traffic == LOAD_LIGHT_CIRCUIT) {
		load_light_begin(p);
	} else if (plan->traffic == LOAD_BULK) {
		p->sends = plan->both_ways || (p->number % 2 == 1) == back;
		if (!load_wire_begin(&p->wire, &p->session, x->stream, plan->window))
			peer_fail(p, "the circuit began in the middle of a frame");
	}
}

static void peer_answer_stop(struct load_peer *p)
{
	struct stop_request request;
	int found;

	if (!p->stop || p->stop->user == NULL)
		return;
	if (exchange_over(p->stop)) {
		peer_drop_stop(p);
		return;
	}
	found = p->wire.active ? 0 : accept_stop_read(p->stop, &request);
	if (found == 0)
		return;
	if (found < 0) {
		peer_drop_stop(p);
		return;
	}
	accept_stop_answer(p->stop, CIRCUIT_OK);
	if (p->worker->plan.traffic != LOAD_CONNECTS)
		p->stop->user = NULL; /* answered: traffic from now on */
	peer_circuit(p, p->stop);
	if (p->worker->plan.traffic == LOAD_BULK || p->worker->plan.traffic == LOAD_LIGHT_CIRCUIT)
		load_worker_circuit(p->worker);
}

/* --- arriving
 * ------------------------------------------------------------------------------------------------------------
 */

static void peer_ask(struct load_peer *p, enum load_step step, const char *protocol)
{
	p->step = step;
	if (exchange_open(&p->x, &p->session.mux, protocol) != 0)
		peer_fail(p, "the session is over");
}

static void peer_ask_connect(struct load_peer *p)
{
	struct identity other;
	uint32_t to = p->who;

	if (p->worker->plan.traffic == LOAD_CONNECTS)
		to = load_worker_next_destination(p->worker);
	load_identity(&other, LOAD_DESTINATION, to);
	peer_ask(p, LOAD_STEP_CONNECT, CIRCUIT_HOP_PROTOCOL);
	if (p->step == LOAD_STEP_CONNECT)
		ask_relay_send_connect(&p->x, &other.id);
}

/* The step behind the one that is done. */
static void peer_next(struct load_peer *p)
{
	const struct load_plan *plan = &p->worker->plan;

	if (plan->identify && p->step < LOAD_STEP_IDENTIFY) {
		peer_ask(p, LOAD_STEP_IDENTIFY, IDENTIFY_PROTOCOL);
		exchange_finish(&p->x);
	} else if (plan->reserve && p->step < LOAD_STEP_RESERVE) {
		peer_ask(p, LOAD_STEP_RESERVE, CIRCUIT_HOP_PROTOCOL);
		if (p->step == LOAD_STEP_RESERVE)
			ask_relay_send_reserve(&p->x);
		exchange_finish(&p->x);
	} else if (plan->connect && p->step < LOAD_STEP_CONNECT) {
		peer_ask_connect(p);
	} else {
		p->step = LOAD_STEP_READY;
		load_worker_arrived(p->worker, p);
	}
}

static void peer_step_request(struct load_peer *p)
{
	struct relay_answer answer;
	int result = 1;

	if (p->step == LOAD_STEP_IDENTIFY) {
		if (!exchange_over(&p->x))
			return;
		result = p->x.finished && bytes_len(&p->x.inbox) > 0 ? 1 : -1;
	} else {
		result = ask_relay_read(&p->x, &answer);
		if (result > 0 && answer.status != CIRCUIT_OK) {
			peer_fail(p, circuit_status_name(answer.status));
			return;
		}
	}
	if (result < 0)
		peer_fail(p, p->step == LOAD_STEP_IDENTIFY ? "identify was not answered"
							   : "the relay did not answer a request");
	if (result <= 0)
		return;
	if (p->step == LOAD_STEP_CONNECT) {
		peer_circuit(p, &p->x);
	} else {
		exchange_finish(&p->x);
		exchange_close(&p->x);
	}
	if (p->step != LOAD_STEP_OVER)
		peer_next(p);
}

/* LOAD_CONNECTS: the circuit that came is ended, and the next asked for. */
static void peer_connect_again(struct load_peer *p)
{
	exchange_reset(&p->x);
	exchange_close(&p->x);
	atomic_fetch_add(&p->worker->shared->done, 1);
	peer_ask_connect(p);
}

static void peer_step(struct load_peer *p)
{
	if (p->session.phase == SESSION_FAILED) {
		peer_fail(p, p->session.failure);
		return;
	}
	if (p->step == LOAD_STEP_SESSION && p->session.phase == SESSION_OPEN)
		peer_next(p);
	if (p->step == LOAD_STEP_IDENTIFY || p->step == LOAD_STEP_RESERVE || p->step == LOAD_STEP_CONNECT)
		peer_step_request(p);
	if (p->step == LOAD_STEP_READY && p->worker->plan.traffic == LOAD_CONNECTS &&
	    p->worker->plan.connect && p->worker->running)
		peer_connect_again(p);
	if (p->worker->plan.role == LOAD_DESTINATION && p->step == LOAD_STEP_READY)
		peer_answer_stop(p);
}

/* --- the socket
 * ----------------------------------------------------------------------------------------------------------
 */

static int peer_dial(struct load_peer *p)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	const struct dial_address *to = &p->worker->plan.relay;
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + p->who % PEER_SOURCES);
	if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
	    (connect(fd, (const struct sockaddr *)&to->address, to->len) == 0 || errno == EINPROGRESS))
		return fd;
	close(fd);
	return -1;
}

void load_peer_begin(struct load_peer *p, uint32_t who)
{
	struct session_options options = {.identity = &p->me, .expected = &p->worker->plan.relay_id};
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = p};

	p->who = who;
	p->sends = p->stalled = false;
	p->step = LOAD_STEP_SESSION;
	p->stop = NULL;
	memset(&p->x, 0, sizeof(p->x));
	memset(&p->wire, 0, sizeof(p->wire));
	load_identity(&p->me, p->worker->plan.role, who);
	session_start(&p->session, &options, &peer_events, p);
	p->fd = peer_dial(p);
	if (p->fd < 0 || epoll_ctl(p->worker->epoll, EPOLL_CTL_ADD, p->fd, &e) != 0)
		peer_fail(p, strerror(errno));
}

void load_peer_flush(struct load_peer *p)
{
	if (p->step != LOAD_STEP_OVER && session_write(&p->session, p->fd) < 0)
		peer_fail(p, p->session.failure);
}

static bool peer_read(struct load_peer *p)
{
	static uint8_t scratch[PEER_READ];
	ssize_t got = read(p->fd, scratch, sizeof(scratch));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		session_end(&p->session, got == 0 ? "the relay closed the connection" : strerror(errno));
		return false;
	}
	if (!p->wire.active) {
		session_input(&p->session, scratch, (size_t)got);
	} else {
		uint64_t before = p->wire.received;

		load_wire_input(&p->wire, &p->session, scratch, (size_t)got);
		load_worker_received(p->worker, p, p->wire.received - before);
	}
	return got == (ssize_t)sizeof(scratch) && !p->stalled;
}

void load_peer_pump(struct load_peer *p)
{
	uint32_t len = p->worker->plan.write;
	uint64_t before = p->wire.sent;

	while (p->step == LOAD_STEP_READY) {
		while (bytes_len(&p->session.out) < PEER_PENDING &&
		       load_wire_send(&p->wire, &p->session, len))
			;
		if (session_pending(&p->session) == 0)
			break;
		load_peer_flush(p);
		if (bytes_len(&p->session.out) > 0)
			break;
	}
	atomic_fetch_add_explicit(&p->worker->shared->sent, p->wire.sent - before, memory_order_relaxed);
}

void load_peer_event(struct load_peer *p, uint32_t events)
{
	bool more = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !p->stalled;

	while (more && p->step != LOAD_STEP_OVER) {
		more = peer_read(p);
		peer_step(p);
	}
	if (p->step == LOAD_STEP_OVER)
		return;
	if (p->sends && p->worker->running && p->worker->plan.rate == 0)
		load_peer_pump(p);
	if (p->step != LOAD_STEP_OVER)
		load_peer_flush(p);
}

void load_peer_end(struct load_peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->step = LOAD_STEP_NONE;
	bytes_free(&p->x.inbox);
	if (p->stop) {
		bytes_free(&p->stop->inbox);
		free(p->stop);
	}
	p->stop = NULL;
	session_free(&p->session);
}
