/* SPDX-License-Identifier: MIT
 *
 * metrics, seen from the parent: its listener, its start, and the counters that it is sent each second. It is
 * never asked and asks nothing, so that whoever scrapes it costs the others nothing. Called by run.c, loop.c
 * and handlers.c. */
#include <time.h>

#include "parent/exit.h"
#include "parent/start.h"

#define METRICS_EVERY 1000 /* milliseconds between two questions for counters */

int metrics_listen(struct parent *parent)
{
	if (parent->settings.metrics.count == 0 || parent->page.count > 0 ||
	    listen_open(&parent->page, &parent->settings.metrics, 0, "DUSK_RELAY_METRICS") == 0)
		return 0;
	parent_end(parent, EXIT_FAILED, "DUSK_RELAY_METRICS: %s", parent->page.error);
	return -1;
}

static bool metrics_is_ready(const struct parent *parent)
{
	return parent->child[PARENT_METRICS].ready;
}

int metrics_start(struct parent *parent)
{
	struct parent_child *child = &parent->child[PARENT_METRICS];
	struct imsg_metrics_conf conf = {.user = parent->root ? parent->settings.metrics_user.user : 0,
					 .group = parent->root ? parent->settings.metrics_user.group : 0,
					 .log_level = start_log_level(parent)};

	if (parent->page.count == 0)
		return 0;
	int fds[] = {-1, parent->page.fd[0]};
	if (start_child(parent, PARENT_METRICS, IMSG_PROCESS_METRICS, fds, 2) != 0 ||
	    start_send(parent, child, IMSG_METRICS_CONF, &conf, sizeof(conf)) != 0 ||
	    start_send(parent, child, IMSG_METRICS_START, NULL, 0) != 0)
		return -1;
	parent->counters.started = (uint64_t)time(NULL);
	parent->next_push = parent_now();
	return start_wait(parent, child, metrics_is_ready);
}

void metrics_announce(struct parent *parent)
{
	const union listen_address *address = &parent->page.address[0];
	struct multiaddr multiaddr;

	if (parent->page.count == 0)
		return;
	listen_multiaddr(&multiaddr, address);
	logger_line(&parent->log, LOG_LEVEL_INFO, "metrics: /metrics and /healthz on port %u",
		    listen_port(address));
	bool any = address->any.sa_family == AF_INET ? address->four.sin_addr.s_addr == INADDR_ANY
						     : IN6_IS_ADDR_UNSPECIFIED(&address->six.sin6_addr);
	if (any || !multiaddr_is_private(multiaddr.bytes, multiaddr.len))
		logger_line(
		    &parent->log, LOG_LEVEL_WARN,
		    "DUSK_RELAY_METRICS is not a private address: whoever reaches it sees the counters");
}

/* Layers are known when all have started. */
static void metrics_take_layers(struct parent *parent)
{
	uint32_t *layers = parent->counters.layers;

	layers[IMSG_PROCESS_PARENT] = parent->layers;
	layers[IMSG_PROCESS_KEYPROC] = parent->child[PARENT_KEYPROC].layers;
	layers[IMSG_PROCESS_NETPROC] = parent->child[PARENT_NETPROC].layers;
	layers[IMSG_PROCESS_METRICS] = parent->child[PARENT_METRICS].layers;
}

/* The kernel's number of a process's clock of processor time (0: this process's). Read by the parent, so that
 * no child's word is in it; clock_getcpuclockid() would ask by a call that is not in the parent's list. */
static clockid_t metrics_cpu_clock(pid_t pid)
{
	return (clockid_t)(~(unsigned)pid << 3 | 2u);
}

/* A process that has just ended has no clock: its last reading stays. */
static void metrics_take_cpu(uint64_t *microseconds, pid_t pid)
{
	struct timespec time;

	if (clock_gettime(metrics_cpu_clock(pid), &time) == 0)
		*microseconds = (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* A child that was reaped has no number any more, and 0 would be the parent. */
static void metrics_take_child_cpu(uint64_t *microseconds, const struct parent_child *child)
{
	if (child->pid != 0)
		metrics_take_cpu(microseconds, child->pid);
}

static void metrics_take_times(struct parent *parent)
{
	uint64_t *cpu = parent->counters.cpu;

	metrics_take_cpu(&cpu[IMSG_PROCESS_PARENT], 0);
	metrics_take_child_cpu(&cpu[IMSG_PROCESS_KEYPROC], &parent->child[PARENT_KEYPROC]);
	metrics_take_child_cpu(&cpu[IMSG_PROCESS_NETPROC], &parent->child[PARENT_NETPROC]);
	metrics_take_child_cpu(&cpu[IMSG_PROCESS_METRICS], &parent->child[PARENT_METRICS]);
}

/* Sends what is known once both have answered; what does not fit is left out, the next is a second away. */
static void metrics_push(struct parent *parent)
{
	struct parent_child *child = &parent->child[PARENT_METRICS];

	if (parent->child[PARENT_KEYPROC].asked_metrics || parent->child[PARENT_NETPROC].asked_metrics ||
	    !child->ready || !child->open)
		return;
	metrics_take_layers(parent);
	metrics_take_times(parent);
	imsg_send(&child->channel, IMSG_METRICS_COUNTERS, 0, &parent->counters, sizeof(parent->counters));
}

void metrics_take_net(struct parent *parent, const struct imsg_net_stats *stats)
{
	parent->child[PARENT_NETPROC].asked_metrics = false;
	parent->counters.net = *stats;
	metrics_push(parent);
}

void metrics_take_key(struct parent *parent, const struct imsg_key_stats *stats)
{
	parent->child[PARENT_KEYPROC].asked_metrics = false;
	parent->counters.key = *stats;
	metrics_push(parent);
}

/* One question at a time: a child that has not answered is not asked again. */
static void metrics_ask(struct parent_child *child, enum imsg_type type)
{
	if (child->ready && child->open && !child->asked_metrics &&
	    imsg_send(&child->channel, type, PARENT_ASKED_METRICS, NULL, 0) == IMSG_OK)
		child->asked_metrics = true;
}

void metrics_tick(struct parent *parent, uint64_t now)
{
	if (parent->next_push == 0 || now < parent->next_push || !parent->child[PARENT_METRICS].ready)
		return;
	parent->next_push = now + METRICS_EVERY;
	metrics_ask(&parent->child[PARENT_KEYPROC], IMSG_KEY_STATS);
	metrics_ask(&parent->child[PARENT_NETPROC], IMSG_NET_STATS);
}
