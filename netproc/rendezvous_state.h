/* SPDX-License-Identifier: MIT
 *
 * What the files of rendezvous share: the whole's state, and what register and discover offer to the stream
 * state machine in rendezvous_work.c. Included by those only, and by their tests.
 */
#ifndef NETPROC_RENDEZVOUS_STATE_H
#define NETPROC_RENDEZVOUS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netproc/list.h"
#include "netproc/rendezvous_store.h"
#include "netproc/table.h"
#include "proto/envelope.h"
#include "proto/rendezvous_message.h"

#define RENDEZVOUS_SHORT_ANSWER	 64		      /* bytes that every answer but a DISCOVER's fits in */
#define RENDEZVOUS_ANSWERS_MOST	 8		      /* in progress on one connection; the rest waits */
#define RENDEZVOUS_RESULTS_MOST	 1000		      /* registrations of one answer */
#define RENDEZVOUS_ANSWER_BYTES	 (512 * 1024)	      /* of one answer, all included */
#define RENDEZVOUS_ANSWER_FRAME	 512		      /* of those, kept for all but the registrations */
#define RENDEZVOUS_CHECKS_A_TURN 8		      /* signatures verified: 50 us each */
#define RENDEZVOUS_FOUND_A_TURN	 4096		      /* registrations found for answers: 0.1 us each */
#define RENDEZVOUS_FOUND_LEAST	 16		      /* of those, what an answer costs that finds nothing */
#define RENDEZVOUS_CHUNK	 16384		      /* bytes encoded at once */
#define RENDEZVOUS_PIECE_MOST	 (ENVELOPE_MAX + 512) /* bytes of one registration in an answer */

struct conn;
struct net;
struct rendezvous_reply;
struct stream;

struct rendezvous {
	struct rendezvous_store store;
	struct table lines;    /* connections with DISCOVERs in progress */
	struct list unchecked; /* connections with a REGISTER that waits to be verified, in turn */
	struct list hungry;    /* lines with an answer that waits only for the next turn of the loop */
	unsigned checks;       /* left in this turn of the loop */
	unsigned found_left;   /* the same of registrations found for answers */
	bool turns;	       /* the loop gives turns: both are counted */
	uint8_t cookie_key[16];
	/* Scratch of one call, here since it is too large for a stack that is cleared on each. */
	struct rendezvous_entry *found[RENDEZVOUS_RESULTS_MOST];
	uint8_t chunk[RENDEZVOUS_CHUNK + 2 * RENDEZVOUS_PIECE_MOST];
};

/* --- rendezvous_register.c --- */

/* The whole of a REGISTER but its answer; on RENDEZVOUS_OK `ttl` is what was granted. */
enum rendezvous_status rendezvous_register(struct conn *conn, const struct rendezvous_request *q,
					   uint64_t *ttl);
/* True when it needs its signature verified and this turn of the loop has no more for that. */
bool rendezvous_register_must_wait(const struct conn *conn, const struct rendezvous_request *q);
void rendezvous_unregister(struct conn *conn, const struct rendezvous_request *q);
/* True for a namespace of at most 255 bytes of UTF-8. */
bool rendezvous_namespace_valid(struct span ns);

/* --- rendezvous_discover.c --- */

/* Told when an answer was written whole and is gone, by rendezvous_replies_go_on only. */
typedef void (*rendezvous_answered)(struct stream *stream);

enum rendezvous_progress {
	RENDEZVOUS_REPLY_WAITS, /* for its turn or for room */
	RENDEZVOUS_REPLY_DONE,	/* written whole, and gone */
	RENDEZVOUS_REPLY_FAILED /* out of memory: the caller resets the stream */
};

/* What is not refused is RENDEZVOUS_OK and has `reply` set, which waits for its turn. */
enum rendezvous_status rendezvous_discover(struct stream *stream, const struct rendezvous_request *q,
					   rendezvous_answered answered, struct rendezvous_reply **reply);
/* Gives turns to the answers that wait on this connection. Streams may end meanwhile. */
void rendezvous_replies_go_on(struct conn *conn);
/* One answer each of the lines that wait for a turn of the loop, round by round, while there is work left in
 * it. True: more wait. */
bool rendezvous_replies_turn(struct rendezvous *rendezvous);
/* Writes what there is room for. */
enum rendezvous_progress rendezvous_reply_write(struct rendezvous_reply *reply);
/* Bytes of the pool that it holds. */
size_t rendezvous_reply_held(const struct rendezvous_reply *reply);
/* The stream is gone. */
void rendezvous_reply_drop(struct rendezvous_reply *reply);

#endif
