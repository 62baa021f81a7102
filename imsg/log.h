/* SPDX-License-Identifier: MIT
 *
 * A child's side of logging: typed events over the channel to the parent, never text on a descriptor. Used by
 * keyproc and netproc. A full channel drops the event and counts it. Warnings have budgets of their own that
 * neither a flood of info nor one of other warnings can use, and a few wait for a full channel.
 */
#ifndef IMSG_LOG_H
#define IMSG_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "imsg/catalogue.h"
#include "imsg/imsg.h"

#define LOG_EVENTS_PER_SECOND	500 /* of INFO and below */
#define LOG_WARNINGS_PER_SECOND 50  /* of WARN and above, alike in event and limit */
#define LOG_WARNING_KINDS	16  /* budgets that these share */
#define LOG_WARNINGS_KEPT	8   /* waiting for room in the channel */

struct log_sink {
	struct imsg_channel *parent;
	enum imsg_type type; /* IMSG_KEY_LOG or IMSG_NET_LOG */
	enum log_level
	    level; /* events above it are not sent (the parent says which in a setting of its own) */
	uint64_t dropped;
	uint32_t budget;		      /* events of INFO and below left in this second */
	uint32_t warnings[LOG_WARNING_KINDS]; /* events of WARN and above left in this second */
	uint64_t second;		      /* of the monotonic clock, as told by log_tick */
	uint32_t kept_count;
	struct imsg_log kept[LOG_WARNINGS_KEPT]; /* oldest first */
};

struct log_peer {
	const uint8_t *bytes;
	size_t len;
};

void log_init(struct log_sink *sink, struct imsg_channel *parent, enum imsg_type type, enum log_level level);
/* Told the monotonic second by the loop: refills the budgets, sends what was kept. */
void log_tick(struct log_sink *sink, uint64_t second);
/* Sends one event. Peers and text may be NULL; longer ones than the row holds are cut. */
void log_event(struct log_sink *sink, enum log_event event, const struct log_peer *peer,
	       const struct log_peer *peer2, uint64_t n, uint64_t n2, uint64_t n3, const void *text,
	       size_t text_len);

#endif
