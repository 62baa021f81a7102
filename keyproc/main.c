/* SPDX-License-Identifier: MIT
 *
 * keyproc: holds the identity seed and the Noise static key, and nothing else. Started by the parent with
 * fixed descriptors; told what to do by messages; gives up everything but its two channels; then answers
 * until the parent is gone. Trusts the folder's descriptor that the parent chose. SECURITY.md gives the
 * order of the start.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "imsg/harden.h"
#include "keyproc/keyfile.h"
#include "keyproc/keyproc.h"
#include "keyproc/sandbox.h"
#include "keyproc/secret.h"
#include "keyproc/sign.h"
#include "proto/peer_id.h"

#define EXIT_ENDED  0 /* the parent is gone: the order to stop */
#define EXIT_FAILED 1

/* Never exit(3): what runs at exit makes system calls that the lock forbids, and nothing here needs flushing.
 */
_Noreturn static void fail(struct keyproc *k, const struct imsg_failed *why)
{
	struct imsg_failed failed = *why;

	failed.status = start_failure_rows[failed.reason].status;
	imsg_send(&k->parent, IMSG_KEY_FAILED, 0, &failed, sizeof(failed));
	_exit((int)failed.status);
}

_Noreturn static void fail_with(struct keyproc *k, enum start_failure reason, int system, uint32_t detail)
{
	fail(k, &(struct imsg_failed){.reason = reason, .system = (uint32_t)system, .detail = detail});
}

/* Once READY has been said KEY_FAILED is no longer ours to send: the log names the breach, the exit status
 * does the rest. */
_Noreturn static void end_by_breach(struct keyproc *k, const struct imsg_channel *by)
{
	if (k->table.phase == IMSG_PHASE_START)
		fail_with(k, START_FAILURE_BREACH, 0, 0);
	if (by == &k->net)
		log_event(&k->log, LOG_EVENT_KEY_BREACH, NULL, NULL, 0, 0, 0, by->breach, strlen(by->breach));
	_exit(EXIT_FAILED);
}

/* Reads one message; ends the process as the channel's end demands. */
static void serve(struct keyproc *k, struct imsg_channel *channel)
{
	switch (imsg_receive(channel, &k->table)) {
	case IMSG_OK:
	case IMSG_AGAIN:
		break;
	case IMSG_CLOSED:
		if (channel == &k->parent)
			_exit(EXIT_ENDED);
		/* The parent will want the counters before it ends everything. */
		k->net_gone = true;
		break;
	case IMSG_BREACH:
		end_by_breach(k, channel);
	case IMSG_ERROR:
		k->error = 1;
		break;
	}
	if (k->error != 0)
		_exit(EXIT_FAILED);
}

static uint64_t monotonic_second(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* One turn: the parent first, then one message of netproc, so that no flood of requests keeps the parent
 * waiting. */
static void turn(struct keyproc *k)
{
	struct pollfd ready[2] = {{.fd = k->parent.fd, .events = POLLIN},
				  {.fd = k->net.fd, .events = POLLIN}};
	bool alone = k->table.phase == IMSG_PHASE_START || k->net_gone;

	if (ppoll(ready, alone ? 1 : 2, NULL, NULL) < 0) {
		if (errno != EINTR)
			_exit(EXIT_FAILED);
		return;
	}
	key_tick(k, monotonic_second());
	if (ready[0].revents != 0)
		serve(k, &k->parent);
	if (!alone && ready[1].revents != 0)
		serve(k, &k->net);
}

static void load_key(struct keyproc *k, struct key_file_result *file)
{
	const struct key_file_wish wish = {
	    .folder = IMSG_FD_KEYDIR,
	    .place = (enum imsg_key_place)k->conf.place,
	    .create = k->conf.show_only == 0 && k->conf.expected_len == 0,
	    .touch = k->conf.show_only == 0,
	    .user = k->conf.user,
	};

	if (key_secret_reserve() != 0)
		fail_with(k, START_FAILURE_RESOURCES, errno, 0);
	if (key_file_load(&wish, file) != 0)
		fail(k, &(struct imsg_failed){
			    .reason = file->reason, .system = file->system, .detail = file->detail});
	close(IMSG_FD_KEYDIR);
}

static void check_identity(struct keyproc *k)
{
	struct peer_id self;

	if (k->conf.expected_len == 0)
		return;
	peer_id_from_ed25519(&self, key_secret_identity());
	if (self.len != k->conf.expected_len || memcmp(self.bytes, k->conf.expected, self.len) != 0)
		fail_with(k, START_FAILURE_KEY_OTHER_IDENTITY, 0, 0);
}

static void warn(struct keyproc *k, const struct key_file_result *file)
{
	if (file->tightened)
		log_event(&k->log, LOG_EVENT_KEY_TIGHTENED, NULL, NULL, 0, 0, 0, NULL, 0);
	if (file->open)
		log_event(&k->log, LOG_EVENT_KEY_OPEN_READ_ONLY, NULL, NULL, 0, 0, 0, NULL, 0);
	if (!key_secret_is_locked())
		log_event(&k->log, LOG_EVENT_KEY_MLOCK, NULL, NULL, 0, 0, 0, NULL, 0);
}

/* The signed record of identify. `seq` is our clock: nobody else can choose one that peers would remember for
 * ever. */
static void make_record(struct keyproc *k, struct imsg_key_ready *ready)
{
	struct span addrs[IMSG_ADDRS];

	if (k->addr_count == 0)
		return;
	for (uint32_t i = 0; i < k->addr_count; i++)
		addrs[i] = (struct span){.bytes = k->addrs[i].bytes, .len = k->addrs[i].len};
	ready->record_len = (uint32_t)key_sign_record(addrs, k->addr_count, (uint64_t)time(NULL),
						      ready->record, sizeof(ready->record));
	if (ready->record_len == 0)
		fail_with(k, START_FAILURE_RESOURCES, 0, 0);
	k->stats.counter[KEY_COUNT_RECORD]++;
}

static uint32_t lock(struct keyproc *k)
{
	const char *step = "";
	uint32_t layers = 0;

	if (key_sandbox_lock(k->conf.user, k->conf.group, &layers, &step) != 0)
		fail_with(k, harden_is_privilege(step) ? START_FAILURE_PRIVILEGE : START_FAILURE_CONFINEMENT,
			  errno, harden_failed(step));
	if (!harden_enough(layers))
		fail_with(k, START_FAILURE_CONFINEMENT, 0, harden_missing(layers));
	return layers | (key_secret_is_locked() ? HARDEN_MEMORY_LOCKED : 0u);
}

static void start(struct keyproc *k)
{
	struct key_file_result file;
	struct imsg_key_ready ready = {0};

	load_key(k, &file);
	check_identity(k);
	warn(k, &file);
	make_record(k, &ready);
	if (key_secret_seal() != 0)
		fail_with(k, START_FAILURE_RESOURCES, errno, 0);
	ready.layers = lock(k);
	ready.created = file.created;
	memcpy(ready.identity, key_secret_identity(), sizeof(ready.identity));
	if (imsg_send(&k->parent, IMSG_KEY_READY, 0, &ready, sizeof(ready)) != IMSG_OK)
		_exit(EXIT_FAILED);
	k->table.phase = IMSG_PHASE_RUN;
}

int main(void)
{
	static struct keyproc k;
	int entered = harden_enter(IMSG_FD_KEYDIR), error = errno;

	if (imsg_channel_open(&k.parent, IMSG_FD_PARENT, IMSG_PROCESS_PARENT) != 0)
		return EXIT_FAILED;
	if (entered != 0)
		fail_with(&k, START_FAILURE_CONFINEMENT, error, harden_failed(NULL));
	if (imsg_channel_open(&k.net, IMSG_FD_PEER, IMSG_PROCESS_NETPROC) != 0)
		fail_with(&k, START_FAILURE_RESOURCES, errno, 0);
	k.table = (struct imsg_table){
	    .rows = key_rows, .count = key_row_count, .context = &k, .phase = IMSG_PHASE_START};
	log_init(&k.log, &k.parent, IMSG_KEY_LOG, LOG_LEVEL_INFO);
	while (!k.started)
		turn(&k);
	start(&k);
	for (;;)
		turn(&k);
}
