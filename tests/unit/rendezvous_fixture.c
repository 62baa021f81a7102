/* SPDX-License-Identifier: MIT */
#include "tests/unit/rendezvous_fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netproc/limits.h"
#include "netproc/relay.h"
#include "netproc/wheel.h"

static struct fixture *now_in_use;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fixture: %s\n", what);
	abort();
}

/* --- what stands in for conn, limits and relay --- */

void conn_peer_id(const struct conn *conn, struct peer_id *id)
{
	peer_id_from_ed25519(id, conn->peer);
}

bool conn_kind_standard(const struct conn *conn)
{
	if (conn->net->force_kind != 0)
		return conn->net->force_kind == 1;
	return conn->registered_kind ? conn->kind_standard : conn->has_muxers;
}

void conn_touch(struct conn *conn)
{
	conn->active = (uint32_t)(conn->net->now / 1000);
}

struct conn_ref conn_ref(const struct conn *conn)
{
	return (struct conn_ref){conn->slot, conn->generation};
}

bool conn_alive(const struct conn *conn)
{
	return conn->state != CONN_CLOSED;
}

bool limits_rendezvous_rate(struct net *net, const struct conn *conn)
{
	(void)net;
	(void)conn;
	return !now_in_use->rate_full;
}

bool limits_rendezvous_answers(struct net *net, const struct conn *conn)
{
	(void)net;
	(void)conn;
	return now_in_use->charge_most == 0 || now_in_use->charged <= now_in_use->charge_most;
}

void limits_rendezvous_answer(struct net *net, const struct conn *conn, uint64_t bytes)
{
	(void)net;
	(void)conn;
	now_in_use->charged += bytes;
}

bool limits_denied(struct net *net, const uint8_t peer[32])
{
	(void)net;
	(void)peer;
	return now_in_use->denied;
}

bool reservation_held(struct net *net, const uint8_t peer[32])
{
	(void)net;
	(void)peer;
	return now_in_use->reserved;
}

/* --- the muxer --- */

static void stream_end(struct stream *stream, enum close_reason reason)
{
	struct fixture_wire *wire = fixture_wire(now_in_use, stream);

	if (stream->closing)
		return;
	stream->closing = true;
	wire->gone = true;
	wire->stream = NULL;
	wire->reason = reason;
	stream->protocol->closed(stream, reason);
	stream_delete(stream);
}

static int wire_write(struct stream *stream, const void *bytes, size_t len)
{
	struct fixture_wire *wire = fixture_wire(now_in_use, stream);

	must(len <= stream_room(stream), "written without room");
	must(!stream->local_finishing, "written after finish");
	if (now_in_use->refuse)
		return -1;
	stream->send_window -= (uint32_t)len;
	now_in_use->written += len;
	if (now_in_use->discard)
		return 0;
	if (wire->len + len > wire->capacity) {
		wire->capacity = 2 * (wire->len + len);
		wire->bytes = realloc(wire->bytes, wire->capacity);
		must(wire->bytes != NULL, "memory");
	}
	memcpy(wire->bytes + wire->len, bytes, len);
	wire->len += len;
	return 0;
}

static void wire_finish(struct stream *stream)
{
	if (stream->local_finishing)
		return;
	stream->local_finishing = stream->local_finished = true;
	fixture_wire(now_in_use, stream)->finished = true;
	if (stream->remote_finished)
		stream_end(stream, CLOSE_NONE);
}

static const struct stream_muxer wire_muxer = {
    .write = wire_write, .finish = wire_finish, .reset = stream_end};

struct stream *fixture_stream(struct fixture *f, struct conn *conn)
{
	struct stream *stream = stream_new(&f->net);
	struct fixture_wire *wire;

	must(stream != NULL, "no stream");
	if (stream->slot >= f->wire_count) {
		size_t count = stream->slot + 256;

		f->wires = realloc(f->wires, count * sizeof(*f->wires));
		must(f->wires != NULL, "memory");
		memset(f->wires + f->wire_count, 0, (count - f->wire_count) * sizeof(*f->wires));
		f->wire_count = count;
	}
	wire = &f->wires[stream->slot];
	free(wire->bytes);
	*wire = (struct fixture_wire){.stream = stream};
	stream->conn = conn;
	stream->muxer = &wire_muxer;
	stream->protocol = &rendezvous_protocol;
	stream->send_window = FIXTURE_WINDOW;
	stream->protocol->open(stream);
	return stream;
}

struct fixture_wire *fixture_wire(struct fixture *f, const struct stream *stream)
{
	return &f->wires[stream->slot];
}

void fixture_wire_clear(struct fixture_wire *wire)
{
	wire->len = 0;
}

void fixture_data(struct stream *stream, const uint8_t *bytes, size_t len)
{
	/* Exactly as long as it is, so that a read behind it is seen. */
	uint8_t *copy = malloc(STREAM_HEADROOM + len);

	must(copy != NULL, "memory");
	memcpy(copy + STREAM_HEADROOM, bytes, len);
	stream->protocol->data(stream, copy + STREAM_HEADROOM, len);
	free(copy);
}

void fixture_fin(struct fixture *f, struct stream *stream)
{
	struct stream_ref ref = stream_ref(stream);

	stream->remote_finished = true;
	stream->protocol->finish(stream);
	stream = stream_find(&f->net, ref);
	if (stream != NULL && stream->local_finished)
		stream_end(stream, CLOSE_NONE);
}

void fixture_rst(struct stream *stream)
{
	stream_end(stream, CLOSE_REMOTE_RESET);
}

void fixture_window(struct stream *stream, uint32_t bytes)
{
	stream->send_window += bytes;
	if (!stream->want_room || stream_room(stream) == 0)
		return;
	stream->want_room = false;
	stream->protocol->writable(stream);
}

void fixture_sleep(struct fixture *f, uint64_t milliseconds)
{
	for (; milliseconds > 0; milliseconds -= milliseconds < 64 ? milliseconds : 64) {
		f->net.now += milliseconds < 64 ? milliseconds : 64;
		wheel_turn(&f->net, 100000);
	}
}

/* --- the whole --- */

static void settings_fill(struct net_settings *settings)
{
#define PRESET(field, variable, unit, min, max, dusk, libp2p, help) settings->field = (dusk);
	NET_SETTINGS(PRESET)
#undef PRESET
}

/* Pool and stream table are made once: they have no end. */
static void lasting_take(struct net *net)
{
	static struct pool *pool;
	static struct stream_table *streams;

	if (pool == NULL) {
		pool = pool_new(FIXTURE_POOL);
		must(pool != NULL && stream_table_init(net) == 0, "memory");
		streams = net->streams;
	}
	net->pool = pool;
	net->streams = streams;
}

void fixture_init(struct fixture *f, bool guard)
{
	*f = (struct fixture){0};
	now_in_use = f;
	must(sodium_init() >= 0, "sodium");
	settings_fill(&f->net.settings);
	f->net.settings.privacy_guard = guard;
	f->net.now = 5000;
	memset(f->net.hash_key, 7, sizeof(f->net.hash_key));
	f->net.wheel = wheel_new(f->net.now);
	f->net.log.level = LOG_LEVEL_ERROR;
	fixture_peer(&f->relay, 4000000000);
	f->net.self.id = f->relay.id;
	lasting_take(&f->net);
	must(rendezvous_init(&f->net) == 0, "init");
}

void fixture_free(struct fixture *f)
{
	for (uint32_t slot = 0; slot < f->wire_count; slot++)
		free(f->wires[slot].bytes);
	free(f->wires);
	rendezvous_free(&f->net);
	must(pool_used(&f->net) == 0, "pool is not empty at the end");
	free(f->net.wheel);
}

void fixture_peer(struct fixture_peer *peer, uint32_t number)
{
	uint8_t seed[32] = {0};

	memcpy(seed, &number, sizeof(number));
	crypto_sign_seed_keypair(peer->public, peer->secret, seed);
	peer_id_from_ed25519(&peer->id, peer->public);
}

struct conn *fixture_conn(struct fixture *f, const struct fixture_peer *peer)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	must(conn != NULL, "memory");
	conn->net = &f->net;
	conn->state = CONN_READY;
	conn->slot = f->conn_count++;
	memcpy(conn->peer, peer->public, sizeof(conn->peer));
	return conn;
}

void fixture_conn_free(struct conn *conn)
{
	struct fixture *f = now_in_use;

	conn->state = CONN_CLOSED;
	for (size_t slot = 0; slot < f->wire_count; slot++)
		if (f->wires[slot].stream != NULL && f->wires[slot].stream->conn == conn)
			stream_end(f->wires[slot].stream, CLOSE_REMOTE_CLOSED);
	free(conn);
}

/* --- records and messages --- */

void fixture_record_of(struct fixture_record *record, const struct fixture_peer *peer,
		       enum envelope_kind kind, uint64_t seq, const struct multiaddr *addrs, size_t count)
{
	static uint8_t payload[FIXTURE_RECORD_MAX], signed_part[FIXTURE_RECORD_MAX + 256];
	struct writer p = writer_of(payload, sizeof(payload)),
		      s = writer_of(signed_part, sizeof(signed_part));
	struct writer w = writer_of(record->bytes, sizeof(record->bytes));
	struct span spans[64];
	uint8_t signature[64];

	must(count <= 64, "addresses");
	for (size_t i = 0; i < count; i++)
		spans[i] = (struct span){addrs[i].bytes, addrs[i].len};
	peer_record_write(&p, &peer->id, seq, spans, count);
	envelope_write_signed_part(&s, kind, payload, writer_len(&p));
	crypto_sign_detached(signature, NULL, signed_part, writer_len(&s), peer->secret);
	envelope_write(&w, kind, peer->public, payload, writer_len(&p), signature);
	must(!p.bad && !s.bad && !w.bad, "record too long");
	record->len = writer_len(&w);
}

void fixture_record(struct fixture *f, struct fixture_record *record, const struct fixture_peer *peer,
		    enum envelope_kind kind, uint64_t seq)
{
	struct multiaddr addr;

	must(multiaddr_from_text(&addr, "/dns4/relay.example.org/tcp/4001") == 0, "address");
	multiaddr_append_p2p(&addr, &f->relay.id);
	multiaddr_append_circuit(&addr);
	multiaddr_append_p2p(&addr, &peer->id);
	fixture_record_of(record, peer, kind, seq, &addr, 1);
}

struct conn *fixture_alone(struct fixture *f, bool guard, struct fixture_peer *peer,
			   struct fixture_record *record, enum envelope_kind kind)
{
	fixture_init(f, guard);
	fixture_peer(peer, 1);
	f->reserved = true;
	fixture_record(f, record, peer, kind, 1);
	return fixture_conn(f, peer);
}

struct span fixture_span(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

size_t fixture_request_bytes(const struct rendezvous_request *q, uint8_t *bytes, size_t capacity)
{
	struct writer w = writer_of(bytes, capacity);

	rendezvous_request_write(&w, q);
	must(!w.bad, "request too long");
	return writer_len(&w);
}

void fixture_request(struct stream *stream, const struct rendezvous_request *q)
{
	static uint8_t bytes[32768];

	fixture_data(stream, bytes, fixture_request_bytes(q, bytes, sizeof(bytes)));
}

void fixture_register(struct stream *stream, const char *ns, const struct fixture_record *record,
		      uint64_t ttl)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_REGISTER, .has_ns = true, .ns = fixture_span(ns)};

	q.record = (struct span){record->bytes, record->len};
	q.has_ttl = ttl != 0;
	q.ttl = ttl;
	fixture_request(stream, &q);
}

void fixture_discover(struct stream *stream, const char *ns, uint64_t limit, struct span cookie)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_DISCOVER, .limit = limit, .cookie = cookie};

	if (ns != NULL) {
		q.has_ns = true;
		q.ns = fixture_span(ns);
	}
	fixture_request(stream, &q);
}

bool fixture_answer(struct fixture_wire *wire, struct rendezvous_answer *answer, uint8_t *bytes,
		    size_t capacity)
{
	struct reader r = reader_of(wire->bytes, wire->len);
	uint64_t len = reader_varint(&r);
	const uint8_t *message = reader_bytes(&r, len);

	if (r.bad || message == NULL)
		return false;
	must(len <= capacity, "answer longer than asked for");
	memcpy(bytes, message, len);
	wire->len = reader_left(&r);
	memmove(wire->bytes, r.at, wire->len);
	must(rendezvous_answer_parse(bytes, len, answer) == 0, "an answer that does not parse");
	return true;
}

int fixture_status(struct fixture_wire *wire)
{
	static uint8_t bytes[RENDEZVOUS_ANSWER_MAX];
	struct rendezvous_answer answer;

	return fixture_answer(wire, &answer, bytes, sizeof(bytes)) ? answer.status : -1;
}
