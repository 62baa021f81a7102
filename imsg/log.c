/* SPDX-License-Identifier: MIT
 *
 * The sending half of logging in a child. The parent holds the texts and prints.
 * Called by keyproc and netproc; never blocks: an event that finds no budget or no room is dropped and
 * counted, but for a few warnings that wait for room.
 */
#include "imsg/log.h"

#include <string.h>

static void refill(struct log_sink *sink)
{
	sink->budget = LOG_EVENTS_PER_SECOND;
	for (size_t i = 0; i < LOG_WARNING_KINDS; i++)
		sink->warnings[i] = LOG_WARNINGS_PER_SECOND;
}

void log_init(struct log_sink *sink, struct imsg_channel *parent, enum imsg_type type, enum log_level level)
{
	*sink = (struct log_sink){.parent = parent, .type = type, .level = level};
	refill(sink);
}

/* False while the channel has no room for the oldest warning that waits. */
static bool send_kept(struct log_sink *sink)
{
	while (sink->kept_count > 0) {
		if (imsg_send(sink->parent, sink->type, 0, &sink->kept[0], sizeof(sink->kept[0])) != IMSG_OK)
			return false;
		sink->kept_count--;
		memmove(&sink->kept[0], &sink->kept[1], sink->kept_count * sizeof(sink->kept[0]));
	}
	return true;
}

void log_tick(struct log_sink *sink, uint64_t second)
{
	send_kept(sink);
	if (second == sink->second)
		return;
	sink->second = second;
	refill(sink);
}

/* Whether the event's own budget has one left; a flood of one kind never takes from the others. A refusal's
 * second number is the setting that lifts it. */
static bool take(struct log_sink *sink, enum log_event event, uint64_t n2)
{
	bool warning = log_event_rows[event].level <= LOG_LEVEL_WARN;
	uint32_t *left = warning ? &sink->warnings[(event + 7 * n2) % LOG_WARNING_KINDS] : &sink->budget;

	if (*left == 0)
		return false;
	(*left)--;
	return true;
}

/* Sends it behind what was kept; a warning that finds no room is kept. */
static void pass(struct log_sink *sink, const struct imsg_log *message)
{
	if (send_kept(sink) && imsg_send(sink->parent, sink->type, 0, message, sizeof(*message)) == IMSG_OK)
		return;
	if (log_event_rows[message->event].level <= LOG_LEVEL_WARN && sink->kept_count < LOG_WARNINGS_KEPT)
		sink->kept[sink->kept_count++] = *message;
	else
		sink->dropped++;
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
	if (!take(sink, event, n2)) {
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
	pass(sink, &message);
}
