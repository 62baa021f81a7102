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

#include "tests/unit/net_fake.h"

#include "netproc/key.h"

#define HEADER 16

static unsigned answers;
static struct conn *answered[512];

static void told(struct conn *conn, enum imsg_dh_status status, const uint8_t shared[32])
{
	assert_int_equal(status, IMSG_DH_OK);
	assert_int_equal(shared[0], (uint8_t)conn->slot);
	answered[answers++] = conn;
}

static struct imsg_channel channel;
static int keyproc;

static struct net *world(void)
{
	struct net *net = fake_net();
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(imsg_channel_open(&channel, fds[0], IMSG_PROCESS_KEYPROC), 0);
	keyproc = fds[1];
	assert_int_equal(key_init(net, &channel), 0);
	answers = 0;
	return net;
}

static void world_end(struct net *net)
{
	close(channel.fd);
	close(keyproc);
	fake_net_end(net);
}

static bool receive(struct imsg_noise_dh *request)
{
	_Alignas(8) uint8_t datagram[IMSG_MAX];
	if (recv(keyproc, datagram, sizeof(datagram), 0) != (ssize_t)(HEADER + sizeof(*request)))
		return false;
	memcpy(request, datagram + HEADER, sizeof(*request));
	return true;
}

static struct imsg_noise_dh_answer answer_of(const struct imsg_noise_dh *request)
{
	struct imsg_noise_dh_answer answer = {.count = request->count};
	for (uint32_t i = 0; i < request->count; i++) {
		answer.answer[i].id = request->request[i].id;
		answer.answer[i].shared[0] = request->request[i].ephemeral[0];
	}
	return answer;
}

static void ask(struct net *net, struct conn *conn)
{
	uint8_t ephemeral[32] = {(uint8_t)conn->slot};
	key_noise_dh(net, conn_ref(conn), ephemeral, told);
}

static void requests_travel_together(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *conns[200];
	struct imsg_noise_dh request;
	for (int i = 0; i < 200; i++) {
		conns[i] = fake_conn(net, 1, 1);
		ask(net, conns[i]);
	}
	assert_false(receive(&request)); /* not before the end of the turn */
	key_flush(net);
	unsigned batches = 0;
	while (receive(&request)) {
		assert_int_equal(request.count, 16);
		batches++;
		struct imsg_noise_dh_answer answer = answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
		if (batches == 8)
			assert_int_equal(answers, 128); /* the first eight filled all places */
	}
	assert_int_equal(batches, 8);
	fake_conn_close(conns[150]);
	key_flush(net);
	while (receive(&request)) {
		struct imsg_noise_dh_answer answer = answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	}
	assert_int_equal(answers, 199);
	for (unsigned i = 0; i < answers; i++)
		assert_ptr_equal(answered[i], conns[i < 150 ? i : i + 1]);
	world_end(net);
}

static void who_is_gone_hears_nothing(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *conn = fake_conn(net, 1, 1);
	struct imsg_noise_dh request;
	ask(net, conn);
	key_flush(net);
	fake_conn_close(conn);
	assert_true(receive(&request));
	struct imsg_noise_dh_answer answer = answer_of(&request);
	assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	assert_int_equal(answers, 0);
	world_end(net);
}

static void answers_nobody_asked_for(void **state)
{
	(void)state;
	struct net *net = world();
	struct imsg_noise_dh request;
	struct imsg_noise_dh_answer answer = {.count = 1};
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	ask(net, fake_conn(net, 1, 1));
	key_flush(net);
	assert_true(receive(&request));
	answer = answer_of(&request);
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
	answer = answer_of(&request);
	assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	assert_int_not_equal(key_answer_noise_dh(net, &answer), 0);
	assert_int_equal(answers, 1);
	world_end(net);
}

static void a_full_channel_loses_nothing(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *conns[40];
	uint8_t filler[HEADER + sizeof(struct imsg_noise_dh)] = {0};
	unsigned fillers = 0;
	while (write(channel.fd, filler, sizeof(filler)) > 0)
		fillers++;
	for (int i = 0; i < 40; i++) {
		conns[i] = fake_conn(net, 1, 1);
		ask(net, conns[i]);
	}
	key_flush(net);
	for (; fillers > 0; fillers--)
		assert_int_equal(recv(keyproc, filler, sizeof(filler), 0), sizeof(filler));
	key_flush(net);
	struct imsg_noise_dh request;
	while (receive(&request)) {
		struct imsg_noise_dh_answer answer = answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
	}
	assert_int_equal(answers, 40);
	for (unsigned i = 0; i < answers; i++)
		assert_ptr_equal(answered[i], conns[i]);
	world_end(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_travel_together),
	    cmocka_unit_test(who_is_gone_hears_nothing),
	    cmocka_unit_test(answers_nobody_asked_for),
	    cmocka_unit_test(a_full_channel_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
