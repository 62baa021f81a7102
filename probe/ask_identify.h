/* SPDX-License-Identifier: MIT
 *
 * The identify client: what a relay says about itself. libp2p specs, identify/README.md. Called by steps.c
 * and tests. Copies what it keeps.
 */
#ifndef PROBE_ASK_IDENTIFY_H
#define PROBE_ASK_IDENTIFY_H

#include <stdbool.h>

#include "probe/client.h"
#include "proto/identify_message.h"

struct identify_answer {
	uint8_t bytes[IDENTIFY_MESSAGE_MAX];
	size_t len;
	struct identify_message message; /* points into `bytes` */
};

bool identify_answer_lists(const struct identify_answer *a, const char *protocol);
/* One stream from beginning to end; the relay must finish it after one message. 0 or -1 with the client's
 * error. */
int ask_identify(struct client *c, struct identify_answer *a);

#endif
