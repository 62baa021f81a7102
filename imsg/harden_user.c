/* SPDX-License-Identifier: MIT
 *
 * Giving up root: bounding set, securebits, chroot, groups, user, capabilities, in this order, each proven by
 * reading back. Called by harden.c. Works without root too: then it only drops what the process holds. Trusts
 * its own program only.
 */
#include "imsg/harden_steps.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own words, not libcap-ng's: what proves the drop is not what did it. */
static int read_capabilities(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};

	memset(data, 0, 2 * sizeof(data[0]));
	return (int)syscall(SYS_capget, &header, data);
}

static bool holds(int capability)
{
	struct __user_cap_data_struct data[2];

	return read_capabilities(data) == 0 &&
	       (data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

static bool holds_none(void)
{
	struct __user_cap_data_struct data[2];
	uint32_t any = 0;

	if (read_capabilities(data) != 0)
		return false;
	for (int i = 0; i < 2; i++)
		any |= data[i].effective | data[i].permitted | data[i].inheritable;
	return any == 0;
}

static bool bounding_is_empty(void)
{
	for (unsigned long capability = 0; capability < 64; capability++) {
		int rc = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);

		if (rc < 0)
			return true; /* past the last one */
		if (rc != 0)
			return false;
	}
	return true;
}

uint32_t harden_capability_layers(void)
{
	return (holds_none() ? HARDEN_NO_CAPABILITIES : 0u) |
	       (bounding_is_empty() ? HARDEN_BOUNDING_SET : 0u);
}

/* Whether a folder is root's and closed to others: a jail that its prisoner could fill would be none. */
static int check_jail(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return -1;
	if (S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & 022) == 0)
		return 0;
	errno = EPERM;
	return -1;
}

/* A folder made and removed again: nothing can ever be created in it, and no path to it is left. */
static int enter_removed_folder(void)
{
	static const char *const places[] = {"/run", "/dev/shm", "/tmp"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/dusk-relay-XXXXXX", places[i]);
		if (mkdtemp(path) == NULL)
			continue;
		int rc = chdir(path);

		if (rmdir(path) == 0 && rc == 0)
			return 0;
	}
	return -1;
}

/* Without CAP_SYS_CHROOT or any writable place the jail is left out: the bitmap says so, own user and
 * Landlock remain. */
static int enter_jail(const struct harden_user *user, uint32_t *layers)
{
	if (!holds(CAP_SYS_CHROOT))
		return 0;
	if (user->chroot != NULL) {
		if (check_jail(user->chroot) != 0 || chdir(user->chroot) != 0)
			return -1;
	} else if (enter_removed_folder() != 0) {
		return chdir("/");
	}
	/* An outer filter may forbid what the capability allows. */
	if (chroot(".") != 0)
		return errno == EPERM || errno == ENOSYS ? chdir("/") : -1;
	if (chdir("/") != 0)
		return -1;
	*layers |= HARDEN_CHROOT;
	return 0;
}

/* The bounding set and the securebits, while CAP_SETPCAP is still there. */
static int close_bounding_set(void)
{
	if (!holds(CAP_SETPCAP))
		return 0;
	if (capng_get_caps_process() != 0)
		return -1;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0 || capng_lock() != 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int drop_capabilities(void)
{
	if (holds_none())
		return 0; /* an outer filter may forbid capset: nothing to drop is no reason to try */
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) == 0 && holds_none())
		return 0;
	errno = EPERM;
	return -1;
}

static int change_user(const struct harden_user *user)
{
	if (user->group == 0) {
		errno = EINVAL;
		return -1;
	}
	if (setgroups(0, NULL) != 0 || setresgid(user->group, user->group, user->group) != 0)
		return -1;
	return setresuid(user->user, user->user, user->user);
}

/* The way back must be closed: ids as wanted, no group, and root refuses. */
static int prove_user(const struct harden_user *user)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) != 0 || getresgid(&rg, &eg, &sg) != 0)
		return -1;
	bool ours = r == user->user && e == user->user && s == user->user && rg == user->group &&
		    eg == user->group && sg == user->group && getgroups(0, NULL) == 0;

	if (ours && setuid(0) != 0 && setgid(0) != 0 && setresuid((uid_t)-1, 0, (uid_t)-1) != 0)
		return 0;
	errno = EPERM;
	return -1;
}

static int become_other(const struct harden_user *user, uint32_t *layers, const char **step)
{
	*step = "chroot";
	if (enter_jail(user, layers) != 0)
		return -1;
	*step = "user";
	return change_user(user);
}

int harden_become(const struct harden_user *user, uint32_t *layers, const char **step)
{
	*step = "bounding set";
	if (close_bounding_set() != 0)
		return -1;
	if (user->user != 0 && become_other(user, layers, step) != 0)
		return -1;
	*step = "capabilities";
	if (drop_capabilities() != 0)
		return -1;
	*step = "return to root";
	if (user->user == 0)
		return 0;
	if (prove_user(user) != 0)
		return -1;
	*layers |= HARDEN_OWN_USER;
	return 0;
}
