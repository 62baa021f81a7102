/* SPDX-License-Identifier: MIT
 *
 * The key file: what is accepted, what is refused and by which name, what is created, and that no refused
 * file is ever changed. As root it also tries owners, devices, read-only and full file systems; without,
 * these are skipped.
 */
#include "keyproc_folder.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static struct folder folder;

static int set_up(void **state)
{
	(void)state;
	folder_open(&folder);
	return key_secret_reserve();
}

static int tear_down(void **state)
{
	(void)state;
	key_secret_forget();
	folder_close(&folder);
	return 0;
}

static struct key_file_result expect(int rc, struct key_file_wish wish)
{
	struct key_file_result result;

	assert_int_equal(key_file_load(&wish, &result), rc);
	return result;
}

static void refused(enum start_failure reason)
{
	struct key_file_result result = expect(-1, wish_in(&folder));

	assert_int_equal(result.reason, reason);
	assert_false(result.created);
}

static void accepted(void)
{
	struct bytes k = bytes_of_hex(K_PUBLIC);

	expect(0, wish_in(&folder));
	assert_memory_equal(key_secret_identity(), k.at, 32);
}

static void test_key_of_rust(void **state)
{
	(void)state;
	write_key_k(&folder, 0600);
	accepted();
	assert_int_equal(folder_count(&folder), 1);
	write_key_k(&folder, 0400);
	accepted();
}

static void test_both_names(void **state)
{
	struct bytes k = bytes_of_hex(K_FILE);
	struct key_file_wish wish = wish_in(&folder);

	(void)state;
	wish.place = IMSG_KEY_IN_CWD;
	folder_write(&folder, "relay_keypair", k.at, k.len, 0600);
	expect(0, wish);
	assert_string_equal(key_file_name(IMSG_KEY_IN_CWD), "relay_keypair");
	assert_string_equal(key_file_name(IMSG_KEY_IN_FOLDER), "keypair");
}

static void test_created(void **state)
{
	uint8_t file[100], identity[32];
	struct key_file_result result;

	(void)state;
	result = expect(0, wish_in(&folder));
	assert_true(result.created);
	memcpy(identity, key_secret_identity(), 32);
	assert_int_equal(folder_count(&folder), 1);
	assert_int_equal(folder_read(&folder, "keypair", file, sizeof(file)), KEY_FILE_SIZE);
	assert_memory_equal(file, "\x08\x01\x12\x40", 4);
	assert_memory_equal(file + 36, identity, 32);
	assert_int_equal(folder_mode(&folder, "keypair"), 0600);
	result = expect(0, wish_in(&folder));
	assert_false(result.created);
	assert_memory_equal(key_secret_identity(), identity, 32);
	/* And another one in its stead is another identity. */
	unlinkat(folder.fd, "keypair", 0);
	expect(0, wish_in(&folder));
	assert_memory_not_equal(key_secret_identity(), identity, 32);
}

static void test_missing(void **state)
{
	struct key_file_wish wish = wish_in(&folder);

	(void)state;
	wish.create = false;
	assert_int_equal(expect(-1, wish).reason, START_FAILURE_KEY_MISSING);
	assert_int_equal(folder_count(&folder), 0);
}

static void test_kinds(void **state)
{
	(void)state;
	assert_int_equal(symlinkat("/etc/passwd", folder.fd, "keypair"), 0);
	refused(START_FAILURE_KEY_NOT_REGULAR);
	folder_empty(&folder);
	assert_int_equal(symlinkat("nowhere", folder.fd, "keypair"), 0);
	refused(START_FAILURE_KEY_NOT_REGULAR);
	folder_empty(&folder);
	assert_int_equal(mkfifoat(folder.fd, "keypair", 0600), 0);
	refused(START_FAILURE_KEY_NOT_REGULAR);
	folder_empty(&folder);
	assert_int_equal(mkdirat(folder.fd, "keypair", 0700), 0);
	refused(START_FAILURE_KEY_NOT_REGULAR);
	folder_empty(&folder);
	if (geteuid() != 0)
		skip();
	assert_int_equal(mknodat(folder.fd, "keypair", S_IFCHR | 0600, makedev(1, 5)), 0);
	refused(START_FAILURE_KEY_NOT_REGULAR);
}

static void test_links(void **state)
{
	(void)state;
	write_key_k(&folder, 0600);
	assert_int_equal(linkat(folder.fd, "keypair", folder.fd, "other", 0), 0);
	refused(START_FAILURE_KEY_LINKS);
	unlinkat(folder.fd, "other", 0);
	accepted();
	/* What a crash between link and unlink leaves behind is not another's link. */
	assert_int_equal(linkat(folder.fd, "keypair", folder.fd, ".keypair.0123456789ab", 0), 0);
	accepted();
	assert_int_equal(folder_count(&folder), 1);
}

static void test_sizes(void **state)
{
	struct bytes k = bytes_of_hex(K_FILE);

	(void)state;
	for (size_t size = 0; size <= 2 * KEY_FILE_SIZE; size++) {
		uint8_t after[3 * KEY_FILE_SIZE];

		if (size == KEY_FILE_SIZE)
			continue;
		folder_write(&folder, "keypair", k.at, size, 0600);
		refused(START_FAILURE_KEY_SIZE);
		assert_int_equal(folder_read(&folder, "keypair", after, sizeof(after)), size);
		assert_memory_equal(after, k.at, size);
	}
}

/* Every flipped bit is noticed, and the file stays as it was. */
static void test_flipped_bits(void **state)
{
	struct bytes k = bytes_of_hex(K_FILE);

	(void)state;
	for (size_t bit = 0; bit < KEY_FILE_SIZE * 8; bit++) {
		uint8_t after[KEY_FILE_SIZE];

		k.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		folder_write(&folder, "keypair", k.at, KEY_FILE_SIZE, 0600);
		refused(bit < 32 ? START_FAILURE_KEY_FORMAT : START_FAILURE_KEY_MISMATCH);
		assert_int_equal(folder_read(&folder, "keypair", after, sizeof(after)), KEY_FILE_SIZE);
		assert_memory_equal(after, k.at, KEY_FILE_SIZE);
		k.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_modes_are_tightened(void **state)
{
	static const mode_t modes[] = {0644, 0640, 0604, 0660, 0666, 0700, 0755, 0777, 04755};
	struct key_file_result result;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		write_key_k(&folder, modes[i]);
		result = expect(0, wish_in(&folder));
		assert_int_equal(result.tightened, (modes[i] & 077) != 0);
		assert_false(result.open);
		assert_int_equal(folder_mode(&folder, "keypair") & 077, 0);
	}
	assert_int_equal(fchmod(folder.fd, 0755), 0);
	result = expect(0, wish_in(&folder));
	assert_true(result.tightened);
	assert_int_equal(folder_mode(&folder, "."), 0700);
	assert_int_equal(fchmod(folder.fd, 01777), 0);
	assert_true(expect(0, wish_in(&folder)).tightened);
	assert_int_equal(folder_mode(&folder, ".") & 077, 0);
}

/* Only to be shown: nothing is changed, not even for the better. */
static void test_without_touching(void **state)
{
	struct key_file_wish wish = wish_in(&folder);

	(void)state;
	wish.touch = false;
	wish.create = false;
	write_key_k(&folder, 0644);
	folder_write(&folder, ".keypair.0123456789ab", (const uint8_t *)"", 0, 0600);
	fchmod(folder.fd, 0755);
	assert_true(expect(0, wish).open);
	assert_int_equal(folder_mode(&folder, "keypair"), 0644);
	assert_int_equal(folder_mode(&folder, "."), 0755);
	assert_int_equal(folder_count(&folder), 2);
}

/* The working directory is not ours to close; a file in it is. */
static void test_working_directory(void **state)
{
	struct bytes k = bytes_of_hex(K_FILE);
	struct key_file_wish wish = wish_in(&folder);
	struct key_file_result result;

	(void)state;
	wish.place = IMSG_KEY_IN_CWD;
	folder_write(&folder, "relay_keypair", k.at, k.len, 0644);
	fchmod(folder.fd, 0755);
	result = expect(0, wish);
	assert_true(result.tightened);
	assert_false(result.open);
	assert_int_equal(folder_mode(&folder, "relay_keypair"), 0600);
	assert_int_equal(folder_mode(&folder, "."), 0755);
	fchmod(folder.fd, 0775);
	assert_true(expect(0, wish).open);
}

static void test_stale_temporaries(void **state)
{
	static const char *const stay[] = {".keypair.0123456789aB", ".keypair.0123", ".keypair.0123456789abc",
					   "keypair.0123456789ab",  ".keypair",	     ".other.0123456789ab"};

	(void)state;
	write_key_k(&folder, 0600);
	folder_write(&folder, ".keypair.0123456789ab", (const uint8_t *)"x", 1, 0600);
	folder_write(&folder, ".keypair.ffffffffffff", (const uint8_t *)"x", 1, 0600);
	for (size_t i = 0; i < COUNT_OF(stay); i++)
		folder_write(&folder, stay[i], (const uint8_t *)"x", 1, 0600);
	accepted();
	assert_int_equal(folder_count(&folder), 1 + COUNT_OF(stay));
}

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
	    TEST(test_key_of_rust),
	    TEST(test_both_names),
	    TEST(test_created),
	    TEST(test_missing),
	    TEST(test_kinds),
	    TEST(test_links),
	    TEST(test_sizes),
	    TEST(test_flipped_bits),
	    TEST(test_modes_are_tightened),
	    TEST(test_without_touching),
	    TEST(test_working_directory),
	    TEST(test_stale_temporaries),
	    TEST(test_owners),
	    TEST(test_owners_in_root_mode),
	    TEST(test_read_only_mount),
	    TEST(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
