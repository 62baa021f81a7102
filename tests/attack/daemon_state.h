/* SPDX-License-Identifier: MIT
 *
 * What an auditor reads in /proc of the running daemon, as checks. Called by attack_state
 * and attack_start.
 */
#ifndef TESTS_ATTACK_DAEMON_STATE_H
#define TESTS_ATTACK_DAEMON_STATE_H

#include "tests/attack/live_daemon.h"

/* Descriptors, exactly; needs CAP_SYS_PTRACE, since the processes are not dumpable (without: that reading
 * them is refused). `how` is for messages. */
void state_check_descriptors(const struct live_daemon *live, const char *how);
/* Only netproc listens on the relay's port; on that of the page only metrics. */
void state_check_listening(const struct live_daemon *live, const char *how);
/* All of that, and status lines, limits, ignored signals, owner of /proc/PID, environment, maps. */
void state_check_all(const struct live_daemon *live, bool root, const char *how);
/* The first address of a process's own image, as text; "" when it cannot be read. */
const char *state_image_address(pid_t pid);

#endif
