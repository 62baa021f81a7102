/* SPDX-License-Identifier: MIT
 *
 * Test builds only: the system calls that the address sanitizer's runtime makes beside the program's own.
 * They weaken the filter, so they stand apart from every policy table and do not exist in a release: this
 * file is then empty.
 */
#include "imsg/harden_steps.h"

#ifdef HARDEN_SANITIZED

/* clang-format off */
const struct harden_call harden_sanitizer_calls[] = {
	{"clock_gettime", HARDEN_ALLOW, false},
	{"close", HARDEN_ALLOW, false},
	{"exit", HARDEN_ALLOW, false},
	{"exit_group", HARDEN_ALLOW, false},
	{"fstat", HARDEN_ALLOW, true},
	{"futex", HARDEN_ALLOW, false},
	{"getpid", HARDEN_ALLOW, false},
	{"getrusage", HARDEN_ALLOW, false},
	{"gettid", HARDEN_ALLOW, false},
	{"ioctl", HARDEN_ALLOW, false},
	{"lseek", HARDEN_ALLOW, false},
	{"madvise", HARDEN_ALLOW, false},
	{"mmap", HARDEN_ALLOW, false},
	{"mprotect", HARDEN_ALLOW, false},
	{"munmap", HARDEN_ALLOW, false},
	{"newfstatat", HARDEN_ALLOW, true},
	{"open", HARDEN_ALLOW, true},
	{"openat", HARDEN_ALLOW, false},
	{"prctl", HARDEN_ALLOW, false},
	{"read", HARDEN_ALLOW, false},
	{"readlink", HARDEN_ALLOW, true},
	{"readlinkat", HARDEN_ALLOW, false},
	{"rt_sigaction", HARDEN_ALLOW, false},
	{"rt_sigprocmask", HARDEN_ALLOW, false},
	{"sched_yield", HARDEN_ALLOW, false},
	{"sigaltstack", HARDEN_ALLOW, false},
	{"stat", HARDEN_ALLOW, true},
	{"tgkill", HARDEN_TGKILL, false},
	{"uname", HARDEN_ALLOW, false},
	{"write", HARDEN_ALLOW, false},
};
/* clang-format on */

const size_t harden_sanitizer_call_count = sizeof(harden_sanitizer_calls) / sizeof(harden_sanitizer_calls[0]);

/* The leak checker stops a process from a thread of its own, which confinement forbids: it would wait for
 * ever.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#else
typedef int harden_sanitizer_is_empty; /* a source file may not be */
#endif
