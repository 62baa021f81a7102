/* SPDX-License-Identifier: MIT
 *
 * Every system call number that is not in a program's table, one by one, under its filter: each must end the
 * process with SIGSYS. The filter that is loaded is tried, not the one that was meant: builders have had
 * bugs.
 */
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "imsg/harden_steps.h"
#include "tests/attack/attack.h"

#define NUMBERS 700

static struct harden_filter filter;

/* Passed by newer kernels for their own trampolines without asking any filter; outside of one they end in a
 * signal or an error. */
static bool kernel_passes(long number)
{
#ifdef __x86_64__
	return number == 335 || number == 336; /* uretprobe, uprobe */
#else
	return number < 0;
#endif
}

static bool in_table(const struct attack_policy *policy, long number)
{
	for (size_t i = 0; i < *policy->count; i++) {
		if (seccomp_syscall_resolve_name(policy->calls[i].name) == number)
			return true;
	}
	return false;
}

static int one_call(void *context)
{
	long number = *(const long *)context;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || harden_filter_load(&filter) != 0)
		return 2;
	syscall(number, 0, 0, 0, 0, 0, 0);
	/* Only keyproc's _exit is sure to be allowed, in all three. */
	syscall(SYS_exit_group, 3);
	return 3;
}

static void try_number(const struct attack_policy *policy, long number)
{
	struct attack_end end = attack_in_child(one_call, &number);

	if (kernel_passes(number) && end.signal != SIGSYS) {
		attack_check(end.status == 3 || end.signal == SIGILL || end.signal == SIGSEGV,
			     "%s: call %ld ended in %s", policy->name, number, attack_end_text(end));
		return;
	}
	attack_check(end.signal == SIGSYS, "%s: call %ld (%s) ended in %s", policy->name, number,
		     seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number), attack_end_text(end));
}

int main(void)
{
	if (attack_is_sanitized()) {
		attack_skip("the address sanitizer's own rows are in the filter");
		return attack_end("complement");
	}
	for (size_t p = 0; p < ATTACK_POLICIES; p++) {
		const struct attack_policy *policy = &attack_policies[p];

		if (harden_filter_build(&filter, policy->calls, *policy->count) != 0) {
			attack_fail("%s: no filter", policy->name);
			continue;
		}
		for (long number = 0; number < NUMBERS; number++) {
			if (!in_table(policy, number))
				try_number(policy, number);
		}
	}
	return attack_end("complement");
}
