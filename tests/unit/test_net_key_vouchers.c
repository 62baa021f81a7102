/* SPDX-License-Identifier: MIT
 *
 * netproc/key.c: vouchers, beside the handshakes that need the same places.
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

static unsigned vouchers_told;
static uint64_t expire_told;
static size_t envelope_told;

static void voucher_told(struct stream *stream, uint64_t expire, const uint8_t *envelope, size_t len)
{
	assert_non_null(stream);
	assert_true(len == 0 || envelope[len - 1] == 'v');
	vouchers_told++;
	expire_told = expire;
	envelope_told = len;
}

static void opened(struct stream *stream)
{
	(void)stream;
}

static void closed(struct stream *stream, enum close_reason reason)
{
	(void)stream, (void)reason;
}

static const struct stream_protocol holding = {
    .id = "holding", .stays = true, .open = opened, .closed = closed};

static bool receive_voucher(struct imsg_voucher *voucher)
{
	_Alignas(8) uint8_t datagram[IMSG_MAX];
	if (recv(key_other_end, datagram, sizeof(datagram), 0) != (ssize_t)(KEY_HEADER + sizeof(*voucher)))
		return false;
	memcpy(voucher, datagram + KEY_HEADER, sizeof(*voucher));
	return true;
}

static struct stream *ask_voucher(struct net *net, struct conn *conn)
{
	struct stream *stream = fake_stream(conn, &holding);
	key_voucher(net, stream_ref(stream), conn->peer, 3600, voucher_told);
	return stream;
}

static void vouchers_have_their_answers(void **state)
{
	(void)state;
	static const struct {
		uint32_t status, len;
		bool good;
	} rows[] = {
	    {IMSG_VOUCHER_OK, IMSG_VOUCHER_MAX, true},
	    {IMSG_VOUCHER_OK, 1, true},
	    {IMSG_VOUCHER_CLOCK, 0, true},
	    {IMSG_VOUCHER_OK, 0, false},
	    {IMSG_VOUCHER_CLOCK, 1, false},
	    {IMSG_VOUCHER_OK, IMSG_VOUCHER_MAX + 1, false},
	    {IMSG_VOUCHER_STATUS_COUNT, 0, false},
	};
	struct net *net = key_world();
	struct conn *conn = fake_conn(net, 7, 1);
	struct imsg_voucher request;
	struct peer_id id;
	vouchers_told = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask_voucher(net, conn);
		key_flush(net);
		assert_true(receive_voucher(&request));
		peer_id_from_ed25519(&id, conn->peer);
		assert_int_equal(request.lifetime, 3600);
		assert_int_equal(request.peer_len, id.len);
		assert_memory_equal(request.peer, id.bytes, id.len);
		struct imsg_voucher_answer answer = {
		    .id = request.id, .expire = 100 + i, .status = rows[i].status, .len = rows[i].len};
		memset(answer.envelope, 'v', sizeof(answer.envelope));
		assert_int_equal(key_answer_voucher(net, &answer) == 0, rows[i].good);
		assert_int_equal(vouchers_told, i < 3 ? i + 1 : 3);
		if (rows[i].good) {
			assert_int_equal(expire_told, 100 + i);
			assert_int_equal(envelope_told, rows[i].len);
			continue;
		}
		answer = (struct imsg_voucher_answer){.id = request.id, .status = IMSG_VOUCHER_PEER};
		assert_int_equal(key_answer_voucher(net, &answer), 0);
		vouchers_told = 3;
	}
	ask_voucher(net, conn);
	struct stream *gone = ask_voucher(net, conn);
	key_flush(net);
	fake_reset(gone);
	while (receive_voucher(&request)) {
		struct imsg_voucher_answer answer = {.id = request.id, .status = IMSG_VOUCHER_PEER};
		assert_int_equal(key_answer_voucher(net, &answer), 0);
	}
	assert_int_equal(vouchers_told, 4);
	fake_reset(ask_voucher(net, conn)); /* gone before it was asked for */
	key_flush(net);
	assert_false(receive_voucher(&request));
	key_world_end(net);
}

/* Answers the next datagram: 1 of handshakes, 2 a voucher, 0 none. */
static int answer_any(struct net *net)
{
	_Alignas(8) uint8_t datagram[IMSG_MAX];
	ssize_t len = recv(key_other_end, datagram, sizeof(datagram), 0);
	if (len == (ssize_t)(KEY_HEADER + sizeof(struct imsg_noise_dh))) {
		struct imsg_noise_dh request;
		memcpy(&request, datagram + KEY_HEADER, sizeof(request));
		struct imsg_noise_dh_answer answer = key_answer_of(&request);
		assert_int_equal(key_answer_noise_dh(net, &answer), 0);
		return 1;
	}
	if (len != (ssize_t)(KEY_HEADER + sizeof(struct imsg_voucher)))
		return 0;
	struct imsg_voucher request;
	memcpy(&request, datagram + KEY_HEADER, sizeof(request));
	struct imsg_voucher_answer answer = {.id = request.id, .status = IMSG_VOUCHER_PEER};
	assert_int_equal(key_answer_voucher(net, &answer), 0);
	return 2;
}

/* With places for a few only, neither kind waits for the other's end; a full channel loses none. */
static void both_kinds_in_turn(void **state)
{
	(void)state;
	struct net *net = key_world();
	struct conn *conn = fake_conn(net, 7, 1);
	uint8_t filler[KEY_HEADER + sizeof(struct imsg_voucher)] = {0};
	unsigned fillers = 0, seen[3] = {0};
	vouchers_told = 0;
	while (write(key_channel.fd, filler, sizeof(filler)) > 0)
		fillers++;
	for (int i = 0; i < 200; i++) {
		key_ask(net, conn);
		ask_voucher(net, conn);
	}
	key_flush(net);
	assert_int_equal(net->counter[NET_COUNT_KEY_REQUESTS], 0);
	for (; fillers > 0; fillers--)
		assert_int_equal(recv(key_other_end, filler, sizeof(filler), 0), sizeof(filler));
	key_flush(net);
	assert_int_equal(net->counter[NET_COUNT_KEY_REQUESTS], IMSG_OUTSTANDING);
	assert_int_equal(answer_any(net), 1); /* a datagram of handshakes, then a voucher, and so on */
	assert_int_equal(answer_any(net), 2);
	assert_int_equal(answer_any(net), 1);
	for (int kind; (kind = answer_any(net)) != 0;)
		seen[kind]++;
	assert_int_equal(seen[1], 8 - 2);
	assert_int_equal(seen[2], 7 - 1);
	do
		key_flush(net);
	while (answer_any(net) != 0);
	assert_int_equal(net->counter[NET_COUNT_KEY_REQUESTS], 400);
	assert_int_equal(key_answers, 200);
	assert_int_equal(vouchers_told, 200);
	key_world_end(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vouchers_have_their_answers),
	    cmocka_unit_test(both_kinds_in_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
