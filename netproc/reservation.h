/* SPDX-License-Identifier: MIT
 *
 * The registry of reservations: which peers can be reached, and on which of their connections. Called by hop
 * (grants), stop (finds) and through relay.h by rendezvous. Entries end by time or with their connection,
 * told by the hook conn_closed; circuits outlive them.
 */
#ifndef NETPROC_RESERVATION_H
#define NETPROC_RESERVATION_H

#include "netproc/relay.h"
#include "netproc/table.h"

/* State of the relay: what net->relay points to. */
struct relay {
	struct table reservations; /* by peer */
	struct table stops;	   /* by destination: stop.c */
	void *circuits;		   /* circuit.c */
	bool told_private;	   /* an operator was told about private addresses in reservations */
};

enum reservation_result { RESERVATION_NEW, RESERVATION_RENEWED, RESERVATION_REFUSED };

/* The peer of this connection is reachable on it for settings.reservation_ttl from now, which is what it is
 * told, and a quarter of that longer, at most a quarter of an hour: its clock may be slow. A holder is never
 * refused: with too many connections the one that reserved longest ago gives way. A refusal is counted by its
 * reason. */
enum reservation_result reservation_grant(struct conn *conn);

#endif
