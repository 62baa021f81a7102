/* SPDX-License-Identifier: MIT
 *
 * How dusk-relay ends. Used by all of parent; part of its interface (README.md).
 */
#ifndef PARENT_EXIT_H
#define PARENT_EXIT_H

enum exit_status {
	EXIT_DRAINED = 0,
	EXIT_FAILED = 1,   /* at run time */
	EXIT_USAGE = 64,   /* of the command line */
	EXIT_SETTINGS = 78 /* settings, key, or confinement below the minimum */
};

#endif
