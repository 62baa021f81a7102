/* SPDX-License-Identifier: MIT
 *
 * The state of the process and the handlers of its messages (the rows of IMSG_TO_METRICS name them). Called
 * by main.c and by tests that play the parent. Trusts the parent's intentions but not its bytes; whoever
 * connects to the page not at all.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/imsg.h"
#include "imsg/log.h"

#define METRICS_FRESH 10000 /* milliseconds for which counters are news */

struct metrics_http;

struct metrics {
	struct imsg_channel parent;
	struct imsg_table table;
	struct log_sink log;
	struct imsg_metrics_conf conf;
	bool configured;
	bool started; /* METRICS_START has come */
	int error;    /* of the channel; not 0 ends the process */
	struct imsg_metrics_counters counters;
	bool counted;	      /* counters have come at all */
	bool changed;	      /* since the page was made */
	uint64_t now;	      /* milliseconds of the monotonic clock, as told by metrics_tick */
	uint64_t counters_at; /* when the last ones came */
	struct metrics_http *http;
};

extern const struct imsg_row metrics_rows[];
extern const size_t metrics_row_count;

/* Tells the time in. */
void metrics_tick(struct metrics *metrics, uint64_t milliseconds);
/* True while the counters are young enough to speak for the daemon. */
bool metrics_is_fresh(const struct metrics *metrics);

#define METRICS_HANDLER(type, sender, payload, phase, times, handler)                                        \
	int handler(void *context, uint64_t id, const void *payload_bytes);
IMSG_TO_METRICS(METRICS_HANDLER)
#undef METRICS_HANDLER

#endif
