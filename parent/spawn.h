/* SPDX-License-Identifier: MIT
 *
 * Starting the other programs. They are found beside our own executable, opened before anything else is done
 * with them, checked, and run from the descriptor, so that what was checked is what runs. A child gets an
 * empty environment, exactly the descriptors it needs, a fresh signal mask and a session of its own. Called
 * by start.c and command.c. Trusts the file system as far as owner and mode of the program go.
 */
#ifndef PARENT_SPAWN_H
#define PARENT_SPAWN_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#define SPAWN_FIRST	  3   /* the number that the first descriptor of a list gets */
#define SPAWN_DESCRIPTORS 24  /* at most that many in a list */
#define SPAWN_NOT_RUN	  127 /* exit status of a child that could not become its program */

struct spawn_program {
	int fd;
	char name[16];
	char path[PATH_MAX];
};

/* Finds, opens and checks one program. 0, or -1 and why in `error`. */
int spawn_open(struct spawn_program *program, const char *name, char *error, size_t error_size);
/* Starts it with fds[0] as descriptor 3, fds[1] as 4 and so on, 0 to 2 on /dev/null. The pid, or -1 with
 * errno. */
pid_t spawn_start(const struct spawn_program *program, const int *fds, size_t count);
/* Becomes the program, keeping 0 to 2, with these arguments. Returns only on failure, with errno. */
void spawn_become(const struct spawn_program *program, char *const *arguments);

#endif
