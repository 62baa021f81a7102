/* SPDX-License-Identifier: MIT
 *
 * The programs' own tables and lock-downs, linked from their folders: what is attacked here is what
 * runs.
 */
#include "keyproc/sandbox.h"
#include "metrics/sandbox.h"
#include "netproc/process.h"
#include "netproc/sandbox.h"
#include "parent/sandbox.h"
#include "tests/attack/attack.h"

static int lock_keyproc(uint32_t *layers, const char **step)
{
	return key_sandbox_lock(0, 0, layers, step);
}

static int lock_netproc(uint32_t *layers, const char **step)
{
	static struct process process = {.conf.settings.max_connections = 100};

	return sandbox_lock(&process, layers, step);
}

static int lock_metrics(uint32_t *layers, const char **step)
{
	return metrics_sandbox_lock(0, 0, layers, step);
}

static int lock_parent(uint32_t *layers, const char **step)
{
	const struct harden_user stay = {0};

	return harden_lock(parent_calls, parent_call_count, &parent_limits, &stay, false, layers, step);
}

const struct attack_policy attack_policies[ATTACK_POLICIES] = {
    {ATTACK_KEYPROC, "keyproc", key_sandbox_calls, &key_sandbox_call_count, lock_keyproc},
    {ATTACK_NETPROC, "netproc", net_sandbox_calls, &net_sandbox_call_count, lock_netproc},
    {ATTACK_PARENT, "parent", parent_calls, &parent_call_count, lock_parent},
    {ATTACK_METRICS, "metrics", metrics_sandbox_calls, &metrics_sandbox_call_count, lock_metrics},
};
