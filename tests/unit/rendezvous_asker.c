/* SPDX-License-Identifier: MIT */
#include "tests/unit/rendezvous_asker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture f;
struct fixture_peer asker_peer;
struct conn *conn;
struct rendezvous_store *store;
uint8_t answer_bytes[RENDEZVOUS_ANSWER_MAX];
struct rendezvous_answer answer;

static int asker_before_with(bool guard)
{
	fixture_init(&f, guard);
	f.reserved = true;
	fixture_peer(&asker_peer, 1);
	conn = fixture_conn(&f, &asker_peer);
	store = &f.net.rendezvous->store;
	return 0;
}

int asker_before(void **state)
{
	(void)state;
	return asker_before_with(true);
}

int asker_before_open(void **state)
{
	(void)state;
	return asker_before_with(false);
}

int asker_after(void **state)
{
	(void)state;
	fixture_conn_free(conn);
	rendezvous_store_free(store);
	assert_int_equal(store->bytes, 0);
	assert_int_equal(f.net.rendezvous->lines.count, 0);
	fixture_free(&f);
	return 0;
}

void asker_put_sized(uint32_t peer, const char *ns, enum rendezvous_kind kind, size_t size)
{
	static uint8_t record[ENVELOPE_MAX];
	uint8_t key[32] = {0};
	enum net_setting setting;
	struct rendezvous_offer offer = {
	    .peer = key, .ns = fixture_span(ns), .record = {record, size}, .kind = kind, .ttl = 7200};

	memcpy(key, &peer, sizeof(peer));
	memcpy(record, &peer, sizeof(peer));
	assert_int_not_equal(rendezvous_store_put(store, &offer, &setting), RENDEZVOUS_PUT_REFUSED);
}

void asker_put(uint32_t peer, const char *ns)
{
	asker_put_sized(peer, ns, RENDEZVOUS_LEGACY, 200);
}

void asker_take(uint32_t peer, const char *ns)
{
	uint8_t key[32] = {0};

	memcpy(key, &peer, sizeof(peer));
	rendezvous_store_remove(store, rendezvous_store_find(store, key, fixture_span(ns)));
}

uint32_t asker_number_of(const struct rendezvous_registration *registration)
{
	uint32_t number;

	memcpy(&number, registration->record.bytes, sizeof(number));
	return number;
}

int asker_ask(const char *ns, uint64_t limit, struct span cookie)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	fixture_discover(stream, ns, limit, cookie);
	for (int i = 0; i < 100 && wire->stream != NULL && stream->want_room; i++)
		fixture_window(stream, 32768);
	assert_true(fixture_answer(wire, &answer, answer_bytes, sizeof(answer_bytes)));
	assert_int_equal(wire->len, 0);
	assert_int_equal(answer.type, RENDEZVOUS_DISCOVER_RESPONSE);
	fixture_fin(&f, stream);
	assert_true(wire->gone);
	return answer.status;
}

void asker_expect(uint32_t peer, const char *ns)
{
	struct rendezvous_registration registration;

	assert_true(rendezvous_answer_next(&answer, &registration));
	assert_int_equal(asker_number_of(&registration), peer);
	assert_int_equal(registration.ns.len, strlen(ns));
	assert_memory_equal(registration.ns.bytes, ns, strlen(ns));
	assert_true(registration.ttl >= 1 && registration.ttl <= 7200);
}
