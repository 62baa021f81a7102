/* SPDX-License-Identifier: MIT
 *
 * A live keyproc: the built program, started with the descriptors that the parent would give it, and both
 * other ends of its channels in the test's hands. Called by the attack tests that play a hostile netproc,
 * parent or neighbour.
 */
#ifndef TESTS_ATTACK_LIVE_KEYPROC_H
#define TESTS_ATTACK_LIVE_KEYPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "imsg/imsg.h"

struct live_keyproc {
	pid_t pid;
	int parent; /* the parent's end */
	int net;    /* netproc's end */
	char folder[64];
	struct imsg_key_ready ready;
	uint8_t in[2 * IMSG_MAX] __attribute__((aligned(8))); /* the last datagram read */
};

/* Starts the program only; nothing has been said yet. As root it runs as ATTACK_NOBODY. 0 or -1. */
int live_keyproc_spawn(struct live_keyproc *live);
/* Starts it and brings it to READY. 0 or -1. */
int live_keyproc_start(struct live_keyproc *live);
/* The same, or the test ends here with its sum, failed. */
void live_keyproc_must_start(struct live_keyproc *live, const char *test);
/* The configuration and the order to start, from the parent's end. */
void live_keyproc_configure(struct live_keyproc *live);
/* Sends a right message of this type with this payload (zeros when NULL), by the end given. 0, or -1 with
 * errno. */
int live_keyproc_send(int end, enum imsg_type type, const void *payload);
/* Sends bytes as they are. */
int live_keyproc_send_raw(int end, const void *bytes, size_t len);
/* Waits for a datagram at an end: its type, 0 at the end of the channel, -1 when none came. The payload lies
 * in live->in + 16. */
int live_keyproc_receive(struct live_keyproc *live, int end, int milliseconds);
/* Everything that is waiting there is dropped; how many that were. */
size_t live_keyproc_drain(struct live_keyproc *live, int end);
/* Closes all, kills what still runs, removes the folder. */
void live_keyproc_end(struct live_keyproc *live);

#endif
