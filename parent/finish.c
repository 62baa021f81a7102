/* SPDX-License-Identifier: MIT
 *
 * The end: keyproc's counters when something went wrong, the children's end, the last line, the exit status.
 * Called by main.c. */
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parent/exit.h"
#include "parent/parent.h"

#define FINISH_STATS_TIME    300  /* milliseconds for keyproc's counters */
#define FINISH_CHILDREN_TIME 500  /* milliseconds for the children to end */
#define FINISH_LOG_TIME	     1000 /* milliseconds for stderr to take the last lines */
#define FINISH_STEP	     10

/* What keyproc did is the record of what a netproc that failed had it do. */
static void finish_key_counters(struct parent *parent)
{
	struct parent_child *key = &parent->child[PARENT_KEYPROC];
	struct pollfd polled = {.fd = key->channel.fd, .events = POLLIN};
	bool ending = parent->ending;

	if (!key->ready || !key->open || imsg_send(&key->channel, IMSG_KEY_STATS, 0, NULL, 0) != IMSG_OK)
		return;
	key->asked = true;
	parent->ending = false;
	while (key->asked && key->open && !parent->ending && poll(&polled, 1, FINISH_STATS_TIME) > 0)
		loop_read_child(parent, key, 1);
	parent->ending = ending;
}

/* End of file on their channels is the order to end. */
static void finish_children(struct parent *parent)
{
	int left = 0;
	int status;

	for (int i = PARENT_CHILDREN - 1; i >= 0; i--) {
		struct parent_child *child = &parent->child[i];

		if (child->open)
			close(child->channel.fd);
		child->open = false;
		left += child->pid > 0 ? 1 : 0;
	}
	for (int waited = 0; left > 0 && waited < FINISH_CHILDREN_TIME; waited += FINISH_STEP) {
		if (waitpid(-1, &status, WNOHANG) > 0)
			left--;
		else
			poll(NULL, 0, FINISH_STEP);
	}
}

int finish(struct parent *parent)
{
	char words[PARENT_LAST_WORDS];
	int status = parent->status;

	/* Reading keyproc's last answer may find another end; the first one stands. */
	memcpy(words, parent->last_words, sizeof(words));
	notify_send(&parent->notify,
		    status == EXIT_DRAINED ? "STOPPING=1" : "STOPPING=1\nSTATUS=failed, see the log");
	if (status != EXIT_DRAINED)
		finish_key_counters(parent);
	finish_children(parent);
	logger_line(&parent->log, status == EXIT_DRAINED ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "%s", words);
	logger_flush(&parent->log, FINISH_LOG_TIME);
	return status;
}
