/* SPDX-License-Identifier: MIT
 *
 * Rendezvous as a whole, driven by a script: streams that come and go, whole and broken requests in pieces,
 * windows, time, reservations, under caps so small that each is met. At the end everything must be given
 * back, and all that was answered must parse.
 */
#include "fuzz.h"

#include <string.h>

#include "netproc/wheel.h"
#include "proto/buf.h"
#include "tests/unit/rendezvous_fixture.h"

#define PEERS	4
#define STREAMS 16
#define RECORDS 12

static struct fixture f;
static struct fixture_peer peers[PEERS];
static struct fixture_record records[RECORDS];
static struct conn *conns[PEERS];
static struct stream_ref streams[STREAMS];
static uint8_t cookie[RENDEZVOUS_COOKIE_MAX];
static size_t cookie_len;

static void records_make(void)
{
	static bool made;
	struct multiaddr direct;

	if (made)
		return;
	made = true;
	multiaddr_from_text(&direct, "/ip4/203.0.113.7/tcp/4001");
	for (uint32_t i = 0; i < RECORDS; i++) {
		const struct fixture_peer *peer = &peers[i % PEERS];
		enum envelope_kind kind = i % 3 == 0 ? ENVELOPE_RECORD : ENVELOPE_RECORD_LEGACY;

		if (i < 8)
			fixture_record(&f, &records[i], peer, kind, i);
		else
			fixture_record_of(&records[i], peer, kind, i, &direct, 1);
	}
}

static void begin(uint8_t how)
{
	fixture_init(&f, (how & 1) != 0);
	f.net.settings.max_registrations = 12;
	f.net.settings.max_registrations_per_peer = 6;
	f.net.settings.max_registrations_per_namespace = 5;
	f.net.settings.max_registration_bytes = 65536;
	f.reserved = (how & 2) != 0;
	for (uint32_t i = 0; i < PEERS; i++) {
		fixture_peer(&peers[i], i);
		conns[i] = fixture_conn(&f, &peers[i]);
	}
	records_make();
	memset(streams, 0, sizeof(streams));
	cookie_len = 0;
}

static void look_at_answers(void)
{
	static uint8_t bytes[RENDEZVOUS_ANSWER_MAX];
	struct rendezvous_registration registration;
	struct rendezvous_answer answer;

	for (size_t i = 0; i < f.wire_count; i++)
		while (fixture_answer(&f.wires[i], &answer, bytes, sizeof(bytes))) {
			while (rendezvous_answer_next(&answer, &registration))
				FUZZ_ASSERT(registration.ttl >= 1 && registration.record.len > 0);
			FUZZ_ASSERT(!answer.registrations.bad);
			if (answer.cookie.len == 0)
				continue;
			FUZZ_ASSERT(answer.cookie.len >= 8 && answer.cookie.len <= sizeof(cookie));
			memcpy(cookie, answer.cookie.bytes, answer.cookie.len);
			cookie_len = answer.cookie.len;
		}
}

static void end(void)
{
	look_at_answers();
	for (uint32_t i = 0; i < PEERS; i++)
		fixture_conn_free(conns[i]);
	FUZZ_ASSERT(f.net.rendezvous->lines.count == 0);
	FUZZ_ASSERT(f.net.rendezvous->store.bytes <= 65536);
	rendezvous_store_free(&f.net.rendezvous->store);
	FUZZ_ASSERT(f.net.rendezvous->store.bytes == 0);
	fixture_free(&f);
}

/* The stream of this place, opened when there is none. */
static struct stream *stream_at(uint8_t place)
{
	struct stream *stream = stream_find(&f.net, streams[place % STREAMS]);

	if (stream == NULL) {
		stream = fixture_stream(&f, conns[place % PEERS]);
		streams[place % STREAMS] = stream_ref(stream);
	}
	return stream;
}

static struct span namespace_at(struct reader *r)
{
	static const char *const names[] = {"a", "b", "dusk/peers", "", "\xff", "gr\xc3\xbc\xc3\x9f"};

	return fixture_span(names[reader_u8(r) % (sizeof(names) / sizeof(names[0]))]);
}

static void request(struct reader *r, struct stream *stream, enum rendezvous_type type)
{
	struct rendezvous_request q = {.type = type, .has_ns = true, .ns = namespace_at(r)};

	if (type == RENDEZVOUS_REGISTER) {
		const struct fixture_record *record = &records[reader_u8(r) % RECORDS];

		q.record = (struct span){record->bytes, record->len};
		q.ttl = reader_u16(r);
		q.has_ttl = q.ttl != 0;
	} else if (type == RENDEZVOUS_DISCOVER) {
		q.limit = reader_u8(r) % 8;
		if (reader_u8(r) & 1)
			q.cookie = (struct span){cookie, cookie_len};
	}
	if (!stream->remote_finished)
		fixture_request(stream, &q);
}

static void raw(struct reader *r, struct stream *stream)
{
	size_t len = reader_u8(r);

	if (len > reader_left(r))
		len = reader_left(r);
	if (len > 0 && !stream->remote_finished)
		fixture_data(stream, reader_bytes(r, len), len);
}

static void step(struct reader *r)
{
	uint8_t what = reader_u8(r), place = reader_u8(r);
	struct stream *stream = stream_at(place);

	switch (what % 10) {
	case 0:
		raw(r, stream);
		break;
	case 1:
		if (!stream->remote_finished)
			fixture_fin(&f, stream);
		break;
	case 2:
		fixture_rst(stream);
		break;
	case 3:
		fixture_window(stream, reader_u16(r));
		break;
	case 4:
		stream->send_window = reader_u8(r);
		break;
	case 5:
		fixture_sleep(&f, reader_u16(r));
		break;
	case 6:
		f.net.rendezvous->checks = 0;
		rendezvous_peer(&f.net, peers[place % PEERS].public, (what & 16) != 0);
		break;
	case 7:
		request(r, stream, RENDEZVOUS_REGISTER);
		break;
	case 8:
		request(r, stream, RENDEZVOUS_DISCOVER);
		break;
	default:
		request(r, stream, RENDEZVOUS_UNREGISTER);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);

	begin(reader_u8(&r));
	for (int steps = 0; steps < 400 && reader_left(&r) > 0; steps++) {
		step(&r);
		if ((data[0] & 4) != 0 && steps % 3 == 0)
			rendezvous_turn(&f.net);
		if (steps % 32 == 0)
			look_at_answers();
	}
	end();
	return 0;
}
