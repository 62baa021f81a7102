/* SPDX-License-Identifier: MIT
 *
 * The listener's side of multistream-select, the same for connections and streams. Called by
 * upgrade and negotiate. Lines are a stranger's: at most 1024 bytes each, at most SELECTION_ROUNDS refused
 * ones. What lies behind the accepted line is left to the caller, since the peer may have sent the next
 * layer's bytes along with it.
 */
#ifndef NETPROC_SELECTION_H
#define NETPROC_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/reasons.h"
#include "netproc/pool.h"
#include "proto/buf.h"
#include "proto/multistream.h"

#define SELECTION_ROUNDS     16
#define SELECTION_ANSWER_MAX (MULTISTREAM_LINE_MAX + 256) /* bytes that one call may write */

struct net;

struct selection {
	bool header_seen;
	uint8_t rounds;		  /* refused proposals so far */
	struct pool_buffer *line; /* an unfinished line, or NULL */
};

enum selection_result { SELECTION_MORE, SELECTION_ACCEPTED, SELECTION_FAILED };

/* Takes bytes from the front, all of them unless a proposal is accepted before. `accepts` says whether it
 * knows a proposal; answers are written to `answer` (SELECTION_ANSWER_MAX bytes), to be sent whatever the
 * result. SELECTION_FAILED sets `reason`. */
enum selection_result selection_input(struct net *net, struct selection *selection, const uint8_t *bytes,
				      size_t len, size_t *used,
				      bool (*accepts)(void *context, struct span proposal), void *context,
				      struct writer *answer, enum close_reason *reason);
void selection_free(struct net *net, struct selection *selection);

#endif
