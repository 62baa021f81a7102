/* SPDX-License-Identifier: MIT
 *
 * What metrics may still ask of the kernel: accept on its listener, read and write, wait, see the time, grow
 * its heap up to the limit, end. Called by main.c.
 */
#include "metrics/sandbox.h"

#include "metrics/sockets.h"

/* clang-format off */
const struct harden_call metrics_sandbox_calls[] = {
	{"accept4", HARDEN_ALLOW, false},
	{"brk", HARDEN_ALLOW, false}, /* the heap alone: no memory is mapped after the lock */
	{"clock_gettime", HARDEN_ALLOW, false}, /* where the vDSO has no clock */
	{"close", HARDEN_ALLOW, false},
	{"exit_group", HARDEN_ALLOW, false},
	{"ppoll", HARDEN_ALLOW, false}, /* and not poll, which needs restart_syscall after SIGCONT */
	{"read", HARDEN_ALLOW, false},
	{"write", HARDEN_ALLOW, false},
};
/* clang-format on */

const size_t metrics_sandbox_call_count = sizeof(metrics_sandbox_calls) / sizeof(metrics_sandbox_calls[0]);

int metrics_sandbox_lock(uid_t user, gid_t group, uint32_t *layers, const char **step)
{
	const struct harden_limits limits = {
	    .nofile = SOCKETS_MAX,
	    .data = UINT64_C(32) << 20,
	    .memlock = UINT64_C(64) << 10,
	    .stack = UINT64_C(256) << 10,
	    .fsize_zero = true,
	};
	const struct harden_user who = {.user = user, .group = group};

	return harden_lock(metrics_sandbox_calls, metrics_sandbox_call_count, &limits, &who, true, layers,
			   step);
}
