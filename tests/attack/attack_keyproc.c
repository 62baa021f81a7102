/* SPDX-License-Identifier: MIT
 *
 * A hostile netproc (and a broken parent) against a live, confined keyproc: every type, size, time and
 * repetition, junk, bad values. keyproc must end by itself, with nothing signed for the breach and its breach
 * named to the parent. Its life beside a netproc that keeps the rules: attack_keyproc_life.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/attack/attack.h"
#include "tests/attack/live_keyproc.h"

#define END_MS 3000 /* a breach ends the process at once; this is for a busy machine */

/* keyproc ended with 1, told the parent who broke what, and gave netproc nothing. */
static void ended_by_breach(struct live_keyproc *live, size_t answers, const char *what)
{
	struct attack_end end = attack_wait(live->pid, END_MS);
	int type = live_keyproc_receive(live, live->parent, 0);
	const struct imsg_log *line = (const struct imsg_log *)(const void *)(live->in + 16);

	live->pid = 0;
	attack_check(!end.hung && end.signal == 0 && end.status == 1, "%s: keyproc: %s", what,
		     attack_end_text(end));
	attack_check(type == IMSG_KEY_LOG && line->event == LOG_EVENT_KEY_BREACH,
		     "%s: the parent was told %s", what,
		     type < 0 ? "nothing" : imsg_type_name((uint16_t)type));
	size_t got = live_keyproc_drain(live, live->net);

	attack_check(got == answers, "%s: netproc got %zu answers, not %zu", what, got, answers);
}

/* One datagram of netproc's into a fresh keyproc, which must see a breach in it. */
static void breach_by(const void *bytes, size_t len, const char *what)
{
	struct live_keyproc live;

	live_keyproc_must_start(&live, "keyproc");
	live_keyproc_send_raw(live.net, bytes, len);
	ended_by_breach(&live, 0, what);
	live_keyproc_end(&live);
}

static void every_type_and_size(void)
{
	static const uint8_t payload[IMSG_PAYLOAD_MAX];
	uint8_t datagram[2 * IMSG_MAX] = {0};
	char what[100];

	for (unsigned type = 0; type <= IMSG_TYPE_COUNT; type++) {
		const struct imsg_row *row = imsg_row_of((uint16_t)type);
		bool ours = row != NULL && row->receiver == IMSG_PROCESS_KEYPROC &&
			    row->sender == IMSG_PROCESS_NETPROC;
		size_t right = row == NULL ? 0 : row->size;
		const size_t sizes[] = {0, right > 0 ? right - 1 : 1, right, right + 1, IMSG_PAYLOAD_MAX};

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			if (ours && sizes[i] == right)
				continue;
			snprintf(what, sizeof(what), "%s with %zu bytes", imsg_type_name((uint16_t)type),
				 sizes[i]);
			breach_by(datagram,
				  imsg_compose(datagram, (enum imsg_type)type, 1, payload, sizes[i]), what);
		}
	}
}

static void odd_datagrams(void)
{
	uint8_t datagram[2 * IMSG_MAX] = {0};

	for (size_t len = 1; len < 16; len++)
		breach_by(datagram, len, "a datagram shorter than a header");
	imsg_compose(datagram, IMSG_KEY_NOISE_DH, 1, NULL, 0);
	breach_by(datagram, IMSG_MAX + 1, "a datagram one byte too long");
	breach_by(datagram, 2 * IMSG_MAX, "a datagram twice too long");
	datagram[0] ^= 1;
	breach_by(datagram, 16, "another magic");
	datagram[0] ^= 1;
	datagram[4] = 0xff;
	breach_by(datagram, 16 + 648, "a size that is not the datagram's");
}

/* Junk of every length; the generator is fixed, so that a failure comes back. */
static void junk(void)
{
	uint8_t datagram[IMSG_MAX];
	uint32_t state = 1;

	for (int round = 0; round < 150; round++) {
		size_t len = 1 + (size_t)(state >> 8) % IMSG_MAX;

		for (size_t i = 0; i < len; i++) {
			state = state * 1664525 + 1013904223;
			datagram[i] = (uint8_t)(state >> 24);
		}
		/* Half of it with a right header, so that it gets further. */
		if (round % 2 == 0) {
			len = imsg_compose(datagram, round % 4 == 0 ? IMSG_KEY_NOISE_DH : IMSG_KEY_VOUCHER,
					   state, datagram + 16,
					   round % 4 == 0 ? sizeof(struct imsg_noise_dh)
							  : sizeof(struct imsg_voucher));
			datagram[16 + (round % 4 == 0 ? 3 : 12)] = 0xff; /* never a right count or length */
		}
		breach_by(datagram, len, "junk");
	}
}

static void bad_values(void)
{
	struct imsg_noise_dh dh = {.count = 0};
	struct imsg_voucher voucher = {.peer_len = IMSG_PEER_MAX + 1};
	uint8_t datagram[IMSG_MAX];

	breach_by(datagram, imsg_compose(datagram, IMSG_KEY_NOISE_DH, 1, &dh, sizeof(dh)),
		  "no request in a batch");
	dh.count = IMSG_DH_BATCH + 1;
	breach_by(datagram, imsg_compose(datagram, IMSG_KEY_NOISE_DH, 1, &dh, sizeof(dh)),
		  "17 requests in a batch");
	dh.count = 1;
	dh.request[15].ephemeral[31] = 1;
	breach_by(datagram, imsg_compose(datagram, IMSG_KEY_NOISE_DH, 1, &dh, sizeof(dh)),
		  "bytes behind the batch");
	breach_by(datagram, imsg_compose(datagram, IMSG_KEY_VOUCHER, 1, &voucher, sizeof(voucher)),
		  "a peer id too long");
	voucher.peer_len = 0;
	voucher.zero[0] = 1;
	breach_by(datagram, imsg_compose(datagram, IMSG_KEY_VOUCHER, 1, &voucher, sizeof(voucher)),
		  "bytes behind a voucher");
}

static void hello_twice(void)
{
	struct live_keyproc live;

	live_keyproc_must_start(&live, "keyproc");
	live_keyproc_send(live.net, IMSG_KEY_HELLO, NULL);
	attack_check(live_keyproc_receive(&live, live.net, END_MS) == IMSG_NET_HELLO, "no HELLO");
	live_keyproc_send(live.net, IMSG_KEY_HELLO, NULL);
	ended_by_breach(&live, 0, "HELLO twice");
	live_keyproc_end(&live);
}

/* Before READY nobody of netproc's exists: its channel is not even read. */
static void before_ready(void)
{
	struct live_keyproc live;

	if (live_keyproc_spawn(&live) != 0) {
		attack_fail("keyproc does not start");
		return;
	}
	live_keyproc_send(live.net, IMSG_KEY_HELLO, NULL);
	attack_check(live_keyproc_receive(&live, live.net, 100) == -1, "an answer before the start");
	live_keyproc_configure(&live);
	attack_check(live_keyproc_receive(&live, live.net, END_MS) == IMSG_NET_HELLO,
		     "no answer after the start");
	live_keyproc_end(&live);
}

/* A parent that breaks the catalogue is ended on as well. */
static void broken_parent(void)
{
	static const enum imsg_type types[] = {IMSG_KEY_CONF,  IMSG_KEY_ADDR,	 IMSG_KEY_START,
					       IMSG_KEY_HELLO, IMSG_KEY_VOUCHER, IMSG_NET_PING};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct live_keyproc live;

		live_keyproc_must_start(&live, "keyproc");
		live_keyproc_send(live.parent, types[i], NULL);
		struct attack_end end = attack_wait(live.pid, END_MS);

		live.pid = 0;
		attack_check(!end.hung && end.signal == 0 && end.status == 1, "%s by the parent: %s",
			     imsg_type_name((uint16_t)types[i]), attack_end_text(end));
		live_keyproc_end(&live);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	every_type_and_size();
	odd_datagrams();
	junk();
	bad_values();
	hello_twice();
	before_ready();
	broken_parent();
	return attack_end("keyproc");
}
