/* SPDX-License-Identifier: MIT
 *
 * What the parent and keyproc say to netproc: one handler for each row of the catalogue. The parent is
 * trusted once the values are in range; keyproc's answers are matched against what was asked.
 */
#include <string.h>
#include <unistd.h>

#include "netproc/conn.h"
#include "netproc/key.h"
#include "netproc/limits.h"
#include "netproc/process.h"
#include "netproc/relay.h"
#include "netproc/table.h"
#include "netproc/yamux.h"

#define EXIT_ENDED  0
#define EXIT_FAILED 1
#define DRAIN_MOST  3600000u /* milliseconds */

/* Never exit(3): what runs at exit is not allowed after the lock. */
_Noreturn void process_fail(struct process *process, enum start_failure reason, int system, uint32_t detail)
{
	const struct imsg_failed failed = {
	    .status = start_failure_rows[reason].status,
	    .reason = reason,
	    .system = (uint32_t)system,
	    .detail = detail,
	};

	imsg_send(&process->parent, IMSG_NET_FAILED, 0, &failed, sizeof(failed));
	_exit((int)failed.status);
}

void process_serve(struct process *process, struct imsg_channel *channel, unsigned most)
{
	while (most-- > 0) {
		switch (imsg_receive(channel, &process->table)) {
		case IMSG_OK:
			break;
		case IMSG_AGAIN:
			return;
		case IMSG_CLOSED:
			_exit(channel == &process->parent ? EXIT_ENDED : EXIT_FAILED);
		case IMSG_BREACH:
			if (process->table.phase == IMSG_PHASE_START)
				process_fail(process, START_FAILURE_BREACH, 0, 0);
			_exit(EXIT_FAILED);
		case IMSG_ERROR:
			_exit(EXIT_FAILED);
		}
	}
}

/* --- before READY --- */

static int net_from_parent_conf(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;
	const struct imsg_net_conf *conf = payload;

	(void)id;
	if (net_settings_check(&conf->settings) != 0 || conf->listeners == 0 ||
	    conf->listeners > IMSG_LISTENERS || conf->log_level > LOG_LEVEL_TRACE || conf->force_kind > 2)
		return IMSG_BREACH_VALUE;
	process->conf = *conf;
	process->conf_seen = true;
	process->net.settings = conf->settings;
	process->net.force_kind = conf->force_kind;
	return 0;
}

static int net_from_parent_addr(void *context, uint64_t id, const void *payload)
{
	struct net_self *self = &((struct process *)context)->net.self;
	const struct imsg_addr *addr = payload;

	(void)id;
	if (addr->index != self->addr_count || self->addr_count >= IMSG_ADDRS || addr->len > IMSG_ADDR_MAX ||
	    multiaddr_check(addr->bytes, addr->len) != 0)
		return IMSG_BREACH_VALUE;
	self->addrs[self->addr_count].len = addr->len;
	memcpy(self->addrs[self->addr_count++].bytes, addr->bytes, addr->len);
	return 0;
}

/* Kept until the tables exist. */
static int net_from_parent_deny(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;
	const struct imsg_peer *peer = payload;
	struct peer_id denied;
	const uint8_t *key;

	(void)id;
	if (!process->conf_seen || peer->len > sizeof(peer->bytes) ||
	    peer_id_parse(&denied, peer->bytes, peer->len) != 0)
		return IMSG_BREACH_VALUE;
	key = peer_id_ed25519(&denied);
	/* A peer with another kind of key cannot connect in the first place. */
	if (key != NULL && limits_deny(&process->net, key) != 0)
		process_fail(process, START_FAILURE_RESOURCES, 0, 0);
	return 0;
}

static int net_from_parent_record(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;
	const struct imsg_record *record = payload;
	struct net_self *self = &process->net.self;

	(void)id;
	if (record->len > sizeof(record->bytes))
		return IMSG_BREACH_VALUE;
	memcpy(self->key, record->identity, sizeof(self->key));
	peer_id_from_ed25519(&self->id, self->key);
	self->record_len = record->len;
	memcpy(self->record, record->bytes, record->len);
	process->record_seen = true;
	return 0;
}

static int net_from_parent_start(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;

	(void)id;
	(void)payload;
	if (!process->conf_seen || !process->record_seen)
		return IMSG_BREACH_VALUE;
	process->started = true;
	return 0;
}

static int net_from_key_hello(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;
	const struct imsg_hello *hello = payload;

	(void)id;
	memcpy(process->net.self.noise_key, hello->static_key, sizeof(hello->static_key));
	memcpy(process->net.self.noise_signature, hello->signature, sizeof(hello->signature));
	process->hello = true;
	return 0;
}

/* --- after READY --- */

static int net_from_parent_ping(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;
	const struct imsg_ping *ping = payload;

	/* An answer that finds no room is missed by the watchdog, as it should be. */
	imsg_send(&process->parent, IMSG_NET_PONG, id, ping, sizeof(*ping));
	return 0;
}

static int net_from_parent_stats(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;
	struct imsg_net_stats stats;

	(void)payload;
	memcpy(stats.counter, process->net.counter, sizeof(stats.counter));
	memcpy(stats.closed, process->net.closed, sizeof(stats.closed));
	imsg_send(&process->parent, IMSG_NET_STATS_ANSWER, id, &stats, sizeof(stats));
	return 0;
}

static int net_from_parent_report(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;

	(void)id;
	(void)payload;
	circuit_report(&process->net);
	return 0;
}

static void process_drain_over(struct net *net, struct wheel_timer *timer)
{
	(void)net;
	container_of(timer, struct process, drain_timer)->drain_over = true;
}

static int net_from_parent_drain(void *context, uint64_t id, const void *payload)
{
	struct process *process = context;
	const struct imsg_drain *drain = payload;

	(void)id;
	if (drain->milliseconds > DRAIN_MOST)
		return IMSG_BREACH_VALUE;
	process->net.draining = true;
	process->net.counter[NET_COUNT_RELAY_STATUS] = 0;
	process->drain_timer.fire = process_drain_over;
	wheel_arm(&process->net, &process->drain_timer, drain->milliseconds);
	accept_stop(process);
	return 0;
}

static int net_from_key_noise_dh(void *context, uint64_t id, const void *payload)
{
	(void)id;
	return key_answer_noise_dh(&((struct process *)context)->net, payload) == 0 ? 0 : IMSG_BREACH_VALUE;
}

static int net_from_key_voucher(void *context, uint64_t id, const void *payload)
{
	(void)id;
	return key_answer_voucher(&((struct process *)context)->net, payload) == 0 ? 0 : IMSG_BREACH_VALUE;
}

const struct imsg_row process_rows[] = {
#define PROCESS_ROW(...) IMSG_ROW_OF(NETPROC, __VA_ARGS__)
    IMSG_TO_NETPROC(PROCESS_ROW)
#undef PROCESS_ROW
};
const size_t process_row_count = sizeof(process_rows) / sizeof(process_rows[0]);

/* --- the end --- */

static bool process_drain_conn(struct process *process, struct conn *conn)
{
	if (conn->state == CONN_READY && !conn->went_away) {
		conn->went_away = true;
		conn_pump(conn);
		yamux_go_away(conn, YAMUX_GO_AWAY_NORMAL);
	}
	if (conn->state != CONN_READY || conn->out_len == 0 || !conn_alive(conn) || process->drain_over) {
		conn_close(conn, CLOSE_DRAIN);
		return true;
	}
	return false;
}

/* Called each turn while draining. */
void process_drain(struct process *process)
{
	struct conn_table *table = process->net.conns;
	uint32_t slot;
	size_t left = 0;

	for (slot = 0; slot < table->places; slot++) {
		struct conn *conn = table->place[slot].conn;

		if (conn != NULL && conn->state != CONN_CLOSED && !process_drain_conn(process, conn))
			left++;
	}
	conn_reap(&process->net);
	if (left > 0)
		return;
	process->drained = true;
	imsg_send(&process->parent, IMSG_NET_DRAINED, 0, NULL, 0);
}
