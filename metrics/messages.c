/* SPDX-License-Identifier: MIT
 *
 * One handler for each message: checks the values, keeps them, answers. Called through imsg_receive, which
 * has checked sender, row, phase, repetition and size.
 */
#include "metrics/metrics.h"

#define ROW(type, sender, payload, phase, times, handler)                                                    \
	IMSG_ROW_OF(METRICS, type, sender, payload, phase, times, handler)

const struct imsg_row metrics_rows[] = {IMSG_TO_METRICS(ROW)};
const size_t metrics_row_count = sizeof(metrics_rows) / sizeof(metrics_rows[0]);

void metrics_tick(struct metrics *metrics, uint64_t milliseconds)
{
	metrics->now = milliseconds;
	log_tick(&metrics->log, milliseconds / 1000);
}

bool metrics_is_fresh(const struct metrics *metrics)
{
	return metrics->counted && metrics->now - metrics->counters_at < METRICS_FRESH;
}

int metrics_from_parent_conf(void *context, uint64_t id, const void *payload)
{
	struct metrics *metrics = context;
	const struct imsg_metrics_conf *conf = payload;

	(void)id;
	if (conf->log_level > LOG_LEVEL_TRACE)
		return IMSG_BREACH_VALUE;
	if (conf->zero != 0)
		return IMSG_BREACH_PADDING;
	metrics->conf = *conf;
	metrics->configured = true;
	log_init(&metrics->log, &metrics->parent, IMSG_METRICS_LOG, (enum log_level)conf->log_level);
	return IMSG_BREACH_NONE;
}

int metrics_from_parent_start(void *context, uint64_t id, const void *payload)
{
	struct metrics *metrics = context;

	(void)id;
	(void)payload;
	metrics->started = true;
	return metrics->configured ? IMSG_BREACH_NONE : IMSG_BREACH_PHASE;
}

/* An answer that does not fit is missed by the parent's watchdog, which is its business. */
int metrics_from_parent_ping(void *context, uint64_t id, const void *payload)
{
	struct metrics *metrics = context;

	if (imsg_send(&metrics->parent, IMSG_METRICS_PONG, id, payload, sizeof(struct imsg_ping)) ==
	    IMSG_ERROR)
		metrics->error = 1;
	return IMSG_BREACH_NONE;
}

int metrics_from_parent_counters(void *context, uint64_t id, const void *payload)
{
	struct metrics *metrics = context;

	(void)id;
	metrics->counters = *(const struct imsg_metrics_counters *)payload;
	metrics->counters_at = metrics->now;
	metrics->counted = true;
	metrics->changed = true;
	return IMSG_BREACH_NONE;
}
