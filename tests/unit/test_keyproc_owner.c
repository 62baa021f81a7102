/* SPDX-License-Identifier: MIT
 *
 * The key file of other owners, on a read-only and on a full file system. All of it needs root and is skipped
 * without.
 */
#include "keyproc_folder.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* Runs as another user in a process of its own; true when it held. */
static bool as_user(uid_t user, bool (*body)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		bool became = setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0;

		_exit(became && body() ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static struct key_file_result load_as_found;

static bool load(void)
{
	struct key_file_wish wish = wish_in(&folder);

	return key_file_load(&wish, &load_as_found) == 0;
}

static bool refuses_owner(void)
{
	return !load() && load_as_found.reason == START_FAILURE_KEY_OWNER && load_as_found.detail == 1234;
}

static bool refuses_folder_owner(void)
{
	return !load() && load_as_found.reason == START_FAILURE_KEY_DIRECTORY_OWNER &&
	       load_as_found.detail == 1234;
}

static bool refuses_folder_mode(void)
{
	return !load() && load_as_found.reason == START_FAILURE_KEY_DIRECTORY_MODE &&
	       load_as_found.detail == 0777;
}

static bool cannot_open(void)
{
	return !load() && load_as_found.reason == START_FAILURE_KEY_OPEN && load_as_found.system == EACCES;
}

static bool cannot_create(void)
{
	return !load() && load_as_found.reason == START_FAILURE_KEY_CREATE && load_as_found.system == EACCES;
}

static bool loads_with_warning(void)
{
	return load() && load_as_found.open && !load_as_found.tightened;
}

static bool loads_quietly(void)
{
	return load() && !load_as_found.open && !load_as_found.tightened;
}

static void own(uid_t of_folder, mode_t folder_bits, uid_t of_file, mode_t file_bits)
{
	write_key_k(&folder, file_bits);
	assert_int_equal(fchownat(folder.fd, "keypair", of_file, of_file, 0), 0);
	assert_int_equal(fchmodat(folder.fd, "keypair", file_bits, 0), 0);
	assert_int_equal(fchown(folder.fd, of_folder, of_folder), 0);
	assert_int_equal(fchmod(folder.fd, folder_bits), 0);
}

static void test_owners(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	own(1000, 0700, 1000, 0600);
	assert_true(as_user(1000, loads_quietly));
	own(1000, 0755, 1234, 0644);
	assert_true(as_user(1000, refuses_owner));
	own(1234, 0755, 1000, 0600);
	assert_true(as_user(1000, refuses_folder_owner));
	own(0, 0755, 0, 0600);
	assert_true(as_user(1000, cannot_open));
	/* Root's own, as a container's secret is. */
	own(0, 0755, 0, 0444);
	assert_true(as_user(1000, loads_with_warning));
	own(0, 0777, 0, 0444);
	assert_true(as_user(1000, refuses_folder_mode));
	own(0, 0755, 1000, 0600);
	unlinkat(folder.fd, "keypair", 0);
	assert_true(as_user(1000, cannot_create));
}

/* Root, about to become 1000: its files are right too, those of others are not. */
static void test_owners_in_root_mode(void **state)
{
	struct key_file_wish wish = wish_in(&folder);

	(void)state;
	if (geteuid() != 0)
		skip();
	wish.user = 1000;
	own(1000, 0700, 1000, 0600);
	expect(0, wish);
	own(1000, 0755, 1000, 0644);
	assert_true(expect(0, wish).tightened);
	own(0, 0700, 1234, 0600);
	assert_int_equal(expect(-1, wish).reason, START_FAILURE_KEY_OWNER);
	own(1234, 0700, 1000, 0600);
	assert_int_equal(expect(-1, wish).reason, START_FAILURE_KEY_DIRECTORY_OWNER);
}

/* A file system of its own on the folder, in a process with mounts of its own. */
static bool with_mount(unsigned long flags, const char *options, bool key_first, bool (*body)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(20);
		if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("none", folder.path, "tmpfs", 0, options) != 0)
			_exit(77);
		folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY);
		if (key_first)
			write_key_k(&folder, 0644);
		if (flags != 0 && mount("none", folder.path, NULL, MS_REMOUNT | flags, options) != 0)
			_exit(77);
		_exit(body() ? 0 : 1);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool cannot_create_read_only(void)
{
	return !load() && load_as_found.reason == START_FAILURE_KEY_CREATE && load_as_found.system == EROFS;
}

static void test_read_only_mount(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(with_mount(MS_RDONLY, "mode=0777", true, loads_with_warning));
	assert_true(with_mount(MS_RDONLY, "mode=0700", false, cannot_create_read_only));
}

/* No room for the first byte; then none for the name. Nothing half-made stays. */
static bool full_disk(void)
{
	static const uint8_t block[4096];
	int fill = openat(folder.fd, "fill", O_WRONLY | O_CREAT, 0600);

	while (write(fill, block, sizeof(block)) > 0)
		;
	close(fill);
	return !load() && load_as_found.reason == START_FAILURE_KEY_CREATE &&
	       load_as_found.system == ENOSPC && folder_count(&folder) == 1;
}

static bool no_inodes(void)
{
	return !load() && load_as_found.reason == START_FAILURE_KEY_CREATE &&
	       load_as_found.system == ENOSPC && folder_count(&folder) == 0;
}

static void test_full_disk(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(with_mount(0, "mode=0700,size=16k", false, full_disk));
	assert_true(with_mount(0, "mode=0700,nr_inodes=1", false, no_inodes));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_owners),
	    TEST(test_owners_in_root_mode),
	    TEST(test_read_only_mount),
	    TEST(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
