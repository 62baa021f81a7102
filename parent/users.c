/* SPDX-License-Identifier: MIT */
#include "parent/users.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

static bool users_try(const struct settings_user *user)
{
	return setresgid((gid_t)-1, user->group, (gid_t)-1) == 0 &&
	       setresuid((uid_t)-1, user->user, (uid_t)-1) == 0 && setresuid((uid_t)-1, 0, (uid_t)-1) == 0;
}

bool users_can_change(const struct settings *settings)
{
	int status;

	if (geteuid() != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		bool can = setgroups(0, NULL) == 0 && users_try(&settings->user) &&
			   users_try(&settings->key_user) && users_try(&settings->net_user) &&
			   users_try(&settings->metrics_user);
		_exit(can ? 0 : 1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) != pid)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
