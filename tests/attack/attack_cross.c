/* SPDX-License-Identifier: MIT
 *
 * A captured process against keyproc's memory, as the same user, with each layer taken away in turn:
 *   keyproc, attacker with nothing      only keyproc's not being dumpable stands in the way
 *   keyproc, attacker under Landlock    as netproc without its filter
 *   keyproc, attacker under the filter  as netproc without Landlock
 *   a dumpable stand-in, under Landlock    only the attacker's Landlock stands in the way
 *   a dumpable stand-in, under the filter  only the attacker's filter does
 *   a dumpable stand-in, with nothing   the control: here the theft must work, else this test would prove
 * nothing
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
#include "netproc/sandbox.h"
#include "tests/attack/attack.h"
#include "tests/attack/live_keyproc.h"

enum layer { LAYER_NONE, LAYER_LANDLOCK, LAYER_SECCOMP, LAYERS };
enum outcome { REFUSED = 0, STOLEN = 1, OTHER = 2, NOT_SET_UP = 3 };

static const char *const layer_names[LAYERS] = {"nothing", "Landlock only", "the filter only"};
static volatile uint64_t loot = 0x5ec2e75ec2e75ec2; /* at the same address in the stand-in */
static struct harden_filter filter;

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
	return layer == LAYER_SECCOMP ? harden_filter_load(&filter) : 0;
}

static int steal(void *context)
{
	const struct theft *theft = context;

	if (attack_become_user() != 0 || put_on(theft->layer) != 0)
		return NOT_SET_UP;
	return (int)theft->attack(theft->victim);
}

/* Holds the loot, and lets itself be looked at. */
static pid_t start_stand_in(void)
{
	int ready[2];
	char word;

	if (pipe(ready) != 0)
		return -1;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (attack_become_user() != 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0 ||
		    write(ready[1], "r", 1) != 1)
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

static void try_all(pid_t victim, bool dumpable, enum layer layer)
{
	const char *who = dumpable ? "a dumpable stand-in" : "keyproc";

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		struct theft theft = {attempts[i].attack, layer, victim};
		struct attack_end end = attack_in_child(steal, &theft);

		if (layer == LAYER_SECCOMP) {
			attack_check(end.signal == SIGSYS, "%s, attacker with %s: %s: %s", who,
				     layer_names[layer], attempts[i].name, attack_end_text(end));
			continue;
		}
		if (dumpable && layer == LAYER_NONE && end.status == REFUSED) {
			attack_skip("control of %s: this system refuses it to everybody", attempts[i].name);
			continue;
		}
		int wanted = dumpable && layer == LAYER_NONE ? STOLEN : REFUSED;

		attack_check(end.signal == 0 && end.status == wanted, "%s, attacker with %s: %s: %s, not %d",
			     who, layer_names[layer], attempts[i].name, attack_end_text(end), wanted);
	}
}

static bool landlock_is_here(void)
{
	return syscall(444, NULL, 0, 1) >= 1;
}

int main(void)
{
	static struct live_keyproc live;
	pid_t stand_in = start_stand_in();

	if (live_keyproc_start(&live) != 0 || stand_in < 0 ||
	    harden_filter_build(&filter, net_sandbox_calls, net_sandbox_call_count) != 0) {
		attack_fail("the victims do not start");
		return attack_end("cross");
	}
	for (int layer = 0; layer < LAYERS; layer++) {
		if (layer == LAYER_LANDLOCK && !landlock_is_here()) {
			attack_skip("attacker with Landlock only: this kernel has none");
			continue;
		}
		if (layer == LAYER_SECCOMP && attack_is_sanitized()) {
			attack_skip(
			    "attacker with the filter only: the address sanitizer's own rows are in it");
			continue;
		}
		try_all(live.pid, false, (enum layer)layer);
		try_all(stand_in, true, (enum layer)layer);
	}
	kill(stand_in, SIGKILL);
	waitpid(stand_in, NULL, 0);
	live_keyproc_send(live.parent, IMSG_KEY_PING, NULL);
	attack_check(live_keyproc_receive(&live, live.parent, 3000) == IMSG_KEY_PONG,
		     "keyproc does not answer any more");
	live_keyproc_end(&live);
	return attack_end("cross");
}
