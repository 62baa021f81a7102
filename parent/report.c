/* SPDX-License-Identifier: MIT
 *
 * The counters as log lines, at SIGUSR1 and when a child has died: one line for each that is not 0, in the
 * form that the metrics page has too. Called by handlers.c. The numbers are the children's word and nothing
 * else depends on them. */
#include <inttypes.h>

#include "imsg/counters.h"
#include "parent/parent.h"

static void report_counter(struct logger *log, const struct counter_row *row, uint64_t value)
{
	if (value == 0)
		return;
	if (row->labels[0] != '\0')
		logger_line(log, LOG_LEVEL_INFO, "counter %s{%s} %" PRIu64, row->metric, row->labels, value);
	else
		logger_line(log, LOG_LEVEL_INFO, "counter %s %" PRIu64, row->metric, value);
}

void report_net(struct parent *parent, const struct imsg_net_stats *stats)
{
	for (size_t i = 0; i < NET_COUNTER_COUNT; i++)
		report_counter(&parent->log, &net_counter_rows[i], stats->counter[i]);
	for (size_t i = 0; i < CLOSE_REASON_COUNT; i++) {
		if (stats->closed[i] > 0)
			logger_line(&parent->log, LOG_LEVEL_INFO,
				    "counter dusk_relay_closed_total{reason=\"%s\"} %" PRIu64,
				    close_reason_text((enum close_reason)i), stats->closed[i]);
	}
}

void report_key(struct parent *parent, const struct imsg_key_stats *stats)
{
	for (size_t i = 0; i < KEY_COUNTER_COUNT; i++)
		report_counter(&parent->log, &key_counter_rows[i], stats->counter[i]);
}
