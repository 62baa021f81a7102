/* SPDX-License-Identifier: MIT
 *
 * One pending STOP, shared by stop.c (its life) and stop_answer.c (its stream). Nobody else looks inside.
 */
#ifndef NETPROC_STOP_STATE_H
#define NETPROC_STOP_STATE_H

#include "netproc/list.h"
#include "netproc/message.h"
#include "netproc/stop.h"

struct stop_destination;
struct stop_group;

struct stop {
	struct list place; /* while waiting */
	struct stop_group *group;
	struct stop_destination *destination;
	struct stream *source;
	struct stream *stream;	    /* while asking */
	struct stop_handle *handle; /* its state */
	stop_done done;
	bool retried;
	struct limits_circuit circuit; /* as counted */
	uint32_t taken;		       /* bytes of the answer: credit due once the stream is a circuit */
	struct message message;
};

/* State of the stream. It stays with the stream, which may still be negotiating when the stop goes. */
struct stop_handle {
	struct stop *stop; /* NULL: gone */
};

/* Lets go of the stream, which goes on without us. */
struct stream *stop_let_go(struct stop *stop);
/* Frees what the stop holds and the stop; the count in limits stays. */
void stop_free(struct net *net, struct stop *stop);
/* No circuit: the count is given back, the source is told. The stream, if any, was let go of. */
void stop_fail(struct net *net, struct stop *stop, enum circuit_status status);
/* One that asked has ended: a place is free at the destination. */
void stop_place_left(struct net *net, struct stop_destination *destination);
/* Asks on the newest connection, and once on the next older one; the one that just failed (or NULL) is left
 * out. */
bool stop_ask(struct net *net, struct stop *stop, const struct conn *failed);

#endif
