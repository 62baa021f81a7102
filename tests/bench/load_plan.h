/* SPDX-License-Identifier: MIT
 *
 * What a load process is told before it is forked, and the memory that it shares with the program that
 * measures. Included by all of load*.c.
 */
#ifndef TESTS_BENCH_LOAD_PLAN_H
#define TESTS_BENCH_LOAD_PLAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/dial.h"
#include "proto/peer_id.h"

#define LOAD_PEERS_MAX	 20000
#define LOAD_SAMPLES_MAX 200000
#define LOAD_LIGHT	 64 /* bytes of a light circuit's message */

enum load_role { LOAD_SOURCE, LOAD_DESTINATION };

enum load_traffic {
	LOAD_NONE,	    /* connections that stay idle */
	LOAD_BULK,	    /* frames of `write` bytes, as fast as goes or at `rate` */
	LOAD_LIGHT_CIRCUIT, /* the source sends 64 bytes and waits for them; the destination echoes */
	LOAD_CONNECTS,	    /* the source opens circuits one after another and ends each at once */
};

struct load_plan {
	struct dial_address relay;
	struct peer_id relay_id;
	int core;
	enum load_role role;
	enum load_traffic traffic;
	bool identify;	       /* ask for it on arrival */
	bool reserve;	       /* ask for a reservation on arrival */
	bool connect;	       /* a circuit to the destination of the same number */
	bool churn;	       /* leave when all this is done, and come again as somebody else */
	uint32_t peers;	       /* connections at most */
	uint32_t first;	       /* number of the first: identities come from numbers */
	uint32_t at_once;      /* arrivals in progress at once */
	uint32_t write;	       /* payload bytes of a frame */
	uint64_t rate;	       /* payload bytes a second of this process; 0: as fast as goes */
	uint32_t window;       /* what a reader of bulk allows */
	bool both_ways;	       /* every circuit carries bulk both ways; else odd ones carry it back */
	uint32_t pause_us;     /* a light circuit waits so long between messages */
	uint32_t spread;       /* CONNECTs go to so many destinations in turn */
	uint32_t spread_first; /* of which this is the first */
	uint32_t stall;	       /* soak: one reader in so many stops now and then; 0: none */
};

enum load_phase { LOAD_ARRIVE, LOAD_RUN, LOAD_STOP };

struct load_shared {
	_Atomic uint32_t phase;
	_Atomic uint32_t wanted; /* connections that are to be there */
	_Atomic uint32_t ready;	 /* arrived, and circuits open where there are to be some */
	_Atomic uint32_t failed;
	_Atomic uint64_t done; /* arrivals with churn, circuits with LOAD_CONNECTS, echoes */
	_Atomic uint64_t received;
	_Atomic uint64_t sent;
	_Atomic uint32_t samples;
	char why[160];				  /* of the first failure */
	uint32_t sample[LOAD_SAMPLES_MAX];	  /* nanoseconds of a round trip */
	_Atomic uint64_t circuit[LOAD_PEERS_MAX]; /* payload bytes received, by number */
};

#endif
