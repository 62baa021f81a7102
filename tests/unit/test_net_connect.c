/* SPDX-License-Identifier: MIT
 *
 * netproc/hop_connect.c, stop.c, stop_queue.c: CONNECT from its checks to the circuit, and every way in which
 * it can end before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/connect_fixture.h"

#include "netproc/limits_state.h"
#include "netproc/reservation.h"

static void makes_a_circuit(void **state)
{
	(void)state;
	struct net *net = connect_world();
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1), *b = connect_reserved(net, 2);
	struct stream *stream = connect_ask(a, 2);
	struct stream_ref ref = stream_ref(stream);
	assert_int_equal(connect_status(ref), 0);
	assert_int_equal(net->counter[NET_COUNT_CIRCUITS_PENDING], 1);
	struct fake_record *stop = fake_outbound(0);
	assert_ptr_equal(stop->conn, b);
	assert_int_equal(stop->len, 0);
	fake_negotiated(stop->stream);
	struct reader r = reader_of(stop->said, stop->len);
	struct span whole = reader_span(&r);
	struct circuit_message m;
	struct peer_id id;
	assert_int_equal(stop_message_parse(whole.bytes, whole.len, &m), 0);
	assert_true(m.type == STOP_CONNECT && m.has_peer && !m.limit.present && m.addr_count == 0);
	assert_int_equal(peer_id_parse(&id, m.peer.bytes, m.peer.len), 0);
	assert_memory_equal(peer_id_ed25519(&id), a->peer, 32);
	fake_data(stream, "early", 5);
	fake_data(stream, "bird", 4);
	connect_answer(stop, CIRCUIT_OK, "worm", 4);
	assert_int_equal(connect_status(ref), CIRCUIT_OK);
	assert_false(fake_record(ref)->finished);
	assert_int_equal(fake_circuit_count(), 1);
	assert_memory_equal(fake_circuit(0)->source_early, "earlybird", 9);
	assert_int_equal(fake_circuit(0)->source_early_len, 9);
	assert_memory_equal(fake_circuit(0)->destination_early, "worm", 4);
	assert_int_equal(fake_circuit(0)->destination_early_len, 4);
	assert_int_equal(fake_record(ref)->credit, 45); /* the request, not what came early */
	assert_int_equal(stop->credit, 5);
	assert_int_equal(net->counter[NET_COUNT_CONNECT_OK], 1);
	assert_int_equal(net->limits->circuits, 1);
	connect_world_end(net);
}

static void every_piece_of_both_messages(void **state)
{
	(void)state;
	struct net *net = connect_world();
	uint8_t request[128], answer[] = {4, 8, 1, 0x20, 100, 'x', 'y'};
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	connect_reserved(net, 2);
	size_t len = connect_request(request, 2);
	memcpy(request + len, "ab", 2);
	len += 2;
	for (size_t cut = 1; cut < len; cut++) {
		struct stream *stream = fake_stream(a, &hop_protocol);
		struct stream_ref ref = stream_ref(stream);
		fake_data(stream, request, cut);
		fake_data(stream, request + cut, len - cut);
		struct fake_record *stop = fake_outbound(fake_outbound_count() - 1);
		fake_negotiated(stop->stream);
		size_t at = cut % 5; /* the answer in two pieces, the second with bytes behind it */
		if (at > 0)
			fake_data(stop->stream, answer, at);
		assert_int_equal(connect_status(ref), 0);
		fake_data(stop->stream, answer + at, sizeof(answer) - at);
		assert_int_equal(connect_status(ref), CIRCUIT_OK);
		const struct fake_circuit *circuit = fake_circuit(fake_circuit_count() - 1);
		assert_int_equal(circuit->source_early_len, 2);
		assert_memory_equal(circuit->source_early, "ab", 2);
		assert_int_equal(circuit->destination_early_len, 2);
		assert_memory_equal(circuit->destination_early, "xy", 2);
		fake_reset(stream);
	}
	connect_world_end(net);
}

static void refuses_at_once(void **state)
{
	(void)state;
	struct net *net = connect_world();
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	fake_conn(net, 3, CONNECT_PUBLIC + 3); /* connected, not reserved */
	connect_reserved(net, 2);
	assert_int_not_equal(reservation_grant(a), RESERVATION_REFUSED);
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 9))), CIRCUIT_NO_RESERVATION);
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 3))), CIRCUIT_NO_RESERVATION);
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 1))), CIRCUIT_NO_RESERVATION); /* itself */
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 0xee))),
			 CIRCUIT_NO_RESERVATION); /* the relay */
	uint8_t bytes[128], hashed[34] = {0x12, 0x20}, broken[34] = {0x13, 0x20};
	struct stream *stream = fake_stream(a, &hop_protocol);
	fake_data(stream, bytes, connect_request_id(bytes, hashed, sizeof(hashed)));
	assert_int_equal(connect_status(stream_ref(stream)), CIRCUIT_NO_RESERVATION);
	stream = fake_stream(a, &hop_protocol);
	fake_data(stream, bytes, connect_request_id(bytes, broken, sizeof(broken)));
	assert_int_equal(connect_status(stream_ref(stream)), CIRCUIT_MALFORMED_MESSAGE);
	static const uint8_t no_peer[] = {2, 8, 1};
	stream = fake_stream(a, &hop_protocol);
	fake_data(stream, no_peer, sizeof(no_peer));
	assert_int_equal(connect_status(stream_ref(stream)), CIRCUIT_MALFORMED_MESSAGE);
	assert_int_equal(net->counter[NET_COUNT_CONNECT_REFUSED_NO_RESERVATION], 5);
	assert_int_equal(net->counter[NET_COUNT_CONNECT_REFUSED_MALFORMED], 2);
	net->draining = true;
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 2))), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	net->draining = false;
	a->yamux.count = 384;
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 2))), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	a->yamux.count = 9;
	fake_refuse_open(true);
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 2))), CIRCUIT_CONNECTION_FAILED);
	fake_refuse_open(false);
	assert_int_equal(fake_outbound_count(), 0);
	assert_true(reservation_held(net, a->peer));
	connect_world_end(net);
}

static void maps_the_destinations_answer(void **state)
{
	(void)state;
	static const struct {
		int said;
		int told;
	} rows[] = {
	    {CIRCUIT_RESOURCE_LIMIT_EXCEEDED, CIRCUIT_CONNECTION_FAILED},
	    {CIRCUIT_PERMISSION_DENIED, CIRCUIT_CONNECTION_FAILED},
	    {CIRCUIT_NO_RESERVATION, CIRCUIT_CONNECTION_FAILED},
	    {CIRCUIT_MALFORMED_MESSAGE, CIRCUIT_CONNECTION_FAILED},
	    {12345, CIRCUIT_CONNECTION_FAILED},
	};
	struct net *net = connect_world();
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	connect_reserved(net, 2);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream_ref ref = stream_ref(connect_ask(a, 2));
		fake_negotiated(fake_outbound(i)->stream);
		connect_answer(fake_outbound(i), rows[i].said, NULL, 0);
		assert_int_equal(connect_status(ref), rows[i].told);
		assert_true(fake_outbound(i)->finished && !fake_outbound(i)->reset);
	}
	static const uint8_t garbage[] = {2, 0xff, 0xff}, question[] = {2, 8, 0}, endless[] = {0xff, 0xff};
	const uint8_t *bad[] = {garbage, question, endless};
	const size_t bad_len[] = {sizeof(garbage), sizeof(question), sizeof(endless)};
	for (unsigned i = 0; i < 3; i++) {
		struct stream_ref ref = stream_ref(connect_ask(a, 2));
		struct fake_record *stop = fake_outbound(fake_outbound_count() - 1);
		fake_negotiated(stop->stream);
		fake_data(stop->stream, bad[i], bad_len[i]);
		assert_int_equal(connect_status(ref), CIRCUIT_CONNECTION_FAILED);
		assert_true(stop->reset);
	}
	assert_int_equal(net->counter[NET_COUNT_CONNECT_REFUSED_STOP], 8);
	connect_world_end(net);
}

static void waits_no_longer_than_its_time(void **state)
{
	(void)state;
	struct net *net = connect_world();
	struct conn *a = connect_reserved(net, 1);
	connect_reserved(net, 2);
	struct stream_ref first = stream_ref(connect_ask(a, 2)), second = stream_ref(connect_ask(a, 2));
	fake_negotiated(fake_outbound(1)->stream); /* one is mute in negotiation, one behind it */
	fake_pass(net, 9000);
	assert_int_equal(connect_status(first), 0);
	fake_pass(net, 1200);
	assert_int_equal(connect_status(first), CIRCUIT_CONNECTION_FAILED);
	assert_int_equal(connect_status(second), CIRCUIT_CONNECTION_FAILED);
	assert_int_equal(fake_outbound(0)->reason, CLOSE_STOP_TIMEOUT);
	assert_int_equal(fake_outbound(1)->reason, CLOSE_STOP_TIMEOUT);
	assert_true(reservation_held(net, a->peer));
	assert_int_equal(a->state, CONN_READY);
	connect_world_end(net);
}

static void tries_the_next_older_connection_once(void **state)
{
	(void)state;
	struct net *net = connect_world();
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	struct conn *oldest = connect_reserved(net, 2), *older = connect_reserved(net, 2),
		    *newest = connect_reserved(net, 2);
	struct stream_ref ref = stream_ref(connect_ask(a, 2));
	assert_ptr_equal(fake_outbound(0)->conn, newest);
	fake_conn_close(newest);
	assert_int_equal(connect_status(ref), 0);
	assert_ptr_equal(fake_outbound(1)->conn, older);
	fake_negotiated(fake_outbound(1)->stream);
	fake_reset(fake_outbound(1)->stream);
	assert_int_equal(connect_status(ref), CIRCUIT_CONNECTION_FAILED);
	assert_int_equal(fake_outbound_count(), 2);
	ref = stream_ref(connect_ask(a, 2));
	fake_reset(fake_outbound(2)->stream); /* `na` */
	fake_negotiated(fake_outbound(3)->stream);
	assert_ptr_equal(fake_outbound(3)->conn, oldest);
	connect_answer(fake_outbound(3), CIRCUIT_OK, NULL, 0);
	assert_int_equal(connect_status(ref), CIRCUIT_OK);
	ref = stream_ref(connect_ask(a, 2));
	fake_conn_close(older);
	fake_conn_close(oldest);
	assert_int_equal(connect_status(ref), CIRCUIT_CONNECTION_FAILED);
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 2))), CIRCUIT_NO_RESERVATION);
	connect_world_end(net);
}

static void the_source_goes(void **state)
{
	(void)state;
	struct net *net = connect_world();
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	connect_reserved(net, 2);
	struct stream *one = connect_ask(a, 2);
	struct stream *two = connect_ask(a, 2);
	fake_negotiated(fake_outbound(1)->stream);
	fake_data(two, "early", 5);
	fake_reset(one);
	assert_true(fake_outbound(0)->reset);
	assert_int_equal(fake_outbound(0)->reason, CLOSE_CIRCUIT_PEER_GONE);
	assert_int_equal(net->counter[NET_COUNT_CIRCUITS_PENDING], 1);
	fake_conn_close(a);
	assert_true(fake_outbound(1)->reset);
	connect_world_end(net);
}

static void early_bytes_are_bounded(void **state)
{
	(void)state;
	static uint8_t much[40000];
	struct net *net = connect_world();
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	connect_reserved(net, 2);
	struct stream *stream = connect_ask(a, 2);
	struct stream_ref ref = stream_ref(stream);
	fake_data(stream, much, 40000);
	fake_data(stream, much, 25536);
	assert_false(fake_record(ref)->closed);
	fake_data(stream, much, 1);
	assert_int_equal(fake_record(ref)->reason, CLOSE_MESSAGE_UNEXPECTED);
	assert_true(fake_outbound(0)->reset);
	connect_world_end(net);
}

static void takes_sources_in_turn(void **state)
{
	(void)state;
	struct net *net = connect_world();
	struct conn *greedy = fake_conn(net, 1, CONNECT_PUBLIC + 1),
		    *modest = fake_conn(net, 3, CONNECT_PUBLIC + 3);
	net->settings.max_pending_stops = 2;
	net->settings.max_circuits_per_pair = 0;
	connect_reserved(net, 2);
	struct stream_ref refs[6], late;
	for (int i = 0; i < 6; i++)
		refs[i] = stream_ref(connect_ask(greedy, 2));
	late = stream_ref(connect_ask(modest, 2));
	assert_int_equal(fake_outbound_count(), 2);
	assert_int_equal(net->counter[NET_COUNT_CIRCUITS_PENDING], 7);
	for (unsigned i = 0; i < 2; i++) {
		fake_negotiated(fake_outbound(i)->stream);
		connect_answer(fake_outbound(i), CIRCUIT_OK, NULL, 0);
	}
	assert_int_equal(fake_outbound_count(), 4);
	for (unsigned i = 2; i < 4; i++) {
		fake_negotiated(fake_outbound(i)->stream);
		connect_answer(fake_outbound(i), CIRCUIT_OK, NULL, 0);
	}
	assert_int_equal(connect_status(late), CIRCUIT_OK); /* before the greedy one's fourth */
	assert_int_equal(connect_status(refs[2]), CIRCUIT_OK);
	assert_int_equal(connect_status(refs[3]), 0);
	fake_reset(fake_record(refs[5])->stream); /* leaves from the middle of its queue */
	fake_conn_close(fake_outbound(0)->conn);  /* all that is left fails, those that wait too */
	assert_int_equal(connect_status(refs[3]), CIRCUIT_CONNECTION_FAILED);
	assert_int_equal(connect_status(refs[4]), CIRCUIT_CONNECTION_FAILED);
	connect_world_end(net);
}

static void the_queue_is_bounded(void **state)
{
	(void)state;
	struct net *net = connect_world();
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	net->settings.max_pending_stops = 1;
	net->settings.max_circuits_per_pair = 0;
	net->settings.max_circuits_per_source_ip = 0;
	connect_reserved(net, 2);
	for (int i = 0; i < 33; i++)
		assert_int_equal(connect_status(stream_ref(connect_ask(a, 2))), 0);
	assert_int_equal(connect_status(stream_ref(connect_ask(a, 2))), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	fake_pass(net, 11000);
	connect_world_end(net);
}

static void no_memory_no_leak(void **state)
{
	(void)state;
	struct net *net = connect_world();
	struct conn *a = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	connect_reserved(net, 2);
	struct stream_ref ref = stream_ref(connect_ask(a, 2));
	fake_refuse_write(true);
	fake_negotiated(fake_outbound(0)->stream); /* STOP cannot be written; neither can the refusal */
	assert_true(fake_record(ref)->closed);
	fake_refuse_write(false);
	ref = stream_ref(connect_ask(a, 2));
	fake_negotiated(fake_outbound(1)->stream);
	fake_refuse_write(true);
	connect_answer(fake_outbound(1), CIRCUIT_OK, "x", 1);
	assert_true(fake_record(ref)->reset);
	assert_true(fake_outbound(1)->reset);
	fake_refuse_write(false);
	assert_int_equal(fake_circuit_count(), 0);
	connect_world_end(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(makes_a_circuit),
	    cmocka_unit_test(every_piece_of_both_messages),
	    cmocka_unit_test(refuses_at_once),
	    cmocka_unit_test(maps_the_destinations_answer),
	    cmocka_unit_test(waits_no_longer_than_its_time),
	    cmocka_unit_test(tries_the_next_older_connection_once),
	    cmocka_unit_test(the_source_goes),
	    cmocka_unit_test(early_bytes_are_bounded),
	    cmocka_unit_test(takes_sources_in_turn),
	    cmocka_unit_test(the_queue_is_bounded),
	    cmocka_unit_test(no_memory_no_leak),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
