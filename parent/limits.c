/* SPDX-License-Identifier: MIT */
#include "parent/limits.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

uint64_t limits_descriptors(uint64_t connections)
{
	struct rlimit limit;
	uint64_t wanted = connections + LIMITS_RESERVE;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return connections;
	if (limit.rlim_cur < wanted) {
		struct rlimit more = {.rlim_cur = wanted,
				      .rlim_max = limit.rlim_max < wanted ? wanted : limit.rlim_max};
		struct rlimit most = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};

		/* Beyond the hard limit only root gets. */
		if (setrlimit(RLIMIT_NOFILE, &more) != 0)
			setrlimit(RLIMIT_NOFILE, &most);
		if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
			return connections;
	}
	if (limit.rlim_cur >= wanted)
		return connections;
	return limit.rlim_cur > LIMITS_RESERVE ? limit.rlim_cur - LIMITS_RESERVE : 1;
}

/* A small file of the kernel as text; "" when there is none. */
static void limits_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, size - 1) : 0;

	text[len > 0 ? len : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static uint64_t limits_number_file(const char *path)
{
	char text[64];

	limits_file(path, text, sizeof(text));
	return text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

/* The smallest limit of a group and those above it: of `group` below `root`, in files called `name`. */
static uint64_t limits_groups(const char *root, const char *group, const char *name)
{
	char folder[PATH_MAX / 2];
	char path[PATH_MAX];
	uint64_t least = UINT64_MAX;

	snprintf(folder, sizeof(folder), "%s", group);
	for (;;) {
		snprintf(path, sizeof(path), "%s%s/%s", root, folder, name);
		uint64_t limit = limits_number_file(path);
		char *slash = strrchr(folder, '/');

		least = limit < least ? limit : least;
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

/* Lines of /proc/self/cgroup: `0::/path` is version 2, `4:memory:/path` the memory controller of version 1.
 */
static uint64_t limits_group_line(char *line)
{
	char *controllers = strchr(line, ':');
	char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

	if (group == NULL)
		return UINT64_MAX;
	*group++ = '\0';
	controllers++;
	if (strcmp(group, "/") == 0)
		group = "";
	if (controllers[0] == '\0')
		return limits_groups("/sys/fs/cgroup", group, "memory.max");
	if (strstr(controllers, "memory") != NULL)
		return limits_groups("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
	return UINT64_MAX;
}

uint64_t limits_memory(void)
{
	char text[8192];
	struct sysinfo info;
	uint64_t least = UINT64_MAX;

	if (sysinfo(&info) == 0)
		least = (uint64_t)info.totalram * info.mem_unit;
	limits_file("/proc/self/cgroup", text, sizeof(text));
	for (char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		char *next = line + len + (line[len] == '\n' ? 1 : 0);

		line[len] = '\0';
		uint64_t limit = limits_group_line(line);
		least = limit < least ? limit : least;
		line = next;
	}
	return least / 4 * 3;
}
