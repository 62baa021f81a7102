/* SPDX-License-Identifier: MIT
 *
 * The shared lists as tables: reasons, counters, settings, events, start failures.
 * Called by every process and by tests and generators of documents. Trusts its callers, but
 * net_settings_check not its argument.
 */
#include <stddef.h>

#include "imsg/catalogue.h"

static const char *const close_reason_texts[CLOSE_REASON_COUNT] = {
#define REASON_TEXT(name, text) [CLOSE_##name] = text,
    CLOSE_REASONS(REASON_TEXT)
#undef REASON_TEXT
};

const char *close_reason_text(enum close_reason reason)
{
	return (unsigned)reason < CLOSE_REASON_COUNT ? close_reason_texts[reason] : "unknown";
}

#define COUNTER_ROW(name, type, metric, labels, help) {COUNTER_TYPE_##type, metric, labels, help},

const struct counter_row net_counter_rows[NET_COUNTER_COUNT] = {NET_COUNTERS(COUNTER_ROW)};
const struct counter_row key_counter_rows[KEY_COUNTER_COUNT] = {KEY_COUNTERS(COUNTER_ROW)};

const struct log_event_row log_event_rows[LOG_EVENT_COUNT] = {
#define EVENT_ROW(name, level, text) [LOG_EVENT_##name] = {LOG_LEVEL_##level, text},
    LOG_EVENTS(EVENT_ROW)
#undef EVENT_ROW
};

const struct start_failure_row start_failure_rows[START_FAILURE_COUNT] = {
#define FAILURE_ROW(name, status, text) [START_FAILURE_##name] = {status, text},
    START_FAILURES(FAILURE_ROW)
#undef FAILURE_ROW
};

const struct net_setting_row net_setting_rows[NET_SETTING_COUNT] = {
#define SETTING_ROW(field, variable, unit, min, max, dusk, libp2p, help)                                     \
	[NET_SETTING_##field] = {variable, SETTING_##unit, min, max, {dusk, libp2p}, help},
    NET_SETTINGS(SETTING_ROW)
#undef SETTING_ROW
};

static const size_t setting_offset[NET_SETTING_COUNT] = {
#define SETTING_OFFSET(field, variable, unit, min, max, dusk, libp2p, help)                                  \
	[NET_SETTING_##field] = offsetof(struct net_settings, field),
    NET_SETTINGS(SETTING_OFFSET)
#undef SETTING_OFFSET
};

uint64_t *net_setting_at(struct net_settings *settings, enum net_setting setting)
{
	return (uint64_t *)(void *)((char *)settings + setting_offset[setting]);
}

int net_settings_check(const struct net_settings *settings)
{
	for (int i = 0; i < NET_SETTING_COUNT; i++) {
		const struct net_setting_row *row = &net_setting_rows[i];
		uint64_t value =
		    *(const uint64_t *)(const void *)((const char *)settings + setting_offset[i]);

		if (value < row->min || value > row->max)
			return i + 1;
	}
	return 0;
}
