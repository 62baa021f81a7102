/* SPDX-License-Identifier: MIT
 *
 * Events of the children as lines: texts from imsg/events.h, peer ids as DUSK_RELAY_LOG_IDS says, free text
 * escaped, each warning at most once a minute with the count of those left out; one about a limit is another
 * warning for each setting. Called by handlers.c. Trusts
 * nothing in an event.
 */
#ifndef PARENT_CHILDREN_LOG_H
#define PARENT_CHILDREN_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "imsg/catalogue.h"
#include "imsg/imsg.h"
#include "imsg/settings.h"
#include "parent/logger.h"
#include "parent/settings.h"

#define CHILDREN_LOG_EVERY 60000 /* milliseconds between two warnings of a kind */

struct children_log_warning {
	uint64_t next; /* milliseconds of the monotonic clock */
	uint64_t left_out;
};

struct children_log {
	enum settings_ids ids;
	/* By event and the setting it names; the place behind the last setting is for those that name none.
	 */
	struct children_log_warning warning[LOG_EVENT_COUNT][NET_SETTING_COUNT + 1];
};

/* Writes the event's text. 0, or -1 when a field is outside its range or the sender may not speak of such. */
int children_log_text(char text[LOGGER_LINE], const struct imsg_log *event, enum imsg_process sender,
		      enum settings_ids ids);
/* Logs it, or counts it as left out. 0 or -1 as above. */
int children_log_event(struct children_log *children, struct logger *log, const struct imsg_log *event,
		       enum imsg_process sender, uint64_t now);
/* Says what was left out in the minutes that have ended. */
void children_log_tick(struct children_log *children, struct logger *log, uint64_t now);

#endif
