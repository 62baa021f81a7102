/* SPDX-License-Identifier: MIT
 *
 * The running daemon as /proc shows it, as an ordinary user and (as root) in root mode, without and with
 * the metrics page; and what it says of
 * its own confinement.
 */
#include <signal.h>
#include <string.h>

#include "tests/attack/daemon_state.h"

static void words_are(const struct live_daemon *live, const char *process, const char *const *words)
{
	const char *line = strstr(live->said, "confinement parent=");
	const char *at = line == NULL ? NULL : strstr(line, process);

	if (at == NULL) {
		attack_fail("no line about the confinement of %s", process);
		return;
	}
	size_t len = strcspn(at + strlen(process), " \n");

	for (; *words != NULL; words++) {
		const char *found = strstr(at, *words);

		attack_check(found != NULL && found < at + strlen(process) + len, "%s lacks %s", process,
			     *words);
	}
}

static void look_at(bool root, bool page, const char *how)
{
	static const char *const least[] = {"nnp", "nodump", "nocaps", "seccomp", "rlimits", NULL};
	static const char *const more[] = {"uid", "chroot", "bounding", NULL};
	static const char *const space[] = {"pidns", NULL};
	static const char *const processes[] = {"parent=", "key=", "net=", "metrics="};
	static struct live_daemon live;
	const struct live_daemon_wish wish = {.root = root, .page = page};

	if (live_daemon_start(&live, &wish) != 0) {
		attack_fail("%s: the daemon does not start: %.600s", how, live.said);
		live_daemon_end(&live);
		return;
	}
	for (int i = 0; i < (page ? 4 : 3); i++) {
		words_are(&live, processes[i], least);
		if (root)
			words_are(&live, processes[i], more);
		if (root && i > 0 && attack_has_pid_namespaces())
			words_are(&live, processes[i], space);
	}
	state_check_all(&live, root, how);
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(!end.hung && end.signal == 0 && end.status == 0, "%s: SIGTERM: %s", how,
		     attack_end_text(end));
	attack_check(live_daemon_left_nobody(&live), "%s: a child is left", how);
	live_daemon_end(&live);
}

int main(void)
{
	look_at(false, false, "ordinary user");
	look_at(false, true, "ordinary user, metrics");
	if (geteuid() == 0) {
		look_at(true, false, "root mode");
		look_at(true, true, "root mode, metrics");
	} else
		attack_skip("root mode: needs root");
	return attack_end("state");
}
