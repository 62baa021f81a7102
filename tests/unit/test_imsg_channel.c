/* SPDX-License-Identifier: MIT
 *
 * The channel over real sockets: whole and too long datagrams, a full channel, a peer that is gone, the room
 * that is promised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "imsg/imsg.h"

static uint64_t last_id;
static struct imsg_ping last_ping;

static int on_ping(void *context, uint64_t id, const void *payload)
{
	(void)context;
	last_id = id;
	memcpy(&last_ping, payload, sizeof(last_ping));
	return 0;
}

static const struct imsg_row rows[] = {
    {.name = "KEY_PING",
     .type = IMSG_KEY_PING,
     .sender = IMSG_PROCESS_PARENT,
     .receiver = IMSG_PROCESS_KEYPROC,
     .phase = IMSG_PHASE_RUN,
     .size = sizeof(struct imsg_ping),
     .handle = on_ping},
};

struct pair {
	struct imsg_channel parent; /* its peer is keyproc */
	struct imsg_channel key;
	struct imsg_table table;
};

static void open_pair(struct pair *p)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(imsg_channel_open(&p->parent, ends[0], IMSG_PROCESS_KEYPROC), 0);
	assert_int_equal(imsg_channel_open(&p->key, ends[1], IMSG_PROCESS_PARENT), 0);
	p->table = (struct imsg_table){.rows = rows, .count = 1, .phase = IMSG_PHASE_RUN};
}

static void close_pair(struct pair *p)
{
	close(p->parent.fd);
	close(p->key.fd);
}

static void test_one_message(void **state)
{
	struct pair p;
	struct imsg_ping ping = {.sequence = 0x1122334455667788};

	(void)state;
	open_pair(&p);
	assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_AGAIN);
	assert_int_equal(imsg_send(&p.parent, IMSG_KEY_PING, 9, &ping, sizeof(ping)), IMSG_OK);
	assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_OK);
	assert_int_equal(last_id, 9);
	assert_memory_equal(&last_ping, &ping, sizeof(ping));
	close_pair(&p);
}

/* What the sender itself must not do is refused before anything is written. */
static void test_wrong_sends(void **state)
{
	struct pair p;
	struct imsg_ping ping = {0};

	(void)state;
	open_pair(&p);
	assert_int_equal(imsg_send(&p.parent, IMSG_KEY_PING, 0, &ping, sizeof(ping) - 1), IMSG_ERROR);
	assert_int_equal(imsg_send(&p.parent, IMSG_NET_PING, 0, &ping, sizeof(ping)), IMSG_ERROR);
	assert_int_equal(imsg_send(&p.parent, IMSG_NONE, 0, &ping, 0), IMSG_ERROR);
	assert_int_equal(imsg_send(&p.parent, IMSG_TYPE_COUNT, 0, &ping, 0), IMSG_ERROR);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_AGAIN);
	close_pair(&p);
}

/* read(2) would cut a longer datagram to a right one without a word. */
static void test_too_long(void **state)
{
	uint8_t datagram[2 * IMSG_MAX] = {0};
	struct pair p;

	(void)state;
	open_pair(&p);
	imsg_compose(datagram, IMSG_KEY_PING, 0, "12345678", 8);
	for (size_t len = IMSG_MAX; len <= IMSG_MAX + 2; len++) {
		assert_int_equal(write(p.parent.fd, datagram, len), len);
		assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_BREACH);
	}
	assert_int_equal(write(p.parent.fd, datagram, sizeof(datagram)), sizeof(datagram));
	assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_BREACH);
	close_pair(&p);
}

static void test_peer_gone(void **state)
{
	struct pair p;
	struct imsg_ping ping = {0};

	(void)state;
	open_pair(&p);
	imsg_send(&p.parent, IMSG_KEY_PING, 0, &ping, sizeof(ping));
	close(p.parent.fd);
	/* What was sent before the end is still read. */
	assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_OK);
	assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_CLOSED);
	close(p.key.fd);
	open_pair(&p);
	close(p.key.fd);
	assert_int_equal(imsg_send(&p.parent, IMSG_KEY_PING, 0, &ping, sizeof(ping)), IMSG_CLOSED);
	close(p.parent.fd);
	/* Its last words are read even when it left ours unread, which the kernel reports first. */
	open_pair(&p);
	imsg_send(&p.parent, IMSG_KEY_PING, 0, &ping, sizeof(ping));
	assert_int_equal(write(p.key.fd, "x", 1), 1);
	close(p.key.fd);
	p.parent.peer = IMSG_PROCESS_PARENT;
	assert_int_equal(imsg_receive(&p.parent, &p.table), IMSG_BREACH);
	assert_int_equal(imsg_receive(&p.parent, &p.table), IMSG_CLOSED);
	assert_int_equal(imsg_receive(&p.parent, &p.table), IMSG_CLOSED);
	close(p.parent.fd);
}

static void test_full(void **state)
{
	struct pair p;
	struct imsg_ping ping = {0};
	size_t sent = 0;

	(void)state;
	open_pair(&p);
	while (imsg_send(&p.parent, IMSG_KEY_PING, sent, &ping, sizeof(ping)) == IMSG_OK)
		sent++;
	assert_in_range(sent, IMSG_OUTSTANDING, 100000);
	for (size_t i = 0; i < sent; i++) {
		assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_OK);
		assert_int_equal(last_id, i);
	}
	assert_int_equal(imsg_receive(&p.key, &p.table), IMSG_AGAIN);
	assert_int_equal(imsg_send(&p.parent, IMSG_KEY_PING, 0, &ping, sizeof(ping)), IMSG_OK);
	close_pair(&p);
}

/* keyproc treats an answer that does not fit as a breach: so IMSG_OUTSTANDING of the longest must. */
static void test_room_for_all_answers(void **state)
{
	static const struct imsg_noise_dh_answer answer;
	struct imsg_channel key, net;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(imsg_channel_open(&key, ends[0], IMSG_PROCESS_NETPROC), 0);
	assert_int_equal(imsg_channel_open(&net, ends[1], IMSG_PROCESS_KEYPROC), 0);
	for (int i = 0; i < IMSG_OUTSTANDING; i++)
		assert_int_equal(imsg_send(&key, IMSG_NET_NOISE_DH, 0, &answer, sizeof(answer)), IMSG_OK);
	close(ends[0]);
	close(ends[1]);
}

static void test_only_seqpacket(void **state)
{
	struct imsg_channel channel;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(imsg_channel_open(&channel, ends[0], IMSG_PROCESS_PARENT), -1);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(imsg_channel_open(&channel, ends[0], IMSG_PROCESS_PARENT), -1);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(imsg_channel_open(&channel, -1, IMSG_PROCESS_PARENT), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_message),	   cmocka_unit_test(test_wrong_sends),
	    cmocka_unit_test(test_too_long),	   cmocka_unit_test(test_peer_gone),
	    cmocka_unit_test(test_full),	   cmocka_unit_test(test_room_for_all_answers),
	    cmocka_unit_test(test_only_seqpacket),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
