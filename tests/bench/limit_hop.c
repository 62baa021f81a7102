/* SPDX-License-Identifier: MIT
 *
 * What a client asks for on a stream: identify, RESERVE, CONNECT; and the STOP that a CONNECT needs.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/circuit_message.h"
#include "proto/identify_message.h"
#include "proto/multiaddr.h"
#include "proto/multistream.h"
#include "tests/bench/limit.h"

struct limit_stream *limit_stream_new(struct limit_conn *c, uint32_t id)
{
	struct limit_stream *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->conn = c;
	s->id = id;
	s->next = c->streams;
	c->streams = s;
	return s;
}

void limit_stream_free(struct limit_stream *s)
{
	struct limit_stream **at = &s->conn->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (s->other)
		s->other->other = NULL;
	bytes_free(&s->in);
	free(s);
}

/* --- who has a reservation
 * -------------------------------------------------------------------------------------------------- */

static struct limit_conn **table_slot(const uint8_t peer[32])
{
	return &relay.table[(peer[0] | peer[1] << 8) % 4096];
}

static struct limit_conn *table_find(const uint8_t peer[32])
{
	struct limit_conn *c = *table_slot(peer);

	while (c && memcmp(c->peer, peer, 32) != 0)
		c = c->next;
	return c;
}

void limit_table_remove(struct limit_conn *c)
{
	struct limit_conn **at = table_slot(c->peer);

	if (!c->reserved)
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

static void table_add(struct limit_conn *c)
{
	struct limit_conn **slot = table_slot(c->peer);

	if (c->reserved)
		return;
	c->reserved = true;
	c->next = *slot;
	*slot = c;
}

/* --- answers
 * -------------------------------------------------------------------------------------------------------------
 */

static void hop_frame(struct limit_stream *s, uint16_t flags, const struct writer *w)
{
	uint8_t header[YAMUX_HEADER];

	yamux_frame_write(header, YAMUX_DATA, flags, s->id, (uint32_t)writer_len(w));
	limit_send(s->conn, header, sizeof(header));
	limit_send(s->conn, w->start, writer_len(w));
}

static void hop_line(struct limit_stream *s, const char *text)
{
	uint8_t line[100];
	struct writer w = writer_of(line, sizeof(line));

	multistream_write_text(&w, text);
	hop_frame(s, s->lines == 0 ? YAMUX_ACK : 0, &w);
}

static void hop_status(struct limit_stream *s, int status, const struct circuit_message *more, uint16_t flags)
{
	uint8_t out[1000];
	struct writer w = writer_of(out, sizeof(out));
	struct circuit_message m = *more;

	m.has_type = m.has_status = true;
	m.type = HOP_STATUS;
	m.status = status;
	hop_message_write(&w, &m);
	hop_frame(s, flags, &w);
}

static void hop_reserve(struct limit_stream *s)
{
	struct circuit_message m = {.has_reservation = true, .expire = (uint64_t)time(NULL) + 3600};
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	struct multiaddr a;

	table_add(s->conn);
	multiaddr_from_ip(&a, loopback, sizeof(loopback), relay.port);
	multiaddr_append_p2p(&a, &relay.me.id);
	m.addr_count = 1;
	m.addrs[0] = (struct span){a.bytes, a.len};
	hop_status(s, CIRCUIT_OK, &m, YAMUX_FIN);
}

static void hop_connect(struct limit_stream *s, const uint8_t *destination)
{
	struct limit_conn *to = destination ? table_find(destination) : NULL;
	struct circuit_message m = {.has_type = true, .type = STOP_CONNECT, .has_peer = true};
	struct limit_stream *stop;
	struct peer_id source;
	uint8_t out[400];
	struct writer w = writer_of(out, sizeof(out));

	if (!to) {
		hop_status(s, CIRCUIT_NO_RESERVATION, &(struct circuit_message){0}, YAMUX_FIN);
		return;
	}
	stop = limit_stream_new(to, to->next_id += 2);
	stop->stop = true;
	stop->other = s;
	s->other = stop;
	peer_id_from_ed25519(&source, s->conn->peer);
	m.peer = (struct span){source.bytes, source.len};
	multistream_write_text(&w, MULTISTREAM_HEADER);
	multistream_write_text(&w, CIRCUIT_STOP_PROTOCOL);
	stop_message_write(&w, &m);
	hop_frame(stop, YAMUX_SYN, &w);
}

static void hop_identify(struct limit_stream *s)
{
	uint8_t key[PUBLIC_KEY_ED25519];
	uint8_t out[1000];
	struct writer w = writer_of(out, sizeof(out));
	struct identify_message m = {.protocol_count = 1, .protocols = {CIRCUIT_HOP_PROTOCOL}};

	public_key_write(key, relay.me.public_key);
	m.public_key = (struct span){key, sizeof(key)};
	m.agent_version = (struct span){(const uint8_t *)"bare", 4};
	identify_message_write(&w, &m);
	hop_frame(s, YAMUX_FIN, &w);
}

/* --- questions
 * -----------------------------------------------------------------------------------------------------------
 */

/* The destination agreed: from now on both halves only forward. */
static void hop_link(struct limit_stream *stop)
{
	struct limit_stream *s = stop->other;

	if (!s)
		return;
	hop_status(s, CIRCUIT_OK, &(struct circuit_message){0}, 0);
	s->linked = stop->linked = true;
	bytes_free(&s->in);
	bytes_free(&stop->in);
}

static void hop_message(struct limit_stream *s, const uint8_t *bytes, size_t len)
{
	struct circuit_message m;
	struct peer_id id;

	if (s->stop) {
		if (stop_message_parse(bytes, len, &m) == 0 && m.has_status && m.status == CIRCUIT_OK)
			hop_link(s);
		return;
	}
	if (hop_message_parse(bytes, len, &m) != 0 || !m.has_type)
		return;
	if (m.type == HOP_RESERVE)
		hop_reserve(s);
	else if (m.has_peer && peer_id_parse(&id, m.peer.bytes, m.peer.len) == 0)
		hop_connect(s, peer_id_ed25519(&id));
}

static void hop_take_line(struct limit_stream *s, struct span line)
{
	if (s->stop) {
		s->lines++;
		return;
	}
	if (s->lines == 0) {
		hop_line(s, MULTISTREAM_HEADER);
		s->lines = 1;
		return;
	}
	if (multistream_is(line, CIRCUIT_HOP_PROTOCOL)) {
		hop_line(s, CIRCUIT_HOP_PROTOCOL);
		s->hop = true;
		s->lines = 2;
	} else if (multistream_is(line, IDENTIFY_PROTOCOL)) {
		hop_line(s, IDENTIFY_PROTOCOL);
		s->lines = 2;
		hop_identify(s);
	} else {
		hop_line(s, MULTISTREAM_NA);
	}
}

void limit_stream_data(struct limit_stream *s, const uint8_t *bytes, size_t len)
{
	bytes_append(&s->in, bytes, len);
	for (;;) {
		struct reader r = reader_of(bytes_at(&s->in), bytes_len(&s->in));
		struct span item;
		size_t used = 0;

		if (bytes_len(&s->in) == 0)
			return;
		if (s->lines < 2) {
			if (multistream_next(r.at, reader_left(&r), &item, &used) != MULTISTREAM_LINE)
				return;
			hop_take_line(s, item);
			bytes_consume(&s->in, used);
			continue;
		}
		item = reader_span(&r);
		if (r.bad)
			return;
		hop_message(s, item.bytes, item.len);
		if (s->linked)
			return;
		bytes_consume(&s->in, bytes_len(&s->in) - reader_left(&r));
	}
}
