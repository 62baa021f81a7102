/* SPDX-License-Identifier: MIT
 *
 * Opening and checking the key file. Called by main.c through key_file_load; creating is keyfile_create.c.
 * Trusts nothing in the folder: the name is opened without following links, then everything is asked of the
 * descriptor.
 */
#include "keyproc/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyproc/keyfile_create.h"
#include "keyproc/secret.h"

const char *key_file_name(enum imsg_key_place place)
{
	return place == IMSG_KEY_IN_CWD ? "relay_keypair" : "keypair";
}

static int refuse(struct key_file_result *result, enum start_failure reason, int system, uint32_t detail)
{
	result->reason = reason;
	result->system = (uint32_t)system;
	result->detail = detail;
	return -1;
}

/* Root may own what we can read; in root mode the user that we are about to become may, too. */
static bool owner_is_right(const struct key_file_wish *wish, uid_t owner)
{
	return owner == geteuid() || owner == 0 || (geteuid() == 0 && owner == wish->user);
}

static bool may_change(uid_t owner)
{
	return owner == geteuid() || geteuid() == 0;
}

/* Takes away from others what is ours alone. 0; -1 when others keep access (and `system` is why). */
static int tighten(const struct key_file_wish *wish, int fd, const struct stat *st,
		   struct key_file_result *result)
{
	if ((st->st_mode & 077) == 0)
		return 0;
	errno = EPERM;
	if (wish->touch && may_change(st->st_uid) && fchmod(fd, st->st_mode & 0700) == 0) {
		result->tightened = true;
		return 0;
	}
	result->open = true;
	return -1;
}

/* The working directory is the user's own: its mode is not ours to change, only to warn about. */
static int check_folder(const struct key_file_wish *wish, struct key_file_result *result)
{
	struct stat st;

	if (fstat(wish->folder, &st) != 0)
		return refuse(result, START_FAILURE_KEY_OPEN, errno, 0);
	if (!owner_is_right(wish, st.st_uid))
		return refuse(result, START_FAILURE_KEY_DIRECTORY_OWNER, 0, st.st_uid);
	if (wish->place == IMSG_KEY_IN_CWD) {
		result->open = result->open || (st.st_mode & 022) != 0;
		return 0;
	}
	if (tighten(wish, wish->folder, &st, result) == 0)
		return 0;
	/* Who can write here could take the key away, and a new identity would be made. A read-only mount
	 * forbids that too. */
	if ((st.st_mode & 022) != 0 && errno != EROFS && wish->touch)
		return refuse(result, START_FAILURE_KEY_DIRECTORY_MODE, errno, st.st_mode & 07777);
	return 0;
}

static int check_file(const struct key_file_wish *wish, int fd, struct key_file_result *result)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return refuse(result, START_FAILURE_KEY_READ, errno, 0);
	if (!S_ISREG(st.st_mode))
		return refuse(result, START_FAILURE_KEY_NOT_REGULAR, 0, st.st_mode & S_IFMT);
	if (st.st_nlink != 1)
		return refuse(result, START_FAILURE_KEY_LINKS, 0, (uint32_t)st.st_nlink);
	if (!owner_is_right(wish, st.st_uid))
		return refuse(result, START_FAILURE_KEY_OWNER, 0, st.st_uid);
	if (st.st_size != KEY_FILE_SIZE)
		return refuse(result, START_FAILURE_KEY_SIZE, 0,
			      st.st_size > UINT32_MAX ? UINT32_MAX : (uint32_t)st.st_size);
	tighten(wish, fd, &st, result);
	return 0;
}

/* Exactly the file: a byte less or more means that it changed under us. */
static int read_file(int fd, struct key_file_result *result)
{
	uint8_t *bytes = key_secret_file();
	uint8_t beyond;
	size_t got = 0;

	while (got < KEY_FILE_SIZE) {
		ssize_t n = read(fd, bytes + got, KEY_FILE_SIZE - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return refuse(result, START_FAILURE_KEY_READ, n < 0 ? errno : 0, (uint32_t)got);
		got += (size_t)n;
	}
	if (read(fd, &beyond, 1) != 0)
		return refuse(result, START_FAILURE_KEY_SIZE, 0, KEY_FILE_SIZE + 1);
	return 0;
}

static int accept_file(const struct key_file_wish *wish, int fd, struct key_file_result *result)
{
	if (check_file(wish, fd, result) != 0 || read_file(fd, result) != 0)
		return -1;
	switch (key_secret_accept()) {
	case KEY_FORM_OK:
		return 0;
	case KEY_FORM_PREFIX:
		return refuse(result, START_FAILURE_KEY_FORMAT, 0, 0);
	case KEY_FORM_MISMATCH:
		break;
	}
	return refuse(result, START_FAILURE_KEY_MISMATCH, 0, 0);
}

/* Not blocking: a FIFO of that name would otherwise hold the start for ever. */
static int open_file(const struct key_file_wish *wish)
{
	return openat(wish->folder, key_file_name(wish->place),
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

/* A file made by another start in the meantime is as good as ours: it is loaded, and checked, like any. */
static int create_and_open(const struct key_file_wish *wish, struct key_file_result *result)
{
	if (!wish->create)
		return refuse(result, START_FAILURE_KEY_MISSING, 0, 0);
	int made = key_file_create(wish->folder, key_file_name(wish->place));

	if (made != 0 && errno != EEXIST)
		return refuse(result, START_FAILURE_KEY_CREATE, errno, 0);
	result->created = made == 0;
	int fd = open_file(wish);

	return fd >= 0 ? fd : refuse(result, START_FAILURE_KEY_OPEN, errno, 0);
}

int key_file_load(const struct key_file_wish *wish, struct key_file_result *result)
{
	*result = (struct key_file_result){0};
	if (check_folder(wish, result) != 0)
		return -1;
	if (wish->touch)
		key_file_remove_stale(wish->folder, key_file_name(wish->place));
	int fd = open_file(wish);

	if (fd < 0 && errno == ENOENT)
		fd = create_and_open(wish, result);
	else if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return refuse(result, START_FAILURE_KEY_NOT_REGULAR, errno, 0);
	else if (fd < 0)
		return refuse(result, START_FAILURE_KEY_OPEN, errno, 0);
	if (fd < 0)
		return -1;
	int rc = accept_file(wish, fd, result);

	close(fd);
	return rc;
}
