/* SPDX-License-Identifier: MIT
 *
 * The ways to run the daemon: as a program of this machine, or by a script of tests/deploy that starts it in
 * a container or as a unit and stands for it: passes on its output, signals and exit status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/daemon.h"

#define DAEMON_NOBODY	 65534
#define DAEMON_SCRIPT_MS 20000

static const struct {
	const char *mode;
	uid_t user; /* when the tests run as root */
	const char *script;
} daemon_modes[] = {
    {"user", DAEMON_NOBODY, NULL},
    {"root", 0, NULL},
    {"container", 1000, "tests/deploy/container_daemon.sh"},
    {"unit", DAEMON_NOBODY, "tests/deploy/unit_daemon.sh"},
    {"socket", DAEMON_NOBODY, "tests/deploy/unit_daemon.sh"},
};

static size_t daemon_mode_row(void)
{
	const char *text = getenv("E2E_MODE");
	size_t i = sizeof(daemon_modes) / sizeof(daemon_modes[0]) - 1;

	while (i > 0 && (!text || strcmp(daemon_modes[i].mode, text) != 0))
		i--;
	return i;
}

const char *daemon_mode(void)
{
	return daemon_modes[daemon_mode_row()].mode;
}

const char *daemon_script(void)
{
	return daemon_modes[daemon_mode_row()].script;
}

uid_t daemon_user(void)
{
	const char *text = getenv("E2E_USER");

	if (geteuid() != 0)
		return geteuid();
	return text && *text ? (uid_t)strtoul(text, NULL, 10) : daemon_modes[daemon_mode_row()].user;
}

/* The script knows the place by the directory, as it does when it starts the daemon. */
pid_t daemon_parent(struct daemon *d)
{
	char command[DAEMON_PATH_MAX];
	FILE *answer;

	if (!daemon_script())
		return d->pid;
	if (d->parent > 0)
		return d->parent;
	snprintf(command, sizeof(command), "E2E_DIRECTORY=%s sh %s --pid", d->directory, daemon_script());
	answer = popen(command, "re");
	if (!answer || fscanf(answer, "%d", &d->parent) != 1)
		d->parent = 0;
	if (answer)
		pclose(answer);
	return d->parent;
}

int daemon_patience(int ms)
{
	return daemon_script() ? ms + DAEMON_SCRIPT_MS : ms;
}

bool daemon_is_left_out(const char *mode, const char *what, const char *why)
{
	if (strcmp(daemon_mode(), mode) != 0)
		return false;
	printf("left out, mode %s: %s: %s\n", mode, what, why);
	return true;
}
