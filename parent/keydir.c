/* SPDX-License-Identifier: MIT */
#include "parent/keydir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* systemd passes several folders with colons between, as they are; ours is the first. */
static int keydir_place(struct keydir *keydir, const char *setting, const char *base, const char *below)
{
	bool as_is = below[0] == '\0';
	size_t len = as_is ? strcspn(base, ":") : strlen(base);

	while (len > as_is && base[len - 1] == '/')
		len--;
	int written = snprintf(keydir->folder, sizeof(keydir->folder), "%.*s%s", (int)len, base, below);
	keydir->setting = setting;
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
		return keydir_place(keydir, "STATE_DIRECTORY", settings->state_directory, "");
	if (settings->data_home[0] != '\0')
		return keydir_place(keydir, "XDG_DATA_HOME", settings->data_home, "/dusk-relay");
	if (settings->home[0] != '\0')
		return keydir_place(keydir, "HOME", settings->home, "/.local/share/dusk-relay");
	keydir->setting = NULL;
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

/* What other programs or people live in, with so many levels below it. Here nothing changes hands. */
static const struct {
	const char *path;
	size_t below;
} keydir_others[] = {
    {"/bin", SIZE_MAX},	 {"/boot", SIZE_MAX}, {"/dev", SIZE_MAX},
    {"/etc", SIZE_MAX},	 {"/lib", SIZE_MAX},  {"/lib64", SIZE_MAX},
    {"/proc", SIZE_MAX}, {"/sbin", SIZE_MAX}, {"/sys", SIZE_MAX},
    {"/usr", SIZE_MAX},	 {"/home", 1},	      {"/media", 1},
    {"/mnt", 0},	 {"/opt", 0},	      {"/root", 0},
    {"/run", 0},	 {"/run/user", 1},    {"/srv", 0},
    {"/tmp", 0},	 {"/var", 1},	      {"/var/lib/private", 0},
};

static size_t keydir_levels(const char *path)
{
	size_t levels = 0;

	for (; *path != '\0'; path++)
		levels += *path == '/';
	return levels;
}

/* `path` without links, dots and slashes too many. */
static bool keydir_is_others(const char *path)
{
	for (size_t i = 0; i < sizeof(keydir_others) / sizeof(keydir_others[0]); i++) {
		size_t len = strlen(keydir_others[i].path);

		if (strncmp(path, keydir_others[i].path, len) == 0 &&
		    (path[len] == '\0' || path[len] == '/') &&
		    keydir_levels(path + len) <= keydir_others[i].below)
			return true;
	}
	return strcmp(path, "/") == 0;
}

/* A folder on the way to ours that is, or lies in, somebody's home. */
static bool keydir_is_home(const struct keydir *keydir, const char *path, const char *plain)
{
	bool on_the_way = strlen(path) < strlen(keydir->folder);
	bool by_home = keydir->setting != NULL && strcmp(keydir->setting, "HOME") == 0;

	return on_the_way &&
	       (by_home || strncmp(plain, "/home/", 6) == 0 || strncmp(plain, "/root/", 6) == 0);
}

static void keydir_elsewhere_advice(const struct keydir *keydir, char *text, size_t size)
{
	bool service = keydir->setting != NULL && strcmp(keydir->setting, "STATE_DIRECTORY") == 0;

	snprintf(text, size, "set %s to a folder of ours (user %u)",
		 service ? keydir->setting : "XDG_DATA_HOME", geteuid());
}

void keydir_command_advice(const struct keydir *keydir, const char *command, const char *path, char *text,
			   size_t size)
{
	char plain[PATH_MAX + 32];

	if (realpath(path, plain) == NULL)
		snprintf(plain, sizeof(plain), "%s", path);
	if (keydir_is_others(plain) || keydir_is_home(keydir, path, plain))
		keydir_elsewhere_advice(keydir, text, size);
	else
		snprintf(text, size, "%s %.300s", command, path);
}

void keydir_owner_advice(const struct keydir *keydir, bool show_only, uint32_t owner, const char *path,
			 char *text, size_t size)
{
	char command[32];

	snprintf(command, sizeof(command), "chown %u", geteuid());
	if (keydir_is_services(keydir))
		keydir_services_advice(keydir, show_only, text, size);
	else if (show_only)
		snprintf(text, size, "run this as user %" PRIu32, owner);
	else
		keydir_command_advice(keydir, command, path, text, size);
}

static void keydir_denied_advice(const struct keydir *keydir, const char *path, uint32_t owner, char *text,
				 size_t size)
{
	int len =
	    snprintf(text, size, "%.300s belongs to user %" PRIu32 ", we are %u: ", path, owner, geteuid());
	char command[48];

	snprintf(command, sizeof(command), "chown -R %u:%u", geteuid(), getegid());
	keydir_command_advice(keydir, command, path, text + len, size - (size_t)len);
}

void keydir_advice(const struct keydir *keydir, bool show_only, int error, char *text, size_t size)
{
	bool denied = error == EACCES || error == EPERM;
	char path[PATH_MAX];
	struct stat found;

	if (denied && keydir_is_services(keydir))
		keydir_services_advice(keydir, show_only, text, size);
	else if (keydir_deepest(keydir, path, &found) != 0)
		keydir_elsewhere_advice(keydir, text, size);
	else if (error == EROFS)
		snprintf(text, size, "%.300s is mounted read-only", path);
	else if (denied && show_only)
		snprintf(text, size, "%.300s belongs to user %u, we are %u: run this as the key's owner",
			 path, found.st_uid, geteuid());
	else if (denied)
		keydir_denied_advice(keydir, path, found.st_uid, text, size);
	else
		snprintf(text, size, "what is there is %.300s", path);
}
