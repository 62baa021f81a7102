/* SPDX-License-Identifier: MIT
 *
 * netproc/stop_answer.c: what a destination can say or leave unsaid on its STOP stream, also when memory is
 * short, and that a second try begins anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/connect_fixture.h"

static const uint8_t agreed[] = {4, 8, 1, 0x20, 100};

static struct net *net;
static struct conn *source;

static int set_up(void **state)
{
	(void)state;
	net = connect_world();
	source = fake_conn(net, 1, CONNECT_PUBLIC + 1);
	connect_reserved(net, 2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	connect_world_end(net);
	return 0;
}

static struct fake_record *last_stop(void)
{
	return fake_outbound(fake_outbound_count() - 1);
}

/* A CONNECT whose STOP is asked now; the stream of the former. */
static struct stream_ref asking(void)
{
	struct stream_ref ref = stream_ref(connect_ask(source, 2));

	fake_negotiated(last_stop()->stream);
	return ref;
}

static void assert_broken(struct stream_ref ref, enum close_reason reason)
{
	assert_int_equal(connect_status(ref), CIRCUIT_CONNECTION_FAILED);
	assert_true(last_stop()->reset);
	assert_int_equal(last_stop()->reason, reason);
	assert_int_equal(fake_circuit_count(), 0);
}

static void test_what_is_no_answer(void **state)
{
	static const struct {
		uint8_t bytes[5];
		size_t len;
		enum close_reason reason;
	} rows[] = {
	    {{2, 0xff, 0xff}, 3, CLOSE_MESSAGE_MALFORMED},	/* not protobuf */
	    {{2, 8, 0}, 3, CLOSE_MESSAGE_MALFORMED},		/* a question */
	    {{4, 8, 0, 0x20, 100}, 5, CLOSE_MESSAGE_MALFORMED}, /* one with a status */
	    {{2, 8, 1}, 3, CLOSE_MESSAGE_MALFORMED},		/* no status */
	    {{2, 0x20, 100}, 3, CLOSE_MESSAGE_MALFORMED},	/* no type */
	    {{0x82, 0}, 2, CLOSE_MESSAGE_MALFORMED},
	    {{0xff, 0xff}, 2, CLOSE_MESSAGE_TOO_LONG},
	};
	struct stream_ref ref;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ref = asking();
		fake_data(last_stop()->stream, rows[i].bytes, rows[i].len);
		assert_broken(ref, rows[i].reason);
	}
	ref = asking();
	fake_finish(last_stop()->stream);
	assert_broken(ref, CLOSE_STOP_REFUSED);
}

static void test_no_memory(void **state)
{
	static const uint8_t first_of_many[] = {0x80, 0x10, 8};
	uint64_t cap = pool_cap(net);
	uint8_t with_more[sizeof(agreed) + 1] = {0};
	struct stream_ref ref = asking();

	(void)state;
	memcpy(with_more, agreed, sizeof(agreed));
	pool_set_cap(net, 0);
	fake_data(last_stop()->stream, with_more, sizeof(with_more));
	pool_set_cap(net, cap);
	assert_broken(ref, CLOSE_MEMORY);
	ref = asking();
	pool_set_cap(net, 0);
	fake_data(last_stop()->stream, first_of_many, sizeof(first_of_many));
	pool_set_cap(net, cap);
	assert_broken(ref, CLOSE_MEMORY);
	ref = stream_ref(connect_ask(source, 2));
	fake_refuse_write(true);
	fake_negotiated(last_stop()->stream);
	fake_refuse_write(false);
	assert_int_equal(last_stop()->reason, CLOSE_MEMORY);
	assert_true(fake_record(ref)->closed);
}

/* Half an answer from a connection that ended is nothing to the next one. */
static void test_second_try_begins_anew(void **state)
{
	static const uint8_t halves[][3] = {{4, 8, 1}, {0x80, 0x10, 8}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct conn *newest = connect_reserved(net, 2);
		struct stream_ref ref = asking();

		assert_ptr_equal(last_stop()->conn, newest);
		fake_data(last_stop()->stream, halves[i], 3);
		fake_conn_close(newest);
		fake_negotiated(last_stop()->stream);
		fake_data(last_stop()->stream, agreed, sizeof(agreed));
		assert_int_equal(connect_status(ref), CIRCUIT_OK);
		assert_int_equal(last_stop()->credit, sizeof(agreed));
	}
}

/* A destination that refused hears no more, and what it goes on to say has no effect. */
static void test_destination_that_goes_on(void **state)
{
	struct stream_ref ref = asking();
	struct fake_record *stop = last_stop();
	size_t said = stop->len;

	(void)state;
	connect_answer(stop, CIRCUIT_PERMISSION_DENIED, NULL, 0);
	assert_int_equal(connect_status(ref), CIRCUIT_CONNECTION_FAILED);
	connect_answer(stop, CIRCUIT_OK, "x", 1);
	assert_int_equal(fake_circuit_count(), 0);
	assert_int_equal(stop->len, said);
	fake_pass(net, 9900);
	assert_false(stop->closed);
	fake_pass(net, 300);
	assert_true(stop->closed);
}

#define STOP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STOP_TEST(test_what_is_no_answer),
	    STOP_TEST(test_no_memory),
	    STOP_TEST(test_second_try_begins_anew),
	    STOP_TEST(test_destination_that_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
