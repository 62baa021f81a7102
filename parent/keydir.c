/* SPDX-License-Identifier: MIT */
#include "parent/keydir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* systemd passes several folders with colons between; ours is the first. */
static int keydir_place(struct keydir *keydir, const char *base, const char *below, bool list)
{
	size_t len = list ? strcspn(base, ":") : strlen(base);
	int written = snprintf(keydir->folder, sizeof(keydir->folder), "%.*s%s", (int)len, base, below);

	keydir->place = IMSG_KEY_IN_FOLDER;
	if (written < 0 || (size_t)written >= sizeof(keydir->folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(keydir->file, sizeof(keydir->file), "%s/keypair", keydir->folder);
	return 0;
}

int keydir_resolve(struct keydir *keydir, const struct settings *settings)
{
	if (settings->state_directory[0] != '\0')
		return keydir_place(keydir, settings->state_directory, "", true);
	if (settings->data_home[0] != '\0')
		return keydir_place(keydir, settings->data_home, "/dusk-relay", false);
	if (settings->home[0] != '\0')
		return keydir_place(keydir, settings->home, "/.local/share/dusk-relay", false);
	keydir->place = IMSG_KEY_IN_CWD;
	strcpy(keydir->folder, ".");
	strcpy(keydir->file, "./relay_keypair");
	return 0;
}

/* mkdir -p; what exists already is left as it is. */
static int keydir_make(const char *folder)
{
	char path[PATH_MAX];

	strcpy(path, folder);
	for (char *at = path + 1; *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return -1;
		*at = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

int keydir_open(const struct keydir *keydir, bool make)
{
	int fd = open(keydir->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	return keydir_make(keydir->folder) == 0 ? open(keydir->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
						: -1;
}

/* The deepest folder on the way that is there. */
static int keydir_deepest(const struct keydir *keydir, char path[PATH_MAX], struct stat *found)
{
	strcpy(path, keydir->folder);
	while (stat(path, found) != 0) {
		char *slash = strrchr(path, '/');

		if (slash == NULL || slash == path)
			return -1;
		*slash = '\0';
	}
	return 0;
}

/* systemd keeps the folder of a DynamicUser= there, behind a link beside it. */
static bool keydir_is_services(const struct keydir *keydir)
{
	static const char private[] = "private/";
	char target[PATH_MAX];
	ssize_t len = readlink(keydir->folder, target, sizeof(target) - 1);

	target[len > 0 ? len : 0] = '\0';
	return strncmp(target, private, sizeof(private) - 1) == 0 ||
	       strncmp(keydir->folder, "/var/lib/private/", sizeof("/var/lib/private/") - 1) == 0;
}

/* Its owner is made anew at each start of the service: whoever takes the folder from it breaks the service.
 */
static void keydir_services_advice(const struct keydir *keydir, bool show_only, char *text, size_t size)
{
	const char *name = strrchr(keydir->folder, '/') + 1;

	if (show_only)
		snprintf(
		    text, size,
		    "this is the service's own folder, leave its owner; ask as that user: systemd-run -q "
		    "--wait --pipe -p DynamicUser=yes -p User=dusk-relay -p StateDirectory=%.64s "
		    "-p StateDirectoryMode=0700 dusk-relay peer-id",
		    name);
	else
		snprintf(text, size,
			 "this is the service's own folder, leave its owner; start the service instead: "
			 "systemctl start dusk-relay");
}

void keydir_owner_advice(const struct keydir *keydir, bool show_only, uint32_t owner, const char *path,
			 char *text, size_t size)
{
	if (keydir_is_services(keydir))
		keydir_services_advice(keydir, show_only, text, size);
	else if (show_only)
		snprintf(text, size, "run this as user %" PRIu32, owner);
	else
		snprintf(text, size, "chown %u %.300s", geteuid(), path);
}

void keydir_advice(const struct keydir *keydir, bool show_only, int error, char *text, size_t size)
{
	bool denied = error == EACCES || error == EPERM;
	char path[PATH_MAX];
	struct stat found;

	if (denied && keydir_is_services(keydir))
		keydir_services_advice(keydir, show_only, text, size);
	else if (keydir_deepest(keydir, path, &found) != 0)
		snprintf(text, size, "set HOME or XDG_DATA_HOME to a folder of ours");
	else if (error == EROFS)
		snprintf(text, size, "%.300s is mounted read-only", path);
	else if (denied && show_only)
		snprintf(text, size, "%.300s belongs to user %u, we are %u: run this as the key's owner",
			 path, found.st_uid, geteuid());
	else if (denied)
		snprintf(text, size, "%.300s belongs to user %u, we are %u: chown -R %u:%u %.300s", path,
			 found.st_uid, geteuid(), geteuid(), getegid(), path);
	else
		snprintf(text, size, "what is there is %.300s", path);
}
