/* SPDX-License-Identifier: MIT
 *
 * The sending half of logging in a child. The parent holds the texts and prints.
 * Called by keyproc and netproc; never blocks: an event that finds no budget or no room is dropped and
 * counted.
 */
#include "imsg/log.h"

#include <string.h>

void log_init(struct log_sink *sink, struct imsg_channel *parent, enum imsg_type type, enum log_level level)
{
	*sink = (struct log_sink){.parent = parent,
				  .type = type,
				  .level = level,
				  .budget = LOG_EVENTS_PER_SECOND,
				  .warnings = LOG_WARNINGS_PER_SECOND};
}

void log_tick(struct log_sink *sink, uint64_t second)
{
	if (second == sink->second)
		return;
	sink->second = second;
	sink->budget = LOG_EVENTS_PER_SECOND;
	sink->warnings = LOG_WARNINGS_PER_SECOND;
}

/* Whether the level's own budget has one left; a flood of one level never takes from the other. */
static bool take(struct log_sink *sink, enum log_level level)
{
	uint32_t *left = level <= LOG_LEVEL_WARN ? &sink->warnings : &sink->budget;

	if (*left == 0)
		return false;
	(*left)--;
	return true;
}

static void put_peer(struct imsg_log *message, size_t at, const struct log_peer *peer)
{
	if (peer == NULL || peer->bytes == NULL)
		return;
	size_t len = peer->len < IMSG_PEER_MAX ? peer->len : IMSG_PEER_MAX;

	memcpy(message->peer[at], peer->bytes, len);
	message->peer_len[at] = (uint8_t)len;
}

void log_event(struct log_sink *sink, enum log_event event, const struct log_peer *peer,
	       const struct log_peer *peer2, uint64_t n, uint64_t n2, uint64_t n3, const void *text,
	       size_t text_len)
{
	if ((unsigned)event >= LOG_EVENT_COUNT || log_event_rows[event].level > sink->level)
		return;
	if (!take(sink, log_event_rows[event].level)) {
		sink->dropped++;
		return;
	}
	struct imsg_log message = {.event = (uint16_t)event, .number = {n, n2, n3}};

	put_peer(&message, 0, peer);
	put_peer(&message, 1, peer2);
	if (text != NULL) {
		message.text_len = (uint16_t)(text_len < IMSG_TEXT_MAX ? text_len : IMSG_TEXT_MAX);
		memcpy(message.text, text, message.text_len);
	}
	if (imsg_send(sink->parent, sink->type, 0, &message, sizeof(message)) != IMSG_OK)
		sink->dropped++;
}
