/* SPDX-License-Identifier: MIT
 *
 * Confinement, the same steps in the same order for every process. Called by each main.c; trusts its own
 * program only. A layer that the kernel does not have is left out and missing in the bitmap; a layer that
 * fails for another reason is an error.
 */
#include "imsg/harden_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE		 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define PERSONALITY_QUERY 0xffffffffu
#define DESCRIPTORS_SEEN  1024 /* the processes with nofile 0 hold a dozen */

#define LAYERS_ALL (HARDEN_NO_NEW_PRIVS | HARDEN_NOT_DUMPABLE | HARDEN_NO_CAPABILITIES | HARDEN_SECCOMP)
#define LAYERS_ONE (HARDEN_OWN_USER | HARDEN_CHROOT | HARDEN_LANDLOCK)

uint32_t harden_missing(uint32_t layers)
{
	return (LAYERS_ALL & ~layers) | ((layers & LAYERS_ONE) == 0 ? (uint32_t)LAYERS_ONE : 0u);
}

bool harden_enough(uint32_t layers)
{
	return harden_missing(layers) == 0;
}

uint32_t harden_failed(const char *step)
{
	static const struct {
		const char *step;
		uint32_t layer;
	} steps[] = {
	    {"no_new_privs", HARDEN_NO_NEW_PRIVS}, {"landlock", HARDEN_LANDLOCK}, {"rlimits", HARDEN_LIMITS},
	    {"seccomp table", HARDEN_SECCOMP},	   {"seccomp", HARDEN_SECCOMP},
	};

	for (size_t i = 0; step != NULL && i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(step, steps[i].step) == 0)
			return steps[i].layer;
	}
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 ? HARDEN_NOT_DUMPABLE : 0u;
}

bool harden_is_privilege(const char *step)
{
	static const char *const steps[] = {"bounding set", "chroot", "user", "capabilities",
					    "return to root"};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(step, steps[i]) == 0)
			return true;
	}
	return false;
}

const struct harden_layer_row harden_layer_rows[HARDEN_LAYER_COUNT] = {
#define LAYER_ROW(name, bit, word) {HARDEN_##name, word},
    HARDEN_LAYERS(LAYER_ROW)
#undef LAYER_ROW
};

void harden_layers_text(uint32_t layers, char *text, size_t size)
{
	size_t at = 0;

	if (size == 0)
		return;
	for (size_t i = 0; i < HARDEN_LAYER_COUNT; i++) {
		size_t len = strlen(harden_layer_rows[i].word);

		if ((layers & harden_layer_rows[i].bit) == 0 || at + len + 2 > size)
			continue;
		if (at > 0)
			text[at++] = ',';
		memcpy(text + at, harden_layer_rows[i].word, len);
		at += len;
	}
	text[at] = '\0';
}

/* Faults keep their default, so that a bug ends the process at once. */
static void ignore_signals(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t none;

	for (int number = 1; number <= SIGRTMAX; number++) {
		bool fault = false;

		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
			fault = fault || faults[i] == number;
		/* SIGKILL, SIGSTOP and libc's own two refuse, which is right. */
		signal(number, fault ? SIG_DFL : SIG_IGN);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool is_channel(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && domain == AF_UNIX &&
	       type == SOCK_SEQPACKET;
}

/* The maker of the channel is our parent, or the parent is gone already. Both are 0 when it is outside our
 * PID namespace. */
static bool parent_lives(void)
{
	struct ucred maker = {0};
	socklen_t len = sizeof(maker);

	return getsockopt(3, SOL_SOCKET, SO_PEERCRED, &maker, &len) == 0 && maker.pid == getppid();
}

static bool descriptors_are_right(int channels)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &st) != 0)
			return false;
	}
	return is_channel(3) && (channels < 2 || is_channel(4));
}

static int enter(int highest, int channels)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -1;
	/* With it addresses would be the same at each start, and execveat does not reset it. Where an outer
	 * filter forbids even to ask (systemd's LockPersonality), it cannot have been set under that filter
	 * either. */
	int persona = personality(PERSONALITY_QUERY);

	if (persona != -1 && (persona & ADDR_NO_RANDOMIZE) != 0) {
		errno = ENOEXEC;
		return -1;
	}
	ignore_signals();
	if (!descriptors_are_right(channels)) {
		errno = EBADF;
		return -1;
	}
	if (syscall(SYS_close_range, highest + 1, ~0u, 0) != 0)
		return -1;
	if (!parent_lives()) {
		errno = ESRCH;
		return -1;
	}
	return 0;
}

int harden_enter(int highest)
{
	return enter(highest, highest < 4 ? 1 : 2);
}

int harden_enter_single(int highest)
{
	return enter(highest, 1);
}

uint32_t harden_speculation(void)
{
	bool store, branch;

	/* A huge page would be copied whole when one byte of it changes, secrets with it. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	store = prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_FORCE_DISABLE, 0, 0) == 0;
	branch = prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_FORCE_DISABLE, 0, 0) == 0;
	return store || branch ? HARDEN_SPECULATION : 0u;
}

static int set_limit(int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
		return -1;
	/* Never above what we were given: raising is for root, which we no longer are. */
	rlim_t to =
	    limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max ? (rlim_t)value : limit.rlim_max;

	limit.rlim_cur = to;
	limit.rlim_max = to;
	return setrlimit((__rlimit_resource_t)resource, &limit);
}

static uint64_t descriptors_held(void)
{
	uint64_t held = 0;

	for (int fd = 0; fd < DESCRIPTORS_SEEN; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			held = (uint64_t)fd + 1;
	}
	return held;
}

static int set_limits(const struct harden_limits *limits)
{
	static const int zero[] = {RLIMIT_CORE,	      RLIMIT_NPROC,  RLIMIT_MSGQUEUE,
				   RLIMIT_SIGPENDING, RLIMIT_RTPRIO, RLIMIT_NICE};
	int rc = 0;

	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		rc |= set_limit(zero[i], 0);
	if (limits->fsize_zero)
		rc |= set_limit(RLIMIT_FSIZE, 0);
	rc |= set_limit(RLIMIT_NOFILE, limits->nofile != 0 ? limits->nofile : descriptors_held());
	rc |= set_limit(RLIMIT_MEMLOCK, limits->memlock);
	if (limits->stack != 0)
		rc |= set_limit(RLIMIT_STACK, limits->stack);
#ifndef HARDEN_SANITIZED /* its shadow alone is larger than any limit of ours */
	if (limits->data != 0)
		rc |= set_limit(RLIMIT_DATA, limits->data);
#endif
	return rc;
}

/* After a change of user, which resets both. A parent that died in between would never be noticed: asked
 * again. */
static int bind_to_parent(bool child, pid_t parent)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -1;
	if (!child)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return -1;
	if (getppid() == parent)
		return 0;
	errno = ESRCH;
	return -1;
}

static int forbid_gaining(uint32_t *layers)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0)
		*layers |= HARDEN_NO_WRITE_EXEC;
	umask(077);
	return 0;
}

/* Read back, not remembered. */
static uint32_t proven_layers(void)
{
	return (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? HARDEN_NO_NEW_PRIVS : 0u) |
	       (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? HARDEN_NOT_DUMPABLE : 0u) |
	       (getppid() == 0 ? HARDEN_PID_NAMESPACE : 0u) | harden_capability_layers();
}

static int lock_steps(const struct harden_limits *limits, const struct harden_user *user, bool child,
		      uint32_t *layers, const char **step)
{
	pid_t parent = getppid();

	if (harden_become(user, layers, step) != 0)
		return -1;
	*step = "parent";
	if (bind_to_parent(child, parent) != 0)
		return -1;
	*step = "no_new_privs";
	if (forbid_gaining(layers) != 0)
		return -1;
	/* Before the limits: its ruleset needs a free descriptor number for a moment. */
	*step = "landlock";
	if (harden_landlock(child, layers) != 0)
		return -1;
	*step = "rlimits";
	if (set_limits(limits) != 0)
		return -1;
	*layers |= HARDEN_LIMITS;
	return 0;
}

int harden_lock(const struct harden_call *calls, size_t count, const struct harden_limits *limits,
		const struct harden_user *user, bool landlock_signals, uint32_t *layers, const char **step)
{
	/* Not on the stack: 16 KiB that only the start needs would count against its limit for ever. */
	static struct harden_filter filter;

	*layers = 0;
	*step = "seccomp table";
	if (harden_filter_build(&filter, calls, count) != 0)
		return -1;
	if (lock_steps(limits, user, landlock_signals, layers, step) != 0)
		return -1;
	*layers |= proven_layers();
	*step = "seccomp";
	int rc = harden_filter_load(&filter);

	if (rc < 0)
		return -1;
	if (rc == 0)
		*layers |= HARDEN_SECCOMP;
	return 0;
}
