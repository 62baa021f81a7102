/* SPDX-License-Identifier: MIT
 *
 * The key file: what is accepted, what is refused and by which name, what is created, and that no refused
 * file is ever changed. Owners and mounts: test_keyproc_owner.c.
 */
#include "keyproc_folder.h"

#include <sys/sysmacros.h>

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
