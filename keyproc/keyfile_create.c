/* SPDX-License-Identifier: MIT
 *
 * Temporary file, fsync, link to the final name (which never overwrites), fsync of the folder. Called by
 * keyfile.c. A crash at any point leaves no file of the final name or a whole one, and perhaps a temporary
 * that the next start removes.
 */
#include "keyproc/keyfile_create.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyproc/secret.h"

#define TEMPORARY_RANDOM 12 /* hexadecimal digits */
#define TEMPORARY_MAX	 48

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

/* `.keypair.0123456789ab` */
static void temporary_name(char out[TEMPORARY_MAX], const char *name)
{
	uint8_t random[TEMPORARY_RANDOM / 2];
	char digits[TEMPORARY_RANDOM + 1];

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(digits, sizeof(digits), random, sizeof(random));
	snprintf(out, TEMPORARY_MAX, ".%s.%s", name, digits);
}

static bool is_temporary(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return entry[0] == '.' && strncmp(entry + 1, name, len) == 0 && entry[1 + len] == '.' &&
	       strlen(entry + 2 + len) == TEMPORARY_RANDOM &&
	       strspn(entry + 2 + len, "0123456789abcdef") == TEMPORARY_RANDOM;
}

void key_file_remove_stale(int folder, const char *name)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (entries == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(entries)) != NULL) {
		if (is_temporary(entry->d_name, name))
			unlinkat(folder, entry->d_name, 0);
	}
	closedir(entries);
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_temporary(int folder, const char *temporary)
{
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	key_secret_generate();
	int rc = write_all(fd, key_secret_file(), KEY_FILE_SIZE);

	sodium_memzero(key_secret_file(), KEY_FILE_SIZE);
	if (rc == 0)
		rc = fsync(fd);
	int error = errno;

	if (close(fd) != 0 && rc == 0)
		return -1;
	errno = error;
	return rc;
}

/* Some file systems have no links; there a rename that refuses to replace does the same. */
static int publish(int folder, const char *temporary, const char *name)
{
	if (linkat(folder, temporary, folder, name, 0) == 0)
		return unlinkat(folder, temporary, 0);
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
		return -1;
	return renameat2(folder, temporary, folder, name, RENAME_NOREPLACE);
}

/* Some file systems cannot sync a folder, and say so with EINVAL. */
static int sync_folder(int folder)
{
	return fsync(folder) == 0 || errno == EINVAL ? 0 : -1;
}

int key_file_create(int folder, const char *name)
{
	char temporary[TEMPORARY_MAX];

	temporary_name(temporary, name);
	if (write_temporary(folder, temporary) == 0 && publish(folder, temporary, name) == 0)
		return sync_folder(folder);
	int error = errno;

	unlinkat(folder, temporary, 0);
	errno = error;
	return -1;
}
