/* SPDX-License-Identifier: MIT
 *
 * State of a yamux session inside struct conn: plain data, so that an idle connection stays under 1 KiB. Only
 * yamux*.c look inside.
 */
#ifndef NETPROC_YAMUX_SESSION_H
#define NETPROC_YAMUX_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "netproc/list.h"
#include "netproc/pool.h"

struct stream;

struct yamux_session {
	struct stream *
	    *streams; /* by id: open addressing, a power of two of places, NULL until the first stream */
	uint32_t places;
	uint32_t count;
	uint32_t next_local;   /* next id of ours: even */
	uint32_t frame_left;   /* payload of the current data frame still to come */
	uint32_t frame_stream; /* its stream; 0: drained */
	uint32_t frame_id;     /* the same, also when drained */
	uint16_t frame_flags;  /* flags to act on when the frame has ended */
	uint8_t partial_len;
	uint8_t partial[12]; /* an unfinished header */
	uint8_t pongs;	     /* waiting in control */
	bool ping_out : 1;   /* our own ping waits for its answer */
	uint32_t ping_value;
	uint64_t ping_sent;	/* net_microseconds */
	uint32_t budget_second; /* buckets refill by this */
	uint16_t budget_pings;
	uint32_t budget_opens;
	uint32_t budget_frames;
	uint32_t mixer;	      /* odd, secret: where an id stands in `streams`; 0 until the first stream */
	struct queue control; /* frames without payload that wait to be sealed */
	struct list light;    /* streams with queued payload, in turn */
	struct list bulk;
	uint8_t counted[4]; /* live inbound streams of protocols with a limit of their own */
};

#endif
