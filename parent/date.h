/* SPDX-License-Identifier: MIT
 *
 * A moment as RFC 3339 text in UTC, by arithmetic alone: the first gmtime_r of a process opens
 * /etc/localtime, which a locked process must not. Called by logger.c and check.c. Trusts nothing: any number
 * gives a terminated text.
 */
#ifndef PARENT_DATE_H
#define PARENT_DATE_H

#include <stdint.h>

#define DATE_TEXT 21 /* "2026-01-15T10:30:00Z" and the terminator */

/* Seconds since 1970; outside the years 1970 to 9999 the nearest end of that range is written. */
void date_text(char text[DATE_TEXT], int64_t seconds);

#endif
