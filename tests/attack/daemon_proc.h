/* SPDX-License-Identifier: MIT
 *
 * What /proc says of the daemon's processes, as text. Called by daemon_state.c and daemon_descriptors.c.
 */
#ifndef TESTS_ATTACK_DAEMON_PROC_H
#define TESTS_ATTACK_DAEMON_PROC_H

#include "tests/attack/live_daemon.h"

#define PROC_PROCESSES 4

extern const char *const proc_names[PROC_PROCESSES];

/* Those that run, in the order of the names; how many. */
int proc_processes(const struct live_daemon *live, pid_t all[PROC_PROCESSES]);
/* A file of /proc/PID; NULL when it may not be read. Static. */
const char *proc_text(pid_t pid, const char *name, size_t *len);
/* The value of a line of its status, without leading blanks; "" when there is none. Static. */
const char *proc_status(pid_t pid, const char *key);

#endif
