/* SPDX-License-Identifier: MIT
 *
 * Started by somebody careless or hostile: stray descriptors, a poisoned environment, ignored and blocked
 * signals, no standard descriptors, fixed addresses, tight limits. Whatever it inherits, the children must
 * look as they always do.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/attack/daemon_state.h"

static void stray_descriptors(void)
{
	int ends[2];

	for (int i = 0; i < 50; i++) {
		if (i % 2 == 0 ? pipe(ends) != 0 : socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
			_exit(125);
	}
	fcntl(0, F_DUPFD, 900);
}

static void ignored_signals(void)
{
	sigset_t all;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void no_standard_input(void)
{
	close(0);
}

static void no_standard_descriptors(void)
{
	close(0);
	close(1);
	close(2);
}

static void fixed_addresses(void)
{
	personality(ADDR_NO_RANDOMIZE);
}

static void open_umask(void)
{
	umask(0);
}

static void small_limits(void)
{
	const struct rlimit few = {64, 64}, locked = {0, 0}, core = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_NOFILE, &few);
	setrlimit(RLIMIT_MEMLOCK, &locked);
	setrlimit(RLIMIT_CORE, &core);
}

static const char *const poison[] = {"LD_PRELOAD=/tmp/dusk-attack-none.so",
				     "LD_LIBRARY_PATH=/tmp",
				     "LD_AUDIT=/tmp/dusk-attack-none.so",
				     "GLIBC_TUNABLES=glibc.malloc.check=3",
				     "MALLOC_CHECK_=3",
				     "OPENSSL_CONF=/tmp/dusk-attack-none.cnf",
				     "EVENT_NOEPOLL=1",
				     "TZ=/etc/passwd",
				     "LISTEN_FDS=7",
				     "LISTEN_PID=1",
				     NULL};

static const struct condition {
	const char *name;
	void (*before_exec)(void);
	const char *const *settings;
	bool own_output;
} conditions[] = {
    {"100 stray descriptors", stray_descriptors, NULL, false},
    {"ignored and blocked signals", ignored_signals, NULL, false},
    {"a poisoned environment", NULL, poison, false},
    {"no standard input", no_standard_input, NULL, false},
    {"no standard descriptors", no_standard_descriptors, NULL, true},
    {"fixed addresses", fixed_addresses, NULL, false},
    {"umask 0", open_umask, NULL, false},
    {"small limits", small_limits, NULL, false},
};

static struct live_daemon live;

static void key_is_private(const char *name)
{
	char path[120];
	struct stat st;

	snprintf(path, sizeof(path), "%s/dusk-relay/keypair", live.folder);
	if (stat(path, &st) != 0) {
		if (geteuid() == 0)
			attack_fail("%s: no key file", name);
		return;
	}
	attack_check((st.st_mode & 077) == 0, "%s: the key file has mode %o", name, st.st_mode & 07777);
}

static void start_in(const struct condition *condition, bool root)
{
	const struct live_daemon_wish wish = {.root = root,
					      .page = true,
					      .settings = condition->settings,
					      .before_exec = condition->before_exec,
					      .own_output = condition->own_output};
	char how[100];

	snprintf(how, sizeof(how), "%s%s", condition->name, root ? ", root mode" : "");
	if (live_daemon_start(&live, &wish) != 0) {
		attack_fail("%s: the daemon does not start: %.800s", how, live.said);
		live_daemon_end(&live);
		return;
	}
	state_check_all(&live, root, how);
	key_is_private(how);
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(!end.hung && end.signal == 0 && end.status == 0, "%s: SIGTERM: %s", how,
		     attack_end_text(end));
	attack_check(live_daemon_left_nobody(&live), "%s: a child is left", how);
	live_daemon_end(&live);
}

/* Started without randomised addresses, the children have them all the same: two starts differ. */
static void addresses_differ(void)
{
	const struct live_daemon_wish wish = {.before_exec = fixed_addresses, .page = true};
	char first[3][32];

	if (!attack_may_look_inside() || attack_is_sanitized()) {
		attack_skip("addresses of two starts: %s",
			    !attack_may_look_inside() ? "needs CAP_SYS_PTRACE" : "the address sanitizer's");
		return;
	}
	for (int start = 0; start < 2; start++) {
		if (live_daemon_start(&live, &wish) != 0) {
			attack_fail("fixed addresses: the daemon does not start");
			live_daemon_end(&live);
			return;
		}
		const pid_t children[3] = {live.keyproc, live.netproc, live.metrics};

		for (int i = 0; i < 3; i++) {
			const char *now = state_image_address(children[i]);

			if (start == 1)
				attack_check(now[0] != '\0' && strcmp(now, first[i]) != 0,
					     "child %d lies at %s in both starts", i, now);
			snprintf(first[i], sizeof(first[i]), "%.31s", now);
		}
		live_daemon_end(&live);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		start_in(&conditions[i], false);
		if (geteuid() == 0)
			start_in(&conditions[i], true);
	}
	if (geteuid() != 0)
		attack_skip("root mode: needs root");
	addresses_differ();
	return attack_end("start");
}
