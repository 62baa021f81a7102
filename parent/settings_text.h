/* SPDX-License-Identifier: MIT
 *
 * The settings as text for people, made from the lists: --help, README's table, the man page's list, the
 * environment file. Called by main.c; a test compares the files with what this prints.
 */
#ifndef PARENT_SETTINGS_TEXT_H
#define PARENT_SETTINGS_TEXT_H

/* `form` is --help, --markdown, --man or --env. Prints to stdout. 0, or -1 when there is no such form. */
int settings_print(const char *form);

#endif
