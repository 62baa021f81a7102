/* SPDX-License-Identifier: MIT
 *
 * Bytes of strangers as text that can neither end a line nor drive a terminal. Called by logger.c and
 * settings.c. Trusts nothing: printable ASCII and well-formed UTF-8 of visible characters pass; a backslash
 * is doubled; control characters, marks that turn or hide text, and anything that is not UTF-8 become \xNN.
 */
#ifndef PARENT_ESCAPE_H
#define PARENT_ESCAPE_H

#include <stddef.h>

/* Always terminated; what does not fit is cut at a whole character and "..." stands in its place. Returns the
 * length. */
size_t escape_text(char *out, size_t capacity, const void *bytes, size_t len);

#endif
