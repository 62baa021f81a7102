/* SPDX-License-Identifier: MIT
 *
 * The mechanism of confinement, step by step, each in a process of its own: the minimum, the words of the
 * layers, each rule of a policy table with what it lets through and what it kills, Landlock, the way out of
 * root. And the tables of all programs: sorted, unique, every name known. What a program's own table lets
 * through is tried by tests/attack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "imsg/harden_steps.h"
#include "keyproc/sandbox.h"
#include "netproc/sandbox.h"
#include "parent/sandbox.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Runs a body in a process of its own: 0 when it returned true, 1 when false, else the signal and 128. */
static int in_child(bool (*body)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(20);
		_exit(body() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_minimum(void **state)
{
	const uint32_t all =
	    HARDEN_NO_NEW_PRIVS | HARDEN_NOT_DUMPABLE | HARDEN_NO_CAPABILITIES | HARDEN_SECCOMP;

	(void)state;
	assert_false(harden_enough(0));
	assert_false(harden_enough(all));
	assert_true(harden_enough(all | HARDEN_LANDLOCK));
	assert_true(harden_enough(all | HARDEN_CHROOT));
	assert_true(harden_enough(all | HARDEN_OWN_USER));
	assert_true(harden_enough(UINT32_MAX));
	for (uint32_t bit = 1; bit <= HARDEN_SECCOMP; bit <<= 1)
		assert_false(harden_enough(UINT32_MAX & ~bit));
	assert_false(
	    harden_enough(UINT32_MAX & ~(uint32_t)(HARDEN_LANDLOCK | HARDEN_CHROOT | HARDEN_OWN_USER)));
}

static void test_words(void **state)
{
	char text[256];

	(void)state;
	harden_layers_text(0, text, sizeof(text));
	assert_string_equal(text, "");
	harden_layers_text(HARDEN_NO_NEW_PRIVS | HARDEN_SECCOMP, text, sizeof(text));
	assert_string_equal(text, "nnp,seccomp");
	harden_layers_text(UINT32_MAX, text, sizeof(text));
	assert_non_null(strstr(text, "speculation"));
	/* Any size is terminated and not overrun; no word is cut. */
	for (size_t size = 1; size < 120; size++) {
		memset(text, 'x', sizeof(text));
		harden_layers_text(UINT32_MAX, text, size);
		assert_true(strlen(text) < size);
		assert_int_equal(text[size], 'x');
	}
}

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

static bool landlock_denies(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/tmp/dusk-harden-test"};
	uint32_t layers = 0;
	int null = open("/dev/null", O_RDWR), fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (harden_landlock(true, &layers) != 0 || (layers & HARDEN_LANDLOCK) == 0)
		return false;
	bool denied = open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES;

	denied = denied && open("/tmp/dusk-harden-test", O_RDWR | O_CREAT, 0600) < 0 && errno == EACCES;
	denied = denied && mkdir("/tmp/dusk-harden-test", 0700) < 0 && errno == EACCES;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	denied = denied && bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 && errno == EACCES;
	if ((layers & HARDEN_LANDLOCK_SCOPE) != 0)
		denied = denied && kill(getppid(), 0) < 0 && errno == EPERM;
	return denied && write(null, "x", 1) == 1; /* what is open stays open */
}

static bool landlock_without_signals(void)
{
	uint32_t layers = 0;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return harden_landlock(false, &layers) == 0 && kill(getppid(), 0) == 0;
}

static void test_landlock(void **state)
{
	(void)state;
	if (syscall(444, NULL, 0, 1) < 1)
		skip();
	assert_int_equal(in_child(landlock_denies), 0);
	assert_int_equal(in_child(landlock_without_signals), 0);
}

static bool root_is_given_up(void)
{
	const struct harden_user user = {.user = 54321, .group = 54322};
	const char *step = "";
	uint32_t layers = 0;

	if (harden_become(&user, &layers, &step) != 0)
		return false;
	return getuid() == 54321 && getgid() == 54322 && getgroups(0, NULL) == 0 && setuid(0) != 0 &&
	       access("/etc", F_OK) != 0 && mkdir("/x", 0700) != 0 &&
	       (harden_capability_layers() & HARDEN_NO_CAPABILITIES) != 0 &&
	       (layers & HARDEN_OWN_USER) != 0 && (layers & HARDEN_CHROOT) != 0;
}

static bool root_without_capabilities(void)
{
	const struct harden_user user = {0};
	const char *step = "";
	uint32_t layers = 0;

	return harden_become(&user, &layers, &step) == 0 && layers == 0 && chroot("/") != 0 &&
	       errno == EPERM && (harden_capability_layers() & HARDEN_NO_CAPABILITIES) != 0;
}

static bool open_jail_is_refused(void)
{
	const struct harden_user user = {.user = 54321, .group = 54322, .chroot = "/tmp"};
	const char *step = "";
	uint32_t layers = 0;

	return harden_become(&user, &layers, &step) != 0 && strcmp(step, "chroot") == 0;
}

static bool group_of_root_is_refused(void)
{
	const struct harden_user user = {.user = 54321};
	const char *step = "";
	uint32_t layers = 0;

	return harden_become(&user, &layers, &step) != 0 && strcmp(step, "user") == 0;
}

static void test_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(root_is_given_up), 0);
	assert_int_equal(in_child(root_without_capabilities), 0);
	assert_int_equal(in_child(open_jail_is_refused), 0);
	assert_int_equal(in_child(group_of_root_is_refused), 0);
}

static bool lock_all(void)
{
	const struct harden_limits limits = {.data = 32U << 20, .stack = 1U << 20, .fsize_zero = true};
	const struct harden_user user = {0};
	static const struct harden_call calls[] = {{"exit_group", HARDEN_ALLOW, false},
						   {"getrlimit", HARDEN_ALLOW, false},
						   {"prlimit64", HARDEN_ALLOW, false}};
	const char *step = "";
	uint32_t layers = 0;
	struct rlimit got;

	close_range(3, ~0U, 0);
	if (harden_lock(calls, COUNT_OF(calls), &limits, &user, true, &layers, &step) != 0)
		return false;
	return harden_enough(layers) && (layers & HARDEN_LIMITS) != 0 && getrlimit(RLIMIT_CORE, &got) == 0 &&
	       got.rlim_max == 0 && getrlimit(RLIMIT_NOFILE, &got) == 0 && got.rlim_max == 3;
}

static void test_lock(void **state)
{
	(void)state;
	assert_int_equal(in_child(lock_all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_minimum),	   cmocka_unit_test(test_words),
	    cmocka_unit_test(test_tables),	   cmocka_unit_test(test_tables_lack_the_dangerous),
	    cmocka_unit_test(test_allow_and_kill),
#ifndef HARDEN_SANITIZED
	    cmocka_unit_test(test_mmap),	   cmocka_unit_test(test_mprotect),
	    cmocka_unit_test(test_mremap_madvise),
#endif
	    cmocka_unit_test(test_tgkill),	   cmocka_unit_test(test_builder_refuses),
	    cmocka_unit_test(test_landlock),	   cmocka_unit_test(test_root),
	    cmocka_unit_test(test_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
