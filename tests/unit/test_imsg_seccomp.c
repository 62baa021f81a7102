/* SPDX-License-Identifier: MIT
 *
 * Policy tables and the filters made of them: the tables of all programs are sorted, unique, every name known
 * on both architectures; each rule lets through what it says and kills the rest, tried in a process of its
 * own. What a program's own table lets through is tried by tests/attack.
 */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "imsg/harden_steps.h"
#include "imsg_child.h"
#include "keyproc/sandbox.h"
#include "netproc/sandbox.h"
#include "parent/sandbox.h"

static void check_table(const struct harden_call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			assert_true(strcmp(calls[i - 1].name, calls[i].name) < 0);
		if (!calls[i].optional)
			assert_int_not_equal(seccomp_syscall_resolve_name(calls[i].name), __NR_SCMP_ERROR);
		/* A name that only one of our architectures has must be marked. */
		if (!calls[i].optional && calls[i].rule != HARDEN_ENOSYS) {
			assert_true(seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, calls[i].name) >= 0);
			assert_true(seccomp_syscall_resolve_name_arch(SCMP_ARCH_AARCH64, calls[i].name) >= 0);
		}
	}
}

static void test_tables(void **state)
{
	(void)state;
	check_table(key_sandbox_calls, key_sandbox_call_count);
	check_table(parent_calls, parent_call_count);
	check_table(net_sandbox_calls, net_sandbox_call_count);
}

/* What no locked process may have, by name. */
static void test_tables_lack_the_dangerous(void **state)
{
	static const char *const never[] = {
	    "socket",
	    "connect",
	    "bind",
	    "listen",
	    "sendto",
	    "sendmsg",
	    "sendmmsg",
	    "recvfrom",
	    "recvmsg",
	    "recvmmsg",
	    "shutdown",
	    "setsockopt",
	    "getsockopt",
	    "execve",
	    "execveat",
	    "fork",
	    "vfork",
	    "clone",
	    "clone3",
	    "open",
	    "openat",
	    "openat2",
	    "creat",
	    "ptrace",
	    "kill",
	    "prctl",
	    "seccomp",
	    "dup",
	    "dup2",
	    "dup3",
	    "fcntl",
	    "ioctl",
	    "bpf",
	    "pidfd_open",
	    "pidfd_getfd",
	    "process_vm_readv",
	    "process_vm_writev",
	    "memfd_create",
	    "io_uring_setup",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(never); i++) {
		for (size_t j = 0; j < key_sandbox_call_count; j++)
			assert_string_not_equal(key_sandbox_calls[j].name, never[i]);
		for (size_t j = 0; j < parent_call_count; j++)
			assert_string_not_equal(parent_calls[j].name, never[i]);
		for (size_t j = 0; j < net_sandbox_call_count; j++)
			assert_string_not_equal(net_sandbox_calls[j].name, never[i]);
	}
	for (size_t j = 0; j < key_sandbox_call_count; j++)
		assert_int_equal(key_sandbox_calls[j].rule, HARDEN_ALLOW);
}

static struct harden_call under_test[4];
static size_t under_test_count;
static long arguments[6];
static long number;
static int expected_errno;

/* Loads the table under test and makes the one call; true when it came back as expected. */
static bool call_under_filter(void)
{
	static struct harden_filter filter;

	if (harden_filter_build(&filter, under_test, under_test_count) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || harden_filter_load(&filter) != 0)
		return false;
	long rc = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
			  arguments[5]);

	return expected_errno == 0 ? rc >= 0 : rc == -1 && errno == expected_errno;
}

#define CALL(...)                                                                                            \
	do {                                                                                                 \
		const long list[6] = {__VA_ARGS__};                                                          \
		memcpy(arguments, list, sizeof(arguments));                                                  \
	} while (0)

static void rule_is(const char *name, enum harden_rule rule)
{
	under_test[0] = (struct harden_call){"exit_group", HARDEN_ALLOW, false};
	under_test[1] = (struct harden_call){name, rule, false};
	under_test_count = 2;
	number = seccomp_syscall_resolve_name(name);
	expected_errno = 0;
}

static void passes(void)
{
	assert_int_equal(in_child(call_under_filter), 0);
}

static void killed(void)
{
	assert_int_equal(in_child(call_under_filter), 128 + SIGSYS);
}

static void test_allow_and_kill(void **state)
{
	(void)state;
	rule_is("getppid", HARDEN_ALLOW);
	passes();
	number = SYS_getuid;
	killed();
	rule_is("getppid", HARDEN_ENOSYS);
	expected_errno = ENOSYS;
	passes();
}

#define HIGH (1L << 32)

#ifndef HARDEN_SANITIZED /* its rows allow mmap and mprotect without conditions */

static void test_mmap(void **state)
{
	const long rw = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;

	(void)state;
	rule_is("mmap", HARDEN_MMAP);
	CALL(0, 4096, rw, flags, -1, 0);
	passes();
	CALL(0, 4096, PROT_NONE, flags | MAP_NORESERVE, -1, 0);
	passes();
	CALL(0, 4096, rw | PROT_EXEC, flags, -1, 0);
	killed();
	CALL(0, 4096, rw | HIGH, flags, -1, 0);
	killed();
	CALL(0, 4096, rw, flags | HIGH, -1, 0);
	killed();
	CALL(0, 4096, rw, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	killed();
	CALL(0, 4096, PROT_READ, MAP_PRIVATE, 0, 0);
	killed();
	CALL(0, 4096, rw, flags | MAP_FIXED, -1, 0);
	killed();
	CALL(0, 4096, rw | PROT_GROWSDOWN, flags, -1, 0);
	killed();
}

static void test_mprotect(void **state)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	rule_is("mprotect", HARDEN_MPROTECT);
	CALL((long)page, 4096, PROT_READ | PROT_WRITE);
	passes();
	CALL((long)page, 4096, PROT_READ | PROT_EXEC);
	killed();
	CALL((long)page, 4096, PROT_EXEC);
	killed();
	CALL((long)page, 4096, PROT_READ | HIGH);
	killed();
	CALL((long)page, 4096, PROT_READ | (1L << 63));
	killed();
	munmap(page, 4096);
}

static void test_mremap_madvise(void **state)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	rule_is("mremap", HARDEN_MREMAP);
	CALL((long)page, 4096, 8192, MREMAP_MAYMOVE);
	passes();
	CALL((long)page, 4096, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, 0);
	killed();
	CALL((long)page, 4096, 8192, MREMAP_MAYMOVE | HIGH);
	killed();
	rule_is("madvise", HARDEN_MADVISE);
	CALL((long)page, 4096, MADV_DONTNEED);
	passes();
	CALL((long)page, 4096, MADV_DONTDUMP);
	passes();
	CALL((long)page, 4096, MADV_DOFORK);
	killed();
	CALL((long)page, 4096, MADV_DONTNEED | HIGH);
	killed();
	munmap(page, 4096);
}

#endif

static bool signal_self(void)
{
	CALL(getpid(), gettid(), 0);
	return call_under_filter();
}

static void test_tgkill(void **state)
{
	(void)state;
	rule_is("tgkill", HARDEN_TGKILL);
	assert_int_equal(in_child(signal_self), 0);
	CALL(getpid(), gettid(), 0); /* the test itself, from its child */
	killed();
	CALL(1, 1, 0);
	killed();
}

static void test_nanosleep(void **state)
{
	static const struct timespec shortly = {.tv_nsec = 1000};
	long time = (long)&shortly;

	(void)state;
	rule_is("clock_nanosleep", HARDEN_NANOSLEEP);
	CALL(CLOCK_MONOTONIC, 0, time, 0);
	passes();
	CALL(CLOCK_REALTIME, 0, time, 0);
	killed();
	CALL(CLOCK_MONOTONIC, TIMER_ABSTIME, time, 0);
	killed();
	CALL(CLOCK_MONOTONIC, 0, time, time);
	killed();
}

static void test_builder_refuses(void **state)
{
	static struct harden_filter filter;
	struct harden_call unknown = {"no_such_call", HARDEN_ALLOW, false};

	(void)state;
	assert_int_equal(harden_filter_build(&filter, &unknown, 1), -1);
	assert_int_equal(errno, ENOENT);
	unknown.optional = true;
	assert_int_equal(harden_filter_build(&filter, &unknown, 1), 0);
	assert_true(filter.count > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tables),
	    cmocka_unit_test(test_tables_lack_the_dangerous),
	    cmocka_unit_test(test_allow_and_kill),
#ifndef HARDEN_SANITIZED
	    cmocka_unit_test(test_mmap),
	    cmocka_unit_test(test_mprotect),
	    cmocka_unit_test(test_mremap_madvise),
#endif
	    cmocka_unit_test(test_tgkill),
	    cmocka_unit_test(test_nanosleep),
	    cmocka_unit_test(test_builder_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
