/* SPDX-License-Identifier: MIT
 *
 * Where the key lives: the folder is made and opened here; the file in it is keyproc's alone. Called by
 * start.c and check.c. Trusts the variables no further than their names: what they lead to is checked by
 * keyproc.
 */
#ifndef PARENT_KEYDIR_H
#define PARENT_KEYDIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parent/settings.h"

struct keydir {
	uint32_t place;	     /* enum imsg_key_place */
	const char *setting; /* the variable that led here; NULL: none */
	char folder[PATH_MAX];
	char file[PATH_MAX + 32]; /* for people */
};

/* $STATE_DIRECTORY/keypair, $XDG_DATA_HOME/dusk-relay/keypair, $HOME/.local/share/dusk-relay/keypair,
 * ./relay_keypair: the first whose variable is set. 0, or -1 when the path is too long. */
int keydir_resolve(struct keydir *keydir, const struct settings *settings);
/* Opens the folder, after making it and those above it with mode 0700 when `make` is set. The descriptor, or
 * -1 with errno. */
int keydir_open(const struct keydir *keydir, bool make);
/* `command` on `path`, or, where that is a home or a folder of the system's, which must stay as it is, the
 * setting that leads elsewhere. */
void keydir_command_advice(const struct keydir *keydir, const char *command, const char *path, char *text,
			   size_t size);
/* After -1 with `error` in errno: what is in the way, and the command that mends it. `show_only`: whoever
 * asks only wants to see the identity, so nothing shall change hands. */
void keydir_advice(const struct keydir *keydir, bool show_only, int error, char *text, size_t size);
/* What to do when `path`, the folder or the file, belongs to `owner`, who is not us. */
void keydir_owner_advice(const struct keydir *keydir, bool show_only, uint32_t owner, const char *path,
			 char *text, size_t size);

#endif
