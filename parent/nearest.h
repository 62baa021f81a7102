/* SPDX-License-Identifier: MIT
 *
 * The name that someone probably meant. Called by settings.c for unknown variables and flags. Trusts nothing.
 */
#ifndef PARENT_NEAREST_H
#define PARENT_NEAREST_H

#include <stddef.h>

/* The nearest of `names` to `word` by edit distance; NULL when none is near (more than a third of its letters
 * differ). */
const char *nearest_name(const char *word, const char *const *names, size_t count);

#endif
