/* SPDX-License-Identifier: MIT */
#include "tests/attack/live_tree.h"

#include <stdio.h>
#include <stdlib.h>
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

bool live_tree_make(const char *netproc)
{
	char path[120], from[120];

	if (mkdtemp(tree) == NULL || chmod(tree, 0755) != 0)
		return false;
	snprintf(path, sizeof(path), "mkdir -p '%s/bin' '%s/libexec/dusk-relay'", tree, tree);
	snprintf(from, sizeof(from), "tests/attack/%s", netproc);
	return system(path) == 0 && copy("bin/dusk-relay", "bin/dusk-relay") &&
	       copy("libexec/dusk-relay/keyproc", "libexec/dusk-relay/keyproc") &&
	       copy(from, "libexec/dusk-relay/netproc");
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
