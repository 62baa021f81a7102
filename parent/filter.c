/* SPDX-License-Identifier: MIT */
#include "parent/filter.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	int level;
} filter_levels[] = {
    {"off", FILTER_OFF},      {"error", LOG_LEVEL_ERROR}, {"warn", LOG_LEVEL_WARN},
    {"info", LOG_LEVEL_INFO}, {"debug", LOG_LEVEL_DEBUG}, {"trace", LOG_LEVEL_TRACE},
};

static bool filter_level(int *level, const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(filter_levels) / sizeof(filter_levels[0]); i++) {
		if (strlen(filter_levels[i].word) == len &&
		    strncasecmp(filter_levels[i].word, text, len) == 0) {
			*level = filter_levels[i].level;
			return true;
		}
	}
	return false;
}

static bool filter_is_target(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:-.*[]{}\"",
			   text[i]) == NULL)
			return false;
	}
	return len > 0;
}

/* One directive without spaces: its level and how many characters of our name it names; -1 in `matched` for a
 * foreign one. */
static bool filter_directive(int *level, int *matched, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t name = equals != NULL ? (size_t)(equals - text) : len;

	*matched = 0;
	if (equals == NULL && filter_level(level, text, len))
		return true;
	if (!filter_is_target(text, name))
		return false;
	*level = LOG_LEVEL_TRACE;
	if (equals != NULL && name + 1 < len && !filter_level(level, equals + 1, len - name - 1))
		return false;
	*matched = name <= strlen(FILTER_TARGET) && memcmp(text, FILTER_TARGET, name) == 0 ? (int)name : -1;
	return true;
}

int filter_parse(int *level, const char *text)
{
	size_t left = strcspn(text, "/");
	int best = -1;
	int result = 0;

	*level = LOG_LEVEL_INFO;
	while (left > 0) {
		const char *comma = memchr(text, ',', left);
		size_t len = comma != NULL ? (size_t)(comma - text) : left;
		size_t step = comma != NULL ? len + 1 : len;
		int directive_level;
		int matched;

		while (len > 0 && strchr(" \t", text[0]) != NULL) {
			text++;
			len--;
			step--;
			left--;
		}
		size_t trimmed = len;
		while (trimmed > 0 && strchr(" \t", text[trimmed - 1]) != NULL)
			trimmed--;
		if (trimmed > 0 && !filter_directive(&directive_level, &matched, text, trimmed)) {
			result = -1;
		} else if (trimmed > 0 && matched >= best) {
			best = matched;
			*level = matched >= 0 ? directive_level : *level;
		}
		text += step;
		left -= step;
	}
	return result;
}
