/* SPDX-License-Identifier: MIT
 *
 * A copy of the built daemon's tree in which another program stands in one process's place. Called by
 * hostile_daemon.c and attack_insitu.
 */
#ifndef TESTS_ATTACK_LIVE_TREE_H
#define TESTS_ATTACK_LIVE_TREE_H

#include <stdbool.h>

/* Makes it, with `program` of the build's tests/attack in the place of `process`. False when that fails. */
bool live_tree_make(const char *process, const char *program);
/* Where it is: what live_daemon_wish.build wants. */
const char *live_tree_path(void);
void live_tree_remove(void);

#endif
