/* SPDX-License-Identifier: MIT
 *
 * The key file loader. The input is laid over a right file (an empty input is a right file); the first byte
 * chooses whether over it or instead of it. Only the right one is accepted, and no file is ever changed.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "keyproc/keyfile.h"
#include "keyproc/secret.h"

static const uint8_t prefix[4] = {0x08, 0x01, 0x12, 0x40};
static uint8_t right[KEY_FILE_SIZE];
static int folder = -1;
static char path[] = "/dev/shm/fuzz-key-XXXXXX"; /* in memory: a disk would be the brake */

static void remove_folder(void)
{
	unlinkat(folder, "keypair", 0);
	close(folder);
	rmdir(path);
}

static void open_once(void)
{
	if (folder >= 0)
		return;
	FUZZ_ASSERT(mkdtemp(path) != NULL && key_secret_reserve() == 0);
	folder = open(path, O_RDONLY | O_DIRECTORY);
	key_secret_generate();
	memcpy(right, key_secret_file(), sizeof(right));
	atexit(remove_folder);
}

static void write_file(const uint8_t *bytes, size_t len)
{
	int fd = openat(folder, "keypair", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	FUZZ_ASSERT(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static void file_is(const uint8_t *bytes, size_t len)
{
	uint8_t after[2 * KEY_FILE_SIZE];
	int fd = openat(folder, "keypair", O_RDONLY);
	ssize_t n = read(fd, after, sizeof(after));

	close(fd);
	FUZZ_ASSERT(n == (ssize_t)len && memcmp(after, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_file_result result;
	uint8_t file[2 * KEY_FILE_SIZE];
	size_t len = size == 0 ? KEY_FILE_SIZE : size - 1;

	if (len > sizeof(file))
		return 0;
	open_once();
	bool over = size == 0 || data[0] % 2 == 0;

	memset(file, 0, sizeof(file));
	if (over)
		memcpy(file, right, sizeof(right));
	for (size_t i = 1; i < size; i++)
		file[i - 1] ^= data[i];
	len = over ? KEY_FILE_SIZE : len;
	write_file(file, len);
	struct key_file_wish wish = {
	    .folder = folder, .place = IMSG_KEY_IN_FOLDER, .create = true, .touch = true};

	if (key_file_load(&wish, &result) == 0)
		FUZZ_ASSERT(len == KEY_FILE_SIZE && memcmp(file, prefix, sizeof(prefix)) == 0 &&
			    !result.created && memcmp(key_secret_identity(), file + 36, 32) == 0);
	else
		FUZZ_ASSERT(result.reason >= START_FAILURE_KEY_SIZE &&
			    result.reason <= START_FAILURE_KEY_MISMATCH);
	file_is(file, len);
	return 0;
}
