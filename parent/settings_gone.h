/* SPDX-License-Identifier: MIT
 *
 * Variables that other programs of the same family read and this one does not: what became of them. Called by
 * settings.c.
 */
#ifndef PARENT_SETTINGS_GONE_H
#define PARENT_SETTINGS_GONE_H

/* What to tell someone who set the variable; NULL for any other name. */
const char *settings_gone(const char *variable);

#endif
