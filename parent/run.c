/* SPDX-License-Identifier: MIT
 *
 * Running the relay: sockets, keyproc, netproc, lock, loop. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent/commands.h"
#include "parent/exit.h"
#include "parent/inherited.h"

static bool run_for_ever(const struct parent *parent)
{
	(void)parent;
	return false;
}

static int run_inherit(struct parent *parent)
{
	char error[LISTEN_TEXT];

	if (inherited_take(&parent->listeners, &parent->page, &parent->notify, &parent->settings, error) ==
	    0) {
		if (parent->listeners.count > 0 && parent->settings.raw[PARENT_SETTING_listen] != NULL)
			logger_line(&parent->log, LOG_LEVEL_WARN,
				    "DUSK_RELAY_LISTEN has no effect: the socket unit says where to listen");
		return 0;
	}
	parent_end(parent, EXIT_SETTINGS, "%s", error);
	return -1;
}

static int run_listen(struct parent *parent)
{
	struct settings *settings = &parent->settings;
	struct listen_set *set = &parent->listeners;

	if (run_inherit(parent) != 0)
		return -1;
	if (set->count > 0)
		return 0;
	int opened = listen_open(set, &settings->listen, settings->port, "DUSK_RELAY_LISTEN");

	for (size_t i = 0; i < set->note_count; i++)
		logger_line(&parent->log, LOG_LEVEL_WARN, "%s", set->note[i]);
	if (opened != 0)
		parent_end(parent, EXIT_FAILED, "%s", set->error);
	return opened;
}

/* External addresses without a port of their own take the one that we really have. */
static void run_external_port(struct parent *parent)
{
	const char *text = parent->settings.raw[PARENT_SETTING_external];

	if (text != NULL)
		external_parse(&parent->settings.external, text, listen_port(&parent->listeners.address[0]));
}

static int run_start(struct parent *parent)
{
	if (run_listen(parent) != 0 || metrics_listen(parent) != 0)
		return -1;
	run_external_port(parent);
	if (start_prepare(parent) != 0 || start_keyproc(parent) != 0)
		return -1;
	announce_key(parent);
	if (start_netproc(parent) != 0 || metrics_start(parent) != 0 || start_lock(parent) != 0)
		return -1;
	announce_relay(parent);
	logger_flush(&parent->log, 1000);
	return 0;
}

static void run_notify_ready(struct parent *parent)
{
	uint64_t now = parent_now();

	parent->next_ping = now + PARENT_PING_EVERY;
	parent->next_notify = parent->notify.watchdog != 0 ? now + parent->notify.watchdog : 0;
	notify_send(&parent->notify, "READY=1\nSTATUS=serving");
}

int command_run(struct parent *parent, char *const *arguments)
{
	notify_read(&parent->notify, environ);
	/* Whatever else the starter left open is none of ours. */
	close_range(LISTEN_FIRST_INHERITED + (unsigned)parent->notify.inherited, ~0U, 0);
	int status = commands_load(parent, arguments);
	if (status != 0)
		return status;
	notify_open(&parent->notify, environ);
	parent->next_ping = UINT64_MAX;
	if (commands_signals(parent) == 0 && run_start(parent) == 0) {
		run_notify_ready(parent);
		loop_run(parent, run_for_ever);
	}
	/* Not exit(3): what runs there asks the kernel for more than the lock allows. */
	_exit(finish(parent));
}
