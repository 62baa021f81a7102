/* SPDX-License-Identifier: MIT
 *
 * The daemon's children as the system shows them.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/daemon.h"

int daemon_status(pid_t process, const char *name, char value[DAEMON_STATUS_MAX])
{
	char path[64];
	char line[256];
	size_t len = strlen(name);
	FILE *file;
	int result = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", process);
	file = fopen(path, "re");
	while (file && result != 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		if (sscanf(line + len + 1, " %63[^\n]", value) != 1)
			value[0] = '\0';
		result = 0;
	}
	if (file)
		fclose(file);
	return result;
}

static bool daemon_is_child(pid_t parent, pid_t process, const char *name)
{
	char value[DAEMON_STATUS_MAX];

	if (daemon_status(process, "PPid", value) != 0 || atoi(value) != parent)
		return false;
	return daemon_status(process, "Name", value) == 0 && strcmp(value, name) == 0;
}

pid_t daemon_child(struct daemon *d, const char *name)
{
	pid_t parent = daemon_parent(d);
	DIR *all = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (all && found == 0 && (entry = readdir(all)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    daemon_is_child(parent, atoi(entry->d_name), name))
			found = atoi(entry->d_name);
	if (all)
		closedir(all);
	return found;
}

long daemon_memory(struct daemon *d, const char *name)
{
	char value[DAEMON_STATUS_MAX];

	return daemon_status(daemon_child(d, name), "RssAnon", value) == 0 ? atol(value) : -1;
}

long daemon_descriptors(struct daemon *d, const char *name)
{
	char path[64];
	long count = -2; /* less . and .. */
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/fd", daemon_child(d, name));
	all = opendir(path);
	if (!all)
		return -1;
	while (readdir(all))
		count++;
	closedir(all);
	return count;
}
