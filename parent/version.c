/* SPDX-License-Identifier: MIT */
#include <seccomp.h>
#include <stdio.h>

#include "parent/commands.h"
#include "parent/exit.h"

#ifndef DUSK_LIBRARIES
#define DUSK_LIBRARIES "unknown"
#endif

int command_version(struct parent *parent, char *const *arguments)
{
	const struct scmp_version *seccomp = seccomp_version();

	(void)parent;
	(void)arguments;
	printf("dusk-relay %s\nbuilt with: %s\nrunning with: libseccomp %u.%u.%u\n", DUSK_VERSION,
	       DUSK_LIBRARIES, seccomp->major, seccomp->minor, seccomp->micro);
	return EXIT_DRAINED;
}
