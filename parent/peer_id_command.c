/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parent/commands.h"
#include "parent/exit.h"

int command_peer_id(struct parent *parent, char *const *arguments)
{
	char text[PEER_ID_TEXT_MAX + 1];
	struct peer_id id;
	int status = commands_load(parent, arguments);

	if (status != 0)
		return status;
	parent->show_only = true;
	parent->next_ping = UINT64_MAX;
	parent->notify.fd = -1;
	if (commands_signals(parent) == 0 && start_prepare(parent) == 0 && start_keyproc(parent) == 0) {
		peer_id_from_ed25519(&id, parent->key.identity);
		size_t len = peer_id_to_text(&id, text);
		text[len++] = '\n';
		ssize_t written = write(STDOUT_FILENO, text, len);
		(void)written;
		_exit(EXIT_DRAINED);
	}
	_exit(finish(parent));
}
