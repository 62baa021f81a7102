/* SPDX-License-Identifier: MIT
 *
 * netproc/hop.c, hop_reserve.c, reservation.c: requests in any pieces, the answer to RESERVE, the registry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/key.h"
#include "netproc/limits.h"
#include "netproc/reservation.h"

#define PUBLIC 0x08080808u

static const uint8_t reserve[] = {2, 8, 0};

static struct {
	uint8_t peer;
	bool held;
	unsigned calls;
} watched;

static void watch(struct net *net, const uint8_t peer[32], bool held)
{
	assert_int_equal(reservation_held(net, peer), held);
	watched.peer = peer[0];
	watched.held = held;
	watched.calls++;
}

static struct net *world(void)
{
	struct net *net = fake_net();
	assert_int_equal(limits_init(net), 0);
	assert_int_equal(relay_init(net), 0);
	net->hooks.reserved = watch;
	memset(&watched, 0, sizeof(watched));
	return net;
}

/* The one message that was said. */
static struct circuit_message said(struct stream_ref ref)
{
	const struct fake_record *record = fake_record(ref);
	struct reader r = reader_of(record->said, record->len);
	struct span whole = reader_span(&r);
	struct circuit_message m;
	assert_false(r.bad);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(hop_message_parse(whole.bytes, whole.len, &m), 0);
	assert_int_equal(m.type, HOP_STATUS);
	assert_true(m.has_status);
	assert_true(record->finished);
	assert_false(record->reset);
	return m;
}

static struct circuit_message ask(struct conn *conn, const void *bytes, size_t len)
{
	struct stream *stream = fake_stream(conn, &hop_protocol);
	struct stream_ref ref = stream_ref(stream);
	fake_data(stream, bytes, len);
	struct circuit_message m = said(ref);
	stream = stream_find(conn->net, ref);
	if (stream != NULL)
		fake_finish(stream);
	return m;
}

static void answers_a_half_closed_stream_in_pieces(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *conn = fake_conn(net, 1, PUBLIC);
	struct stream *stream = fake_stream(conn, &hop_protocol);
	struct stream_ref ref = stream_ref(stream);
	fake_data(stream, reserve, 1);
	fake_data(stream, reserve + 1, 1);
	assert_int_equal(fake_record(ref)->len, 0);
	fake_data(stream, reserve + 2, 1);
	fake_finish(stream);
	struct circuit_message m = said(ref);
	assert_int_equal(m.status, CIRCUIT_OK);
	assert_true(m.has_reservation);
	assert_int_equal(m.expire, net->now_unix + 3600);
	assert_false(m.limit.present);
	assert_int_equal(m.voucher.len, 0);
	assert_int_equal(m.addr_count, 1);
	char text[MULTIADDR_TEXT_MAX];
	assert_int_equal(multiaddr_to_text(m.addrs[0].bytes, m.addrs[0].len, text), 0);
	assert_memory_equal(text, "/ip4/192.168.1.2/tcp/4001/p2p/12D3Koo", 37);
	assert_int_equal(fake_events(LOG_EVENT_PRIVATE_ADDRESS), 1);
	assert_int_equal(fake_events(LOG_EVENT_RESERVATION_ACCEPTED), 1);
	assert_int_equal(net->counter[NET_COUNT_RESERVATIONS], 1);
	assert_int_equal(net->counter[NET_COUNT_RESERVE_OK], 1);
	assert_true(watched.held && watched.calls == 1);
	assert_true(fake_record(ref)->closed);
	assert_int_equal(conn->keep, 1);
	fake_net_end(net);
	assert_false(watched.held);
	assert_int_equal(net->counter[NET_COUNT_RESERVATIONS], 0);
}

static void names_external_addresses_and_limits(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *conn = fake_conn(net, 1, PUBLIC);
	net->self.addr_count = 2;
	assert_int_equal(multiaddr_from_text(&net->self.addrs[0], "/dns4/relay.example.org/tcp/4001"), 0);
	assert_int_equal(multiaddr_from_text(&net->self.addrs[1], "/ip4/8.8.4.4/tcp/4001"), 0);
	net->settings.circuit_duration = 120;
	net->settings.circuit_bytes = 131072;
	struct circuit_message m = ask(conn, reserve, sizeof(reserve));
	assert_int_equal(m.addr_count, 2);
	char text[MULTIADDR_TEXT_MAX];
	assert_int_equal(multiaddr_to_text(m.addrs[0].bytes, m.addrs[0].len, text), 0);
	assert_memory_equal(text, "/dns4/relay.example.org/tcp/4001/p2p/12D3Koo", 44);
	assert_true(m.limit.present);
	assert_int_equal(m.limit.duration, 120);
	assert_int_equal(m.limit.data, 131072);
	assert_int_equal(fake_events(LOG_EVENT_PRIVATE_ADDRESS), 0);
	fake_net_end(net);
}

static void renews_even_when_full(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *a2 = fake_conn(net, 1, PUBLIC),
		    *b = fake_conn(net, 2, PUBLIC);
	net->settings.max_reservations = 1;
	assert_int_equal(ask(a, reserve, 3).status, CIRCUIT_OK);
	assert_int_equal(ask(b, reserve, 3).status, CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_int_equal(ask(a, reserve, 3).status, CIRCUIT_OK);
	assert_int_equal(ask(a2, reserve, 3).status, CIRCUIT_OK);
	assert_int_equal(a->keep, 1);
	assert_int_equal(net->counter[NET_COUNT_RESERVATIONS], 1);
	assert_int_equal(net->counter[NET_COUNT_RESERVATIONS_RENEWED], 2);
	assert_int_equal(net->counter[NET_COUNT_RESERVE_REFUSED_LIMIT], 1);
	assert_int_equal(fake_events(LOG_EVENT_RESERVATION_ACCEPTED), 1);
	assert_ptr_equal(reservation_find(net, a->peer), a2);
	assert_ptr_equal(reservation_older(net, a->peer, a2), a);
	assert_null(reservation_older(net, a->peer, a));
	a2->state = CONN_CLOSED; /* closing: not found, though it still stands there */
	assert_ptr_equal(reservation_find(net, a->peer), a);
	a2->state = CONN_READY;
	fake_conn_close(a2);
	assert_ptr_equal(reservation_find(net, a->peer), a);
	fake_conn_close(a);
	assert_null(reservation_find(net, a->peer));
	assert_int_equal(ask(b, reserve, 3).status, CIRCUIT_OK);
	fake_net_end(net);
}

static void ends_by_time(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *a2 = fake_conn(net, 1, PUBLIC);
	ask(a, reserve, 3);
	fake_pass(net, 1800000);
	ask(a2, reserve, 3);
	fake_pass(net, 2710000);
	assert_int_equal(a->keep, 0);
	assert_ptr_equal(reservation_find(net, a->peer), a2);
	assert_int_equal(fake_events(LOG_EVENT_RESERVATION_EXPIRED), 0);
	fake_pass(net, 1800000);
	assert_null(reservation_find(net, a->peer));
	assert_int_equal(fake_events(LOG_EVENT_RESERVATION_EXPIRED), 1);
	assert_false(watched.held);
	assert_int_equal(a2->keep, 0);
	fake_net_end(net);
}

/* Told an hour, it comes back by a clock that is ten minutes slow; a short life is longer by its quarter. */
static void waits_for_slow_clocks(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC);
	net->now_unix = 1800000000;
	assert_int_equal(ask(a, reserve, 3).expire, 1800003600);
	fake_pass(net, 4200000);
	assert_ptr_equal(reservation_find(net, a->peer), a);
	ask(a, reserve, 3);
	fake_pass(net, 4490000);
	assert_ptr_equal(reservation_find(net, a->peer), a);
	fake_pass(net, 20000);
	assert_null(reservation_find(net, a->peer));
	net->settings.reservation_ttl = 60;
	ask(a, reserve, 3);
	fake_pass(net, 73000);
	assert_ptr_equal(reservation_find(net, a->peer), a);
	fake_pass(net, 3000);
	assert_null(reservation_find(net, a->peer));
	fake_net_end(net);
}

static void oldest_connection_gives_way(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *conns[4];
	net->settings.max_reservations_per_peer = 3;
	for (int i = 0; i < 4; i++) {
		conns[i] = fake_conn(net, 1, PUBLIC);
		assert_int_equal(ask(conns[i], reserve, 3).status, CIRCUIT_OK);
	}
	assert_null(conns[0]->reservation);
	assert_int_equal(conns[0]->keep, 0);
	assert_non_null(conns[1]->reservation);
	ask(conns[1], reserve, 3); /* the newest that asked */
	assert_ptr_equal(reservation_find(net, conns[1]->peer), conns[1]);
	fake_net_end(net);
}

static void refuses(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *a = fake_conn(net, 1, PUBLIC), *b = fake_conn(net, 2, PUBLIC);
	limits_deny(net, b->peer);
	static const uint8_t no_type[] = {2, 0x28, 100}, status[] = {4, 8, 2, 0x28, 100},
			     unknown[] = {2, 8, 9};
	static const uint8_t garbage[] = {3, 0xff, 0xff, 0xff}, empty[] = {0}, long_one[] = {0x81, 0x20},
			     padded[] = {0x82, 0};
	assert_int_equal(ask(a, no_type, sizeof(no_type)).status, CIRCUIT_MALFORMED_MESSAGE);
	assert_int_equal(ask(a, garbage, sizeof(garbage)).status, CIRCUIT_MALFORMED_MESSAGE);
	assert_int_equal(ask(a, empty, sizeof(empty)).status, CIRCUIT_MALFORMED_MESSAGE);
	assert_int_equal(ask(a, long_one, sizeof(long_one)).status, CIRCUIT_MALFORMED_MESSAGE);
	assert_int_equal(ask(a, padded, sizeof(padded)).status, CIRCUIT_MALFORMED_MESSAGE);
	assert_int_equal(ask(a, status, sizeof(status)).status, CIRCUIT_UNEXPECTED_MESSAGE);
	int answer = ask(a, unknown, sizeof(unknown)).status;
	assert_true(answer == CIRCUIT_UNEXPECTED_MESSAGE || answer == CIRCUIT_MALFORMED_MESSAGE);
	assert_int_equal(net->counter[NET_COUNT_RESERVE_REFUSED_MALFORMED], 7);
	assert_int_equal(net->closed[CLOSE_MESSAGE_TOO_LONG], 1);
	assert_true(net->closed[CLOSE_MESSAGE_UNEXPECTED] > 0 && net->closed[CLOSE_MESSAGE_MALFORMED] > 3);
	assert_int_equal(ask(b, reserve, 3).status, CIRCUIT_PERMISSION_DENIED);
	assert_int_equal(fake_events(LOG_EVENT_PEER_DENIED), 1);
	net->draining = true;
	assert_int_equal(ask(a, reserve, 3).status, CIRCUIT_RESERVATION_REFUSED);
	net->draining = false;
	net->settings.reserve_rate_per_peer = 1;
	assert_int_equal(ask(a, reserve, 3).status, CIRCUIT_OK);
	assert_int_equal(ask(a, reserve, 3).status, CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	fake_conn_close(a), fake_conn_close(b);
}

static void reads_nothing_behind_a_refusal(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *conn = fake_conn(net, 1, PUBLIC);
	struct stream *stream = fake_stream(conn, &hop_protocol);
	struct stream_ref ref = stream_ref(stream);
	static const uint8_t twice[] = {2, 8, 9, 2, 8, 0};
	fake_data(stream, twice, sizeof(twice));
	fake_data(stream, reserve, sizeof(reserve));
	said(ref);
	assert_null(conn->reservation);
	fake_pass(net, 11000);
	assert_true(fake_record(ref)->closed);
	fake_net_end(net);
}

static void silence_and_ends(void **state)
{
	(void)state;
	struct net *net = world();
	struct conn *conn = fake_conn(net, 1, PUBLIC);
	static const uint8_t part[] = {0x80, 0x10, 8};
	struct stream_ref silent = stream_ref(fake_stream(conn, &hop_protocol));
	struct stream *stream = fake_stream(conn, &hop_protocol);
	struct stream_ref partial = stream_ref(stream);
	fake_data(stream, part, sizeof(part));
	stream = fake_stream(conn, &hop_protocol);
	struct stream_ref ended = stream_ref(stream);
	fake_data(stream, part, sizeof(part));
	fake_finish(stream);
	assert_int_equal(said(ended).status, CIRCUIT_MALFORMED_MESSAGE);
	stream = fake_stream(conn, &hop_protocol);
	struct stream_ref nothing = stream_ref(stream);
	fake_finish(stream);
	assert_true(fake_record(nothing)->closed && !fake_record(nothing)->reset);
	fake_pass(net, 16000);
	assert_int_equal(fake_record(silent)->reason, CLOSE_MESSAGE_TIMEOUT);
	assert_int_equal(fake_record(partial)->reason, CLOSE_MESSAGE_TIMEOUT);
	fake_net_end(net);
}

static struct imsg_channel channel_pair(int *other)
{
	int fds[2];
	struct imsg_channel channel;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(imsg_channel_open(&channel, fds[0], IMSG_PROCESS_KEYPROC), 0);
	*other = fds[1];
	return channel;
}

static void carries_a_voucher(void **state)
{
	(void)state;
	struct net *net = world();
	int keyproc;
	struct imsg_channel channel = channel_pair(&keyproc);
	assert_int_equal(key_init(net, &channel), 0);
	net->settings.voucher = 1;
	struct conn *conn = fake_conn(net, 1, PUBLIC);
	struct stream *streams[3];
	struct stream_ref refs[3];
	uint64_t ids[3];
	for (int i = 0; i < 3; i++) {
		streams[i] = fake_stream(conn, &hop_protocol);
		refs[i] = stream_ref(streams[i]);
		fake_data(streams[i], reserve, sizeof(reserve));
		assert_int_equal(fake_record(refs[i])->len, 0);
	}
	key_flush(net);
	_Alignas(8) uint8_t datagram[IMSG_MAX];
	for (int i = 0; i < 3; i++) {
		assert_int_equal(recv(keyproc, datagram, sizeof(datagram), 0),
				 16 + sizeof(struct imsg_voucher));
		struct imsg_voucher ask_voucher;
		memcpy(&ask_voucher, datagram + 16, sizeof(ask_voucher));
		assert_int_equal(ask_voucher.lifetime, 3600);
		assert_int_equal(ask_voucher.peer_len, PEER_ID_ED25519);
		ids[i] = ask_voucher.id;
	}
	struct imsg_voucher_answer answer = {
	    .id = ids[0], .expire = 1800009999, .len = 3, .envelope = {'a', 'b', 'c'}};
	assert_int_equal(key_answer_voucher(net, &answer), 0);
	struct circuit_message m = said(refs[0]);
	assert_int_equal(m.expire, 1800009999);
	assert_int_equal(m.voucher.len, 3);
	assert_int_not_equal(key_answer_voucher(net, &answer), 0); /* again: nobody asked */
	answer = (struct imsg_voucher_answer){.id = ids[1], .status = IMSG_VOUCHER_CLOCK};
	assert_int_equal(key_answer_voucher(net, &answer), 0);
	assert_int_equal(said(refs[1]).voucher.len, 0);
	fake_pass(net, 2100);
	assert_int_equal(said(refs[2]).voucher.len, 0);
	answer = (struct imsg_voucher_answer){.id = ids[2], .expire = 1, .len = 1};
	assert_int_equal(key_answer_voucher(net, &answer), 0); /* late: dropped */
	assert_int_equal(said(refs[2]).voucher.len, 0);
	assert_int_equal(net->counter[NET_COUNT_VOUCHER_KEYPROC], 2);
	assert_int_equal(net->counter[NET_COUNT_VOUCHER_RATE], 0);
	fake_net_end(net);
}

static void one_connection_does_not_fill_keyproc(void **state)
{
	(void)state;
	struct net *net = world();
	int keyproc;
	struct imsg_channel channel = channel_pair(&keyproc);
	assert_int_equal(key_init(net, &channel), 0);
	net->settings.voucher = 1;
	struct conn *conn = fake_conn(net, 1, PUBLIC), *other = fake_conn(net, 2, PUBLIC);
	unsigned waiting = 0;
	for (int i = 0; i < 40; i++) {
		struct stream *stream = fake_stream(conn, &hop_protocol);
		struct stream_ref ref = stream_ref(stream);
		fake_data(stream, reserve, sizeof(reserve));
		if (fake_record(ref)->len == 0)
			waiting++;
		else
			assert_int_equal(said(ref).voucher.len, 0);
	}
	assert_int_equal(waiting, 16);
	assert_int_equal(net->counter[NET_COUNT_RESERVE_OK], 24);
	assert_int_equal(net->counter[NET_COUNT_VOUCHER_RATE], 24);
	struct stream *stream = fake_stream(other, &hop_protocol);
	fake_data(stream, reserve, sizeof(reserve));
	assert_int_equal(fake_record(stream_ref(stream))->len, 0);
	key_flush(net);
	assert_int_equal(net->counter[NET_COUNT_KEY_REQUESTS], 17);
	fake_pass(net, 1000);
	for (int i = 0; i < 2; i++) {
		stream = fake_stream(conn, &hop_protocol);
		struct stream_ref ref = stream_ref(stream);
		fake_data(stream, reserve, sizeof(reserve));
		assert_int_equal(fake_record(ref)->len == 0, i == 0);
	}
	net->settings.voucher = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_a_half_closed_stream_in_pieces),
	    cmocka_unit_test(names_external_addresses_and_limits),
	    cmocka_unit_test(renews_even_when_full),
	    cmocka_unit_test(ends_by_time),
	    cmocka_unit_test(waits_for_slow_clocks),
	    cmocka_unit_test(oldest_connection_gives_way),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(reads_nothing_behind_a_refusal),
	    cmocka_unit_test(silence_and_ends),
	    cmocka_unit_test(carries_a_voucher),
	    cmocka_unit_test(one_connection_does_not_fill_keyproc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
