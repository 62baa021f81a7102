/* SPDX-License-Identifier: MIT */
#include "parent/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPAWN_HIGH	  32	       /* descriptors above it are out of the way of the fixed numbers */
#define SPAWN_PERSONALITY 0xffffffffUL /* asks, changes nothing */

/* Our own executable: by the kernel's word where /proc is mounted, else by what it was started as. */
static int spawn_self(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (len > 0) {
		path[len] = '\0';
		return 0;
	}
	const char *started = (const char *)getauxval(AT_EXECFN);
	if (started == NULL || strchr(started, '/') == NULL || strlen(started) >= PATH_MAX)
		return -1;
	strcpy(path, started);
	return 0;
}

/* <prefix>/bin/dusk-relay -> <prefix>/libexec/dusk-relay/<name> */
static int spawn_path(struct spawn_program *program)
{
	char self[PATH_MAX];

	if (spawn_self(self) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(self, '/');
		if (slash == NULL) {
			strcpy(self, i == 0 ? "." : "..");
			continue;
		}
		*slash = '\0';
	}
	int len = snprintf(program->path, sizeof(program->path), "%.3900s/libexec/dusk-relay/%s", self,
			   program->name);
	return len > 0 && (size_t)len < sizeof(program->path) ? 0 : -1;
}

/* What is wrong with the file; NULL when nothing. */
static const char *spawn_check(int fd)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return strerror(errno);
	if (!S_ISREG(file.st_mode))
		return "is not a regular file";
	if (file.st_uid != 0 && file.st_uid != geteuid())
		return "belongs to neither root nor the user who starts the relay: chown it";
	if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "can be written by others: chmod go-w it";
	return NULL;
}

int spawn_open(struct spawn_program *program, const char *name, char *error, size_t error_size)
{
	const char *wrong;

	snprintf(program->name, sizeof(program->name), "%s", name);
	program->fd = -1;
	if (spawn_path(program) != 0) {
		snprintf(error, error_size, "cannot tell where dusk-relay itself is, so not where %s is",
			 name);
		return -1;
	}
	program->fd = open(program->path, O_PATH | O_CLOEXEC);
	wrong = program->fd >= 0 ? spawn_check(program->fd) : strerror(errno);
	if (wrong == NULL)
		return 0;
	snprintf(error, error_size, "program %.300s: %s", program->path, wrong);
	if (program->fd >= 0)
		close(program->fd);
	program->fd = -1;
	return -1;
}

/* Only async-signal-safe calls from here to exec. */
static int spawn_move(const int *fds, size_t count, int program, int *moved_program)
{
	int moved[SPAWN_DESCRIPTORS];

	for (size_t i = 0; i < count; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD, SPAWN_HIGH);
		if (moved[i] < 0)
			return -1;
	}
	*moved_program = fcntl(program, F_DUPFD_CLOEXEC, SPAWN_HIGH);
	int null = open("/dev/null", O_RDWR);
	if (*moved_program < 0 || null < 0)
		return -1;
	for (int fd = 0; fd < SPAWN_FIRST; fd++) {
		if (dup2(null, fd) < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++) {
		if (dup2(moved[i], SPAWN_FIRST + (int)i) < 0)
			return -1;
	}
	return 0;
}

static int spawn_close_rest(size_t count, int program)
{
	unsigned first = SPAWN_FIRST + (unsigned)count;

	if ((unsigned)program > first && syscall(SYS_close_range, first, (unsigned)program - 1, 0) != 0)
		return -1;
	return (int)syscall(SYS_close_range, (unsigned)program + 1, ~0U, 0);
}

static void spawn_reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A debugger's or a hostile starter's fixed addresses must not reach the child. */
static int spawn_reset_personality(void)
{
	return personality(SPAWN_PERSONALITY) == PER_LINUX ? 0 : personality(PER_LINUX);
}

static void spawn_child(const struct spawn_program *program, const int *fds, size_t count)
{
	static char *const nothing[] = {NULL};
	char *const arguments[] = {(char *)program->name, NULL};
	int program_fd;

	setsid();
	spawn_reset_signals();
	if (spawn_reset_personality() < 0 || spawn_move(fds, count, program->fd, &program_fd) != 0 ||
	    spawn_close_rest(count, program_fd) != 0)
		_exit(SPAWN_NOT_RUN);
	syscall(SYS_execveat, program_fd, "", arguments, nothing, AT_EMPTY_PATH);
	_exit(SPAWN_NOT_RUN);
}

pid_t spawn_start(const struct spawn_program *program, const int *fds, size_t count)
{
	if (count > SPAWN_DESCRIPTORS) {
		errno = E2BIG;
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0)
		spawn_child(program, fds, count);
	return pid;
}

void spawn_become(const struct spawn_program *program, char *const *arguments)
{
	static char *const nothing[] = {NULL};

	spawn_reset_signals();
	syscall(SYS_execveat, program->fd, "", arguments, nothing, AT_EMPTY_PATH);
}
