/* SPDX-License-Identifier: MIT
 *
 * One connection of a load process: dials, shakes hands, asks for identify, a reservation, a circuit, as the
 * plan says, then carries the plan's traffic. Made of probe's event driven pieces. Called by load_worker.c.
 */
#ifndef TESTS_BENCH_LOAD_PEER_H
#define TESTS_BENCH_LOAD_PEER_H

#include "probe/exchange.h"
#include "probe/identity.h"
#include "probe/session.h"
#include "tests/bench/load_plan.h"
#include "tests/bench/load_wire.h"

enum load_step {
	LOAD_STEP_NONE,
	LOAD_STEP_DIAL,
	LOAD_STEP_SESSION,
	LOAD_STEP_IDENTIFY,
	LOAD_STEP_RESERVE,
	LOAD_STEP_CONNECT,
	LOAD_STEP_READY,
	LOAD_STEP_OVER
};

struct load_worker;

struct load_peer {
	struct load_worker *worker;
	int fd;
	uint32_t number; /* place in the worker */
	uint32_t who;	 /* number of the identity */
	enum load_step step;
	bool sends; /* bulk */
	bool stalled;
	struct identity me;
	struct session session;
	struct exchange x;     /* the request under way, then the source's circuit */
	struct exchange *stop; /* at a destination: the stream that the relay opened last */
	struct load_wire wire;
	uint64_t asked_at; /* a light circuit's message */
	uint32_t answered; /* bytes of it that came back */
};

void load_identity(struct identity *me, enum load_role role, uint32_t number);
/* Begins to arrive as identity `who`. */
void load_peer_begin(struct load_peer *p, uint32_t who);
/* What epoll said. */
void load_peer_event(struct load_peer *p, uint32_t events);
/* Sends what waits. */
void load_peer_flush(struct load_peer *p);
/* Bulk: writes as much as window and socket take. */
void load_peer_pump(struct load_peer *p);
/* Closes and forgets. */
void load_peer_end(struct load_peer *p);

/* load_light.c: the traffic of light circuits. */
void load_light_begin(struct load_peer *p);
void load_light_ask(struct load_peer *p);

#endif
