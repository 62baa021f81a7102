/* SPDX-License-Identifier: MIT */
#include "parent/children_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "imsg/reasons.h"
#include "imsg/settings.h"
#include "parent/escape.h"
#include "proto/peer_id.h"

#define CHILDREN_LOG_TEXT  600 /* bytes of an escaped free text */
#define CHILDREN_LOG_SHORT 6   /* last letters of a shortened peer id */

/* Nobody speaks for another process: events named KEY_ are keyproc's, those named METRICS_ are of metrics,
 * all others netproc's. */
static enum imsg_process children_log_owner(unsigned event)
{
	static const char *const names[LOG_EVENT_COUNT] = {
#define CHILDREN_LOG_OWNER(name, level, text) [LOG_EVENT_##name] = #name,
	    LOG_EVENTS(CHILDREN_LOG_OWNER)
#undef CHILDREN_LOG_OWNER
	};

	if (strncmp(names[event], "KEY_", 4) == 0)
		return IMSG_PROCESS_KEYPROC;
	return strncmp(names[event], "METRICS_", 8) == 0 ? IMSG_PROCESS_METRICS : IMSG_PROCESS_NETPROC;
}

static int children_log_peer(char *out, size_t size, const struct imsg_log *event, int which,
			     enum settings_ids ids)
{
	char text[PEER_ID_TEXT_MAX];
	struct peer_id id;
	const char *shown = text;

	if (peer_id_parse(&id, event->peer[which], event->peer_len[which]) != 0)
		return snprintf(out, size, "(no peer id)");
	if (ids == SETTINGS_IDS_NONE)
		return snprintf(out, size, "-");
	size_t len = peer_id_to_text(&id, text);
	if (ids == SETTINGS_IDS_SHORT && len > CHILDREN_LOG_SHORT) {
		shown = text + len - CHILDREN_LOG_SHORT;
		return snprintf(out, size, "*%s", shown);
	}
	return snprintf(out, size, "%s", shown);
}

static int children_log_number(char *out, size_t size, const struct imsg_log *event, int which)
{
	return snprintf(out, size, "%" PRIu64, event->number[which]);
}

/* Namespaces may name people as well as peer ids do. */
static int children_log_free_text(char *out, size_t size, const struct imsg_log *event, enum settings_ids ids)
{
	if (ids == SETTINGS_IDS_NONE)
		return snprintf(out, size, "-");
	return (int)escape_text(out, size < CHILDREN_LOG_TEXT ? size : CHILDREN_LOG_TEXT, event->text,
				event->text_len);
}

enum children_log_word {
	CHILDREN_LOG_PEER,
	CHILDREN_LOG_PEER2,
	CHILDREN_LOG_N,
	CHILDREN_LOG_N2,
	CHILDREN_LOG_N3,
	CHILDREN_LOG_FREE,
	CHILDREN_LOG_REASON,
	CHILDREN_LOG_SETTING,
	CHILDREN_LOG_WORDS
};

static const char *const children_log_words[CHILDREN_LOG_WORDS] = {
    "{peer}", "{peer2}", "{n}", "{n2}", "{n3}", "{text}", "{reason}", "{setting}"};

static enum children_log_word children_log_find(const char *text)
{
	int word = 0;

	while (word < CHILDREN_LOG_WORDS &&
	       strncmp(text, children_log_words[word], strlen(children_log_words[word])) != 0)
		word++;
	return (enum children_log_word)word;
}

/* What stands for a word of the text; its length, or -1 when the event's field for it is out of range. */
static int children_log_fill(char *out, size_t size, enum children_log_word word,
			     const struct imsg_log *event, enum settings_ids ids)
{
	switch (word) {
	case CHILDREN_LOG_PEER:
	case CHILDREN_LOG_PEER2:
		return children_log_peer(out, size, event, (int)(word - CHILDREN_LOG_PEER), ids);
	case CHILDREN_LOG_N:
	case CHILDREN_LOG_N2:
	case CHILDREN_LOG_N3:
		return children_log_number(out, size, event, (int)(word - CHILDREN_LOG_N));
	case CHILDREN_LOG_FREE:
		return children_log_free_text(out, size, event, ids);
	case CHILDREN_LOG_REASON:
		if (event->number[0] >= CLOSE_REASON_COUNT)
			return -1;
		return snprintf(out, size, "%s", close_reason_text((enum close_reason)event->number[0]));
	case CHILDREN_LOG_SETTING:
		if (event->number[1] >= NET_SETTING_COUNT)
			return -1;
		return snprintf(out, size, "%s", net_setting_rows[event->number[1]].variable);
	default:
		return -1;
	}
}

static bool children_log_is_right(const struct imsg_log *event, enum imsg_process sender)
{
	if (event->event >= LOG_EVENT_COUNT || event->text_len > IMSG_TEXT_MAX ||
	    event->peer_len[0] > IMSG_PEER_MAX || event->peer_len[1] > IMSG_PEER_MAX)
		return false;
	return children_log_owner(event->event) == sender;
}

int children_log_text(char text[LOGGER_LINE], const struct imsg_log *event, enum imsg_process sender,
		      enum settings_ids ids)
{
	size_t used = 0;

	if (!children_log_is_right(event, sender))
		return -1;
	for (const char *at = log_event_rows[event->event].text; *at != '\0' && used + 1 < LOGGER_LINE;) {
		enum children_log_word word = *at == '{' ? children_log_find(at) : CHILDREN_LOG_WORDS;

		if (word == CHILDREN_LOG_WORDS) {
			text[used++] = *at++;
			continue;
		}
		int len = children_log_fill(text + used, LOGGER_LINE - used, word, event, ids);
		if (len < 0)
			return -1;
		used += (size_t)len < LOGGER_LINE - used ? (size_t)len : LOGGER_LINE - used - 1;
		at += strlen(children_log_words[word]);
	}
	text[used] = '\0';
	return 0;
}

/* The place of a warning whose fields are in range (children_log_text). */
static struct children_log_warning *children_log_place(struct children_log *children,
						       const struct imsg_log *event)
{
	bool named = strstr(log_event_rows[event->event].text, "{setting}") != NULL;

	return &children->warning[event->event][named ? event->number[1] : NET_SETTING_COUNT];
}

int children_log_event(struct children_log *children, struct logger *log, const struct imsg_log *event,
		       enum imsg_process sender, uint64_t now)
{
	char text[LOGGER_LINE];

	if (children_log_text(text, event, sender, children->ids) != 0)
		return -1;
	enum log_level level = log_event_rows[event->event].level;
	if (level == LOG_LEVEL_WARN) {
		struct children_log_warning *warning = children_log_place(children, event);

		if (now < warning->next) {
			warning->left_out++;
			return 0;
		}
		warning->next = now + CHILDREN_LOG_EVERY;
	}
	logger_line(log, level, "%s", text);
	return 0;
}

/* The kind of an event for people: its text up to the first place that is filled in. */
static int children_log_kind(unsigned event)
{
	return (int)strcspn(log_event_rows[event].text, "{:;(");
}

static void children_log_sum(struct logger *log, unsigned event, unsigned setting, uint64_t left_out)
{
	bool named = setting < NET_SETTING_COUNT;

	logger_line(log, LOG_LEVEL_WARN, "%.*s: %" PRIu64 " more times in the last minute%s%s%s",
		    children_log_kind(event), log_event_rows[event].text, left_out, named ? "; " : "",
		    named ? net_setting_rows[setting].variable : "", named ? " lifts it" : "");
}

void children_log_tick(struct children_log *children, struct logger *log, uint64_t now)
{
	for (unsigned event = 0; event < LOG_EVENT_COUNT; event++) {
		if (log_event_rows[event].level != LOG_LEVEL_WARN)
			continue;
		for (unsigned setting = 0; setting <= NET_SETTING_COUNT; setting++) {
			struct children_log_warning *warning = &children->warning[event][setting];

			if (warning->left_out == 0 || now < warning->next)
				continue;
			children_log_sum(log, event, setting, warning->left_out);
			warning->left_out = 0;
			warning->next = now + CHILDREN_LOG_EVERY;
		}
	}
}
