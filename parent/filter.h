/* SPDX-License-Identifier: MIT
 *
 * RUST_LOG: the filter of env_logger, as far as it speaks of this program. Directives with commas between,
 * each a level, a target, or target=level; the longest target that begins our own name wins; directives for
 * foreign targets do not count. Called by settings.c. Trusts nothing.
 */
#ifndef PARENT_FILTER_H
#define PARENT_FILTER_H

#include "imsg/events.h"

#define FILTER_TARGET "dusk_relay"
#define FILTER_OFF    (-1)

/* The level to log at: an enum log_level or FILTER_OFF in *level. 0, or -1 when a directive is neither a
 * level, a target nor target=level: then *level is that of the others. A text filter after '/' is not
 * applied. */
int filter_parse(int *level, const char *text);

#endif
