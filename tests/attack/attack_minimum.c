/* SPDX-License-Identifier: MIT
 *
 * Started where layers are missing, as in old kernels, small boards, containers and units with filters of
 * their own: below the minimum set the daemon ends with 78 and says what is missing; above it, it runs. An
 * outer filter makes the kernel an older one.
 */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/attack/live_daemon.h"

static struct live_daemon live;

/* From here on these calls fail with this error, for us and all that we start. */
static void deny(int error, const char *const *names)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);

	for (; context != NULL && *names != NULL; names++) {
		int call = seccomp_syscall_resolve_name(*names);

		if (call != __NR_SCMP_ERROR)
			seccomp_rule_add(context, SCMP_ACT_ERRNO((uint32_t)error), call, 0);
	}
	if (context == NULL || seccomp_load(context) != 0)
		_exit(125);
}

static void no_landlock(void)
{
	deny(ENOSYS, (const char *const[]){"landlock_create_ruleset", "landlock_add_rule",
					   "landlock_restrict_self", NULL});
}

static void forbidden_landlock(void)
{
	deny(EPERM, (const char *const[]){"landlock_create_ruleset", "landlock_add_rule",
					  "landlock_restrict_self", NULL});
}

static void disabled_landlock(void)
{
	deny(EOPNOTSUPP, (const char *const[]){"landlock_create_ruleset", NULL});
}

static void no_filters(void)
{
	deny(ENOSYS, (const char *const[]){"seccomp", NULL});
}

/* prctl with this first argument says that it did it, and does nothing; or refuses. */
static void deny_prctl(int error, int what)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);

	if (context == NULL ||
	    seccomp_rule_add(context, SCMP_ACT_ERRNO((uint32_t)error), SCMP_SYS(prctl), 1,
			     SCMP_A0(SCMP_CMP_EQ, (uint64_t)what)) != 0 ||
	    seccomp_load(context) != 0)
		_exit(125);
}

static void always_dumpable(void)
{
	deny_prctl(0, PR_SET_DUMPABLE);
}

static void forbidden_dumpable(void)
{
	deny_prctl(EPERM, PR_SET_DUMPABLE);
}

static void no_chroot(void)
{
	deny(EPERM, (const char *const[]){"chroot", "unshare", NULL});
}

static void no_close_range(void)
{
	deny(ENOSYS, (const char *const[]){"clone3", "memfd_create", "io_uring_setup", NULL});
}

/* As systemd's LockPersonality does it: any word but the one in force, the question too. */
static void locked_personality(void)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);

	if (context == NULL ||
	    seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(personality), 1,
			     SCMP_A0(SCMP_CMP_NE, PER_LINUX)) != 0 ||
	    seccomp_load(context) != 0)
		_exit(125);
}

/* systemd's @privileged, gone: what a unit with a dynamic user leaves. */
static void no_privileged_calls(void)
{
	deny(EPERM, (const char *const[]){"capset", "chroot", "setuid", "setgid", "setgroups", "setresuid",
					  "setresgid", "unshare", "setns", "mount", "umount2", "pivot_root",
					  "ptrace", NULL});
}

enum { RUNS = 0, BELOW = 78 };

static const struct place {
	const char *name;
	void (*before_exec)(void);
	int as_user; /* what must come of it */
	int as_root;
	const char *says;  /* when it does not run */
	const char *never; /* what it must not say then: it is not missing */
} places[] = {
    {"no Landlock", no_landlock, BELOW, RUNS, "Landlock", NULL},
    {"Landlock forbidden", forbidden_landlock, BELOW, RUNS, "Landlock", NULL},
    {"Landlock disabled at boot", disabled_landlock, BELOW, RUNS, "Landlock", NULL},
    {"no filters", no_filters, BELOW, BELOW, "missing: seccomp", "nnp"},
    /* A change of user makes it not dumpable anyway. */
    {"always dumpable", always_dumpable, BELOW, RUNS, "missing: nodump", "seccomp"},
    {"dumpable forbidden to change", forbidden_dumpable, BELOW, BELOW, "missing: nodump", "seccomp"},
    {"no chroot, no namespaces", no_chroot, RUNS, RUNS, "", NULL},
    {"no clone3, memfd, io_uring", no_close_range, RUNS, RUNS, "", NULL},
    {"personality locked", locked_personality, RUNS, RUNS, "", NULL},
    {"no privileged calls", no_privileged_calls, RUNS, -1, "", NULL},
};

static void runs(const char *name)
{
	if (!live_daemon_says(&live, "confinement parent=", 10000)) {
		attack_fail("%s: does not run: %.600s", name, live.said);
		return;
	}
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(end.signal == 0 && end.status == 0, "%s: SIGTERM: %s", name, attack_end_text(end));
}

static void is_refused(const char *name, const struct place *place)
{
	const char *says = place->says, *never = place->never;
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(end.signal == 0 && end.status == BELOW, "%s: %s: %.600s", name, attack_end_text(end),
		     live.said);
	attack_check(strstr(live.said, says) != NULL, "%s: '%s' is not in: %.600s", name, says, live.said);
	attack_check(never == NULL || strstr(live.said, never) == NULL, "%s: '%s' is in: %.600s", name, never,
		     live.said);
}

static void start_in(const struct place *place, bool root)
{
	const struct live_daemon_wish wish = {.root = root, .page = true, .before_exec = place->before_exec};
	char name[100];

	snprintf(name, sizeof(name), "%s%s", place->name, root ? ", root mode" : "");
	if ((root ? place->as_root : place->as_user) < 0)
		return;
	if (live_daemon_spawn(&live, &wish) != 0) {
		attack_fail("%s: cannot be started", name);
		return;
	}
	if ((root ? place->as_root : place->as_user) == RUNS)
		runs(name);
	else
		is_refused(name, place);
	live_daemon_end(&live);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		start_in(&places[i], false);
		if (geteuid() == 0)
			start_in(&places[i], true);
	}
	if (geteuid() != 0)
		attack_skip("root mode: needs root");
	return attack_end("minimum");
}
