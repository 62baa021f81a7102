/* SPDX-License-Identifier: MIT
 *
 * How long the machine itself stood still, as a virtual one does while its host is busy: a process that does
 * nothing but sleep wakes as late. Called by attacks that bound how long a stranger waits; they take that
 * off.
 */
#ifndef TESTS_ATTACK_STALL_H
#define TESTS_ATTACK_STALL_H

/* Begins to watch; ends with the caller, or by stall_end. A machine that takes no watcher never stands still.
 */
void stall_begin(void);
/* Seconds until now in which the machine stood still. Waits a moment for the watcher. */
double stall_seconds(void);
void stall_end(void);

#endif
