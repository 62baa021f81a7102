/* SPDX-License-Identifier: MIT
 *
 * Policy of the confinement of metrics. Called by main.c, and by tests/attack, which tries each row and
 * everything beside them.
 */
#ifndef METRICS_SANDBOX_H
#define METRICS_SANDBOX_H

#include "imsg/harden.h"

extern const struct harden_call metrics_sandbox_calls[];
extern const size_t metrics_sandbox_call_count;

/* Gives up everything but the channel, the listener and what it accepts; root mode: becomes `user`. 0 and the
 * layers, or -1 with errno and step. */
int metrics_sandbox_lock(uid_t user, gid_t group, uint32_t *layers, const char **step);

#endif
