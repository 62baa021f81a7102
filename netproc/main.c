/* SPDX-License-Identifier: MIT
 *
 * netproc: meets the strangers. Started by the parent with fixed descriptors (its channel, keyproc's channel,
 * the listeners); told its settings by messages; gives up everything else; then serves until the parent is
 * gone. SECURITY.md gives the order of the start.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <unistd.h>

#include "imsg/harden.h"
#include "netproc/aead.h"
#include "netproc/conn.h"
#include "netproc/key.h"
#include "netproc/limits.h"
#include "netproc/poller.h"
#include "netproc/pool.h"
#include "netproc/process.h"
#include "netproc/relay.h"
#include "netproc/rendezvous.h"
#include "netproc/sandbox.h"
#include "netproc/stream.h"

#define MAIN_HELLO_TIME 10000	    /* milliseconds for keyproc's first answer */
#define MAIN_OVERHEAD	(16u << 20) /* bytes of the budget that are not buffers: code, libraries, scratches */
#define MAIN_POOL_LEAST (16u << 20)

/* Waits for messages of one channel until `done`. */
static void main_wait(struct process *process, struct imsg_channel *channel, const bool *done,
		      int milliseconds)
{
	struct pollfd ready = {.fd = channel->fd, .events = POLLIN};

	while (!*done) {
		int count = poll(&ready, 1, milliseconds);

		if (count == 0)
			process_fail(process, START_FAILURE_HELLO, 0, 0);
		if (count < 0 && errno != EINTR)
			process_fail(process, START_FAILURE_RESOURCES, errno, 0);
		if (count > 0)
			process_serve(process, channel, 1);
	}
}

static uint64_t main_pool_size(const struct process *process)
{
	uint64_t memory = process->conf.memory;

	return memory > MAIN_OVERHEAD + MAIN_POOL_LEAST ? memory - MAIN_OVERHEAD : MAIN_POOL_LEAST;
}

/* What does not depend on settings, so that messages can use it. */
static int main_base(struct net *net)
{
	randombytes_buf(net->hash_key, sizeof(net->hash_key));
	loop_clock(net);
	net->wheel = wheel_new(net->now);
	net->pool = pool_new(UINT64_MAX);
	if (net->wheel == NULL || net->pool == NULL || poller_init(net) != 0)
		return -1;
	return limits_init(net);
}

static int main_state(struct process *process)
{
	struct net *net = &process->net;

	pool_set_cap(net, main_pool_size(process));
	if (aead_init(net) != 0 || stream_table_init(net) != 0 || conn_table_init(net) != 0 ||
	    key_init(net, &process->keyproc) != 0 || relay_init(net) != 0 ||
	    (net->settings.rendezvous != 0 && rendezvous_init(net) != 0))
		return -1;
	if (net->settings.rendezvous != 0)
		net->hooks.reserved = rendezvous_peer;
	net->counter[NET_COUNT_RELAY_STATUS] = 1;
	net->counter[NET_COUNT_POOL_CAP] = pool_cap(net);
	net->counter[NET_COUNT_EXTERNAL_ADDRESSES] = net->self.addr_count;
	return 0;
}

static void main_hello(struct process *process)
{
	if (imsg_send(&process->keyproc, IMSG_KEY_HELLO, 0, NULL, 0) != IMSG_OK)
		process_fail(process, START_FAILURE_HELLO, errno, 0);
	main_wait(process, &process->keyproc, &process->hello, MAIN_HELLO_TIME);
}

static void main_lock(struct process *process)
{
	struct imsg_net_ready ready = {.listeners = process->conf.listeners};
	const char *step = "";

	if (sandbox_lock(process, &ready.layers, &step) != 0)
		process_fail(process,
			     harden_is_privilege(step) ? START_FAILURE_PRIVILEGE : START_FAILURE_CONFINEMENT,
			     errno, harden_failed(step));
	if (!harden_enough(ready.layers))
		process_fail(process, START_FAILURE_CONFINEMENT, 0, harden_missing(ready.layers));
	if (imsg_send(&process->parent, IMSG_NET_READY, 0, &ready, sizeof(ready)) != IMSG_OK)
		_exit(1);
	process->table.phase = IMSG_PHASE_RUN;
}

/* Listeners stand side by side from IMSG_FD_LISTEN on; NET_CONF says later how many there must be. */
static int main_highest(void)
{
	int fd = IMSG_FD_LISTEN;

	while (fd < IMSG_FD_LISTEN + IMSG_LISTENERS && fcntl(fd, F_GETFD) >= 0)
		fd++;
	return fd - 1;
}

int main(void)
{
	static struct process process;
	int entered = harden_enter(main_highest()), error = errno;

	if (imsg_channel_open(&process.parent, IMSG_FD_PARENT, IMSG_PROCESS_PARENT) != 0)
		return 1;
	if (entered != 0 || imsg_channel_open(&process.keyproc, IMSG_FD_PEER, IMSG_PROCESS_KEYPROC) != 0)
		process_fail(&process, START_FAILURE_CONFINEMENT, error, harden_failed(NULL));
	process.table = (struct imsg_table){
	    .rows = process_rows, .count = process_row_count, .context = &process, .phase = IMSG_PHASE_START};
	log_init(&process.net.log, &process.parent, IMSG_NET_LOG, LOG_LEVEL_INFO);
	if (sodium_init() < 0 || main_base(&process.net) != 0)
		process_fail(&process, START_FAILURE_RESOURCES, errno, 0);
	main_wait(&process, &process.parent, &process.started, -1);
	process.net.log.level = (enum log_level)process.conf.log_level;
	if (main_state(&process) != 0)
		process_fail(&process, START_FAILURE_RESOURCES, errno, 0);
	if (loop_init(&process) != 0)
		process_fail(&process, START_FAILURE_LISTENER, errno, 0);
	main_hello(&process);
	main_lock(&process);
	loop_run(&process);
}
