/* SPDX-License-Identifier: MIT
 *
 * What netproc may still ask of the kernel: take connections from the listeners it holds, move bytes with
 * read and write only, wait, have memory, see the time. No call makes, connects or configures a socket: a
 * listener that is shut down and sent from would connect outwards, so shutdown, send*, recv* and the socket
 * options are not here.
 */
#include "netproc/sandbox.h"

#include "netproc/process.h"

/* clang-format off */
const struct harden_call net_sandbox_calls[] = {
	{"accept4", HARDEN_ALLOW, false},
	{"brk", HARDEN_ALLOW, false},
	{"clock_gettime", HARDEN_ALLOW, false}, /* where the vDSO has no clock */
	{"clock_nanosleep", HARDEN_NANOSLEEP, false}, /* gathers bulk that comes in small pieces */
	{"close", HARDEN_ALLOW, false},
	{"epoll_ctl", HARDEN_ALLOW, false},
	{"epoll_pwait", HARDEN_ALLOW, false}, /* aarch64 */
	{"epoll_wait", HARDEN_ALLOW, true},
	{"exit_group", HARDEN_ALLOW, false},
	{"futex", HARDEN_ALLOW, false}, /* libcrypto's and libc's locks, never contended in one thread */
	{"getpid", HARDEN_ALLOW, false}, /* libsodium and abort */
	{"getrandom", HARDEN_ALLOW, false}, /* ephemeral keys */
	{"getsockname", HARDEN_ALLOW, false}, /* the address handed out where none is configured */
	{"gettid", HARDEN_ALLOW, false}, /* abort */
	{"madvise", HARDEN_MADVISE, false},
	{"mmap", HARDEN_MMAP, false},
	{"mprotect", HARDEN_MPROTECT, false},
	{"mremap", HARDEN_MREMAP, false},
	{"munmap", HARDEN_ALLOW, false},
	{"read", HARDEN_ALLOW, false},
	{"restart_syscall", HARDEN_ALLOW, false},
	{"rt_sigprocmask", HARDEN_ALLOW, false}, /* abort */
	{"tgkill", HARDEN_TGKILL, false}, /* abort: itself only */
	{"write", HARDEN_ALLOW, false},
	{"writev", HARDEN_ALLOW, false},
};
/* clang-format on */

const size_t net_sandbox_call_count = sizeof(net_sandbox_calls) / sizeof(net_sandbox_calls[0]);

/* Descriptors beside the connections: 0-2, two channels, listeners, the poller's, and a few. */
#define SANDBOX_DESCRIPTORS 32u

int sandbox_lock(struct process *process, uint32_t *layers, const char **step)
{
	const struct harden_limits limits = {
	    .nofile = process->conf.settings.max_connections + SANDBOX_DESCRIPTORS,
	    .data = 0,
	    .memlock = 0,
	    .stack = 1u << 20,
	    .fsize_zero = true,
	};
	const struct harden_user who = {.user = process->conf.user, .group = process->conf.group};

	return harden_lock(net_sandbox_calls, net_sandbox_call_count, &limits, &who, true, layers, step);
}
