/* SPDX-License-Identifier: MIT
 *
 * CONNECTs that come to nothing: which counters say so, what the other stream hears, and that the denied are
 * neither sources nor destinations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/connect_fixture.h"

#include "netproc/hop.h"
#include "netproc/limits.h"
#include "netproc/limits_state.h"
#include "netproc/reservation.h"
#include "netproc/stop.h"

static struct net *net;
static struct conn *source;
static struct conn *destination;

static int set_up(void **state)
{
	(void)state;
	net = connect_world();
	source = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	destination = connect_reserved(net, 2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	connect_world_end(net);
	return 0;
}

static struct stream_ref ask(uint8_t peer)
{
	return stream_ref(connect_ask(source, peer));
}

static struct fake_record *last_stop(void)
{
	return fake_outbound(fake_outbound_count() - 1);
}

/* The counters of one refusal: how it is classed, and why. */
static void assert_counted(enum net_counter class, enum net_counter why)
{
	static const enum net_counter all[] = {
	    NET_COUNT_CONNECT_OK,
	    NET_COUNT_CONNECT_ERROR,
	    NET_COUNT_CONNECT_REJECTED,
	    NET_COUNT_CONNECT_REFUSED_DENIED,
	    NET_COUNT_CONNECT_REFUSED_STOP,
	    NET_COUNT_CONNECT_REFUSED_NO_RESERVATION,
	    NET_COUNT_CONNECT_REFUSED_MALFORMED,
	    NET_COUNT_CONNECT_REFUSED_LIMIT,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(net->counter[all[i]], all[i] == class || all[i] == why);
		net->counter[all[i]] = 0;
	}
}

static void test_denied_at_either_end(void **state)
{
	(void)state;
	assert_int_equal(limits_deny(net, destination->peer), 0);
	assert_int_equal(connect_status(ask(2)), CIRCUIT_PERMISSION_DENIED);
	assert_counted(NET_COUNT_CONNECT_REJECTED, NET_COUNT_CONNECT_REFUSED_DENIED);
	assert_int_equal(fake_events(LOG_EVENT_PEER_DENIED), 1);
	connect_reserved(net, 3);
	assert_int_equal(connect_status(ask(3)), 0);
	assert_int_equal(limits_deny(net, source->peer), 0);
	assert_int_equal(connect_status(ask(3)), CIRCUIT_PERMISSION_DENIED);
	assert_int_equal(connect_status(ask(9)), CIRCUIT_PERMISSION_DENIED);
	assert_int_equal(fake_outbound_count(), 1);
	fake_reset(last_stop()->stream);
	connect_forgive(net, source->peer);
	connect_forgive(net, destination->peer);
}

static void test_refusals_are_counted_by_reason(void **state)
{
	static const uint8_t no_peer[] = {2, 8, 1};
	struct stream *stream = fake_stream(source, &hop_protocol);

	(void)state;
	assert_int_equal(connect_status(ask(9)), CIRCUIT_NO_RESERVATION);
	assert_counted(NET_COUNT_CONNECT_REJECTED, NET_COUNT_CONNECT_REFUSED_NO_RESERVATION);
	fake_data(stream, no_peer, sizeof(no_peer));
	assert_counted(NET_COUNT_CONNECT_REJECTED, NET_COUNT_CONNECT_REFUSED_MALFORMED);
	assert_int_equal(net->closed[CLOSE_MESSAGE_MALFORMED], 1);
	net->draining = true;
	assert_int_equal(connect_status(ask(2)), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	net->draining = false;
	assert_counted(NET_COUNT_CONNECT_REJECTED, NET_COUNT_CONNECT_REFUSED_LIMIT);
	net->settings.connect_rate_per_peer = 1;
	ask(9);
	assert_counted(NET_COUNT_CONNECT_REJECTED, NET_COUNT_CONNECT_REFUSED_NO_RESERVATION);
	ask(9);
	assert_counted(NET_COUNT_CONNECT_REJECTED, NET_COUNT_CONNECT_REFUSED_LIMIT);
	net->settings.connect_rate_per_peer = 0;
	struct stream_ref waiting = ask(2);
	fake_negotiated(last_stop()->stream);
	size_t held = hop_protocol.held(fake_record(waiting)->stream);
	fake_data(fake_record(waiting)->stream, "early", 5);
	assert_int_equal(hop_protocol.held(fake_record(waiting)->stream), held + 5);
	connect_answer(last_stop(), CIRCUIT_PERMISSION_DENIED, NULL, 0);
	assert_counted(NET_COUNT_CONNECT_ERROR, NET_COUNT_CONNECT_REFUSED_STOP);
	struct stream_ref mute = ask(2);
	fake_pass(net, net->settings.stop_timeout * 1000 + 200);
	assert_int_equal(connect_status(mute), CIRCUIT_CONNECTION_FAILED);
	assert_counted(NET_COUNT_CONNECT_ERROR, NET_COUNT_CONNECT_REFUSED_STOP);
}

/* The destination agreed, and the source cannot be told. */
static void test_source_that_cannot_be_told(void **state)
{
	struct stream_ref ref = ask(2);

	(void)state;
	fake_negotiated(last_stop()->stream);
	fake_refuse_write(true);
	connect_answer(last_stop(), CIRCUIT_OK, NULL, 0);
	fake_refuse_write(false);
	assert_int_equal(fake_record(ref)->reason, CLOSE_MEMORY);
	assert_true(last_stop()->reset);
	assert_int_equal(last_stop()->reason, CLOSE_CIRCUIT_PEER_GONE);
	assert_counted(NET_COUNT_CONNECT_ERROR, NET_COUNT_CONNECT_ERROR);
}

/* The same message with 300 bytes more that mean nothing, in two pieces: too long to be kept in place. */
static void say_long(struct stream *stream, const uint8_t *message, size_t len)
{
	uint8_t bytes[512] = {0};
	struct writer w = writer_of(bytes, sizeof(bytes));
	static const uint8_t nothing[300], field[] = {0x7a, 0xac, 0x02};

	writer_varint(&w, len - 1 + sizeof(field) + sizeof(nothing));
	writer_bytes(&w, message + 1, len - 1);
	writer_bytes(&w, field, sizeof(field));
	writer_bytes(&w, nothing, sizeof(nothing));
	assert_false(w.bad);
	fake_data(stream, bytes, 100);
	fake_data(stream, bytes + 100, writer_len(&w) - 100);
}

static void test_long_messages_leave_nothing(void **state)
{
	static const uint8_t agreed[] = {4, 8, 1, 0x20, 100};
	struct stream *stream = fake_stream(source, &hop_protocol);
	struct stream_ref ref = stream_ref(stream);
	uint8_t bytes[128];

	(void)state;
	say_long(stream, bytes, connect_request(bytes, 2));
	fake_negotiated(last_stop()->stream);
	say_long(last_stop()->stream, agreed, sizeof(agreed));
	assert_int_equal(connect_status(ref), CIRCUIT_OK);
	assert_int_equal(fake_record(ref)->credit, 45 + 1 + 303);
	assert_int_equal(last_stop()->credit, 5 + 1 + 303);
}

/* The time that CONNECT and STOP had is over with the circuit: nothing of it ends the streams later. */
static void test_circuit_outlives_the_request(void **state)
{
	struct stream_ref ref = ask(2);

	(void)state;
	fake_negotiated(last_stop()->stream);
	connect_answer(last_stop(), CIRCUIT_OK, NULL, 0);
	fake_pass(net, 3600000);
	assert_false(fake_record(ref)->closed);
	assert_false(last_stop()->closed);
}

static void test_limit_is_named_when_there_is_one(void **state)
{
	static const struct {
		uint64_t duration, bytes;
		uint32_t said;
	} rows[] = {{0, 0, 0}, {60, 0, 60}, {0, 1024, 0}, {UINT64_C(1) << 32, 1, UINT32_MAX}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		net->settings.circuit_duration = rows[i].duration;
		net->settings.circuit_bytes = rows[i].bytes;
		struct circuit_limit limit = stop_limit(net);
		assert_int_equal(limit.present, i > 0);
		assert_int_equal(limit.duration, rows[i].said);
		assert_int_equal(limit.data, rows[i].bytes);
	}
}

/* Who leaves the queue as the last one of a destination takes its place in the table along. */
static void test_waiting_ones_leave(void **state)
{
	struct stream_ref asked, waiting;

	(void)state;
	net->settings.max_pending_stops = 1;
	asked = ask(2);
	waiting = ask(2);
	assert_int_equal(fake_outbound_count(), 1);
	fake_reset(fake_record(waiting)->stream);
	assert_int_equal(net->relay->stops.count, 1);
	fake_reset(fake_record(asked)->stream);
	assert_int_equal(net->relay->stops.count, 0);
	assert_int_equal(fake_outbound_count(), 1);
}

/* Those that wait are told as well when there is nobody to ask any more. */
static void test_destination_leaves(void **state)
{
	struct stream_ref refs[3];

	(void)state;
	net->settings.max_pending_stops = 1;
	for (int i = 0; i < 3; i++)
		refs[i] = ask(2);
	fake_conn_close(destination);
	for (int i = 0; i < 3; i++)
		assert_int_equal(connect_status(refs[i]), CIRCUIT_CONNECTION_FAILED);
	assert_int_equal(fake_outbound_count(), 1);
}

/* A connection that takes no more streams is passed by, once. */
static void test_connection_that_takes_no_stream(void **state)
{
	struct conn *newer = connect_reserved(net, 2), *newest = connect_reserved(net, 2);

	(void)state;
	newest->muxer = NULL;
	ask(2);
	assert_ptr_equal(last_stop()->conn, newer);
	fake_reset(last_stop()->stream);
	newer->muxer = NULL;
	assert_int_equal(connect_status(ask(2)), CIRCUIT_CONNECTION_FAILED);
	assert_int_equal(fake_outbound_count(), 1);
}

static void unexpected(struct stream *stream, enum circuit_status status, struct stream *other,
		       struct queue *early)
{
	(void)stream, (void)status, (void)other, (void)early;
	fail_msg("told");
}

static void test_no_memory_for_a_stop(void **state)
{
	struct stream *stream = fake_stream(source, &hop_protocol);
	struct limits_circuit circuit = limits_circuit_of(source, destination);
	enum circuit_status status = CIRCUIT_OK;
	uint64_t cap = pool_cap(net);

	(void)state;
	assert_int_equal(limits_connect(net, source, destination), CIRCUIT_OK);
	pool_set_cap(net, 0);
	assert_null(stop_begin(stream, &circuit, unexpected, &status));
	pool_set_cap(net, cap);
	assert_int_equal(status, CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
	assert_int_equal(net->limits->circuits, 0);
}

#define ENDS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ENDS_TEST(test_denied_at_either_end),
	    ENDS_TEST(test_refusals_are_counted_by_reason),
	    ENDS_TEST(test_source_that_cannot_be_told),
	    ENDS_TEST(test_long_messages_leave_nothing),
	    ENDS_TEST(test_circuit_outlives_the_request),
	    ENDS_TEST(test_limit_is_named_when_there_is_one),
	    ENDS_TEST(test_waiting_ones_leave),
	    ENDS_TEST(test_destination_leaves),
	    ENDS_TEST(test_connection_that_takes_no_stream),
	    ENDS_TEST(test_no_memory_for_a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
