/* SPDX-License-Identifier: MIT */
#include "parent/settings_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "parent/settings.h"

static const char *const settings_preset[PARENT_SETTING_COUNT] = {
#define SETTINGS_PRESET(field, variable, preset, allowed, help) preset,
    PARENT_SETTINGS(SETTINGS_PRESET)
#undef SETTINGS_PRESET
};

static const char *const settings_allowed_text[PARENT_SETTING_COUNT] = {
#define SETTINGS_ALLOWED(field, variable, preset, allowed, help) allowed,
    PARENT_SETTINGS(SETTINGS_ALLOWED)
#undef SETTINGS_ALLOWED
};

/* Bytes with the largest suffix that divides them. */
static void settings_bytes_text(char *text, size_t size, uint64_t value)
{
	static const char suffixes[] = {'\0', 'k', 'm', 'g'};
	size_t i = 0;

	while (value != 0 && value % 1024 == 0 && i < 3) {
		value /= 1024;
		i++;
	}
	snprintf(text, size, "%" PRIu64 "%.1s", value, &suffixes[i]);
}

static void settings_number_text(char *text, size_t size, enum setting_unit unit, uint64_t value)
{
	if (unit == SETTING_BYTES)
		settings_bytes_text(text, size, value);
	else
		snprintf(text, size, "%" PRIu64, value);
}

void settings_allowed(size_t index, char text[SETTINGS_TEXT])
{
	static const char *const units[] = {"a number", "seconds", "bytes, perhaps with k, m or g behind"};
	char min[32];
	char max[32];

	if (index < PARENT_SETTING_COUNT) {
		snprintf(text, SETTINGS_TEXT, "%s", settings_allowed_text[index]);
		return;
	}
	const struct net_setting_row *row = &net_setting_rows[index - PARENT_SETTING_COUNT];
	if (row->unit == SETTING_BOOLEAN) {
		snprintf(text, SETTINGS_TEXT, "0 or 1 (also no, yes, off, on)");
		return;
	}
	settings_number_text(min, sizeof(min), row->unit, row->min);
	settings_number_text(max, sizeof(max), row->unit, row->max);
	snprintf(text, SETTINGS_TEXT, "%s, %s to %s", units[row->unit], min, max);
}

void settings_default(size_t index, enum setting_profile profile, char text[SETTINGS_TEXT])
{
	if (index < PARENT_SETTING_COUNT) {
		snprintf(text, SETTINGS_TEXT, "%s", settings_preset[index]);
		return;
	}
	const struct net_setting_row *row = &net_setting_rows[index - PARENT_SETTING_COUNT];
	settings_number_text(text, SETTINGS_TEXT, row->unit, row->preset[profile]);
}

/* "10000", or "8192; libp2p: 128" where the profiles differ. */
static void settings_defaults(size_t index, char *text, size_t size)
{
	char dusk[SETTINGS_TEXT];
	char libp2p[SETTINGS_TEXT];

	settings_default(index, SETTING_PROFILE_DUSK, dusk);
	settings_default(index, SETTING_PROFILE_LIBP2P, libp2p);
	if (strcmp(dusk, libp2p) == 0)
		snprintf(text, size, "%.100s", dusk);
	else
		snprintf(text, size, "%.100s; libp2p: %.100s", dusk, libp2p);
}

static void settings_print_help(size_t index, const char *preset, const char *allowed)
{
	char flag[SETTINGS_NAME];

	printf("  %s", settings_variable(index));
	if (settings_flag(index, flag))
		printf("  --%s", flag);
	printf("\n      %s\n      %s", settings_help(index), allowed);
	printf(preset[0] != '\0' ? " [%s]\n" : "\n", preset);
}

static void settings_print_markdown(size_t index, const char *preset, const char *allowed)
{
	printf(preset[0] != '\0' ? "| `%s` | `%s` | %s | %s |\n" : "| `%s` | %s| %s | %s |\n",
	       settings_variable(index), preset, settings_help(index), allowed);
}

static void settings_print_man(size_t index, const char *preset, const char *allowed)
{
	char flag[SETTINGS_NAME];

	printf(".It Ev %s", settings_variable(index));
	if (settings_flag(index, flag))
		printf(" , Fl Fl %s", flag);
	printf("\n%c%s.\nAllowed: %s.\n",
	       settings_help(index)[0] - ('a' <= settings_help(index)[0] ? 'a' - 'A' : 0),
	       settings_help(index) + 1, allowed);
	if (preset[0] != '\0')
		printf("Default: %s.\n", preset);
}

/* Only what a service may set: the folders are systemd's. */
static void settings_print_env(size_t index, const char *preset, const char *allowed)
{
	char flag[SETTINGS_NAME];
	char value[SETTINGS_TEXT];

	if (!settings_flag(index, flag))
		return;
	settings_default(index, SETTING_PROFILE_DUSK, value);
	printf("\n# %s\n# %s", settings_help(index), allowed);
	printf(strcmp(preset, value) != 0 ? " (%s)\n" : "\n", preset);
	printf("#%s=%s\n", settings_variable(index), value);
}

static const struct {
	const char *form;
	const char *before;
	void (*print)(size_t index, const char *preset, const char *allowed);
} settings_forms[] = {
    {"--help", "", settings_print_help},
    {"--markdown", "| setting | default | what it does | allowed |\n|---|---|---|---|\n",
     settings_print_markdown},
    {"--man", "", settings_print_man},
    {"--env", "# Settings of dusk-relay: every one, with its default. See dusk-relay(8).\n",
     settings_print_env},
};

int settings_print(const char *form)
{
	for (size_t i = 0; i < sizeof(settings_forms) / sizeof(settings_forms[0]); i++) {
		if (strcmp(form, settings_forms[i].form) != 0)
			continue;
		fputs(settings_forms[i].before, stdout);
		for (size_t index = 0; index < SETTINGS_COUNT; index++) {
			char preset[SETTINGS_TEXT];
			char allowed[SETTINGS_TEXT];

			settings_defaults(index, preset, sizeof(preset));
			settings_allowed(index, allowed);
			settings_forms[i].print(index, preset, allowed);
		}
		return fflush(stdout) == 0 ? 0 : -1;
	}
	return -1;
}
