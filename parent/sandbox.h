/* SPDX-License-Identifier: MIT
 *
 * What the parent may still ask of the kernel once both children run: policy for imsg/harden.h. Called by
 * start.c; read by tests.
 */
#ifndef PARENT_SANDBOX_H
#define PARENT_SANDBOX_H

#include <stddef.h>

#include "imsg/harden.h"

extern const struct harden_call parent_calls[];
extern const size_t parent_call_count;
extern const struct harden_limits parent_limits;

#endif
