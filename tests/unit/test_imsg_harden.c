/* SPDX-License-Identifier: MIT
 *
 * The mechanism of confinement, step by step, each in a process of its own: the minimum, the words of the
 * layers, Landlock, the way out of root, the whole lock. Filters: test_imsg_seccomp.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "imsg/harden_steps.h"
#include "imsg_child.h"

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
	    cmocka_unit_test(test_minimum), cmocka_unit_test(test_words), cmocka_unit_test(test_landlock),
	    cmocka_unit_test(test_root),    cmocka_unit_test(test_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
