/* SPDX-License-Identifier: MIT
 *
 * A captured process against the memory of the others, as the same user, with each layer taken away in turn:
 *   the daemon's four, attacker with nothing      only their not being dumpable stands in the way
 *   the daemon's four, attacker under Landlock    as netproc or metrics without its filter
 *   the daemon's four, attacker under a filter    as netproc or metrics without Landlock
 *   a dumpable stand-in, under Landlock           only the attacker's Landlock stands in the way
 *   a dumpable stand-in, under a filter           only the attacker's filter does
 *   a dumpable stand-in of another user           only the user does, as in root mode
 *   a dumpable stand-in, with nothing             the control: here the theft must work, else this test would
 *                                                 prove nothing
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imsg/harden_steps.h"
#include "tests/attack/daemon_proc.h"

enum layer { LAYER_NONE, LAYER_LANDLOCK, LAYER_NETPROC, LAYER_METRICS, LAYERS };
enum outcome { REFUSED = 0, STOLEN = 1, OTHER = 2, NOT_SET_UP = 3 };

static const char *const layer_names[LAYERS] = {"nothing", "Landlock only", "netproc's filter only",
						"metrics's filter only"};
static volatile uint64_t loot = 0x5ec2e75ec2e75ec2; /* at the same address in the stand-in */
static struct harden_filter filters[LAYERS];

static enum outcome outcome_of(long rc)
{
	if (rc >= 0)
		return STOLEN;
	return errno == EPERM || errno == EACCES ? REFUSED : OTHER;
}

static enum outcome open_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return outcome_of(open(path, O_RDONLY));
}

static enum outcome by_ptrace(pid_t pid)
{
	return outcome_of(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
}

static enum outcome by_mem(pid_t pid)
{
	return open_of(pid, "mem");
}

static enum outcome by_vm_read(pid_t pid)
{
	uint64_t copy;
	struct iovec here = {&copy, sizeof(copy)}, there = {(void *)(uintptr_t)&loot, sizeof(copy)};
	long rc = process_vm_readv(pid, &here, 1, &there, 1, 0);

	/* A wrong address is a matter of luck: the door was open. */
	return rc < 0 && errno == EFAULT ? STOLEN : outcome_of(rc);
}

static enum outcome by_vm_write(pid_t pid)
{
	uint64_t copy = loot;
	struct iovec here = {&copy, sizeof(copy)}, there = {(void *)(uintptr_t)&loot, sizeof(copy)};
	long rc = process_vm_writev(pid, &here, 1, &there, 1, 0);

	return rc < 0 && errno == EFAULT ? STOLEN : outcome_of(rc);
}

static enum outcome by_getfd(pid_t pid)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);

	return process < 0 ? outcome_of(process) : outcome_of(syscall(SYS_pidfd_getfd, process, 0, 0));
}

static enum outcome by_environment(pid_t pid)
{
	return open_of(pid, "environ");
}

static enum outcome by_maps(pid_t pid)
{
	return open_of(pid, "maps");
}

static enum outcome by_descriptor(pid_t pid)
{
	return open_of(pid, "fd/0");
}

static enum outcome by_descriptors(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	return outcome_of(open(path, O_RDONLY | O_DIRECTORY));
}

static enum outcome by_stack(pid_t pid)
{
	return open_of(pid, "syscall");
}

static const struct {
	const char *name;
	enum outcome (*attack)(pid_t pid);
} attempts[] = {
    {"ptrace", by_ptrace},
    {"/proc/PID/mem", by_mem},
    {"process_vm_readv", by_vm_read},
    {"process_vm_writev", by_vm_write},
    {"pidfd_getfd", by_getfd},
    {"/proc/PID/environ", by_environment},
    {"/proc/PID/maps", by_maps},
    {"/proc/PID/fd/0", by_descriptor},
    {"list of /proc/PID/fd", by_descriptors},
    {"/proc/PID/syscall", by_stack},
};

struct theft {
	enum outcome (*attack)(pid_t pid);
	enum layer layer;
	pid_t victim;
};

static int put_on(enum layer layer)
{
	uint32_t layers = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	if (layer == LAYER_LANDLOCK)
		return harden_landlock(true, &layers) == 0 && layers != 0 ? 0 : -1;
	return layer == LAYER_NONE ? 0 : harden_filter_load(&filters[layer]);
}

static int steal(void *context)
{
	const struct theft *theft = context;

	if (attack_become_user() != 0 || put_on(theft->layer) != 0)
		return NOT_SET_UP;
	return (int)theft->attack(theft->victim);
}

static int become_other(void)
{
	const uid_t other = ATTACK_NOBODY - 1;

	return setgroups(0, NULL) != 0 || setresgid(other, other, other) != 0
		   ? -1
		   : setresuid(other, other, other);
}

/* Holds the loot, and lets itself be looked at. */
static pid_t start_stand_in(int (*become)(void))
{
	int ready[2];
	char word;

	if (pipe(ready) != 0)
		return -1;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (become() != 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &word, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

/* `wanted`: what must come of it where no filter ends the attempt. */
static void try_all(pid_t victim, const char *who, enum layer layer, enum outcome wanted)
{
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		struct theft theft = {attempts[i].attack, layer, victim};
		struct attack_end end = attack_in_child(steal, &theft);

		if (layer == LAYER_NETPROC || layer == LAYER_METRICS) {
			attack_check(end.signal == SIGSYS, "%s, attacker with %s: %s: %s", who,
				     layer_names[layer], attempts[i].name, attack_end_text(end));
			continue;
		}
		if (wanted == STOLEN && end.status == REFUSED) {
			attack_skip("control of %s: this system refuses it to everybody", attempts[i].name);
			continue;
		}
		attack_check(end.signal == 0 && end.status == (int)wanted,
			     "%s, attacker with %s: %s: %s, not %d", who, layer_names[layer],
			     attempts[i].name, attack_end_text(end), wanted);
	}
}

/* Why a layer cannot be tried here; NULL when it can. */
static const char *unable(enum layer layer)
{
	if (layer == LAYER_LANDLOCK && syscall(444, NULL, 0, 1) < 1)
		return "this kernel has none";
	if (layer > LAYER_LANDLOCK && attack_is_sanitized())
		return "the address sanitizer's own rows are in it";
	return NULL;
}

static void try_layer(const struct live_daemon *live, pid_t stand_in, enum layer layer)
{
	pid_t all[PROC_PROCESSES];
	int count = proc_processes(live, all);
	const char *why = unable(layer);

	if (why != NULL) {
		attack_skip("attacker with %s: %s", layer_names[layer], why);
		return;
	}
	for (int i = 0; i < count; i++)
		try_all(all[i], proc_names[i], layer, REFUSED);
	try_all(stand_in, "a dumpable stand-in", layer, layer == LAYER_NONE ? STOLEN : REFUSED);
}

static void end_stand_in(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* In root mode each process has a user of its own: that alone must do. */
static void try_other_user(void)
{
	if (geteuid() != 0) {
		attack_skip("a stand-in of another user: needs root");
		return;
	}
	pid_t stranger = start_stand_in(become_other);

	if (stranger < 0)
		attack_fail("a stand-in of another user does not start");
	else {
		try_all(stranger, "a dumpable stand-in of another user", LAYER_NONE, REFUSED);
		end_stand_in(stranger);
	}
}

static int build_filters(void)
{
	for (size_t i = 0; i < ATTACK_POLICIES; i++) {
		const struct attack_policy *policy = &attack_policies[i];
		enum layer layer = policy->program == ATTACK_NETPROC   ? LAYER_NETPROC
				   : policy->program == ATTACK_METRICS ? LAYER_METRICS
								       : LAYER_NONE;

		if (layer != LAYER_NONE &&
		    harden_filter_build(&filters[layer], policy->calls, *policy->count) != 0)
			return -1;
	}
	return 0;
}

int main(void)
{
	static struct live_daemon live;
	const struct live_daemon_wish wish = {.page = true};
	pid_t stand_in = start_stand_in(attack_become_user);

	if (live_daemon_start(&live, &wish) != 0 || stand_in < 0 || build_filters() != 0) {
		attack_fail("the victims do not start: %.300s", live.said);
		live_daemon_end(&live);
		return attack_end("cross");
	}
	for (int layer = 0; layer < LAYERS; layer++)
		try_layer(&live, stand_in, (enum layer)layer);
	end_stand_in(stand_in);
	try_other_user();
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(end.signal == 0 && end.status == 0, "the daemon afterwards: SIGTERM: %s",
		     attack_end_text(end));
	live_daemon_end(&live);
	return attack_end("cross");
}
