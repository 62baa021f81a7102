/* SPDX-License-Identifier: MIT
 *
 * Root mode: whether the users that the processes shall become can be had here. Called by start.c and
 * check.c. Trusts the kernel.
 */
#ifndef PARENT_USERS_H
#define PARENT_USERS_H

#include <stdbool.h>

#include "parent/settings.h"

/* True when we are root, hold what it takes to change users, and all three users exist in this namespace.
 * Tried in a child. */
bool users_can_change(const struct settings *settings);

#endif
