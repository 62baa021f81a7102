/* SPDX-License-Identifier: MIT
 *
 * The sub-commands of dusk-relay beside running: each gets what stands behind its name and returns the exit
 * status. Called by main.c.
 */
#ifndef PARENT_COMMANDS_H
#define PARENT_COMMANDS_H

#include "parent/parent.h"

/* run.c: runs the relay. */
int command_run(struct parent *parent, char *const *arguments);
/* probe_command.c: `health` and `probe`, both carried out by the program probe. */
int command_health(struct parent *parent, char *const *arguments);
int command_probe(struct parent *parent, char *const *arguments);
/* check.c: what a start would find here. */
int command_check(struct parent *parent, char *const *arguments);
/* peer_id_command.c: a confined keyproc says the peer id. */
int command_peer_id(struct parent *parent, char *const *arguments);
/* version.c */
int command_version(struct parent *parent, char *const *arguments);
/* Not in --help: the settings as README, man page and environment file have them. */
int command_settings(struct parent *parent, char *const *arguments);

/* Reads the settings and gets the log ready, or prints why not and returns the exit status; 0: go on. */
int commands_load(struct parent *parent, char *const *arguments);
/* Signals to one descriptor, none of them lost from here on. 0, or -1 after parent_end. */
int commands_signals(struct parent *parent);

#endif
