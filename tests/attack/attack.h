/* SPDX-License-Identifier: MIT
 *
 * What every attack test needs: its result lines, a process of its own for each attack, the policies of the
 * three programs. An attack passes when it was stopped in the way that the design promises; anything else, a
 * crash too, is a failure.
 */
#ifndef TESTS_ATTACK_ATTACK_H
#define TESTS_ATTACK_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "imsg/harden.h"

#define ATTACK_NOBODY 65534 /* who the tests become when started as root */

/* --- results: a line for each failure and skip, a sum at the end --- */

void attack_pass(void);
void attack_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void attack_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Passes or fails by the condition. */
void attack_check(bool condition, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints `name: N passed, N failed, N skipped`; the exit status. */
int attack_end(const char *name);

/* --- processes --- */

/* How a process ended. */
struct attack_end {
	int signal; /* 0: it exited */
	int status;
	bool hung; /* it had to be killed */
};

/* Runs a body in a process of its own, with an alarm; its return value is the exit status. */
struct attack_end attack_in_child(int (*body)(void *context), void *context);
/* Waits for a child of ours, at most this long; kills it then. */
struct attack_end attack_wait(pid_t child, int milliseconds);
/* For messages: "SIGSYS", "exit 3", "hung". Static. */
const char *attack_end_text(struct attack_end end);
/* Becomes an ordinary user when root (uid and gid ATTACK_NOBODY, no groups). 0 or -1. */
int attack_become_user(void);

/* Whether we may look inside a process that is not dumpable: root may, but not root of a container. */
bool attack_may_look_inside(void);
/* Whether we may make PID namespaces: root of a container may not, and root mode then goes without. */
bool attack_has_pid_namespaces(void);
/* True in a build with the address sanitizer, whose own calls are in every filter: filters cannot be judged
 * then. */
bool attack_is_sanitized(void);

/* --- the policies --- */

enum attack_program {
	ATTACK_KEYPROC = 1,
	ATTACK_NETPROC = 2,
	ATTACK_PARENT = 4,
	ATTACK_METRICS = 8,
	ATTACK_ALL = 15
};
#define ATTACK_POLICIES 4

struct attack_policy {
	enum attack_program program;
	const char *name;
	const struct harden_call *calls;
	const size_t *count;
	/* The program's own lock-down, as its main.c calls it. */
	int (*lock)(uint32_t *layers, const char **step);
};

extern const struct attack_policy attack_policies[ATTACK_POLICIES];

#endif
