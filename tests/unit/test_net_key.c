/* SPDX-License-Identifier: MIT
 *
 * netproc/key.c: batches, at most IMSG_OUTSTANDING out, order kept when the channel is full, and answers that
 * nobody asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/key_fixture.h"

static void requests_travel_together(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conns[200];
	struct imsg_noise_dh request;
	for (int i = 0; i < 200; i++) {
		conns[i] = fake_conn(net, 1, 1);
		key_ask(net, conns[i]);
	}
	assert_false(key_received(&request)); /* not before the end of the turn */
	key_flush(net);
	unsigned batches = 0;
	while (key_received(&request)) {
		assert_int_equal(request.count, 16);
		batches++;
		struct imsg_noise_dh_answer answer = key_answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
		if (batches == 8)
			assert_int_equal(key_answers, 128); /* the first eight filled all places */
	}
	assert_int_equal(batches, 8);
	fake_conn_close(conns[150]);
	key_flush(net);
	while (key_received(&request)) {
		struct imsg_noise_dh_answer answer = key_answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	}
	assert_int_equal(key_answers, 199);
	for (unsigned i = 0; i < key_answers; i++)
		assert_ptr_equal(key_answered[i], conns[i < 150 ? i : i + 1]);
	key_world_end(net);
}

static void who_is_gone_hears_nothing(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conn = fake_conn(net, 1, 1);
	struct imsg_noise_dh request;
	key_ask(net, conn);
	key_flush(net);
	fake_conn_close(conn);
	assert_true(key_received(&request));
	struct imsg_noise_dh_answer answer = key_answer_of(&request);
	assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	assert_int_equal(key_answers, 0);
	key_world_end(net);
}

static void answers_nobody_asked_for(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct imsg_noise_dh request;
	struct imsg_noise_dh_answer answer = {.count = 1};
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	key_ask(net, fake_conn(net, 1, 1));
	key_flush(net);
	assert_true(key_received(&request));
	answer = key_answer_of(&request);
	answer.count = 0;
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	answer.count = IMSG_DH_BATCH + 1;
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	answer.count = 1;
	answer.answer[0].id += UINT64_C(1) << 32; /* another generation */
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	answer.answer[0].id = request.request[0].id + 1; /* a free place */
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	answer.answer[0].id = 1000; /* no place */
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	struct imsg_voucher_answer voucher = {.id = request.request[0].id, .len = 1}; /* of the other kind */
	assert_int_not_equal(key_answer_voucher(net, &voucher), 0);
	voucher.len = IMSG_VOUCHER_MAX + 1;
	assert_int_not_equal(key_answer_voucher(net, &voucher), 0);
	voucher = (struct imsg_voucher_answer){.status = IMSG_VOUCHER_STATUS_COUNT};
	assert_int_not_equal(key_answer_voucher(net, &voucher), 0);
	answer = key_answer_of(&request);
	assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	assert_int_equal(key_answers, 1);
	key_world_end(net);
}

static void a_full_channel_loses_nothing(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conns[40];
	uint8_t filler[KEY_HEADER + sizeof(struct imsg_noise_dh)] = {0};
	unsigned fillers = 0;
	while (write(key_channel.fd, filler, sizeof(filler)) > 0)
		fillers++;
	for (int i = 0; i < 40; i++) {
		conns[i] = fake_conn(net, 1, 1);
		key_ask(net, conns[i]);
	}
	key_flush(net);
	for (; fillers > 0; fillers--)
		assert_int_equal(recv(key_other_end, filler, sizeof(filler), 0), sizeof(filler));
	key_flush(net);
	struct imsg_noise_dh request;
	while (key_received(&request)) {
		struct imsg_noise_dh_answer answer = key_answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	}
	assert_int_equal(key_answers, 40);
	for (unsigned i = 0; i < key_answers; i++)
		assert_ptr_equal(key_answered[i], conns[i]);
	key_world_end(net);
}

static unsigned count_told;
static enum imsg_dh_status status_told;

static void count(struct conn *conn, enum imsg_dh_status status, const uint8_t shared[32])
{
	(void)conn, (void)shared;
	count_told++;
	status_told = status;
}

static void nothing_is_lost_between_turns(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conn = fake_conn(net, 1, 1);
	struct imsg_noise_dh request;
	for (int turn = 0; turn < 3; turn++) {
		key_ask(net, conn);
		key_ask(net, conn);
		key_flush(net);
		assert_true(key_received(&request));
		assert_int_equal(request.count, 2);
		struct imsg_noise_dh_answer answer = key_answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
		assert_false(key_received(&request));
	}
	assert_int_equal(net->counter[NET_COUNT_KEY_REQUESTS], 6);
	for (int turn = 0; turn < 2; turn++) { /* whose only one is gone */
		struct conn *gone = fake_conn(net, 2, 1);
		key_ask(net, gone);
		fake_conn_close(gone);
		key_flush(net);
		assert_false(key_received(&request));
	}
	key_world_end(net);
}

/* All that waits fits one datagram, which finds no room: what comes then stands behind. */
static void a_full_channel_keeps_the_order(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conns[8];
	uint8_t filler[KEY_HEADER + sizeof(struct imsg_noise_dh)] = {0};
	unsigned fillers = 0;
	while (write(key_channel.fd, filler, sizeof(filler)) > 0)
		fillers++;
	for (int i = 0; i < 8; i++) {
		conns[i] = fake_conn(net, 1, 1);
		key_ask(net, conns[i]);
		if (i == 4)
			key_flush(net);
	}
	for (; fillers > 0; fillers--)
		assert_int_equal(recv(key_other_end, filler, sizeof(filler), 0), sizeof(filler));
	key_flush(net);
	struct imsg_noise_dh request;
	assert_true(key_received(&request));
	assert_int_equal(request.count, 8);
	struct imsg_noise_dh_answer answer = key_answer_of(&request);
	assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_ptr_equal(key_answered[i], conns[i]);
	assert_int_equal(net->counter[NET_COUNT_KEY_REQUESTS], 8);
	key_ask(net, conns[0]); /* what was put back and sent is counted no more */
	key_flush(net);
	assert_true(key_received(&request));
	answer = key_answer_of(&request);
	assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	key_world_end(net);
}

static void waiting_ones_are_bounded(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conn = fake_conn(net, 1, 1);
	static const uint8_t ephemeral[32];
	for (int i = 0; i < 65536; i++)
		key_noise_dh(net, conn_ref(conn), ephemeral, count);
	uint64_t used = pool_used(net);
	key_noise_dh(net, conn_ref(conn), ephemeral, count);
	assert_int_equal(pool_used(net), used);
	key_flush(net); /* as many as may be out have left the queue */
	for (int i = 0; i < IMSG_OUTSTANDING; i++)
		key_noise_dh(net, conn_ref(conn), ephemeral, count);
	assert_true(pool_used(net) > used);
	used = pool_used(net);
	key_noise_dh(net, conn_ref(conn), ephemeral, count);
	assert_int_equal(pool_used(net), used);
	struct imsg_noise_dh request;
	count_told = 0;
	while (key_received(&request)) {
		struct imsg_noise_dh_answer answer = key_answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
		key_flush(net);
	}
	assert_int_equal(count_told, 65536 + IMSG_OUTSTANDING);
	key_world_end(net);
}

static void no_memory_asks_nothing(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conn = fake_conn(net, 1, 1);
	uint64_t cap = pool_cap(net);
	static const uint8_t bytes[32];
	pool_set_cap(net, 0);
	key_ask(net, conn);
	key_voucher(net, (struct stream_ref){0, 1}, bytes, 60, NULL);
	pool_set_cap(net, cap);
	key_flush(net);
	assert_int_equal(net->counter[NET_COUNT_KEY_REQUESTS], 0);
	key_world_end(net);
}

static void statuses_of_handshakes(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conn = fake_conn(net, 1, 1);
	static const uint8_t ephemeral[32];
	struct imsg_noise_dh request;
	key_noise_dh(net, conn_ref(conn), ephemeral, count);
	key_noise_dh(net, conn_ref(conn), ephemeral, count);
	key_flush(net);
	assert_true(key_received(&request));
	struct imsg_noise_dh_answer answer = key_answer_of(&request);
	count_told = 0;
	answer.answer[0].status = IMSG_DH_POINT;
	answer.answer[1].status = IMSG_DH_STATUS_COUNT;
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	assert_int_equal(count_told, 1);
	assert_int_equal(status_told, IMSG_DH_POINT);
	key_world_end(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_travel_together),	     cmocka_unit_test(who_is_gone_hears_nothing),
	    cmocka_unit_test(answers_nobody_asked_for),	     cmocka_unit_test(a_full_channel_loses_nothing),
	    cmocka_unit_test(nothing_is_lost_between_turns), cmocka_unit_test(a_full_channel_keeps_the_order),
	    cmocka_unit_test(waiting_ones_are_bounded),	     cmocka_unit_test(no_memory_asks_nothing),
	    cmocka_unit_test(statuses_of_handshakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
