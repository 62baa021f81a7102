/* SPDX-License-Identifier: MIT
 *
 * Asks a destination whether it takes a circuit. A few are asked at once, the rest waits, fairly by source.
 * Called by hop only, with a destination that it has counted in limits; from then on the count is this file's
 * until the answer. libp2p specs, relay/circuit-v2.md.
 */
#ifndef NETPROC_STOP_H
#define NETPROC_STOP_H

#include "netproc/limits.h"
#include "netproc/relay.h"

struct stop;

/* The answer, once. CIRCUIT_OK: `destination` is the STOP stream, let go of here, `early` what came behind
 * the answer (the caller clears it), and the count in limits is the caller's. Any other: it is given back
 * already, and `destination` is NULL. */
typedef void (*stop_done)(struct stream *source, enum circuit_status status, struct stream *destination,
			  struct queue *early);

/* `source` is the stream of the CONNECT; its owner cancels before it goes. NULL: refused with `status`,
 * nothing is pending. */
struct stop *stop_begin(struct stream *source, const struct limits_circuit *circuit, stop_done done,
			enum circuit_status *status);
/* The source is gone or the time is over: no answer comes any more. */
void stop_cancel(struct stop *stop, enum close_reason reason);
/* The limit that goes into every message of a circuit; absent when there is none (go marks the connection
 * otherwise). */
struct circuit_limit stop_limit(const struct net *net);

#endif
