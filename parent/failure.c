/* SPDX-License-Identifier: MIT
 *
 * The last line of a daemon whose child failed or died: what happened and what to do, in plain words. Called
 * by handlers.c (the child said why) and loop.c (it did not). */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imsg/harden.h"
#include "parent/exit.h"
#include "parent/parent.h"
#include "parent/spawn.h"

void failure_missing(uint32_t missing, char *text, size_t size)
{
	const uint32_t one = HARDEN_OWN_USER | HARDEN_CHROOT | HARDEN_LANDLOCK;
	bool none = (missing & one) == one;
	char layers[256], others[256];

	harden_layers_text(missing & one, layers, sizeof(layers));
	harden_layers_text(none ? missing & ~one : missing, others, sizeof(others));
	snprintf(text, size, "%s%s%s%s%s", others[0] != '\0' ? ": missing: " : "", others,
		 none ? ": needs one of " : "", none ? layers : "",
		 none ? ". Start as root with CAP_SETUID, CAP_SETGID and CAP_SYS_CHROOT (own users), or on a "
			"kernel with Landlock"
		      : "");
}

static void failure_owner(char *text, size_t size, const struct parent *parent,
			  const struct imsg_failed *failed)
{
	const struct keydir *keydir = &parent->keydir;
	const char *path = failed->reason == START_FAILURE_KEY_OWNER ? keydir->file : keydir->folder;
	int len = snprintf(text, size, " (owner %" PRIu32 ", we are %u): ", failed->detail, geteuid());

	keydir_owner_advice(keydir, parent->show_only, failed->detail, path, text + len, size - (size_t)len);
}

static void failure_mode(char *text, size_t size, const struct parent *parent, uint32_t mode)
{
	int len = snprintf(text, size, " (mode %04" PRIo32 "): ", mode & 07777);

	keydir_command_advice(&parent->keydir, "chmod go-w", parent->keydir.folder, text + len,
			      size - (size_t)len);
}

/* The command that mends it, with the detail that the child sent. */
static void failure_advice(char *text, size_t size, const struct parent *parent,
			   const struct imsg_failed *failed)
{
	const char *folder = parent->keydir.folder;

	text[0] = '\0';
	switch ((enum start_failure)failed->reason) {
	case START_FAILURE_KEY_OWNER:
	case START_FAILURE_KEY_DIRECTORY_OWNER:
		failure_owner(text, size, parent, failed);
		break;
	case START_FAILURE_KEY_DIRECTORY_MODE:
		failure_mode(text, size, parent, failed->detail);
		break;
	case START_FAILURE_KEY_MISMATCH:
	case START_FAILURE_KEY_FORMAT:
	case START_FAILURE_KEY_SIZE:
		snprintf(text, size,
			 ": nothing was changed; put a backup in its place, or move it away to get a new "
			 "identity");
		break;
	case START_FAILURE_KEY_MISSING:
		snprintf(text, size,
			 ": put a backup there, or unset DUSK_RELAY_PEER_ID to get a new identity");
		break;
	case START_FAILURE_KEY_CREATE:
	case START_FAILURE_KEY_OPEN:
		snprintf(text, size, ": is the folder %.300s there and ours (user %u)?", folder, geteuid());
		break;
	case START_FAILURE_CONFINEMENT:
		failure_missing(failed->detail, text, size);
		break;
	default:
		break;
	}
}

static bool failure_is_about_file(uint32_t reason)
{
	return reason >= START_FAILURE_KEY_OPEN && reason <= START_FAILURE_KEY_OTHER_IDENTITY;
}

void failure_told(struct parent *parent, const struct parent_child *child, const struct imsg_failed *failed)
{
	char advice[PARENT_LAST_WORDS / 2];

	failure_advice(advice, sizeof(advice), parent, failed);
	parent_end(parent, (int)failed->status, "%s: %s%s%.300s%s%s%s", child->name,
		   start_failure_rows[failed->reason].text, failure_is_about_file(failed->reason) ? ": " : "",
		   failure_is_about_file(failed->reason) ? parent->keydir.file : "",
		   failed->system != 0 ? ": " : "", failed->system != 0 ? strerror((int)failed->system) : "",
		   advice);
}

static const struct {
	int number;
	const char *text;
} failure_signals[] = {
    {SIGSYS, "made a system call that it may not make and was stopped by the kernel; the audit log names it "
	     "(type 1326 in"
	     " dmesg or journalctl -k). It may have been under attack"},
    {SIGKILL,
     "was killed from outside; if memory ran out, dmesg says so, and DUSK_MAX_MEMORY lowers the need"},
    {SIGSEGV, "crashed (bad memory access)"},
    {SIGABRT, "ended itself on a check that failed"},
    {SIGBUS, "crashed (bad memory access)"},
    {SIGILL, "crashed (bad instruction)"},
    {SIGFPE, "crashed (bad arithmetic)"},
};

static const char *failure_signal(int number)
{
	for (size_t i = 0; i < sizeof(failure_signals) / sizeof(failure_signals[0]); i++) {
		if (failure_signals[i].number == number)
			return failure_signals[i].text;
	}
	return "was ended by a signal";
}

void failure_died(struct parent *parent, const struct parent_child *child)
{
	int status = child->wait_status;
	const char *stop = child->ready ? "; all stops, the service manager may start it again" : "";

	if (!child->reaped)
		parent_end(parent, EXIT_FAILED, "%s closed its channel and did not end%s", child->name, stop);
	else if (WIFSIGNALED(status))
		parent_end(parent, EXIT_FAILED, "%s %s (signal %d)%s", child->name,
			   failure_signal(WTERMSIG(status)), WTERMSIG(status), stop);
	else if (!child->ready && WEXITSTATUS(status) == SPAWN_NOT_RUN)
		parent_end(parent, EXIT_FAILED,
			   "%s could not be started: its program or a library of it is missing or damaged",
			   child->name);
	else
		parent_end(
		    parent, !child->ready && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILED,
		    "%s ended with status %d without saying why%s", child->name, WEXITSTATUS(status), stop);
}

/* Which of two children that ended did so by itself. netproc ends when keyproc does: by the end of their
 * channel, or killed by the kernel where keyproc is the first process of their namespace. */
static const struct parent_child *failure_first_cause(const struct parent *parent,
						      const struct parent_child *child)
{
	const struct parent_child *key = &parent->child[PARENT_KEYPROC];
	const struct parent_child *net = &parent->child[PARENT_NETPROC];

	/* The end of the namespace takes metrics along. */
	if (child == &parent->child[PARENT_METRICS] && key->reaped)
		child = key;
	if (!key->reaped || !net->reaped)
		return child;
	return WIFSIGNALED(net->wait_status) && !WIFSIGNALED(key->wait_status) ? net : key;
}

/* A child whose channel is closed and whose end must follow at once; NULL when there is none. Where keyproc
 * is the first process of the children's namespace, its end comes after those that the kernel ends with it.
 */
static const struct parent_child *failure_awaited(const struct parent *parent, uint64_t now)
{
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		const struct parent_child *child = &parent->child[i];

		if (child->pid > 0 && !child->open && now < child->end_by)
			return child;
	}
	return NULL;
}

/* Time is over for a child that ended, or whose channel did. The first cause may be another, still to be
 * seen. */
void failure_verdict(struct parent *parent, struct parent_child *child, uint64_t now)
{
	const struct parent_child *awaited = failure_awaited(parent, now);

	if (awaited != NULL)
		child->end_by = awaited->end_by;
	else
		failure_died(parent, failure_first_cause(parent, child));
}
