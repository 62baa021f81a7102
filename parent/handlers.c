/* SPDX-License-Identifier: MIT
 *
 * What happens at each message of a child: one function for each row of IMSG_TO_PARENT. imsg has checked
 * sender, row, phase, repetition and size; here the values are checked. A return value other than 0 is a
 * breach and ends the daemon. */
#include <string.h>

#include "imsg/harden.h"
#include "parent/exit.h"
#include "parent/parent.h"

static bool handlers_is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return any == 0;
}

static void handlers_ready(struct parent_child *child, uint32_t layers)
{
	child->ready = true;
	child->layers = layers;
	child->table.phase = IMSG_PHASE_RUN;
}

static int parent_from_key_ready(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;
	const struct imsg_key_ready *ready = payload;

	(void)id;
	if (handlers_is_zero(ready->identity, sizeof(ready->identity)) || ready->created > 1 ||
	    ready->record_len > IMSG_RECORD_MAX)
		return IMSG_BREACH_VALUE;
	if (!handlers_is_zero(ready->record + ready->record_len, IMSG_RECORD_MAX - ready->record_len))
		return IMSG_BREACH_PADDING;
	parent->key = *ready;
	handlers_ready(&parent->child[PARENT_KEYPROC], ready->layers);
	return 0;
}

static int parent_from_net_ready(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;
	const struct imsg_net_ready *ready = payload;

	(void)id;
	if (ready->listeners != parent->listeners.count)
		return IMSG_BREACH_VALUE;
	handlers_ready(&parent->child[PARENT_NETPROC], ready->layers);
	return 0;
}

static int parent_from_metrics_ready(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;
	const struct imsg_metrics_ready *ready = payload;

	(void)id;
	if (ready->zero != 0)
		return IMSG_BREACH_PADDING;
	handlers_ready(&parent->child[PARENT_METRICS], ready->layers);
	return 0;
}

static int handlers_failed(struct parent *parent, const struct parent_child *child,
			   const struct imsg_failed *failed)
{
	if (failed->reason >= START_FAILURE_COUNT ||
	    (failed->status != EXIT_FAILED && failed->status != EXIT_SETTINGS))
		return IMSG_BREACH_VALUE;
	failure_told(parent, child, failed);
	return 0;
}

static int parent_from_key_failed(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return handlers_failed(parent, &parent->child[PARENT_KEYPROC], payload);
}

static int parent_from_net_failed(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return handlers_failed(parent, &parent->child[PARENT_NETPROC], payload);
}

static int parent_from_metrics_failed(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return handlers_failed(parent, &parent->child[PARENT_METRICS], payload);
}

/* An answer must be to a question that was asked and not yet answered. */
static int handlers_pong(struct parent_child *child, const struct imsg_ping *pong)
{
	if (pong->sequence <= child->ping_seen || pong->sequence > child->ping_sent)
		return IMSG_BREACH_VALUE;
	child->ping_seen = pong->sequence;
	child->unanswered = (uint32_t)(child->ping_sent - child->ping_seen);
	return 0;
}

static int parent_from_key_pong(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return handlers_pong(&parent->child[PARENT_KEYPROC], payload);
}

static int parent_from_net_pong(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return handlers_pong(&parent->child[PARENT_NETPROC], payload);
}

static int parent_from_metrics_pong(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return handlers_pong(&parent->child[PARENT_METRICS], payload);
}

/* Whoever waits for a report knows by this line that it is complete. */
static void handlers_report_end(struct parent *parent)
{
	if (!parent->child[PARENT_KEYPROC].asked && !parent->child[PARENT_NETPROC].asked)
		logger_line(&parent->log, LOG_LEVEL_INFO, "counters end");
}

static int parent_from_key_stats(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	if (id == PARENT_ASKED_METRICS && parent->child[PARENT_KEYPROC].asked_metrics) {
		metrics_take_key(parent, payload);
		return 0;
	}
	if (id != PARENT_ASKED_REPORT || !parent->child[PARENT_KEYPROC].asked)
		return IMSG_BREACH_PHASE;
	parent->child[PARENT_KEYPROC].asked = false;
	report_key(parent, payload);
	handlers_report_end(parent);
	return 0;
}

static int parent_from_net_stats(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	if (id == PARENT_ASKED_METRICS && parent->child[PARENT_NETPROC].asked_metrics) {
		metrics_take_net(parent, payload);
		return 0;
	}
	if (id != PARENT_ASKED_REPORT || !parent->child[PARENT_NETPROC].asked)
		return IMSG_BREACH_PHASE;
	parent->child[PARENT_NETPROC].asked = false;
	report_net(parent, payload);
	handlers_report_end(parent);
	return 0;
}

static int parent_from_net_drained(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	(void)payload;
	if (!parent->draining)
		return IMSG_BREACH_PHASE;
	parent->drained = true;
	return 0;
}

static int parent_from_key_log(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return children_log_event(&parent->children_log, &parent->log, payload, IMSG_PROCESS_KEYPROC,
				  parent_now()) == 0
		   ? 0
		   : IMSG_BREACH_VALUE;
}

static int parent_from_net_log(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return children_log_event(&parent->children_log, &parent->log, payload, IMSG_PROCESS_NETPROC,
				  parent_now()) == 0
		   ? 0
		   : IMSG_BREACH_VALUE;
}

static int parent_from_metrics_log(void *context, uint64_t id, const void *payload)
{
	struct parent *parent = context;

	(void)id;
	return children_log_event(&parent->children_log, &parent->log, payload, IMSG_PROCESS_METRICS,
				  parent_now()) == 0
		   ? 0
		   : IMSG_BREACH_VALUE;
}

static const struct imsg_row handlers_rows[] = {
#define HANDLERS_ROW(type, sender, payload, phase, times, handler)                                           \
	IMSG_ROW_OF(PARENT, type, sender, payload, phase, times, handler)
    IMSG_TO_PARENT(HANDLERS_ROW)
#undef HANDLERS_ROW
};

void handlers_init(struct parent *parent, struct parent_child *child, int fd, enum imsg_process process)
{
	child->channel = (struct imsg_channel){.fd = fd, .peer = process};
	child->table = (struct imsg_table){.rows = handlers_rows,
					   .count = sizeof(handlers_rows) / sizeof(handlers_rows[0]),
					   .context = parent,
					   .phase = IMSG_PHASE_START};
	child->open = true;
}
