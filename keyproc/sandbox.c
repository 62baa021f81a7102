/* SPDX-License-Identifier: MIT
 *
 * What keyproc may still ask of the kernel: wait for its two channels, read and write them, see the time,
 * end. No memory is mapped or freed after the lock, no random byte is drawn, no signal is handled, no process
 * is signalled: abort() too ends in SIGSYS, which the parent names. Called by main.c.
 */
#include "keyproc/sandbox.h"

/* clang-format off */
const struct harden_call key_sandbox_calls[] = {
	{"clock_gettime", HARDEN_ALLOW, false}, /* where the vDSO has no clock */
	{"exit_group", HARDEN_ALLOW, false},
	{"ppoll", HARDEN_ALLOW, false}, /* and not poll, which needs restart_syscall after SIGCONT */
	{"read", HARDEN_ALLOW, false},
	{"write", HARDEN_ALLOW, false},
};
/* clang-format on */

const size_t key_sandbox_call_count = sizeof(key_sandbox_calls) / sizeof(key_sandbox_calls[0]);

int key_sandbox_lock(uid_t user, gid_t group, uint32_t *layers, const char **step)
{
	const struct harden_limits limits = {
	    .nofile = 0, /* no free number: no descriptor can arrive */
	    .data = UINT64_C(16) << 20,
	    .memlock = UINT64_C(64) << 10,
	    .stack = UINT64_C(256) << 10,
	    .fsize_zero = true,
	};
	const struct harden_user who = {.user = user, .group = group};
	uint32_t speculation = harden_speculation();
	int rc = harden_lock(key_sandbox_calls, key_sandbox_call_count, &limits, &who, true, layers, step);

	*layers |= speculation;
	return rc;
}
