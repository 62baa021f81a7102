/* SPDX-License-Identifier: MIT
 *
 * The real daemon with hostile_child in the place of one of its processes, and the attacks that are made from
 * the catalogue: the same for each such process. Called by attack_parent and attack_parent_metrics.
 */
#ifndef TESTS_ATTACK_HOSTILE_DAEMON_H
#define TESTS_ATTACK_HOSTILE_DAEMON_H

#include "imsg/imsg.h"
#include "tests/attack/hostile.h"
#include "tests/attack/live_daemon.h"

#define HOSTILE_FORGED "forged" /* what the text of every forged line begins with */
#define HOSTILE_NUMBER 424242	/* its first number */

struct hostile_daemon {
	enum imsg_process process; /* who is hostile */
	const char *name;
	enum log_event event; /* one that it may send */
	const char *shown;    /* what of such a line is to be seen in the log */
	struct hostile_script script;
	struct live_daemon live;
};

/* Starts the daemon with this script, as an ordinary user; waits for nothing. */
void hostile_daemon_spawn(struct hostile_daemon *hostile);
/* Looks at every line that it said, and ends it. */
void hostile_daemon_end(struct hostile_daemon *hostile, const char *what);
/* The script is a breach: the daemon ends with 1 and says whose. */
void hostile_daemon_breach(struct hostile_daemon *hostile, const char *what);
/* The script is none: after SIGTERM the daemon ends with 0. */
void hostile_daemon_term(struct hostile_daemon *hostile, const char *what);

/* Every type of the catalogue with every size around its own, before or after READY. */
void hostile_daemon_types(struct hostile_daemon *hostile, bool after_ready);
void hostile_daemon_junk(struct hostile_daemon *hostile);
/* A message of a type and payload that is right but for its values. */
void hostile_daemon_message(struct hostile_daemon *hostile, const char *what, bool after_ready,
			    enum imsg_type type, const void *payload);
/* A line of the event that it may send, with this text. */
struct imsg_log hostile_daemon_line(const struct hostile_daemon *hostile, const char *text, size_t len);
/* A line: shown as a line of its own, or a breach. */
void hostile_daemon_log(struct hostile_daemon *hostile, const char *what, const struct imsg_log *line,
			bool breach);
/* Lines as fast as they go: the parent still answers SIGTERM. */
void hostile_daemon_log_flood(struct hostile_daemon *hostile, const char *what, enum log_event event);
/* Listeners handed to the parent, which must not end up holding one. */
void hostile_daemon_descriptors(struct hostile_daemon *hostile);
/* A READY without the minimum of layers; an end before READY. */
void hostile_daemon_lies(struct hostile_daemon *hostile);

#endif
