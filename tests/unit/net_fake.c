/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/limits.h"
#include "netproc/pool.h"
#include "netproc/relay.h"
#include "netproc/table.h"
#include "netproc/wheel.h"

#define RECORDS 1024
#define CONNS	1024
#define CAP	(64u << 20)

static struct fake_record *records[RECORDS];
static struct stream_ref refs[RECORDS];
static unsigned record_count;
static unsigned outbound[RECORDS];
static unsigned outbound_count;
static struct conn *conns[CONNS];
static unsigned conn_count;
static unsigned events[LOG_EVENT_COUNT];
static uint64_t event_setting[LOG_EVENT_COUNT];
static struct fake_circuit circuits[RECORDS];
static struct limits_circuit counted[RECORDS];
static unsigned circuit_count;
static bool refuse_open;
static bool refuse_write;
/* Worlds stay reachable: what they hold is counted by the pool, not by the leak checker. */
static struct net *worlds[1024];
static unsigned world_count;

/* --- the world --- */

struct net *fake_net(void)
{
	return fake_net_cap(CAP);
}

struct net *fake_net_cap(uint64_t cap)
{
	struct net *net = calloc(1, sizeof(*net));
	assert_non_null(net);
	for (unsigned i = 0; i < record_count; i++)
		free(records[i]);
	for (unsigned i = 0; i < conn_count; i++)
		free(conns[i]);
	assert_true(world_count < sizeof(worlds) / sizeof(worlds[0]));
	worlds[world_count++] = net;
	for (unsigned i = 0; i < NET_SETTING_COUNT; i++)
		*net_setting_at(&net->settings, i) = net_setting_rows[i].preset[SETTING_PROFILE_DUSK];
	net->settings.voucher = 0;
	net->now = 1000000;
	net->now_unix = 1800000000;
	memset(net->self.key, 0xee, sizeof(net->self.key));
	peer_id_from_ed25519(&net->self.id, net->self.key);
	net->pool = pool_new(cap);
	net->wheel = wheel_new(net->now);
	assert_int_equal(stream_table_init(net), 0);
	memset(events, 0, sizeof(events));
	record_count = outbound_count = conn_count = circuit_count = 0;
	refuse_open = refuse_write = false;
	return net;
}

void fake_net_end(struct net *net)
{
	for (unsigned i = 0; i < conn_count; i++)
		fake_conn_close(conns[i]);
	fake_pass(net, 8000000);
	assert_int_equal(pool_used(net), 0);
	for (unsigned i = 0; i < conn_count; i++)
		free(conns[i]);
	for (unsigned i = 0; i < record_count; i++)
		free(records[i]);
	record_count = conn_count = 0;
}

void fake_pass(struct net *net, uint64_t milliseconds)
{
	for (uint64_t end = net->now + milliseconds; net->now < end;) {
		uint64_t step = end - net->now < 10000 ? end - net->now : 10000;
		net->now += step;
		while (wheel_turn(net, 64))
			;
	}
	net->now_unix += milliseconds / 1000;
}

unsigned fake_events(enum log_event event)
{
	return events[event];
}

uint64_t fake_event_setting(enum log_event event)
{
	return event_setting[event];
}

void log_event(struct log_sink *sink, enum log_event event, const struct log_peer *peer,
	       const struct log_peer *peer2, uint64_t n, uint64_t n2, uint64_t n3, const void *text,
	       size_t text_len)
{
	(void)sink, (void)peer, (void)peer2, (void)n, (void)n3, (void)text, (void)text_len;
	events[event]++;
	event_setting[event] = n2;
}

/* --- connections --- */

static const struct stream_muxer muxer;

struct conn *fake_conn(struct net *net, uint8_t peer, uint32_t ip4)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	assert_non_null(conn);
	conn->net = net;
	conn->state = CONN_READY;
	conn->muxer = &muxer;
	conn->slot = conn_count;
	conn->generation = 1;
	memset(conn->peer, peer, sizeof(conn->peer));
	conn->remote[10] = conn->remote[11] = 0xff;
	for (int i = 0; i < 4; i++)
		conn->remote[12 + i] = (uint8_t)(ip4 >> (24 - 8 * i));
	conn->remote_port = 5555;
	conn->ip = ip_key_of(conn->remote, net->settings.limit_private_ips);
	conns[conn_count++] = conn;
	return conn;
}

void conn_close(struct conn *conn, enum close_reason reason)
{
	if (conn->state == CONN_CLOSED)
		return;
	conn->state = CONN_CLOSED;
	conn->reason = (uint8_t)reason;
	for (unsigned i = 0; i < record_count; i++) {
		if (records[i]->conn == conn && records[i]->stream != NULL)
			stream_reset(records[i]->stream, reason);
	}
	if (conn->net->hooks.conn_closed != NULL)
		conn->net->hooks.conn_closed(conn->net, conn);
}

void fake_conn_close(struct conn *conn)
{
	conn_close(conn, CLOSE_REMOTE_CLOSED);
}

struct conn_ref conn_ref(const struct conn *conn)
{
	return (struct conn_ref){conn->slot, conn->generation};
}

struct conn *conn_find(struct net *net, struct conn_ref ref)
{
	(void)net;
	if (ref.slot >= conn_count || conns[ref.slot]->state == CONN_CLOSED)
		return NULL;
	return conns[ref.slot];
}

bool conn_alive(const struct conn *conn)
{
	return conn->state != CONN_CLOSED && !conn->doomed;
}

unsigned conn_streams(const struct conn *conn)
{
	return conn->yamux.count;
}

void conn_touch(struct conn *conn)
{
	conn->active = (uint32_t)(conn->net->now / 1000);
}

void conn_peer_id(const struct conn *conn, struct peer_id *id)
{
	peer_id_from_ed25519(id, conn->peer);
}

void conn_remote_addr(const struct conn *conn, struct multiaddr *addr)
{
	multiaddr_from_ip(addr, conn->remote + 12, 4, conn->remote_port);
}

int conn_local_addr(const struct conn *conn, struct multiaddr *addr)
{
	static const uint8_t local[4] = {192, 168, 1, 2};
	(void)conn;
	return multiaddr_from_ip(addr, local, 4, 4001);
}

/* --- the muxer --- */

struct fake_record *fake_record(struct stream_ref ref)
{
	for (unsigned i = record_count; i-- > 0;) {
		if (refs[i].slot == ref.slot && refs[i].generation == ref.generation)
			return records[i];
	}
	fail_msg("no such stream");
	return NULL;
}

static struct fake_record *record_of(const struct stream *stream)
{
	return fake_record(stream_ref(stream));
}

static int muxer_write(struct stream *stream, const void *bytes, size_t len)
{
	struct fake_record *record = record_of(stream);
	if (refuse_write)
		return -1;
	assert_false(record->finished);
	assert_true(record->len + len <= FAKE_SAID);
	memcpy(record->said + record->len, bytes, len);
	record->len += len;
	return 0;
}

static void muxer_end(struct stream *stream, enum close_reason reason)
{
	struct fake_record *record = record_of(stream);
	if (stream->closing)
		return;
	stream->closing = true;
	stream->conn->yamux.count--;
	stream->protocol->closed(stream, reason);
	record->closed = true;
	record->reason = reason;
	record->stream = NULL;
	stream_delete(stream);
}

static void muxer_reset(struct stream *stream, enum close_reason reason)
{
	record_of(stream)->reset = true;
	muxer_end(stream, reason);
}

static void muxer_finish(struct stream *stream)
{
	record_of(stream)->finished = true;
	stream->local_finishing = stream->local_finished = true;
	if (stream->remote_finished)
		muxer_end(stream, CLOSE_NONE);
	else if (!stream->protocol->stays)
		stream_linger(stream, 10000);
}

static void muxer_credit(struct stream *stream, uint32_t bytes)
{
	record_of(stream)->credit += bytes;
}

static struct stream *muxer_open(struct conn *conn, const struct stream_protocol *protocol, void *state);

static const struct stream_muxer muxer = {
    .open = muxer_open,
    .write = muxer_write,
    .finish = muxer_finish,
    .reset = muxer_reset,
    .credit = muxer_credit,
};

static struct stream *stream_make(struct conn *conn)
{
	struct stream *stream = stream_new(conn->net);
	if (stream == NULL)
		return NULL;
	stream->conn = conn;
	stream->muxer = &muxer;
	stream->send_window = 262144;
	conn->yamux.count++;
	struct fake_record *record = calloc(1, sizeof(*record));
	assert_non_null(record);
	record->stream = stream;
	record->conn = conn;
	refs[record_count] = stream_ref(stream);
	records[record_count++] = record;
	return stream;
}

struct stream *fake_stream(struct conn *conn, const struct stream_protocol *protocol)
{
	struct stream *stream = stream_make(conn);
	if (stream == NULL)
		return NULL;
	struct net *net = conn->net;
	struct stream_ref ref = stream_ref(stream);
	stream->protocol = protocol;
	protocol->open(stream);
	return stream_find(net, ref);
}

void fake_data(struct stream *stream, const void *bytes, size_t len)
{
	/* A copy of exactly this size, so that the sanitizer sees a read behind it. */
	uint8_t *copy = malloc(STREAM_HEADROOM + len);
	assert_non_null(copy);
	memcpy(copy + STREAM_HEADROOM, bytes, len);
	if (stream->protocol->data != NULL)
		stream->protocol->data(stream, copy + STREAM_HEADROOM, len);
	free(copy);
}

void fake_finish(struct stream *stream)
{
	struct stream_ref ref = stream_ref(stream);
	struct net *net = stream->net;
	stream->remote_finished = true;
	if (stream->protocol->finish != NULL)
		stream->protocol->finish(stream);
	stream = stream_find(net, ref);
	if (stream != NULL && stream->local_finished)
		muxer_end(stream, CLOSE_NONE);
}

void fake_reset(struct stream *stream)
{
	muxer_end(stream, CLOSE_REMOTE_RESET);
}

/* --- streams of ours: negotiated as negotiate.c does, with a state of its own meanwhile --- */

struct negotiation {
	const struct stream_protocol *protocol;
	void *state;
};

static void negotiation_closed(struct stream *stream, enum close_reason reason)
{
	struct negotiation *negotiation = stream->state;
	stream->protocol = negotiation->protocol;
	stream->state = negotiation->state;
	free(negotiation);
	stream->protocol->closed(stream, reason);
}

static const struct stream_protocol negotiation_protocol = {.id = "negotiation",
							    .closed = negotiation_closed};

static struct stream *muxer_open(struct conn *conn, const struct stream_protocol *protocol, void *state)
{
	if (refuse_open || !conn_alive(conn))
		return NULL;
	struct stream *stream = stream_make(conn);
	if (stream == NULL)
		return NULL;
	struct negotiation *negotiation = calloc(1, sizeof(*negotiation));
	assert_non_null(negotiation);
	*negotiation = (struct negotiation){protocol, state};
	stream->outbound = true;
	stream_become(stream, &negotiation_protocol, negotiation);
	outbound[outbound_count++] = record_count - 1;
	return stream;
}

void fake_negotiated(struct stream *stream)
{
	struct negotiation *negotiation = stream->state;
	const struct stream_protocol *protocol = negotiation->protocol;
	stream_become(stream, protocol, negotiation->state);
	free(negotiation);
	protocol->open(stream);
}

struct fake_record *fake_outbound(unsigned index)
{
	assert_true(index < outbound_count);
	return records[outbound[index]];
}

unsigned fake_outbound_count(void)
{
	return outbound_count;
}

struct fake_record *fake_any(unsigned index)
{
	return records[index];
}

unsigned fake_any_count(void)
{
	return record_count;
}

bool fake_negotiating(const struct stream *stream)
{
	return stream->protocol == &negotiation_protocol;
}

void fake_refuse_open(bool refuse)
{
	refuse_open = refuse;
}

void fake_refuse_write(bool refuse)
{
	refuse_write = refuse;
}

/* --- circuits --- */

unsigned fake_circuit_count(void)
{
	return circuit_count;
}

struct fake_circuit *fake_circuit(unsigned index)
{
	assert_true(index < circuit_count);
	return &circuits[index];
}

static void circuit_open(struct stream *stream)
{
	(void)stream;
}

static void circuit_closed(struct stream *stream, enum close_reason reason)
{
	struct fake_circuit *circuit = stream->state;
	struct net *net = stream->net;
	(void)reason;
	struct stream *ends[] = {stream_find(net, circuit->source), stream_find(net, circuit->destination)};
	if (ends[0] != NULL && ends[1] != NULL && !(ends[0]->closing && ends[1]->closing)) {
		limits_connect_end(net, &counted[circuit - circuits]);
		stream_reset(ends[0] == stream ? ends[1] : ends[0], CLOSE_CIRCUIT_PEER_GONE);
	}
}

static const struct stream_protocol fake_circuit_protocol = {
    .id = "circuit", .stays = true, .open = circuit_open, .closed = circuit_closed};

/* The first bytes of it. */
static void take_early(struct net *net, struct queue *early, uint8_t out[1024])
{
	queue_take(net, early, out, early->len < 1024 ? early->len : 1024);
	queue_clear(net, early);
}

void circuit_start(struct stream *source, struct queue *source_early, struct stream *destination,
		   struct queue *destination_early)
{
	struct fake_circuit *circuit = &circuits[circuit_count];
	assert_null(source->state);
	assert_null(destination->state);
	circuit->source = stream_ref(source);
	circuit->destination = stream_ref(destination);
	circuit->source_early_len = source_early->len;
	circuit->destination_early_len = destination_early->len;
	take_early(source->net, source_early, circuit->source_early);
	take_early(source->net, destination_early, circuit->destination_early);
	counted[circuit_count++] = limits_circuit_of(source->conn, destination->conn);
	stream_become(source, &fake_circuit_protocol, circuit);
	stream_become(destination, &fake_circuit_protocol, circuit);
}
