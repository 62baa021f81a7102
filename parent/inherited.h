/* SPDX-License-Identifier: MIT
 *
 * The sockets of the service manager, told apart by the names that it gives them: those of the relay and that
 * of the metrics page; each compared with what the settings say. Called by run.c. Trusts nothing: what names
 * and descriptors say is checked, and what is not known ends the start.
 */
#ifndef PARENT_INHERITED_H
#define PARENT_INHERITED_H

#include "parent/listen.h"
#include "parent/notify.h"
#include "parent/settings.h"

/* Fills both sets; where none came for one of them, it stays empty. 0, or -1 and what to edit. */
int inherited_take(struct listen_set *relay, struct listen_set *page, const struct notify *notify,
		   const struct settings *settings, char error[LISTEN_TEXT]);

#endif
