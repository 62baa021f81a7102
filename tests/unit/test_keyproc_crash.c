/* SPDX-License-Identifier: MIT
 *
 * A crash, or an error, at each step of loading and creating the key file. Every call of keyfile.c into the
 * kernel passes here and counts; the process is ended before or after the n-th, for every n, and the next
 * start must find no key, or a whole one, and nothing left over. An existing key must be untouched
 * throughout.
 */
#include "keyproc_folder.h"

#include <sys/wait.h>

enum fault { FAULT_NONE, FAULT_CRASH_BEFORE, FAULT_CRASH_AFTER, FAULT_ERROR };

static enum fault fault;
static int fault_at;
static int calls;
static int fault_errno = EIO;

/* True when this call must fail. */
static bool before(void)
{
	calls++;
	if (calls == fault_at && fault == FAULT_CRASH_BEFORE)
		_exit(99);
	if (calls == fault_at && fault == FAULT_ERROR) {
		errno = fault_errno;
		return true;
	}
	return false;
}

static void after(void)
{
	if (calls == fault_at && fault == FAULT_CRASH_AFTER)
		_exit(99);
}

#define WRAP(type, name, parameters, arguments)                                                              \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		if (before())                                                                                \
			return -1;                                                                           \
		type result = __real_##name arguments;                                                       \
		after();                                                                                     \
		return result;                                                                               \
	}

WRAP(ssize_t, write, (int fd, const void *bytes, size_t len), (fd, bytes, len))
WRAP(ssize_t, read, (int fd, void *bytes, size_t len), (fd, bytes, len))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, close, (int fd), (fd))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, linkat, (int from, const char *a, int to, const char *b, int flags), (from, a, to, b, flags))
WRAP(int, unlinkat, (int in, const char *name, int flags), (in, name, flags))
WRAP(int, renameat2, (int from, const char *a, int to, const char *b, unsigned flags),
     (from, a, to, b, flags))
WRAP(int, openat, (int in, const char *name, int flags, mode_t mode), (in, name, flags, mode))

static int tear_down_without_fault(void **state)
{
	fault = FAULT_NONE;
	return tear_down(state);
}

/* One start in a process of its own; its exit status: 99 when it was made to crash, 0 loaded, 1 refused, 98
 * when it made fewer calls. */
static int start_with(enum fault kind, int at)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct key_file_wish wish = wish_in(&folder);
		struct key_file_result result;

		fault = kind;
		fault_at = at;
		calls = 0;
		int rc = key_file_load(&wish, &result);

		_exit(calls < at ? 98 : rc == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The next start: loads or makes a key, and leaves nothing but the key. */
static void start_is_well(void)
{
	struct key_file_wish wish = wish_in(&folder);
	struct key_file_result result;

	assert_int_equal(key_file_load(&wish, &result), 0);
	assert_int_equal(folder_count(&folder), 1);
}

/* The file of the final name is absent or whole at every moment. */
static void name_is_absent_or_whole(void)
{
	uint8_t file[KEY_FILE_SIZE + 1];
	size_t len = folder_read(&folder, "keypair", file, sizeof(file));

	if (faccessat(folder.fd, "keypair", F_OK, 0) != 0)
		return;
	assert_int_equal(len, KEY_FILE_SIZE);
	assert_memory_equal(file, "\x08\x01\x12\x40", 4);
}

static int try_all(enum fault kind, void (*prepare)(void), void (*check)(void))
{
	int at, status;

	for (at = 1; at < 100; at++) {
		folder_empty(&folder);
		prepare();
		status = start_with(kind, at);
		if (status == 98)
			break;
		check();
		start_is_well();
	}
	return at - 1;
}

static void nothing(void)
{
}

static void wide_key(void)
{
	write_key_k(&folder, 0644);
}

static void key_is_untouched(void)
{
	struct bytes k = bytes_of_hex(K_FILE);
	uint8_t file[KEY_FILE_SIZE + 1];

	assert_int_equal(folder_read(&folder, "keypair", file, sizeof(file)), KEY_FILE_SIZE);
	assert_memory_equal(file, k.at, KEY_FILE_SIZE);
}

static void test_crash_while_creating(void **state)
{
	(void)state;
	/* Stale search, look-up, temporary, write, fsync, close, link, unlink, fsync of the folder, look-up,
	 * reads, close. */
	assert_in_range(try_all(FAULT_CRASH_BEFORE, nothing, name_is_absent_or_whole), 10, 20);
	assert_in_range(try_all(FAULT_CRASH_AFTER, nothing, name_is_absent_or_whole), 10, 20);
}

static void test_error_while_creating(void **state)
{
	static const int errors[] = {EIO, ENOSPC, EPERM, EOPNOTSUPP, EDQUOT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		fault_errno = errors[i];
		assert_in_range(try_all(FAULT_ERROR, nothing, name_is_absent_or_whole), 10, 20);
	}
	fault_errno = EIO;
}

static void test_crash_while_loading(void **state)
{
	(void)state;
	assert_in_range(try_all(FAULT_CRASH_BEFORE, wide_key, key_is_untouched), 4, 20);
	assert_in_range(try_all(FAULT_CRASH_AFTER, wide_key, key_is_untouched), 4, 20);
	assert_in_range(try_all(FAULT_ERROR, wide_key, key_is_untouched), 4, 20);
}

/* An interrupted read or write is taken up again. */
static void test_interrupted(void **state)
{
	int reads_and_writes = 0;

	(void)state;
	fault_errno = EINTR;
	for (int at = 1; at < 100; at++) {
		folder_empty(&folder);
		int status = start_with(FAULT_ERROR, at);

		if (status == 98)
			break;
		reads_and_writes += status == 0;
		start_is_well();
	}
	fault_errno = EIO;
	assert_true(reads_and_writes >= 2);
}

/* Two starts at once in an empty folder agree on one identity. */
static void test_race(void **state)
{
	(void)state;
	for (int round = 0; round < 30; round++) {
		pid_t child[2];

		folder_empty(&folder);
		for (int i = 0; i < 2; i++) {
			child[i] = fork();
			if (child[i] == 0) {
				struct key_file_wish wish = wish_in(&folder);
				struct key_file_result result;
				int rc = key_file_load(&wish, &result);

				_exit(rc == 0 ? key_secret_identity()[0] >> 1 : 255);
			}
		}
		int status[2];

		for (int i = 0; i < 2; i++)
			waitpid(child[i], &status[i], 0);
		/* One may lose its temporary to the other's clearing up and refuse; it never makes a second
		 * identity. */
		if (WEXITSTATUS(status[0]) != 255 && WEXITSTATUS(status[1]) != 255)
			assert_int_equal(WEXITSTATUS(status[0]), WEXITSTATUS(status[1]));
		start_is_well();
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_without_fault)
	const struct CMUnitTest tests[] = {
	    TEST(test_crash_while_creating),
	    TEST(test_error_while_creating),
	    TEST(test_crash_while_loading),
	    TEST(test_interrupted),
	    TEST(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
