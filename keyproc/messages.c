/* SPDX-License-Identifier: MIT
 *
 * One handler for each message: checks the values, acts, answers. Called through imsg_receive, which has
 * checked sender, row, phase, repetition and size. What the sender alone controls is a breach; what comes
 * from a stranger or a clock is a status.
 */
#include "keyproc/keyproc.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#include "keyproc/sign.h"
#include "proto/multiaddr.h"
#include "proto/peer_id.h"

#define ROW(type, sender, payload, phase, times, handler)                                                    \
	IMSG_ROW_OF(KEYPROC, type, sender, payload, phase, times, handler)

const struct imsg_row key_rows[] = {IMSG_TO_KEYPROC(ROW)};
const size_t key_row_count = sizeof(key_rows) / sizeof(key_rows[0]);

static bool is_zero(const void *bytes, size_t len)
{
	return sodium_is_zero(bytes, len) == 1;
}

void key_tick(struct keyproc *k, uint64_t second)
{
	log_tick(&k->log, second);
	if (second == k->second)
		return;
	k->second = second;
	k->in_second = 0;
}

/* Counts operations; the one that passes the line raises the alarm, once a second. */
static void count(struct keyproc *k, enum key_counter counter, uint32_t operations)
{
	uint64_t before = k->in_second;

	k->stats.counter[counter] += operations;
	k->in_second += operations;
	if (before > KEY_RATE_ALARM || k->in_second <= KEY_RATE_ALARM)
		return;
	k->stats.counter[KEY_COUNT_RATE_EXCEEDED]++;
	log_event(&k->log, LOG_EVENT_KEY_RATE, NULL, NULL, KEY_RATE_ALARM, 0, 0, NULL, 0);
}

/* netproc may have IMSG_OUTSTANDING requests open, and so many answers fit its channel: one that does not was
 * one request too many. */
static int answer_net(struct keyproc *k, enum imsg_type type, uint64_t id, const void *payload, size_t size)
{
	switch (imsg_send(&k->net, type, id, payload, size)) {
	case IMSG_AGAIN:
		return IMSG_BREACH_UNREAD;
	case IMSG_ERROR:
		k->error = 1;
		break;
	default: /* gone: the loop will see it */
		break;
	}
	return IMSG_BREACH_NONE;
}

/* The parent waits for its answers one at a time; one that does not fit is missed by its watchdog, which is
 * its business. */
static void answer_parent(struct keyproc *k, enum imsg_type type, uint64_t id, const void *payload,
			  size_t size)
{
	if (imsg_send(&k->parent, type, id, payload, size) == IMSG_ERROR)
		k->error = 1;
}

int key_from_parent_conf(void *context, uint64_t id, const void *payload)
{
	struct keyproc *k = context;
	const struct imsg_key_conf *conf = payload;
	struct peer_id expected;

	(void)id;
	if (conf->place > IMSG_KEY_IN_CWD || conf->voucher_ttl_max == 0 || conf->voucher_ttl_max > 86400)
		return IMSG_BREACH_VALUE;
	if (conf->show_only > 1 || conf->log_level > LOG_LEVEL_TRACE || conf->expected_len > IMSG_PEER_MAX)
		return IMSG_BREACH_VALUE;
	if (!is_zero(conf->expected + conf->expected_len, IMSG_PEER_MAX - conf->expected_len))
		return IMSG_BREACH_PADDING;
	if (conf->expected_len > 0 && peer_id_parse(&expected, conf->expected, conf->expected_len) != 0)
		return IMSG_BREACH_VALUE;
	k->conf = *conf;
	k->configured = true;
	log_init(&k->log, &k->parent, IMSG_KEY_LOG, (enum log_level)conf->log_level);
	return IMSG_BREACH_NONE;
}

int key_from_parent_addr(void *context, uint64_t id, const void *payload)
{
	struct keyproc *k = context;
	const struct imsg_addr *addr = payload;

	(void)id;
	if (addr->index != k->addr_count || addr->index >= IMSG_ADDRS || addr->len == 0 ||
	    addr->len > IMSG_ADDR_MAX)
		return IMSG_BREACH_VALUE;
	if (!is_zero(addr->bytes + addr->len, IMSG_ADDR_MAX - addr->len))
		return IMSG_BREACH_PADDING;
	if (multiaddr_check(addr->bytes, addr->len) != 0)
		return IMSG_BREACH_VALUE;
	k->addrs[k->addr_count++] = *addr;
	return IMSG_BREACH_NONE;
}

int key_from_parent_start(void *context, uint64_t id, const void *payload)
{
	struct keyproc *k = context;

	(void)id;
	(void)payload;
	k->started = true;
	return k->configured ? IMSG_BREACH_NONE : IMSG_BREACH_PHASE;
}

int key_from_parent_ping(void *context, uint64_t id, const void *payload)
{
	answer_parent(context, IMSG_KEY_PONG, id, payload, sizeof(struct imsg_ping));
	return IMSG_BREACH_NONE;
}

int key_from_parent_stats(void *context, uint64_t id, const void *payload)
{
	struct keyproc *k = context;

	(void)payload;
	answer_parent(k, IMSG_KEY_STATS_ANSWER, id, &k->stats, sizeof(k->stats));
	return IMSG_BREACH_NONE;
}

int key_from_net_hello(void *context, uint64_t id, const void *payload)
{
	struct keyproc *k = context;
	struct imsg_hello hello;

	(void)payload;
	key_sign_hello(&hello);
	count(k, KEY_COUNT_HELLO, 1);
	return answer_net(k, IMSG_NET_HELLO, id, &hello, sizeof(hello));
}

int key_from_net_noise_dh(void *context, uint64_t id, const void *payload)
{
	struct keyproc *k = context;
	const struct imsg_noise_dh *ask = payload;
	struct imsg_noise_dh_answer answer;

	if (ask->count == 0 || ask->count > IMSG_DH_BATCH)
		return IMSG_BREACH_VALUE;
	if (ask->zero != 0 ||
	    !is_zero(&ask->request[ask->count], (IMSG_DH_BATCH - ask->count) * sizeof(ask->request[0])))
		return IMSG_BREACH_PADDING;
	uint32_t refused = key_sign_exchange(ask, &answer);

	count(k, KEY_COUNT_NOISE_DH, ask->count);
	k->stats.counter[KEY_COUNT_NOISE_DH_REFUSED] += refused;
	int breach = answer_net(k, IMSG_NET_NOISE_DH, id, &answer, sizeof(answer));

	sodium_memzero(&answer, sizeof(answer));
	return breach;
}

int key_from_net_voucher(void *context, uint64_t id, const void *payload)
{
	struct keyproc *k = context;
	const struct imsg_voucher *ask = payload;
	struct imsg_voucher_answer answer;
	struct timespec now = {0};

	if (ask->peer_len > IMSG_PEER_MAX)
		return IMSG_BREACH_VALUE;
	if (!is_zero(ask->peer + ask->peer_len, IMSG_PEER_MAX - ask->peer_len) ||
	    !is_zero(ask->zero, sizeof(ask->zero)))
		return IMSG_BREACH_PADDING;
	clock_gettime(CLOCK_REALTIME, &now);
	enum imsg_voucher_status status =
	    key_sign_voucher(ask, (uint64_t)now.tv_sec, k->conf.voucher_ttl_max, &answer);

	count(k, KEY_COUNT_VOUCHER, 1);
	if (status != IMSG_VOUCHER_OK)
		k->stats.counter[KEY_COUNT_VOUCHER_REFUSED]++;
	return answer_net(k, IMSG_NET_VOUCHER, id, &answer, sizeof(answer));
}
