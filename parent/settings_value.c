/* SPDX-License-Identifier: MIT
 * The parsers, one for each row of parent, and the one for all numbers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "parent/items.h"
#include "parent/filter.h"
#include "parent/settings.h"

static const struct {
	const char *word;
	uint64_t value;
} settings_booleans[] = {{"0", 0},   {"1", 1},	{"no", 0},    {"yes", 1},
			 {"off", 0}, {"on", 1}, {"false", 0}, {"true", 1}};

static int settings_boolean(uint64_t *value, const char *text)
{
	for (size_t i = 0; i < sizeof(settings_booleans) / sizeof(settings_booleans[0]); i++) {
		if (strcasecmp(text, settings_booleans[i].word) == 0) {
			*value = settings_booleans[i].value;
			return 0;
		}
	}
	return -1;
}

/* Digits up to `end`; at most 19 of them, which always fit. */
static int settings_digits(uint64_t *value, const char *text, size_t len)
{
	*value = 0;
	if (len == 0 || len > 19)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		*value = *value * 10 + (uint64_t)(text[i] - '0');
	}
	return 0;
}

static int settings_bytes(uint64_t *value, const char *text, size_t len)
{
	static const char suffixes[] = "kmg";
	const char *suffix = len > 1 ? strchr(suffixes, tolower((unsigned char)text[len - 1])) : NULL;
	unsigned shift = suffix != NULL ? 10 * (unsigned)(suffix - suffixes + 1) : 0;

	if (settings_digits(value, text, suffix != NULL ? len - 1 : len) != 0 || *value > UINT64_MAX >> shift)
		return -1;
	*value <<= shift;
	return 0;
}

int settings_number(uint64_t *value, const struct net_setting_row *row, const char *text)
{
	int result;

	if (row->unit == SETTING_BOOLEAN)
		return settings_boolean(value, text);
	if (row->unit == SETTING_BYTES)
		result = settings_bytes(value, text, strlen(text));
	else
		result = settings_digits(value, text, strlen(text));
	return result == 0 && *value >= row->min && *value <= row->max ? 0 : -1;
}

uint64_t *settings_net_field(struct net_settings *net, size_t index)
{
	static const size_t offsets[] = {
#define SETTINGS_OFFSET(field, variable, unit, min, max, dusk, libp2p, help)                                 \
	offsetof(struct net_settings, field),
	    NET_SETTINGS(SETTINGS_OFFSET)
#undef SETTINGS_OFFSET
	};

	return (uint64_t *)(void *)((char *)net + offsets[index]);
}

/* One of several words, by its place. */
static int settings_word(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0)
			return (int)i;
	}
	return -1;
}

int settings_parse_port(struct settings *settings, const char *text)
{
	static const struct net_setting_row port = {.unit = SETTING_NUMBER, .min = 0, .max = 65535};
	uint64_t value;

	if (settings_number(&value, &port, text) != 0)
		return -1;
	settings->port = (uint16_t)value;
	return 0;
}

int settings_parse_listen(struct settings *settings, const char *text)
{
	return listen_parse(&settings->listen, text);
}

/* Checked with any port here; main.c parses again when the port is known. */
int settings_parse_external(struct settings *settings, const char *text)
{
	return external_parse(&settings->external, text, settings->port != 0 ? settings->port : 1);
}

int settings_parse_profile(struct settings *settings, const char *text)
{
	static const char *const words[] = {"dusk", "libp2p"};
	int word = settings_word(text, words, 2);

	settings->profile = word == 1 ? SETTING_PROFILE_LIBP2P : SETTING_PROFILE_DUSK;
	return word >= 0 ? 0 : -1;
}

int settings_parse_peer_id(struct settings *settings, const char *text)
{
	if (text[0] == '\0')
		return 0;
	return peer_id_from_text(&settings->peer_id, text, strlen(text));
}

int settings_parse_deny_peers(struct settings *settings, const char *text)
{
	char item[ITEMS_LONGEST];
	int more;

	settings->deny_count = 0;
	while ((more = items_next(item, &text)) > 0) {
		if (settings->deny_count == SETTINGS_DENY ||
		    peer_id_from_text(&settings->deny[settings->deny_count], item, strlen(item)) != 0)
			return -1;
		settings->deny_count++;
	}
	return more;
}

int settings_parse_rendezvous_kind(struct settings *settings, const char *text)
{
	static const char *const words[] = {"auto", "standard", "legacy"};
	int word = settings_word(text, words, 3);

	settings->rendezvous_kind = word > 0 ? (uint32_t)word : 0;
	return word >= 0 ? 0 : -1;
}

int settings_parse_log_ids(struct settings *settings, const char *text)
{
	static const char *const words[] = {"full", "short", "none"};
	int word = settings_word(text, words, 3);

	settings->log_ids = word == 1	? SETTINGS_IDS_SHORT
			    : word == 2 ? SETTINGS_IDS_NONE
					: SETTINGS_IDS_FULL;
	return word >= 0 ? 0 : -1;
}

int settings_parse_rust_log(struct settings *settings, const char *text)
{
	return filter_parse(&settings->log_level, text);
}

int settings_parse_metrics(struct settings *settings, const char *text)
{
	static const struct net_setting_row port = {.unit = SETTING_NUMBER, .min = 0, .max = 65535};
	struct listen_wish *wish = &settings->metrics;
	char local[32];
	uint64_t value;

	*wish = (struct listen_wish){0};
	if (text[0] == '\0')
		return 0;
	if (settings_number(&value, &port, text) == 0) {
		snprintf(local, sizeof(local), "127.0.0.1:%u", (unsigned)value);
		text = local;
	}
	return listen_parse(wish, text) == 0 && wish->count == 1 && wish->item[0].port_named ? 0 : -1;
}

/* `1000` or `1000:1000`. Never root: dropping to it would drop nothing. */
static int settings_user(struct settings_user *user, const char *text)
{
	static const struct net_setting_row id = {.unit = SETTING_NUMBER, .min = 1, .max = UINT32_MAX - 1};
	size_t len = strcspn(text, ":");
	char first[16];
	uint64_t value;

	if (len >= sizeof(first))
		return -1;
	memcpy(first, text, len);
	first[len] = '\0';
	if (settings_number(&value, &id, first) != 0)
		return -1;
	user->user = (uint32_t)value;
	if (text[len] == ':' && settings_number(&value, &id, text + len + 1) != 0)
		return -1;
	user->group = (uint32_t)value;
	return 0;
}

int settings_parse_user(struct settings *settings, const char *text)
{
	return settings_user(&settings->user, text);
}

int settings_parse_key_user(struct settings *settings, const char *text)
{
	return settings_user(&settings->key_user, text);
}

int settings_parse_net_user(struct settings *settings, const char *text)
{
	return settings_user(&settings->net_user, text);
}

int settings_parse_metrics_user(struct settings *settings, const char *text)
{
	return settings_user(&settings->metrics_user, text);
}

int settings_parse_state_directory(struct settings *settings, const char *text)
{
	settings->state_directory = text;
	return text[0] == '\0' || text[0] == '/' ? 0 : -1;
}

/* As in the XDG specification, a relative path counts as unset. */
int settings_parse_data_home(struct settings *settings, const char *text)
{
	settings->data_home = text[0] == '/' ? text : "";
	return 0;
}

int settings_parse_home(struct settings *settings, const char *text)
{
	settings->home = text[0] == '/' ? text : "";
	return 0;
}
