/* SPDX-License-Identifier: MIT
 *
 * Policy of keyproc's confinement. Called by main.c, and by tests/attack, which tries each row and everything
 * beside them.
 */
#ifndef KEYPROC_SANDBOX_H
#define KEYPROC_SANDBOX_H

#include "imsg/harden.h"

extern const struct harden_call key_sandbox_calls[];
extern const size_t key_sandbox_call_count;

/* Gives up everything but two channels and five system calls; root mode: becomes `user`. 0 and the layers, or
 * -1 with errno and step. */
int key_sandbox_lock(uid_t user, gid_t group, uint32_t *layers, const char **step);

#endif
