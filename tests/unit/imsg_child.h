/* SPDX-License-Identifier: MIT
 *
 * For tests of confinement: each attempt needs a process of its own. Includes cmocka and what it wants.
 */
#ifndef TESTS_UNIT_IMSG_CHILD_H
#define TESTS_UNIT_IMSG_CHILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Runs a body in a process of its own: 0 when it returned true, 1 when false, else the signal and 128. */
static inline int in_child(bool (*body)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(20);
		_exit(body() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
