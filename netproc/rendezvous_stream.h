/* SPDX-License-Identifier: MIT
 *
 * One stream of rendezvous. rendezvous.c hears of it from the muxer, rendezvous_work.c takes its requests one
 * after the other. Included by those two only. What comes in is a stranger's.
 */
#ifndef NETPROC_RENDEZVOUS_STREAM_H
#define NETPROC_RENDEZVOUS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netproc/list.h"
#include "netproc/message.h"
#include "netproc/pool.h"
#include "netproc/rendezvous_state.h"
#include "netproc/stream.h"

#define RENDEZVOUS_REQUEST_MS 30000  /* from the first to the last byte of a request */
#define RENDEZVOUS_IDLE_MS    300000 /* between requests: canvas keeps one stream for all of them */
#define RENDEZVOUS_ANSWER_MS  60000  /* of an answer without progress */
#define RENDEZVOUS_LINGER_MS  10000  /* for the peer to finish after we did */

struct rendezvous_stream {
	struct stream *stream;
	struct message message;
	struct queue early;		/* of further requests, while one is being answered */
	struct rendezvous_reply *reply; /* to the DISCOVER that waits or is being answered */
	struct pool_buffer *unchecked;	/* a REGISTER that waits for its turn to be verified */
	struct list check;		/* among those of its connection */
	bool blocked;			/* no room for even a short answer */
	bool working; /* inside rendezvous_work: who comes in meanwhile leaves the rest to it */
	bool remote_finished;
	bool finished; /* by us */
	uint8_t lingered;
};

/* True while a request is not answered yet: the next one waits. */
bool rendezvous_busy(const struct rendezvous_stream *state);
/* Ends our direction. The stream may be gone. */
void rendezvous_stream_finish(struct rendezvous_stream *state);
/* Works on what waits, then on `bytes`. The stream may be gone. */
void rendezvous_work(struct rendezvous_stream *state, const uint8_t *bytes, size_t len);
/* The peer will ask no more: finishes as soon as all is answered. The stream may be gone. */
void rendezvous_settle(struct rendezvous_stream *state);
/* The answer to a DISCOVER is written. */
void rendezvous_work_answered(struct stream *stream);
/* Verifies the REGISTER that waited. */
void rendezvous_work_checked(struct rendezvous_stream *state);

#endif
