/* SPDX-License-Identifier: MIT
 *
 * REGISTER and UNREGISTER through the stream: what is granted, what is refused and with which status, and the
 * privacy guard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/wheel.h"
#include "tests/unit/rendezvous_fixture.h"

static struct fixture f;
static struct fixture_peer alice, bob;
static struct conn *conn;
static struct fixture_record record;

static int before_with(bool guard)
{
	conn = fixture_alone(&f, guard, &alice, &record, ENVELOPE_RECORD_LEGACY);
	fixture_peer(&bob, 2);
	return 0;
}

static int before(void **state)
{
	(void)state;
	return before_with(true);
}

static int before_open(void **state)
{
	(void)state;
	return before_with(false);
}

static int after(void **state)
{
	(void)state;
	fixture_conn_free(conn);
	fixture_free(&f);
	return 0;
}

static uint64_t granted;

/* Status of one REGISTER on a stream of its own; -1: no answer. Our FIN must follow the peer's, and at once
 * after a bad record. */
static int status_of(const struct rendezvous_request *q)
{
	static uint8_t bytes[4096];
	struct rendezvous_answer answer;
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	fixture_request(stream, q);
	if (!fixture_answer(wire, &answer, bytes, sizeof(bytes)))
		return -1;
	assert_int_equal(answer.type, RENDEZVOUS_REGISTER_RESPONSE);
	assert_int_equal(wire->len, 0);
	assert_int_equal(wire->finished, answer.status == RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	fixture_fin(&f, stream);
	assert_true(wire->finished);
	assert_true(wire->gone);
	assert_int_equal(wire->reason, CLOSE_NONE);
	granted = answer.ttl;
	return answer.status;
}

static struct rendezvous_request request_of(const char *ns, uint64_t ttl)
{
	return (struct rendezvous_request){
	    .type = RENDEZVOUS_REGISTER,
	    .has_ns = true,
	    .ns = fixture_span(ns),
	    .record = {record.bytes, record.len},
	    .has_ttl = ttl != 0,
	    .ttl = ttl,
	};
}

static int status_with(const char *ns, uint64_t ttl)
{
	struct rendezvous_request q = request_of(ns, ttl);

	return status_of(&q);
}

static size_t registered(void)
{
	return f.net.rendezvous->store.entries.count;
}

static void ttl_is_default_when_absent_or_zero(void **state)
{
	struct rendezvous_request q = request_of("a", 0);

	(void)state;
	assert_int_equal(status_of(&q), RENDEZVOUS_OK);
	assert_int_equal(granted, 7200);
	q.has_ttl = true;
	q.ttl = 0;
	assert_int_equal(status_of(&q), RENDEZVOUS_OK);
	assert_int_equal(granted, 7200);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_OK], 1);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_REFRESHED], 1);
	assert_true(conn->registered_kind);
	assert_false(conn->kind_standard);
}

static void ttl_outside_is_refused(void **state)
{
	(void)state;
	assert_int_equal(status_with("a", 59), RENDEZVOUS_INVALID_TTL);
	assert_int_equal(status_with("a", 60), RENDEZVOUS_OK);
	assert_int_equal(granted, 60);
	assert_int_equal(status_with("b", 259200), RENDEZVOUS_OK);
	assert_int_equal(granted, 259200);
	assert_int_equal(status_with("c", 259201), RENDEZVOUS_INVALID_TTL);
	assert_int_equal(status_with("c", UINT64_MAX), RENDEZVOUS_INVALID_TTL);
	f.net.settings.min_registration_ttl = 7200;
	assert_int_equal(status_with("c", 7199), RENDEZVOUS_INVALID_TTL);
	assert_int_equal(status_with("c", 7200), RENDEZVOUS_OK);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_INVALID_TTL], 4);
	assert_int_equal(registered(), 3);
}

static void namespaces_are_0_to_255_bytes_of_utf8(void **state)
{
	char long_ns[257];
	struct rendezvous_request q;

	(void)state;
	assert_int_equal(status_with("", 0), RENDEZVOUS_OK);
	memset(long_ns, 'n', sizeof(long_ns));
	long_ns[255] = 0;
	assert_int_equal(status_with(long_ns, 0), RENDEZVOUS_OK);
	long_ns[255] = 'n';
	long_ns[256] = 0;
	assert_int_equal(status_with(long_ns, 0), RENDEZVOUS_INVALID_NAMESPACE);
	assert_int_equal(status_with("gr\xc3\xbc\xc3\x9f", 0), RENDEZVOUS_OK);
	assert_int_equal(status_with("\xff", 0), RENDEZVOUS_INVALID_NAMESPACE);
	assert_int_equal(status_with("\xc0\xaf", 0), RENDEZVOUS_INVALID_NAMESPACE);
	assert_int_equal(status_with("\xed\xa0\x80", 0), RENDEZVOUS_INVALID_NAMESPACE);
	q = request_of("x", 0);
	q.has_ns = false;
	assert_int_equal(status_of(&q), RENDEZVOUS_INVALID_NAMESPACE);
	q = request_of("x", 0);
	q.ns = (struct span){(const uint8_t *)"a\0b", 3};
	assert_int_equal(status_of(&q), RENDEZVOUS_OK);
	assert_int_equal(registered(), 4);
}

/* Seen with clients: canvas leaves out a type of 0. */
static void absent_type_is_register(void **state)
{
	struct rendezvous_request q = request_of("chat", 0);
	uint8_t bytes[2048], without[2048];
	size_t len = fixture_request_bytes(&q, bytes, sizeof(bytes)), prefix = bytes[0] & 0x80 ? 2 : 1;
	struct writer w = writer_of(without, sizeof(without));
	struct stream *stream = fixture_stream(&f, conn);

	(void)state;
	assert_memory_equal(bytes + prefix, "\x08\x00", 2);
	writer_span(&w, bytes + prefix + 2, len - prefix - 2);
	fixture_data(stream, without, writer_len(&w));
	assert_int_equal(fixture_status(fixture_wire(&f, stream)), RENDEZVOUS_OK);
}

static void record_of_another_is_refused(void **state)
{
	(void)state;
	fixture_record(&f, &record, &bob, ENVELOPE_RECORD_LEGACY, 1);
	assert_int_equal(status_with("a", 0), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_NOT_AUTHORIZED], 1);
	assert_int_equal(registered(), 0);
	assert_false(conn->registered_kind);
}

/* Signature, domain, type, payload, key: one bit anywhere in the envelope is found. Some bits make the record
 * another's. */
static void one_bit_anywhere_is_found(void **state)
{
	struct fixture_record good = record;

	(void)state;
	for (size_t bit = 0; bit < good.len * 8; bit++) {
		int status;

		record = good;
		record.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		status = status_with("a", 0);
		assert_true(status == RENDEZVOUS_INVALID_SIGNED_PEER_RECORD ||
			    status == RENDEZVOUS_NOT_AUTHORIZED);
	}
	for (size_t len = 0; len < good.len; len++) {
		record = good;
		record.len = len;
		assert_int_equal(status_with("a", 0), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	}
	assert_int_equal(registered(), 0);
	record = good;
	assert_int_equal(status_with("a", 0), RENDEZVOUS_OK);
	/* Known bytes are not verified again; near to known ones are. */
	record.bytes[record.len - 1] ^= 1;
	assert_int_equal(status_with("a", 0), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
}

/* Signed under the domain of one flavour with the type of the other. */
static void mixed_flavours_are_refused(void **state)
{
	const uint8_t *found;

	(void)state;
	fixture_record(&f, &record, &alice, ENVELOPE_RECORD, 1);
	found = memmem(record.bytes, record.len, "\x12\x02\x03\x01", 4);
	assert_non_null(found);
	record.bytes[found - record.bytes + 3] = 2; /* a voucher's */
	assert_int_equal(status_with("a", 0), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	fixture_record(&f, &record, &alice, ENVELOPE_VOUCHER, 1);
	assert_int_equal(status_with("a", 0), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	fixture_record(&f, &record, &alice, ENVELOPE_RECORD, 1);
	assert_int_equal(status_with("a", 0), RENDEZVOUS_OK);
	assert_true(conn->kind_standard);
}

static void register_addresses(const struct multiaddr *addrs, size_t count)
{
	fixture_record_of(&record, &alice, ENVELOPE_RECORD_LEGACY, 2, addrs, count);
}

/* One address that rust cannot parse destroys the answer for everybody. */
static void poisonous_addresses_are_refused(void **state)
{
	static const uint8_t bad[][8] = {
	    {2, 0x9a, 0x02}, {2, 0xac, 0x02}, {1, 0x04}, {3, 0x06, 1, 2}, {1, 0xff}};
	struct multiaddr addrs[2];

	(void)state;
	multiaddr_from_text(&addrs[0], "/ip4/203.0.113.7/tcp/4001");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		addrs[1].len = bad[i][0];
		memcpy(addrs[1].bytes, bad[i] + 1, bad[i][0]);
		register_addresses(addrs, 2);
		/* A bare tcp is well-formed, if useless. */
		assert_int_equal(status_with("a", 0),
				 i == 3 ? RENDEZVOUS_OK : RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	}
	addrs[1].len = 0;
	register_addresses(addrs, 2);
	assert_int_equal(status_with("a", 0), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
}

static void circuit(struct multiaddr *addr, const char *base, const struct peer_id *relay,
		    const struct peer_id *owner)
{
	assert_int_equal(multiaddr_from_text(addr, base), 0);
	multiaddr_append_p2p(addr, relay);
	multiaddr_append_circuit(addr);
	if (owner != NULL)
		multiaddr_append_p2p(addr, owner);
}

static void guard_takes_circuits_only(void **state)
{
	const char *base = "/dns4/relay.example.org/tcp/4001";
	struct multiaddr addrs[3];

	(void)state;
	circuit(&addrs[0], base, &f.relay.id, &alice.id);
	circuit(&addrs[1], "/ip4/203.0.113.9/tcp/4001", &f.relay.id, NULL);
	register_addresses(addrs, 2);
	assert_int_equal(status_with("a", 0), RENDEZVOUS_OK);
	register_addresses(addrs, 0);
	assert_int_equal(status_with("none", 0), RENDEZVOUS_OK);

	multiaddr_from_text(&addrs[2], "/ip4/203.0.113.7/tcp/4001");
	register_addresses(addrs, 3);
	assert_int_equal(status_with("b", 0), RENDEZVOUS_NOT_AUTHORIZED);
	multiaddr_from_text(&addrs[2], "/ip4/203.0.113.7/tcp/4001");
	multiaddr_append_p2p(&addrs[2], &alice.id);
	register_addresses(addrs, 3);
	assert_int_equal(status_with("b", 0), RENDEZVOUS_NOT_AUTHORIZED);
	circuit(&addrs[2], base, &bob.id, &alice.id); /* another relay */
	register_addresses(addrs, 3);
	assert_int_equal(status_with("b", 0), RENDEZVOUS_NOT_AUTHORIZED);
	circuit(&addrs[2], base, &f.relay.id, &bob.id); /* another's circuit */
	register_addresses(addrs, 3);
	assert_int_equal(status_with("b", 0), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_GUARD], 4);
	assert_int_equal(registered(), 2);
}

static void without_guard_addresses_are_free(void **state)
{
	struct multiaddr addrs[2];

	(void)state;
	multiaddr_from_text(&addrs[0], "/ip4/203.0.113.7/tcp/4001");
	register_addresses(addrs, 1);
	assert_int_equal(status_with("a", 0), RENDEZVOUS_OK);
	circuit(&addrs[1], "/ip4/203.0.113.9/tcp/4001", &f.relay.id, NULL);
	register_addresses(addrs, 2);
	assert_int_equal(status_with("b", 0), RENDEZVOUS_OK);
	/* Only where all are circuits do they end with the reservation. */
	rendezvous_peer(&f.net, alice.public, false);
	fixture_sleep(&f, 70000);
	assert_int_equal(registered(), 2);
	register_addresses(addrs + 1, 1);
	assert_int_equal(status_with("c", 0), RENDEZVOUS_OK);
	rendezvous_peer(&f.net, alice.public, false);
	fixture_sleep(&f, 70000);
	assert_int_equal(registered(), 2);
}

static void without_reservation_circuits_have_the_grace(void **state)
{
	(void)state;
	f.reserved = false;
	assert_int_equal(status_with("a", 0), RENDEZVOUS_OK);
	fixture_sleep(&f, 59000);
	assert_int_equal(registered(), 1);
	fixture_sleep(&f, 4000);
	assert_int_equal(registered(), 0);
}

static void ten_thousand_namespaces_stop_at_the_cap(void **state)
{
	char ns[16];
	int ok = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int status;

		snprintf(ns, sizeof(ns), "ns%d", i);
		status = status_with(ns, 0);
		assert_int_equal(status, i < 1000 ? RENDEZVOUS_OK : RENDEZVOUS_UNAVAILABLE);
		ok += status == RENDEZVOUS_OK;
	}
	assert_int_equal(ok, 1000);
	assert_int_equal(registered(), 1000);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_UNAVAILABLE], 9000);
	/* At the cap a refresh is taken, also with another record. */
	fixture_record(&f, &record, &alice, ENVELOPE_RECORD_LEGACY, 2);
	assert_int_equal(status_with("ns999", 0), RENDEZVOUS_OK);
	assert_int_equal(registered(), 1000);
}

static void rate_and_denial(void **state)
{
	(void)state;
	f.rate_full = true;
	assert_int_equal(status_with("a", 0), RENDEZVOUS_UNAVAILABLE);
	f.rate_full = false;
	f.denied = true;
	assert_int_equal(status_with("a", 0), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(registered(), 0);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_RATE], 1);
}

static void unregister(struct stream *stream, const char *ns)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_UNREGISTER, .has_ns = true, .ns = fixture_span(ns)};

	fixture_request(stream, &q);
}

static void unregister_has_no_answer(void **state)
{
	struct stream *stream;
	struct fixture_wire *wire;
	char long_ns[300];

	(void)state;
	status_with("a", 0);
	status_with("b", 0);
	stream = fixture_stream(&f, conn);
	wire = fixture_wire(&f, stream);
	memset(long_ns, 'n', 299);
	long_ns[299] = 0;
	unregister(stream, "unknown");
	unregister(stream, long_ns);
	unregister(stream, "a");
	unregister(stream, "a");
	assert_int_equal(wire->len, 0);
	assert_false(wire->finished);
	assert_int_equal(registered(), 1);
	/* The stream goes on. */
	fixture_register(stream, "c", &record, 0);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	assert_int_equal(registered(), 2);
	fixture_fin(&f, stream);
	assert_true(wire->gone);
	assert_int_equal(f.net.counter[NET_COUNT_UNREGISTER], 4);
}

static void only_own_registrations_can_be_removed(void **state)
{
	struct conn *other = fixture_conn(&f, &bob);
	struct stream *stream;

	(void)state;
	status_with("a", 0);
	stream = fixture_stream(&f, other);
	unregister(stream, "a");
	assert_int_equal(registered(), 1);
	fixture_conn_free(other);
}

#define CASE(name)	cmocka_unit_test_setup_teardown(name, before, after)
#define CASE_OPEN(name) cmocka_unit_test_setup_teardown(name, before_open, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(ttl_is_default_when_absent_or_zero),
	    CASE(ttl_outside_is_refused),
	    CASE(namespaces_are_0_to_255_bytes_of_utf8),
	    CASE(absent_type_is_register),
	    CASE(record_of_another_is_refused),
	    CASE(one_bit_anywhere_is_found),
	    CASE(mixed_flavours_are_refused),
	    CASE_OPEN(poisonous_addresses_are_refused),
	    CASE(guard_takes_circuits_only),
	    CASE_OPEN(without_guard_addresses_are_free),
	    CASE(without_reservation_circuits_have_the_grace),
	    CASE(ten_thousand_namespaces_stop_at_the_cap),
	    CASE(rate_and_denial),
	    CASE(unregister_has_no_answer),
	    CASE(only_own_registrations_can_be_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
