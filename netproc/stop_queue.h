/* SPDX-License-Identifier: MIT
 *
 * CONNECTs that wait for one destination: a ring of sources, each with its own queue, taken in turn. A source
 * is an IP key, or the peer where addresses say nothing (private ones). Used by stop.c only.
 */
#ifndef NETPROC_STOP_QUEUE_H
#define NETPROC_STOP_QUEUE_H

#include "netproc/conn.h"
#include "netproc/list.h"
#include "netproc/table.h"

#define STOP_WAITING_MOST	256 /* for one destination */
#define STOP_WAITING_PER_SOURCE 32

struct stop_group {
	struct list place;   /* in the ring */
	struct list waiting; /* of struct stop, by `place` */
	uint32_t count;
	uint8_t key[32];
};

struct stop_destination {
	struct table_link link;
	uint8_t peer[32];
	uint32_t running; /* asked now */
	uint32_t waiting;
	bool taking;	  /* its queue is being taken from: not freed */
	struct list ring; /* of struct stop_group */
};

/* Made when missing; NULL without memory. */
struct stop_destination *stop_destination_get(struct net *net, const uint8_t peer[32]);
/* Frees it when nothing is left in it. */
void stop_destination_settle(struct net *net, struct stop_destination *destination);
/* The group in which the entry now waits; NULL: too many wait, or no memory. */
struct stop_group *stop_queue_append(struct net *net, struct stop_destination *destination,
				     const struct conn *source, struct list *entry);
void stop_queue_remove(struct net *net, struct stop_destination *destination, struct stop_group *group,
		       struct list *entry);
/* The entry whose turn it is, removed; NULL: none waits. */
struct list *stop_queue_shift(struct net *net, struct stop_destination *destination);

#endif
