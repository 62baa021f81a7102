/* SPDX-License-Identifier: MIT
 *
 * What a turn of the loop does for rendezvous: a few signatures, answers for a few thousand registrations;
 * the rest waits, and the connections take turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rendezvous_fixture.h"

static struct fixture f;
static struct fixture_peer alice;
static struct conn *conn;
static struct fixture_record record;
static const struct span none;

static int before(void **state)
{
	(void)state;
	conn = fixture_alone(&f, true, &alice, &record, ENVELOPE_RECORD_LEGACY);
	return 0;
}

static int after(void **state)
{
	(void)state;
	fixture_conn_free(conn);
	fixture_free(&f);
	return 0;
}

/* Signatures are verified a few in a turn of the loop; what needs none does not wait. */
static void few_signatures_a_turn(void **state)
{
	struct stream *streams[30];
	struct fixture_wire *wires[30];
	size_t answered = 0;

	(void)state;
	assert_false(rendezvous_turn(&f.net));
	for (uint32_t i = 0; i < 30; i++) {
		fixture_record(&f, &record, &alice, ENVELOPE_RECORD_LEGACY, 100 + i);
		streams[i] = fixture_stream(&f, conn);
		wires[i] = fixture_wire(&f, streams[i]);
		fixture_register(streams[i], "chat", &record, 0);
		if (i == 7)
			fixture_register(streams[i], "more", &record, 0); /* known by now */
		if (i >= 8) /* the others would end, and their slots be used again */
			fixture_fin(&f, streams[i]);
	}
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_OK] + f.net.counter[NET_COUNT_REGISTER_REFRESHED],
			 9);
	fixture_rst(streams[20]);
	for (int turn = 0; turn < 2; turn++) {
		assert_true(rendezvous_turn(&f.net));
		assert_int_equal(f.net.counter[NET_COUNT_REGISTER_REFRESHED], 7 + 8 * (turn + 1));
	}
	assert_false(rendezvous_turn(&f.net));
	for (int i = 0; i < 30; i++)
		if (i != 20) {
			answered += fixture_status(wires[i]) == RENDEZVOUS_OK;
			if (i < 8)
				fixture_fin(&f, streams[i]);
			assert_true(wires[i]->finished && wires[i]->gone);
		}
	assert_int_equal(answered, 29);
}

/* Who has many streams waits for its own, not others for it. */
static void checks_go_round_connections(void **state)
{
	struct fixture_peer other;
	struct fixture_record others;
	struct stream *stream;
	struct fixture_wire *wire;
	struct conn *late;

	(void)state;
	fixture_peer(&other, 77);
	fixture_record(&f, &others, &other, ENVELOPE_RECORD_LEGACY, 1);
	late = fixture_conn(&f, &other);
	rendezvous_turn(&f.net);
	f.net.rendezvous->checks = 0;
	for (uint32_t i = 0; i < 40; i++) {
		fixture_record(&f, &record, &alice, ENVELOPE_RECORD_LEGACY, 100 + i);
		fixture_register(fixture_stream(&f, conn), "chat", &record, 0);
	}
	stream = fixture_stream(&f, late);
	wire = fixture_wire(&f, stream);
	fixture_register(stream, "chat", &others, 0);
	assert_int_equal(wire->len, 0);
	assert_true(rendezvous_turn(&f.net));
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_REFRESHED], RENDEZVOUS_CHECKS_A_TURN - 2);
	f.net.rendezvous->checks = 0; /* those that wait go with their connection */
	fixture_record(&f, &others, &other, ENVELOPE_RECORD_LEGACY, 2);
	fixture_register(stream, "chat", &others, 0);
	fixture_conn_free(late);
	while (rendezvous_turn(&f.net))
		;
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_REFRESHED], 39);
}

static void what_waits_for_a_check_keeps_its_order(void **state)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);
	uint64_t used = pool_used(&f.net);

	(void)state;
	rendezvous_turn(&f.net);
	f.net.rendezvous->checks = 0;
	fixture_register(stream, "a", &record, 0);
	fixture_register(stream, "b", &record, 59);
	fixture_register(stream, "c", &record, 0);
	assert_int_equal(wire->len, 0);
	assert_false(rendezvous_turn(&f.net));
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_INVALID_TTL);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_OK);
	assert_int_equal(pool_used(&f.net), used + f.net.rendezvous->store.bytes);
	/* A bad record ends the stream when its turn comes. */
	f.net.rendezvous->checks = 0;
	record.bytes[record.len - 1] ^= 1;
	fixture_register(stream, "a", &record, 0);
	fixture_register(stream, "b", &record, 0);
	assert_false(wire->finished);
	rendezvous_turn(&f.net);
	assert_int_equal(fixture_status(wire), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	assert_int_equal(fixture_status(wire), -1);
	assert_true(wire->finished);
}

/* Registrations behind REGISTER's back: small ones, so that an answer with hundreds is written at once. */
static void put_many(uint32_t count)
{
	enum net_setting setting;
	struct rendezvous_offer offer = {
	    .ns = fixture_span("chat"), .record = fixture_span("r"), .ttl = 7200};

	for (uint32_t peer = 2; peer < count + 2; peer++) {
		uint8_t key[32] = {0};

		memcpy(key, &peer, sizeof(peer));
		offer.peer = key;
		assert_int_equal(rendezvous_store_put(&f.net.rendezvous->store, &offer, &setting),
				 RENDEZVOUS_PUT_NEW);
	}
}

/* What a stranger may ask for at once is answered over many turns of the loop, each of them short. */
static void few_answers_a_turn(void **state)
{
	struct stream *streams[200];
	uint64_t before, served;
	unsigned turns = 0;

	(void)state;
	put_many(500);
	rendezvous_turn(&f.net);
	for (int i = 0; i < 200; i++) {
		streams[i] = fixture_stream(&f, conn);
		fixture_discover(streams[i], "chat", 500, none);
	}
	served = f.net.counter[NET_COUNT_DISCOVER_SERVED];
	assert_true(served >= RENDEZVOUS_FOUND_A_TURN - 500 && served <= RENDEZVOUS_FOUND_A_TURN + 500);
	fixture_rst(streams[150]);
	do {
		before = f.net.counter[NET_COUNT_DISCOVER_SERVED];
		turns++;
		assert_true(turns < 100);
		bool more = rendezvous_turn(&f.net);
		served = f.net.counter[NET_COUNT_DISCOVER_SERVED] - before;
		assert_true(served <= RENDEZVOUS_FOUND_A_TURN + 500);
		if (!more)
			break;
	} while (true);
	assert_true(turns > 20);
	for (int i = 0; i < 200; i++)
		if (i != 150)
			assert_int_equal(fixture_status(fixture_wire(&f, streams[i])), RENDEZVOUS_OK);
}

/* Answers that find nothing are counted, too. */
static void empty_answers_are_bounded(void **state)
{
	const unsigned most = RENDEZVOUS_FOUND_A_TURN / RENDEZVOUS_FOUND_LEAST;
	struct stream *stream = fixture_stream(&f, conn);

	(void)state;
	rendezvous_turn(&f.net);
	for (unsigned i = 0; i < most + 10; i++)
		fixture_discover(stream, "nobody", 0, none);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], most);
	assert_false(rendezvous_turn(&f.net));
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], most + 10);
}

/* Who asks for one answer does not wait for all that another asked for before. */
static void answers_go_round_connections(void **state)
{
	struct fixture_peer other;
	struct stream *stream;
	struct conn *late;

	(void)state;
	put_many(500);
	fixture_peer(&other, 77);
	late = fixture_conn(&f, &other);
	rendezvous_turn(&f.net);
	for (int i = 0; i < 200; i++)
		fixture_discover(fixture_stream(&f, conn), "chat", 500, none);
	stream = fixture_stream(&f, late);
	fixture_discover(stream, "chat", 500, none);
	assert_int_equal(fixture_wire(&f, stream)->len, 0);
	assert_true(rendezvous_turn(&f.net));
	assert_int_equal(fixture_status(fixture_wire(&f, stream)), RENDEZVOUS_OK);
	/* Those that wait go with their connection. */
	while (f.net.rendezvous->found_left > 0)
		fixture_discover(fixture_stream(&f, conn), "chat", 500, none);
	fixture_discover(stream, "chat", 500, none);
	fixture_conn_free(late);
	while (rendezvous_turn(&f.net))
		;
	assert_int_equal(f.net.rendezvous->lines.count, 0);
}

/* Answers stand in line before any of them is charged: what stands behind those that used up the rate is
 * refused, and its stream goes on. */
static void answers_in_line_are_refused_by_rate(void **state)
{
	struct stream *streams[40];
	int served = 0;

	(void)state;
	put_many(500);
	rendezvous_turn(&f.net);
	f.charge_most = 100000;
	for (int i = 0; i < 40; i++) {
		streams[i] = fixture_stream(&f, conn);
		fixture_discover(streams[i], "chat", 500, none);
	}
	while (rendezvous_turn(&f.net))
		;
	for (int i = 0; i < 40; i++) {
		int status = fixture_status(fixture_wire(&f, streams[i]));

		assert_true(status == RENDEZVOUS_OK || status == RENDEZVOUS_UNAVAILABLE);
		served += status == RENDEZVOUS_OK;
	}
	assert_true(served > 0 && served < 40);
	assert_true(f.charged <= f.charge_most + f.charged / (uint64_t)served);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_RATE], 40 - served);
	f.charge_most = 0;
	fixture_discover(streams[39], "chat", 1, none);
	assert_int_equal(fixture_status(fixture_wire(&f, streams[39])), RENDEZVOUS_OK);
	assert_int_equal(f.net.rendezvous->lines.count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(few_signatures_a_turn),
	    CASE(checks_go_round_connections),
	    CASE(what_waits_for_a_check_keeps_its_order),
	    CASE(few_answers_a_turn),
	    CASE(empty_answers_are_bounded),
	    CASE(answers_go_round_connections),
	    CASE(answers_in_line_are_refused_by_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
