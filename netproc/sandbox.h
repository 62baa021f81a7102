/* SPDX-License-Identifier: MIT
 *
 * netproc's policy: which system calls remain. Called by main once; read by tests/attack.
 */
#ifndef NETPROC_SANDBOX_H
#define NETPROC_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "imsg/harden.h"

struct process;

extern const struct harden_call net_sandbox_calls[];
extern const size_t net_sandbox_call_count;

/* 0, or -1 with errno and `step`. */
int sandbox_lock(struct process *process, uint32_t *layers, const char **step);

#endif
