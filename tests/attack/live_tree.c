/* SPDX-License-Identifier: MIT */
#include "tests/attack/live_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char tree[] = "/tmp/attack-tree-XXXXXX";

static bool copy(const char *from, const char *to)
{
	const char *build = getenv("ATTACK_BUILD");
	char command[700];

	snprintf(command, sizeof(command), "cp '%s/%s' '%s/%s' && chmod 755 '%s/%s'",
		 build == NULL ? "build" : build, from, tree, to, tree, to);
	return system(command) == 0;
}

bool live_tree_make(const char *process, const char *program)
{
	static const char *const processes[] = {"keyproc", "netproc", "metrics"};
	char command[200], from[120], to[120];

	strcpy(tree, "/tmp/attack-tree-XXXXXX");
	if (mkdtemp(tree) == NULL || chmod(tree, 0755) != 0)
		return false;
	snprintf(command, sizeof(command), "mkdir -p '%s/bin' '%s/libexec/dusk-relay'", tree, tree);
	if (system(command) != 0 || !copy("bin/dusk-relay", "bin/dusk-relay"))
		return false;
	for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++) {
		snprintf(to, sizeof(to), "libexec/dusk-relay/%s", processes[i]);
		snprintf(from, sizeof(from), "tests/attack/%s", program);
		if (!copy(strcmp(processes[i], process) == 0 ? from : to, to))
			return false;
	}
	return true;
}

const char *live_tree_path(void)
{
	return tree;
}

void live_tree_remove(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", tree);
	if (system(command) != 0)
		perror(command);
}
