/* SPDX-License-Identifier: MIT */
#include "tests/unit/key_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

unsigned key_answers;
struct conn *key_answered[512];

static void told(struct conn *conn, enum imsg_dh_status status, const uint8_t shared[32])
{
	assert_int_equal(status, IMSG_DH_OK);
	assert_int_equal(shared[0], (uint8_t)conn->slot);
	key_answered[key_answers++] = conn;
}

struct imsg_channel key_channel;
int key_other_end;

struct net *key_world(void)
{
	struct net *net = fake_net();
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(imsg_channel_open(&key_channel, fds[0], IMSG_PROCESS_KEYPROC), 0);
	key_other_end = fds[1];
	assert_int_equal(key_init(net, &key_channel), 0);
	key_answers = 0;
	return net;
}

void key_world_end(struct net *net)
{
	close(key_channel.fd);
	close(key_other_end);
	fake_net_end(net);
}

bool key_received(struct imsg_noise_dh *request)
{
	_Alignas(8) uint8_t datagram[IMSG_MAX];
	if (recv(key_other_end, datagram, sizeof(datagram), 0) != (ssize_t)(KEY_HEADER + sizeof(*request)))
		return false;
	memcpy(request, datagram + KEY_HEADER, sizeof(*request));
	return true;
}

struct imsg_noise_dh_answer key_answer_of(const struct imsg_noise_dh *request)
{
	struct imsg_noise_dh_answer answer = {.count = request->count};
	for (uint32_t i = 0; i < request->count; i++) {
		answer.answer[i].id = request->request[i].id;
		answer.answer[i].shared[0] = request->request[i].ephemeral[0];
	}
	return answer;
}

void key_ask(struct net *net, struct conn *conn)
{
	uint8_t ephemeral[32] = {(uint8_t)conn->slot};
	key_noise_dh(net, conn_ref(conn), ephemeral, told);
}
