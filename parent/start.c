/* SPDX-License-Identifier: MIT
 *
 * From settings to a running daemon: keyproc first, locked before netproc exists; then netproc; then the
 * parent locks itself. Called by main.c. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imsg/harden.h"
#include "parent/exit.h"
#include "parent/limits.h"
#include "parent/parent.h"
#include "parent/sandbox.h"
#include "parent/spawn.h"
#include "parent/start.h"
#include "parent/users.h"

#define START_VOUCHER_SPARE 60	 /* seconds that a voucher may outlive the reservation */
#define START_SEND_TIME	    5000 /* milliseconds for a child to read what it is sent */

uint32_t start_log_level(const struct parent *parent)
{
	return parent->settings.log_level < 0 ? LOG_LEVEL_ERROR : (uint32_t)parent->settings.log_level;
}

static bool start_never(const struct parent *parent)
{
	(void)parent;
	return false;
}

/* Sends while the child still reads: its channel may fill up. A child that is gone gets its verdict from the
 * loop. */
int start_send(struct parent *parent, struct parent_child *child, enum imsg_type type, const void *payload,
	       size_t size)
{
	struct pollfd room = {.fd = child->channel.fd, .events = POLLOUT};

	while (!parent->ending) {
		enum imsg_result result = imsg_send(&child->channel, type, 0, payload, size);

		if (result == IMSG_OK)
			return 0;
		if (result != IMSG_AGAIN)
			loop_run(parent, start_never);
		else if (poll(&room, 1, START_SEND_TIME) <= 0)
			parent_end(parent, EXIT_FAILED, "%s does not read what it is sent", child->name);
	}
	return -1;
}

static int start_no_resources(struct parent *parent, const char *what)
{
	parent_end(parent, EXIT_FAILED, "cannot start: %s: %s", what, strerror(errno));
	return -1;
}

static int start_pair(struct parent *parent, int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return start_no_resources(parent, "socketpair");
	return 0;
}

/* Starts one child with its end of a new channel first among its descriptors. */
int start_child(struct parent *parent, enum parent_child_index index, enum imsg_process process, int *fds,
		size_t count)
{
	struct parent_child *child = &parent->child[index];
	struct spawn_program program;
	char error[512];
	int pair[2];

	if (spawn_open(&program, child->name, error, sizeof(error)) != 0) {
		parent_end(parent, EXIT_FAILED, "%s", error);
		return -1;
	}
	if (start_pair(parent, pair) != 0)
		return -1;
	fds[0] = pair[1];
	child->pid = spawn_start(&program, fds, count);
	close(program.fd);
	close(pair[1]);
	if (child->pid < 0)
		return start_no_resources(parent, "fork");
	handlers_init(parent, child, pair[0], process);
	if (imsg_channel_open(&child->channel, pair[0], process) != 0)
		return start_no_resources(parent, "channel");
	return 0;
}

/* Where the kernel grants it, the children get process numbers of their own: keyproc is the first and its end
 * ends all. */
static void start_namespace(struct parent *parent)
{
	if (parent->root && unshare(CLONE_NEWPID) != 0)
		logger_line(&parent->log, LOG_LEVEL_DEBUG, "no PID namespace of our own: %s",
			    strerror(errno));
}

int start_prepare(struct parent *parent)
{
	parent->child[PARENT_KEYPROC].name = "keyproc";
	parent->child[PARENT_NETPROC].name = "netproc";
	parent->child[PARENT_KEYPROC].channel.fd = -1;
	parent->child[PARENT_NETPROC].channel.fd = -1;
	parent->child[PARENT_METRICS].name = "metrics";
	parent->child[PARENT_METRICS].channel.fd = -1;
	if (keydir_resolve(&parent->keydir, &parent->settings) != 0) {
		parent_end(parent, EXIT_SETTINGS, "the path of the key is too long");
		return -1;
	}
	parent->root = users_can_change(&parent->settings);
	if (geteuid() == 0 && !parent->root)
		logger_line(&parent->log, LOG_LEVEL_WARN,
			    "started as root, but users cannot be changed here: all processes stay root "
			    "without privileges");
	start_namespace(parent);
	return start_pair(parent, parent->between);
}

static bool start_key_is_ready(const struct parent *parent)
{
	return parent->child[PARENT_KEYPROC].ready;
}

static bool start_net_is_ready(const struct parent *parent)
{
	return parent->child[PARENT_NETPROC].ready;
}

/* Waits for one child's READY and checks what it says about itself. */
int start_wait(struct parent *parent, const struct parent_child *child,
	       bool (*done)(const struct parent *parent))
{
	char missing[512];

	parent->deadline = parent_now() + PARENT_START_TIME;
	loop_run(parent, done);
	parent->deadline = 0;
	if (parent->ending)
		return -1;
	if (harden_enough(child->layers))
		return 0;
	failure_missing(harden_missing(child->layers), missing, sizeof(missing));
	parent_end(parent, EXIT_SETTINGS, "confinement of %s is below the minimum%s", child->name, missing);
	return -1;
}

static int start_send_addresses(struct parent *parent, struct parent_child *child, enum imsg_type type)
{
	for (size_t i = 0; i < parent->settings.external.count; i++) {
		if (start_send(parent, child, type, &parent->settings.external.address[i],
			       sizeof(struct imsg_addr)) != 0)
			return -1;
	}
	return 0;
}

static int start_send_key(struct parent *parent)
{
	struct parent_child *child = &parent->child[PARENT_KEYPROC];
	const struct settings *settings = &parent->settings;
	uint64_t ttl = settings->net.reservation_ttl + START_VOUCHER_SPARE;
	struct imsg_key_conf conf = {.place = parent->keydir.place,
				     .voucher_ttl_max = ttl < 86400 ? (uint32_t)ttl : 86400,
				     .show_only = parent->show_only,
				     .expected_len = settings->peer_id.len,
				     .user = parent->root ? settings->key_user.user : 0,
				     .group = parent->root ? settings->key_user.group : 0,
				     .log_level = start_log_level(parent)};

	memcpy(conf.expected, settings->peer_id.bytes, settings->peer_id.len);
	if (start_send(parent, child, IMSG_KEY_CONF, &conf, sizeof(conf)) != 0)
		return -1;
	if (start_send_addresses(parent, child, IMSG_KEY_ADDR) != 0)
		return -1;
	return start_send(parent, child, IMSG_KEY_START, NULL, 0);
}

static int start_open_key_folder(struct parent *parent)
{
	char advice[PARENT_LAST_WORDS - 384];
	int fd = keydir_open(&parent->keydir, !parent->show_only);
	int error = errno;

	if (fd >= 0)
		return fd;
	keydir_advice(&parent->keydir, parent->show_only, error, advice, sizeof(advice));
	parent_end(parent, EXIT_SETTINGS, "key folder %.300s: %s; %s", parent->keydir.folder, strerror(error),
		   advice);
	return -1;
}

/* The identity that settings named by /p2p of an external address. */
static int start_check_owner(struct parent *parent)
{
	const struct peer_id *owner = &parent->settings.external.owner;
	char named[PEER_ID_TEXT_MAX];
	char held[PEER_ID_TEXT_MAX];
	struct peer_id id;

	peer_id_from_ed25519(&id, parent->key.identity);
	if (owner->len == 0 || peer_id_equal(owner, &id))
		return 0;
	peer_id_to_text(owner, named);
	peer_id_to_text(&id, held);
	parent_end(parent, EXIT_SETTINGS, "DUSK_RELAY_EXTERNAL_ADDR names %s, but the key in %.300s is %s",
		   named, parent->keydir.file, held);
	return -1;
}

int start_keyproc(struct parent *parent)
{
	int folder = start_open_key_folder(parent);
	int fds[] = {-1, parent->between[0], folder};

	if (folder < 0)
		return -1;
	int started = start_child(parent, PARENT_KEYPROC, IMSG_PROCESS_KEYPROC, fds, 3);
	close(folder);
	close(parent->between[0]);
	if (started != 0 || start_send_key(parent) != 0)
		return -1;
	if (start_wait(parent, &parent->child[PARENT_KEYPROC], start_key_is_ready) != 0)
		return -1;
	return start_check_owner(parent);
}

/* The connection cap by descriptors, the memory budget by control groups. */
static void start_fit(struct parent *parent, struct imsg_net_conf *conf)
{
	uint64_t wanted = conf->settings.max_connections;
	uint64_t fits = limits_descriptors(wanted);

	if (fits < wanted) {
		logger_line(&parent->log, LOG_LEVEL_WARN,
			    "descriptor limit allows %llu connections, not %llu; raise it (ulimit -n, "
			    "LimitNOFILE=) or lower"
			    " DUSK_MAX_CONNECTIONS",
			    (unsigned long long)fits, (unsigned long long)wanted);
		conf->settings.max_connections = fits;
	}
	conf->memory = conf->settings.max_memory != 0 ? conf->settings.max_memory : limits_memory();
}

static int start_send_net_conf(struct parent *parent, struct parent_child *child)
{
	const struct settings *settings = &parent->settings;
	struct imsg_net_conf conf = {.settings = settings->net,
				     .listeners = (uint32_t)parent->listeners.count,
				     .user = parent->root ? settings->net_user.user : 0,
				     .group = parent->root ? settings->net_user.group : 0,
				     .force_kind = settings->rendezvous_kind,
				     .log_level = start_log_level(parent)};

	start_fit(parent, &conf);
	for (size_t i = 0; i < parent->listeners.count; i++)
		conf.port[i] = listen_port(&parent->listeners.address[i]);
	return start_send(parent, child, IMSG_NET_CONF, &conf, sizeof(conf));
}

static int start_send_net(struct parent *parent)
{
	struct parent_child *child = &parent->child[PARENT_NETPROC];
	struct imsg_record record = {.len = parent->key.record_len};

	if (start_send_net_conf(parent, child) != 0 ||
	    start_send_addresses(parent, child, IMSG_NET_ADDR) != 0)
		return -1;
	for (size_t i = 0; i < parent->settings.deny_count; i++) {
		struct imsg_peer denied = {.len = parent->settings.deny[i].len};

		memcpy(denied.bytes, parent->settings.deny[i].bytes, denied.len);
		if (start_send(parent, child, IMSG_NET_DENY, &denied, sizeof(denied)) != 0)
			return -1;
	}
	memcpy(record.identity, parent->key.identity, sizeof(record.identity));
	memcpy(record.bytes, parent->key.record, parent->key.record_len);
	if (start_send(parent, child, IMSG_NET_RECORD, &record, sizeof(record)) != 0)
		return -1;
	return start_send(parent, child, IMSG_NET_START, NULL, 0);
}

int start_netproc(struct parent *parent)
{
	int fds[2 + IMSG_LISTENERS] = {-1, parent->between[1]};

	memcpy(fds + 2, parent->listeners.fd, parent->listeners.count * sizeof(int));
	int started =
	    start_child(parent, PARENT_NETPROC, IMSG_PROCESS_NETPROC, fds, 2 + parent->listeners.count);
	close(parent->between[1]);
	if (started != 0 || start_send_net(parent) != 0)
		return -1;
	return start_wait(parent, &parent->child[PARENT_NETPROC], start_net_is_ready);
}

int start_lock(struct parent *parent)
{
	const struct harden_user user = {.user = parent->root ? parent->settings.user.user : 0,
					 .group = parent->root ? parent->settings.user.group : 0};
	const char *step;
	char missing[512];

	for (size_t i = 0; i < parent->listeners.count; i++)
		close(parent->listeners.fd[i]);
	for (size_t i = 0; i < parent->page.count; i++)
		close(parent->page.fd[i]);
	if (harden_lock(parent_calls, parent_call_count, &parent_limits, &user, false, &parent->layers,
			&step) != 0) {
		parent_end(parent, EXIT_SETTINGS, "confinement of the parent failed at %s: %s", step,
			   strerror(errno));
		return -1;
	}
	if (harden_enough(parent->layers))
		return 0;
	failure_missing(harden_missing(parent->layers), missing, sizeof(missing));
	parent_end(parent, EXIT_SETTINGS, "confinement of the parent is below the minimum%s", missing);
	return -1;
}
