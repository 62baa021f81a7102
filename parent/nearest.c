/* SPDX-License-Identifier: MIT */
#include "parent/nearest.h"

#include <string.h>

#define NEAREST_MAX 64 /* letters of a name */

static size_t nearest_least(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Insertions, deletions and replacements that turn `a` into `b`; both at most NEAREST_MAX letters. */
static size_t nearest_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[NEAREST_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);

			diagonal = row[j];
			row[j] = nearest_least(replaced, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[b_len];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
	size_t len = strlen(word);
	size_t best = len / 3 + 2;
	const char *found = NULL;

	if (len > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t name_len = strlen(names[i]);
		size_t distance =
		    name_len <= NEAREST_MAX ? nearest_distance(word, len, names[i], name_len) : best;

		if (distance < best) {
			best = distance;
			found = names[i];
		}
	}
	return found;
}
