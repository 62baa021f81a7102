/* SPDX-License-Identifier: MIT */
#include "tests/unit/connect_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/limits.h"
#include "netproc/limits_state.h"
#include "netproc/reservation.h"

struct net *connect_world(void)
{
	struct net *net = fake_net();
	assert_int_equal(limits_init(net), 0);
	assert_int_equal(relay_init(net), 0);
	return net;
}

void connect_world_end(struct net *net)
{
	assert_int_equal(net->counter[NET_COUNT_CIRCUITS_PENDING], 0);
	fake_net_end(net);
	assert_int_equal(net->limits->circuits, 0);
	assert_int_equal(net->limits->pairs.count, 0);
	assert_int_equal(net->limits->peers.count, 0);
	assert_int_equal(net->relay->stops.count, 0);
}

struct conn *connect_reserved(struct net *net, uint8_t peer)
{
	struct conn *conn = fake_conn(net, peer, CONNECT_PUBLIC + peer);
	assert_int_not_equal(reservation_grant(conn), RESERVATION_REFUSED);
	return conn;
}

size_t connect_request_id(uint8_t *out, const void *id, size_t len)
{
	struct circuit_message m = {
	    .has_type = true, .type = HOP_CONNECT, .has_peer = true, .peer = {id, len}};
	struct writer w = writer_of(out, 128);
	hop_message_write(&w, &m);
	assert_false(w.bad);
	return writer_len(&w);
}

size_t connect_request(uint8_t *out, uint8_t peer)
{
	uint8_t key[32];
	struct peer_id id;
	memset(key, peer, sizeof(key));
	peer_id_from_ed25519(&id, key);
	return connect_request_id(out, id.bytes, id.len);
}

struct stream *connect_ask(struct conn *source, uint8_t peer)
{
	uint8_t bytes[128];
	struct stream *stream = fake_stream(source, &hop_protocol);
	fake_data(stream, bytes, connect_request(bytes, peer));
	return stream;
}

int connect_status(struct stream_ref ref)
{
	const struct fake_record *record = fake_record(ref);
	struct reader r = reader_of(record->said, record->len);
	struct circuit_message m;
	if (record->len == 0)
		return 0;
	struct span whole = reader_span(&r);
	assert_false(r.bad);
	assert_int_equal(hop_message_parse(whole.bytes, whole.len, &m), 0);
	assert_int_equal(m.type, HOP_STATUS);
	if (m.status != CIRCUIT_OK)
		assert_true(record->finished && !record->reset && reader_left(&r) == 0);
	return m.status;
}

void connect_answer(struct fake_record *stop, int status, const void *behind, size_t len)
{
	uint8_t bytes[256];
	struct circuit_message m = {
	    .has_type = true, .type = STOP_STATUS, .has_status = true, .status = status};
	struct writer w = writer_of(bytes, sizeof(bytes));
	stop_message_write(&w, &m);
	if (len > 0)
		writer_bytes(&w, behind, len);
	fake_data(stop->stream, bytes, writer_len(&w));
}

void connect_forgive(struct net *net, const uint8_t peer[32])
{
	struct table *denied = &net->limits->denied;
	struct table_link *link = table_first(denied, table_hash(net->hash_key, peer, 32));
	assert_non_null(link);
	table_remove(denied, link);
	pool_free(net, container_of(link, struct limits_denied, link), sizeof(struct limits_denied));
}
