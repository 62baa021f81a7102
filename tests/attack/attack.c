/* SPDX-License-Identifier: MIT */
#include "tests/attack/attack.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "imsg/harden_steps.h"

#define CHILD_SECONDS 20

static unsigned passed, failed, skipped;

static void line(const char *word, const char *format, va_list list)
{
	printf("  %s: ", word);
	vprintf(format, list);
	printf("\n");
	fflush(stdout);
}

void attack_pass(void)
{
	passed++;
}

void attack_fail(const char *format, ...)
{
	va_list list;

	failed++;
	va_start(list, format);
	line("FAILED", format, list);
	va_end(list);
}

void attack_skip(const char *format, ...)
{
	va_list list;

	skipped++;
	va_start(list, format);
	line("skipped", format, list);
	va_end(list);
}

void attack_check(bool condition, const char *format, ...)
{
	va_list list;

	if (condition) {
		passed++;
		return;
	}
	failed++;
	va_start(list, format);
	line("FAILED", format, list);
	va_end(list);
}

int attack_end(const char *name)
{
	printf("%s: %u passed, %u failed, %u skipped\n", name, passed, failed, skipped);
	return failed == 0 ? 0 : 1;
}

struct attack_end attack_wait(pid_t child, int milliseconds)
{
	struct attack_end end = {0};
	int status = 0;

	for (int waited = 0; waitpid(child, &status, WNOHANG) == 0; waited += 2) {
		const struct timespec pause = {.tv_nsec = 2000000};

		if (waited >= milliseconds && !end.hung) {
			end.hung = true;
			kill(child, SIGKILL);
		}
		nanosleep(&pause, NULL);
	}
	end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	return end;
}

struct attack_end attack_in_child(int (*body)(void *context), void *context)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		alarm(CHILD_SECONDS);
		_exit(body(context));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return (struct attack_end){.hung = true};
	return (struct attack_end){.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
				   .status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
				   .hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM};
}

const char *attack_end_text(struct attack_end end)
{
	static char text[64];

	if (end.hung)
		return "hung";
	if (end.signal != 0)
		snprintf(text, sizeof(text), "SIG%s", sigabbrev_np(end.signal));
	else
		snprintf(text, sizeof(text), "exit %d", end.status);
	return text;
}

int attack_become_user(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) != 0 || setresgid(ATTACK_NOBODY, ATTACK_NOBODY, ATTACK_NOBODY) != 0)
		return -1;
	return setresuid(ATTACK_NOBODY, ATTACK_NOBODY, ATTACK_NOBODY);
}

bool attack_may_look_inside(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct held[2] = {0};

	return syscall(SYS_capget, &header, held) == 0 &&
	       (held[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE)) != 0;
}

static int make_namespace(void *context)
{
	(void)context;
	return unshare(CLONE_NEWPID) == 0 ? 0 : 1;
}

bool attack_has_pid_namespaces(void)
{
	return attack_in_child(make_namespace, NULL).status == 0;
}

bool attack_is_sanitized(void)
{
#ifdef HARDEN_SANITIZED
	return true;
#else
	return false;
#endif
}
