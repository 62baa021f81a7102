/* SPDX-License-Identifier: MIT
 *
 * Settings that are lists with commas between, and ports in them. Called by settings_value.c, listen_parse.c
 * and external.c. Trusts nothing.
 */
#ifndef PARENT_ITEMS_H
#define PARENT_ITEMS_H

#include <stdint.h>

#define ITEMS_LONGEST 512 /* characters of one item and the terminator */

/* Takes the next item off `text`, without the blanks around it; empty ones are passed over. 1; 0 at the end;
 * -1 when it is too long. */
int items_next(char item[ITEMS_LONGEST], const char **text);
/* Nothing but digits, 0 to 65535. 0 or -1. */
int items_port(uint16_t *port, const char *text);

#endif
