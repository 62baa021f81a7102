/* SPDX-License-Identifier: MIT
 *
 * A scratch folder with key files of every kind, for the tests of keyproc/keyfile.c. Key K is that of
 * proto_vectors.h.
 */
#ifndef TESTS_UNIT_KEYPROC_FOLDER_H
#define TESTS_UNIT_KEYPROC_FOLDER_H

#include "proto_vectors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyproc/keyfile.h"
#include "keyproc/secret.h"

#define K_FILE "08011240" K_SEED K_PUBLIC

struct folder {
	char path[64];
	int fd;
};

static inline void folder_open(struct folder *folder)
{
	strcpy(folder->path, "/tmp/key-test-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder->fd >= 0);
}

/* Removes everything inside (folders when empty) and, but for its descriptor, the folder. */
static inline void folder_empty(const struct folder *folder)
{
	DIR *entries = opendir(folder->path);
	struct dirent *entry;

	assert_non_null(entries);
	while ((entry = readdir(entries)) != NULL) {
		if (unlinkat(folder->fd, entry->d_name, 0) != 0)
			unlinkat(folder->fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(entries);
}

static inline void folder_close(struct folder *folder)
{
	folder_empty(folder);
	close(folder->fd);
	rmdir(folder->path);
}

static inline size_t folder_count(const struct folder *folder)
{
	DIR *entries = opendir(folder->path);
	size_t count = 0;

	assert_non_null(entries);
	while (readdir(entries) != NULL)
		count++;
	closedir(entries);
	return count - 2;
}

static inline void folder_write(const struct folder *folder, const char *name, const uint8_t *bytes,
				size_t len, mode_t mode)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline size_t folder_read(const struct folder *folder, const char *name, uint8_t *bytes,
				 size_t capacity)
{
	int fd = openat(folder->fd, name, O_RDONLY);

	if (fd < 0)
		return 0;
	ssize_t n = read(fd, bytes, capacity);

	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static inline mode_t folder_mode(const struct folder *folder, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static inline void write_key_k(const struct folder *folder, mode_t mode)
{
	struct bytes k = bytes_of_hex(K_FILE);

	folder_write(folder, "keypair", k.at, k.len, mode);
}

static inline struct key_file_wish wish_in(const struct folder *folder)
{
	return (struct key_file_wish){
	    .folder = folder->fd, .place = IMSG_KEY_IN_FOLDER, .create = true, .touch = true};
}

/* The folder of the test that runs, made anew for each. */
static struct folder folder;

static inline int set_up(void **state)
{
	(void)state;
	folder_open(&folder);
	return key_secret_reserve();
}

static inline int tear_down(void **state)
{
	(void)state;
	key_secret_forget();
	folder_close(&folder);
	return 0;
}

static inline struct key_file_result expect(int rc, struct key_file_wish wish)
{
	struct key_file_result result;

	assert_int_equal(key_file_load(&wish, &result), rc);
	return result;
}

#endif
