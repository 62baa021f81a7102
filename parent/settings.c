/* SPDX-License-Identifier: MIT */
#include "parent/settings.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parent/escape.h"
#include "parent/exit.h"
#include "parent/nearest.h"
#include "parent/settings_gone.h"

#define SETTINGS_SHOWN 128 /* bytes of a bad value that an error repeats */

struct settings_row {
	const char *variable;
	const char *preset;
	const char *allowed;
	const char *help;
	int (*parse)(struct settings *settings, const char *text);
};

static const struct settings_row settings_rows[PARENT_SETTING_COUNT] = {
#define SETTINGS_ROW(field, variable, preset, allowed, help)                                                 \
	{variable, preset, allowed, help, settings_parse_##field},
    PARENT_SETTINGS(SETTINGS_ROW)
#undef SETTINGS_ROW
};

const char *settings_variable(size_t index)
{
	if (index < PARENT_SETTING_COUNT)
		return settings_rows[index].variable;
	return net_setting_rows[index - PARENT_SETTING_COUNT].variable;
}

const char *settings_help(size_t index)
{
	if (index < PARENT_SETTING_COUNT)
		return settings_rows[index].help;
	return net_setting_rows[index - PARENT_SETTING_COUNT].help;
}

bool settings_flag(size_t index, char flag[SETTINGS_NAME])
{
	const char *variable = settings_variable(index);
	bool own = strncmp(variable, "DUSK_", 5) == 0;
	size_t i = 0;

	if (!own && strcmp(variable, "RUST_LOG") != 0)
		return false;
	for (const char *at = own ? variable + 5 : variable; *at != '\0' && i + 1 < SETTINGS_NAME; at++)
		flag[i++] = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
	flag[i] = '\0';
	return true;
}

static void settings_fail(struct settings_error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void settings_fail(struct settings_error *error, int status, const char *format, ...)
{
	va_list arguments;

	error->status = status;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
}

static void settings_note(struct settings *settings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void settings_note(struct settings *settings, const char *format, ...)
{
	va_list arguments;

	if (settings->note_count == SETTINGS_NOTES)
		return;
	va_start(arguments, format);
	vsnprintf(settings->notes[settings->note_count++], SETTINGS_TEXT, format, arguments);
	va_end(arguments);
}

/* The index of a variable's name of `len` letters; SETTINGS_COUNT when there is none. */
static size_t settings_find_variable(const char *name, size_t len)
{
	size_t i = 0;

	while (i < SETTINGS_COUNT &&
	       (strlen(settings_variable(i)) != len || memcmp(settings_variable(i), name, len) != 0))
		i++;
	return i;
}

static size_t settings_find_flag(const char *name, size_t len)
{
	char flag[SETTINGS_NAME];
	size_t i = 0;

	while (i < SETTINGS_COUNT &&
	       !(settings_flag(i, flag) && strlen(flag) == len && memcmp(flag, name, len) == 0))
		i++;
	return i;
}

/* An unknown DUSK_ name: what became of it, or what was probably meant. */
static void settings_unknown(struct settings *settings, const char *name, size_t len)
{
	const char *names[SETTINGS_COUNT];
	char word[SETTINGS_NAME];
	char shown[SETTINGS_SHOWN];

	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	escape_text(shown, sizeof(shown), name, len);
	const char *gone = settings_gone(word);
	if (gone != NULL) {
		settings_note(settings, "%s %s", shown, gone);
		return;
	}
	if (strncmp(word, "DUSK_", 5) != 0)
		return;
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		names[i] = settings_variable(i);
	const char *nearest = nearest_name(word, names, SETTINGS_COUNT);
	settings_note(settings, nearest != NULL ? "%s is no setting; is %s meant?" : "%s is no setting",
		      shown, nearest != NULL ? nearest : "");
}

/* Keeps one value. An empty one counts as unset: compose files pass such. */
static int settings_keep(struct settings *settings, size_t index, const char *value,
			 enum settings_source source, struct settings_error *error)
{
	if (value[0] == '\0')
		return 0;
	if (strlen(value) > SETTINGS_VALUE_MAX) {
		settings_fail(error, EXIT_SETTINGS, "%s is longer than %d bytes", settings_variable(index),
			      SETTINGS_VALUE_MAX);
		return -1;
	}
	if (settings->raw[index] != NULL && settings->source[index] == source) {
		settings_fail(error, source == SETTINGS_FLAG ? EXIT_USAGE : EXIT_SETTINGS,
			      "%s is given twice", settings_variable(index));
		return -1;
	}
	settings->raw[index] = value;
	settings->source[index] = source;
	return 0;
}

static int settings_collect_environment(struct settings *settings, char *const *environment,
					struct settings_error *error)
{
	for (size_t i = 0; environment[i] != NULL; i++) {
		const char *equals = strchr(environment[i], '=');
		size_t len = equals != NULL ? (size_t)(equals - environment[i]) : 0;
		size_t index = settings_find_variable(environment[i], len);

		if (len > 0 && index < SETTINGS_COUNT) {
			if (settings_keep(settings, index, equals + 1, SETTINGS_ENVIRONMENT, error) != 0)
				return -1;
		} else if (len > 0 && equals[1] != '\0') {
			settings_unknown(settings, environment[i], len);
		}
	}
	return 0;
}

static void settings_fail_flag(const char *argument, size_t len, struct settings_error *error)
{
	char flags[SETTINGS_COUNT][SETTINGS_NAME];
	const char *names[SETTINGS_COUNT];
	char word[SETTINGS_NAME];
	char shown[SETTINGS_SHOWN];
	size_t count = 0;

	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (settings_flag(i, flags[count])) {
			names[count] = flags[count];
			count++;
		}
	}
	snprintf(word, sizeof(word), "%.*s", (int)len, argument);
	escape_text(shown, sizeof(shown), argument, len);
	const char *nearest = nearest_name(word, names, count);
	settings_fail(error, EXIT_USAGE,
		      nearest != NULL ? "unknown flag --%s; is --%s meant?" : "unknown flag --%s", shown,
		      nearest != NULL ? nearest : "");
}

/* `--name value` and `--name=value`. */
static int settings_collect_flags(struct settings *settings, char *const *arguments,
				  struct settings_error *error)
{
	for (size_t i = 0; arguments[i] != NULL; i++) {
		const char *name = arguments[i] + 2;
		char shown[SETTINGS_SHOWN];

		if (strncmp(arguments[i], "--", 2) != 0) {
			escape_text(shown, sizeof(shown), arguments[i], strlen(arguments[i]));
			settings_fail(error, EXIT_USAGE, "unexpected argument \"%s\"; see --help", shown);
			return -1;
		}
		size_t len = strcspn(name, "=");
		size_t index = settings_find_flag(name, len);
		const char *value = name[len] == '=' ? name + len + 1 : arguments[i + 1];
		if (index == SETTINGS_COUNT) {
			settings_fail_flag(name, len, error);
			return -1;
		}
		if (value == NULL) {
			settings_fail(error, EXIT_USAGE, "--%.*s needs a value", (int)len, name);
			return -1;
		}
		if (name[len] != '=')
			i++;
		if (settings_keep(settings, index, value, SETTINGS_FLAG, error) != 0)
			return -1;
	}
	return 0;
}

static int settings_refuse(const struct settings *settings, size_t index, struct settings_error *error)
{
	char allowed[SETTINGS_TEXT];
	char shown[SETTINGS_SHOWN];

	settings_allowed(index, allowed);
	escape_text(shown, sizeof(shown), settings->raw[index], strlen(settings->raw[index]));
	settings_fail(error, EXIT_SETTINGS, "%s: \"%s\" is not allowed; allowed: %s",
		      settings_variable(index), shown, allowed);
	return -1;
}

static int settings_apply_number(struct settings *settings, size_t row, struct settings_error *error)
{
	uint64_t *field = settings_net_field(&settings->net, row);
	const char *raw = settings->raw[PARENT_SETTING_COUNT + row];

	*field = net_setting_rows[row].preset[settings->profile];
	if (raw != NULL && settings_number(field, &net_setting_rows[row], raw) != 0)
		return settings_refuse(settings, PARENT_SETTING_COUNT + row, error);
	return 0;
}

/* A filter that is half understood is used as far as it goes: env_logger does the same. */
static bool settings_is_lenient(size_t index)
{
	return index == PARENT_SETTING_rust_log;
}

static int settings_apply(struct settings *settings, struct settings_error *error)
{
	char shown[SETTINGS_SHOWN];

	for (size_t i = 0; i < PARENT_SETTING_COUNT; i++) {
		const char *text = settings->raw[i] != NULL ? settings->raw[i] : settings_rows[i].preset;

		if (settings_rows[i].parse(settings, text) == 0)
			continue;
		if (!settings_is_lenient(i))
			return settings_refuse(settings, i, error);
		escape_text(shown, sizeof(shown), text, strlen(text));
		settings_note(settings, "%s: \"%s\" is not a filter of %s; used as far as it is",
			      settings_rows[i].variable, shown, settings_rows[i].allowed);
	}
	for (size_t i = 0; i < NET_SETTING_COUNT; i++) {
		if (settings_apply_number(settings, i, error) != 0)
			return -1;
	}
	return 0;
}

/* What no row can see alone. */
static int settings_check_together(const struct settings *settings, struct settings_error *error)
{
	if (settings->peer_id.len > 0 && settings->external.owner.len > 0 &&
	    !peer_id_equal(&settings->peer_id, &settings->external.owner)) {
		settings_fail(error, EXIT_SETTINGS,
			      "DUSK_RELAY_EXTERNAL_ADDR and DUSK_RELAY_PEER_ID name different peer ids");
		return -1;
	}
	if (settings->user.user == settings->key_user.user ||
	    settings->user.user == settings->net_user.user ||
	    settings->key_user.user == settings->net_user.user) {
		settings_fail(
		    error, EXIT_SETTINGS,
		    "DUSK_RELAY_USER, DUSK_RELAY_KEY_USER and DUSK_RELAY_NET_USER must be three users");
		return -1;
	}
	return 0;
}

int settings_load(struct settings *settings, char *const *arguments, char *const *environment,
		  struct settings_error *error)
{
	memset(settings, 0, sizeof(*settings));
	if (settings_collect_environment(settings, environment, error) != 0 ||
	    settings_collect_flags(settings, arguments, error) != 0 || settings_apply(settings, error) != 0)
		return -1;
	return settings_check_together(settings, error);
}
