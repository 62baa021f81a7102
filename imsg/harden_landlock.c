/* SPDX-License-Identifier: MIT
 *
 * Landlock, deny-all: no path, no TCP bind or connect, no abstract socket, no signal to outside. Open
 * descriptors keep working. Called by harden.c and by tests. By raw system calls: the headers of Debian 12
 * stop at ABI 2, the running kernel may know more.
 */
#include "imsg/harden_steps.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self  446
#endif

#define CREATE_RULESET_VERSION 1u

/* All rights of an ABI are handled and none is granted. Bits by first ABI: 0-12 ABI 1, 13 refer 2, 14
 * truncate 3, 15 ioctl 5. */
#define FS_ABI1 ((UINT64_C(1) << 13) - 1)
#define FS_ABI2 ((UINT64_C(1) << 14) - 1)
#define FS_ABI3 ((UINT64_C(1) << 15) - 1)
#define FS_ABI5 ((UINT64_C(1) << 16) - 1)

#define NET_BIND_TCP	UINT64_C(1) /* ABI 4 */
#define NET_CONNECT_TCP UINT64_C(2)

#define SCOPE_ABSTRACT_UNIX UINT64_C(1) /* ABI 6 */
#define SCOPE_SIGNAL	    UINT64_C(2)

/* struct landlock_ruleset_attr of ABI 6; older kernels take a shorter one. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scope;
};

static uint64_t fs_of(long abi)
{
	if (abi >= 5)
		return FS_ABI5;
	if (abi >= 3)
		return FS_ABI3;
	return abi == 2 ? FS_ABI2 : FS_ABI1;
}

static size_t size_of(long abi)
{
	if (abi >= 6)
		return 3 * sizeof(uint64_t);
	return abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static int create(const struct ruleset *rules, long abi)
{
	return (int)syscall(SYS_landlock_create_ruleset, rules, size_of(abi), 0);
}

/* Some kernels say ABI 6 without its scopes: then without them. */
static int create_as_possible(struct ruleset *rules, long abi)
{
	int fd = create(rules, abi);

	if (fd < 0 && errno == EINVAL && abi >= 6) {
		rules->scope = 0;
		fd = create(rules, 5);
	}
	return fd;
}

static uint32_t layers_of(const struct ruleset *rules)
{
	return HARDEN_LANDLOCK | (rules->net != 0 ? HARDEN_LANDLOCK_NET : 0u) |
	       (rules->scope != 0 ? HARDEN_LANDLOCK_SCOPE : 0u);
}

int harden_landlock(bool signals, uint32_t *layers)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	if (abi < 1)
		return abi < 0 && errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM ? -1 : 0;
	struct ruleset rules = {.fs = fs_of(abi),
				.net = abi >= 4 ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
				.scope = abi >= 6 ? SCOPE_ABSTRACT_UNIX | (signals ? SCOPE_SIGNAL : 0) : 0};
	int fd = create_as_possible(&rules, abi);

	if (fd < 0)
		return -1;
	int rc = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	int error = errno;

	close(fd);
	errno = error;
	if (rc != 0)
		return -1;
	*layers |= layers_of(&rules);
	return 0;
}
