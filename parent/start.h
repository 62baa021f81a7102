/* SPDX-License-Identifier: MIT
 *
 * Starting one child: its program, its channel, its settings, its READY. Made by start.c, used there and by
 * metrics.c. A child counts as hostile from its first message on. Each returns 0, or -1 after parent_end. */
#ifndef PARENT_START_H
#define PARENT_START_H

#include "parent/parent.h"

/* Starts a child with its end of a new channel put first among its descriptors. */
int start_child(struct parent *parent, enum parent_child_index index, enum imsg_process process, int *fds,
		size_t count);
/* Sends while the child still reads. */
int start_send(struct parent *parent, struct parent_child *child, enum imsg_type type, const void *payload,
	       size_t size);
/* Waits for READY and checks what the child says about itself. */
int start_wait(struct parent *parent, const struct parent_child *child,
	       bool (*done)(const struct parent *parent));
/* The level of the log as children are told it. */
uint32_t start_log_level(const struct parent *parent);

#endif
