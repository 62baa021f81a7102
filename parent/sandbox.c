/* SPDX-License-Identifier: MIT */
#include "parent/sandbox.h"

/* Sorted by name. Why each: read and write move bytes on channels, stderr and the service manager's socket;
 * poll and ppoll wait; wait4 reaps; the rest is what libc does when a process ends, aborts, or goes on after
 * a stop. Nothing opens, connects, starts or kills. */
const struct harden_call parent_calls[] = {
    {"clock_gettime", HARDEN_ALLOW, false}, /* where the vDSO has no clock */
    {"close", HARDEN_ALLOW, false},
    {"exit_group", HARDEN_ALLOW, false},
    {"getpid", HARDEN_ALLOW, false},
    {"gettid", HARDEN_ALLOW, false},
    {"poll", HARDEN_ALLOW, true}, /* not on every architecture */
    {"ppoll", HARDEN_ALLOW, false},
    {"read", HARDEN_ALLOW, false},
    {"restart_syscall", HARDEN_ALLOW, false},
    {"rt_sigprocmask", HARDEN_ALLOW, false},
    {"tgkill", HARDEN_TGKILL, false},
    {"wait4", HARDEN_ALLOW, false},
    {"write", HARDEN_ALLOW, false},
    {"writev", HARDEN_ALLOW, false},
};

const size_t parent_call_count = sizeof(parent_calls) / sizeof(parent_calls[0]);

/* No descriptor beyond those it has: nothing can hand it one. Files stay writable: stderr may be one. */
const struct harden_limits parent_limits = {
    .nofile = 0, .data = 16U << 20, .memlock = 0, .stack = 1U << 20, .fsize_zero = false};
