/* SPDX-License-Identifier: MIT
 *
 * Reservations and circuits in any order: peers come, reserve, dial, answer, talk nonsense and go, with much
 * memory and with little. At the end nothing is held, nothing is counted, and every stream had its end. The
 * sanitizers watch.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/limits.h"
#include "netproc/limits_state.h"
#include "netproc/reservation.h"

#define PUBLIC	0x08080800u
#define CONNS	24
#define PEERS	6
#define STEPS	1500
#define STREAMS 900 /* the fake remembers a thousand */
#define WORLDS	60

static uint64_t seed;

static uint32_t dice(uint32_t sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % sides;
}

struct storm {
	struct net *net;
	struct conn *conns[CONNS];
};

static struct conn *any_conn(struct storm *s)
{
	struct conn **place = &s->conns[dice(CONNS)];
	static unsigned made;
	if (*place != NULL && (*place)->state != CONN_CLOSED)
		return *place;
	if (made++ % 8 == 7 && *place != NULL)
		return NULL;
	*place = fake_conn(s->net, (uint8_t)(1 + dice(PEERS)), dice(4) == 0 ? 0x0a000001 : PUBLIC + dice(3));
	return *place;
}

static void in_pieces(struct conn *conn, struct stream *stream, const uint8_t *bytes, size_t len)
{
	struct stream_ref ref = stream_ref(stream);
	struct net *net = conn->net;
	while (len > 0 && stream != NULL) {
		size_t piece = dice(3) == 0 ? 1 + dice((uint32_t)len) : len;
		fake_data(stream, bytes, piece);
		bytes += piece;
		len -= piece;
		stream = stream_find(net, ref);
	}
}

static void request(struct storm *s)
{
	struct conn *conn = any_conn(s);
	struct stream *stream = conn == NULL ? NULL : fake_stream(conn, &hop_protocol);
	uint8_t key[32], bytes[256];
	struct peer_id id;
	if (stream == NULL)
		return;
	memset(key, (int)(1 + dice(PEERS)), sizeof(key));
	peer_id_from_ed25519(&id, key);
	struct circuit_message m = {.has_type = true, .type = dice(3) == 0 ? HOP_RESERVE : HOP_CONNECT};
	m.has_peer = m.type == HOP_CONNECT && dice(20) != 0;
	m.peer = (struct span){id.bytes, id.len};
	struct writer w = writer_of(bytes, sizeof(bytes));
	hop_message_write(&w, &m);
	if (m.type == HOP_CONNECT && dice(3) == 0)
		writer_bytes(&w, "early bytes", 11);
	in_pieces(conn, stream, bytes, writer_len(&w));
}

static struct stream *any_stream(void)
{
	unsigned count = fake_any_count();
	for (int tries = 0; count > 0 && tries < 64; tries++) {
		/* Mostly among the latest: the others are dead. */
		unsigned back = dice(count < 40 ? count : 40);
		struct stream *stream = fake_any(count - 1 - back)->stream;
		if (stream != NULL)
			return stream;
	}
	return NULL;
}

static void answer(struct stream *stream)
{
	static const int statuses[] = {CIRCUIT_OK, CIRCUIT_OK, CIRCUIT_OK, CIRCUIT_PERMISSION_DENIED, 7};
	uint8_t bytes[256];
	struct circuit_message m = {.has_type = true,
				    .type = dice(12) == 0 ? STOP_CONNECT : STOP_STATUS,
				    .has_status = true,
				    .status = statuses[dice(5)]};
	struct writer w = writer_of(bytes, sizeof(bytes));
	stop_message_write(&w, &m);
	if (dice(3) == 0)
		writer_bytes(&w, "behind", 6);
	in_pieces(stream->conn, stream, bytes, writer_len(&w));
}

static void nonsense(struct stream *stream)
{
	static uint8_t bytes[30000];
	size_t len = 1 + dice(dice(4) == 0 ? sizeof(bytes) : 40);
	for (size_t i = 0; i < len && i < 64; i++)
		bytes[i] = (uint8_t)dice(256);
	fake_data(stream, bytes, len);
}

static void happen(struct stream *stream)
{
	switch (dice(8)) {
	case 0:
		fake_reset(stream);
		break;
	case 1:
		if (!stream->remote_finished)
			fake_finish(stream);
		break;
	case 2:
		if (!fake_negotiating(stream) && stream->protocol->data != NULL && !stream->remote_finished)
			nonsense(stream);
		break;
	default:
		if (fake_negotiating(stream))
			fake_negotiated(stream);
		else if (stream->protocol == &stop_protocol && !stream->remote_finished)
			answer(stream);
		break;
	}
}

static void step(struct storm *s)
{
	struct stream *stream;
	fake_refuse_write(dice(50) == 0);
	fake_refuse_open(dice(50) == 0);
	switch (dice(12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		if (fake_any_count() < STREAMS)
			request(s);
		break;
	case 4:
		if (dice(4) == 0) {
			struct conn *conn = s->conns[dice(CONNS)];
			if (conn != NULL)
				fake_conn_close(conn);
		}
		break;
	case 5:
		fake_pass(s->net, dice(20) == 0 ? 700000 : dice(3000));
		break;
	default:
		stream = any_stream();
		if (stream != NULL)
			happen(stream);
		break;
	}
}

static void check_all_over(struct net *net)
{
	for (unsigned i = 0; i < fake_any_count(); i++)
		assert_true(fake_any(i)->closed);
	assert_int_equal(net->counter[NET_COUNT_CIRCUITS_PENDING], 0);
	assert_int_equal(net->counter[NET_COUNT_RESERVATIONS], 0);
	assert_int_equal(net->counter[NET_COUNT_STREAMS], 0);
	assert_int_equal(net->limits->circuits, 0);
	assert_int_equal(net->limits->reservations, 0);
	assert_int_equal(net->limits->pairs.count, 0);
	assert_int_equal(net->relay->stops.count, 0);
	assert_int_equal(net->relay->reservations.count, 0);
}

static void storm(uint64_t number, uint64_t cap)
{
	struct storm s = {.net = fake_net_cap(cap)};
	seed = 88172645463325252u + number * 7919;
	assert_int_equal(limits_init(s.net), 0);
	assert_int_equal(relay_init(s.net), 0);
	s.net->settings.max_pending_stops = 1 + dice(4);
	s.net->settings.max_circuits_per_peer = 5 + dice(40);
	s.net->settings.max_reservations_per_peer = 1 + dice(3);
	s.net->settings.reservation_ttl = 60 + dice(3000);
	if (dice(2) == 0)
		s.net->settings.connect_rate_per_peer = 30;
	for (int i = 0; i < STEPS; i++)
		step(&s);
	fake_refuse_write(false);
	for (int i = 0; i < CONNS; i++) {
		if (s.conns[i] != NULL)
			fake_conn_close(s.conns[i]);
	}
	check_all_over(s.net);
	fake_net_end(s.net);
	assert_int_equal(s.net->limits->ips.count, 0);
	assert_int_equal(s.net->limits->peers.count, 0);
}

static void with_memory(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < WORLDS; i++)
		storm(i, 64u << 20);
}

static void without_memory(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < WORLDS; i++)
		storm(1000 + i, 2000 + i * 700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(with_memory),
	    cmocka_unit_test(without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
