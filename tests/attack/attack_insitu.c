/* SPDX-License-Identifier: MIT
 *
 * Code inside the live netproc, then inside the live metrics, after an accepted connection: the daemon with a
 * netproc or metrics into which a reader of orders has been linked (insitu_read.c). Each order ends that
 * process by the kernel's hand, then the daemon with status 1 and a line that says why; keyproc is gone too,
 * the key is as it was. And the real programs do not know the trigger.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/attack/insitu.h"
#include "tests/attack/live_daemon.h"
#include "tests/attack/live_tree.h"

static struct live_daemon live;
static const char *process; /* whose code it is now */

static const struct {
	const char *name;
	bool killed;
} attempts[] = {
#define INSITU_ROW(name, killed) {#name, killed},
    INSITU_ATTEMPTS(INSITU_ROW)};

static const char *build(void)
{
	const char *text = getenv("ATTACK_BUILD");

	return text == NULL ? "build" : text;
}

static size_t read_key(uint8_t key[100])
{
	char path[120];

	snprintf(path, sizeof(path), "%s/dusk-relay/keypair", live.folder);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, key, 100);

	if (fd >= 0)
		close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static int reach(void)
{
	return live.page ? live_daemon_connect_page(&live) : live_daemon_connect(&live);
}

static int give_order(unsigned which)
{
	char order[INSITU_LEN + 1];
	int fd = reach();

	snprintf(order, sizeof(order), INSITU_TRIGGER "%02u", which);
	if (fd >= 0 && write(fd, order, INSITU_LEN) != INSITU_LEN) {
		close(fd);
		return -1;
	}
	return fd;
}

static void killed_by(unsigned which, const char *what)
{
	struct attack_end end = live_daemon_wait(&live, 10000);
	char line[80];

	snprintf(line, sizeof(line), "%s made a system call that it may not make", process);
	bool by_filter = strstr(live.said, line) != NULL;
	/* These two are no calls: memory that is not code, and an end by its own trap. */
	bool other = which == INSITU_JUMP_TO_STACK || which == INSITU_ABORT;

	attack_check(!end.hung && end.signal == 0 && end.status == 1, "%s: parent: %s", what,
		     attack_end_text(end));
	attack_check(by_filter != other, "%s: the log says: %.300s", what,
		     live.said_len > 300 ? live.said + live.said_len - 300 : live.said);
	attack_check(live_daemon_left_nobody(&live), "%s: a process is left", what);
}

static void survived(const char *what)
{
	int fd = reach();

	attack_check(fd >= 0, "%s: it has ended", what);
	close(fd);
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(end.signal == 0 && end.status == 0, "%s: SIGTERM: %s", what, attack_end_text(end));
}

static void try_inside(unsigned which, bool root)
{
	const struct live_daemon_wish wish = {
	    .build = live_tree_path(), .root = root, .page = strcmp(process, "metrics") == 0};
	uint8_t before[100], after[100];
	char what[80];

	snprintf(what, sizeof(what), "%s in %s%s", attempts[which].name, process, root ? ", root mode" : "");
	if (live_daemon_start(&live, &wish) != 0) {
		attack_fail("%s: the daemon does not start: %.600s", what, live.said);
		live_daemon_end(&live);
		return;
	}
	size_t len = read_key(before);
	int fd = give_order(which);

	attack_check(fd >= 0, "%s: the order cannot be given", what);
	if (attempts[which].killed)
		killed_by(which, what);
	else
		survived(what);
	if (fd >= 0)
		close(fd);
	attack_check(read_key(after) == len && memcmp(before, after, len) == 0, "%s: the key has changed",
		     what);
	live_daemon_end(&live);
}

/* The released program holds neither the trigger nor the list. */
static void release_is_clean(void)
{
	char command[300];

	snprintf(command, sizeof(command),
		 "! grep -q '%s' %s/libexec/dusk-relay/%s && grep -q '%s' %s/libexec/dusk-relay/%s",
		 INSITU_TRIGGER, build(), process, INSITU_TRIGGER, live_tree_path(), process);
	attack_check(system(command) == 0, "the trigger is in the released %s, or not in the test build",
		     process);
}

static void take_over(const char *who, const char *program)
{
	process = who;
	if (!live_tree_make(who, program)) {
		attack_fail("no tree for the test build of %s", who);
		return;
	}
	release_is_clean();
	for (unsigned which = 0; which < INSITU_COUNT; which++) {
		try_inside(which, false);
		if (geteuid() == 0)
			try_inside(which, true);
	}
	live_tree_remove();
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (attack_is_sanitized()) {
		attack_skip("the address sanitizer's own rows are in the filter");
		return attack_end("insitu");
	}
	take_over("netproc", "insitu_netproc");
	take_over("metrics", "insitu_metrics");
	if (geteuid() != 0)
		attack_skip("root mode: needs root");
	return attack_end("insitu");
}
