/* SPDX-License-Identifier: MIT */
#include "parent/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "parent/exit.h"
#include "parent/settings_text.h"

int commands_load(struct parent *parent, char *const *arguments)
{
	static struct settings_error error;

	if (settings_load(&parent->settings, arguments, environ, &error) != 0) {
		logger_init(&parent->log, STDERR_FILENO, LOG_LEVEL_INFO);
		logger_line(&parent->log, LOG_LEVEL_ERROR, "%s", error.text);
		logger_flush(&parent->log, 1000);
		return error.status;
	}
	logger_init(&parent->log, STDERR_FILENO, parent->settings.log_level);
	parent->children_log.ids = parent->settings.log_ids;
	for (size_t i = 0; i < parent->settings.note_count; i++)
		logger_line(&parent->log, LOG_LEVEL_WARN, "%s", parent->settings.notes[i]);
	return 0;
}

int commands_signals(struct parent *parent)
{
	static const int ignored[] = {SIGPIPE, SIGHUP, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGXFSZ};
	sigset_t wanted;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* A starter that ignores SIGCHLD would have children vanish without a status. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGUSR1);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_SETMASK, &wanted, NULL);
	parent->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	if (parent->signal_fd >= 0)
		return 0;
	parent_end(parent, EXIT_FAILED, "cannot start: signalfd: %s", strerror(errno));
	return -1;
}

int command_settings(struct parent *parent, char *const *arguments)
{
	(void)parent;
	if (arguments[0] != NULL && settings_print(arguments[0]) == 0)
		return EXIT_DRAINED;
	fputs("usage: dusk-relay settings --markdown | --man | --env\n", stderr);
	return EXIT_USAGE;
}
