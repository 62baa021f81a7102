/* SPDX-License-Identifier: MIT
 *
 * netproc/negotiate.c: a stranger's proposals in any pieces, what follows them, and the time that they have;
 * our own proposal, and every answer that is not its echo.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/negotiate.h"
#include "netproc/protocols.h"
#include "proto/multistream.h"

#define PUBLIC 0x08080808u
#define HEADER "\x13/multistream/1.0.0\n"
#define WANTED "\x08/wanted\n"
#define NA     "\x03na\n"

static struct net *net;
static struct conn *conn;

/* What the protocol was told, in order. */
static struct {
	char events[128]; /* o: open, d: data, f: finish, c: closed, t: timeout */
	size_t count;
	uint8_t data[64];
	size_t data_len;
	void *state;
	enum close_reason reason;
	bool resets;	      /* in its `open` */
	bool resets_for_data; /* in its `data` */
} told;

static void tell(char event)
{
	assert_true(told.count < sizeof(told.events) - 1);
	told.events[told.count++] = event;
}

static void wanted_open(struct stream *stream)
{
	tell('o');
	told.state = stream->state;
	if (told.resets)
		stream_reset(stream, CLOSE_MEMORY);
}

static void wanted_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	tell('d');
	assert_true(told.data_len + len <= sizeof(told.data));
	memcpy(told.data + told.data_len, bytes, len);
	told.data_len += len;
	if (told.resets_for_data)
		stream_reset(stream, CLOSE_MEMORY);
}

static void wanted_finish(struct stream *stream)
{
	(void)stream;
	tell('f');
}

static void wanted_closed(struct stream *stream, enum close_reason reason)
{
	tell('c');
	told.state = stream->state;
	told.reason = reason;
}

static const struct stream_protocol wanted = {.id = "/wanted",
					      .open = wanted_open,
					      .data = wanted_data,
					      .finish = wanted_finish,
					      .closed = wanted_closed};
static const struct stream_protocol staying = {
    .id = "/stays", .stays = true, .open = wanted_open, .data = wanted_data, .closed = wanted_closed};
static const struct stream_protocol counted = {.id = "/counted",
					       .max_streams = 2,
					       .counted = 3,
					       .open = wanted_open,
					       .data = wanted_data,
					       .closed = wanted_closed};
static const struct stream_protocol mute = {.id = "/mute", .open = wanted_open, .closed = wanted_closed};

const struct stream_protocol *protocols_find(const struct net *of, struct span proposal)
{
	static const struct stream_protocol *const known[] = {&wanted, &staying, &counted, &mute};

	assert_ptr_equal(of, net);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (multistream_is(proposal, known[i]->id))
			return known[i];
	return NULL;
}

static int set_up(void **state)
{
	(void)state;
	net = fake_net();
	conn = fake_conn(net, 1, PUBLIC);
	memset(&told, 0, sizeof(told));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_net_end(net);
	return 0;
}

static void assert_told(const char *events)
{
	assert_string_equal(told.events, events);
}

/* --- streams that a peer opens --- */

static void inbound_open(struct stream *stream)
{
	assert_int_equal(negotiate_inbound(stream), 0);
}

static const struct stream_protocol inbound = {.id = "inbound", .open = inbound_open};

static struct fake_record *begin(void)
{
	return fake_record(stream_ref(fake_stream(conn, &inbound)));
}

static void say(struct fake_record *record, const char *bytes)
{
	fake_data(record->stream, bytes, strlen(bytes));
}

static void assert_said(const struct fake_record *record, const char *bytes)
{
	assert_int_equal(record->len, strlen(bytes));
	assert_memory_equal(record->said, bytes, record->len);
}

static void assert_reset(const struct fake_record *record, enum close_reason reason)
{
	assert_true(record->reset);
	assert_int_equal(record->reason, reason);
}

static void test_bytes_behind_the_agreement_are_the_protocols(void **state)
{
	static const char all[] = HEADER "\x06/else\n" WANTED "behind";

	(void)state;
	for (size_t cut = 1; cut < sizeof(all) - 1; cut++) {
		struct fake_record *record = begin();

		memset(&told, 0, sizeof(told));
		fake_data(record->stream, all, cut);
		fake_data(record->stream, all + cut, sizeof(all) - 1 - cut);
		assert_said(record, HEADER NA WANTED);
		assert_told(cut > sizeof(all) - 1 - 6 ? "odd" : "od");
		assert_int_equal(told.data_len, 6);
		assert_memory_equal(told.data, "behind", 6);
		assert_null(told.state);
	}
}

/* A peer that finished with its request is told of as one whose FIN came later. */
static void test_what_came_with_the_end(void **state)
{
	struct fake_record *record = begin();

	(void)state;
	record->stream->remote_finished = true;
	say(record, HEADER WANTED "x");
	assert_told("odf");
	record = begin();
	record->stream->remote_finished = true;
	say(record, HEADER "\x06/mute\nx");
	assert_told("odfo");
	memset(&told, 0, sizeof(told));
	told.resets = true;
	record = begin();
	record->stream->remote_finished = true;
	say(record, HEADER WANTED "x");
	assert_told("oc");
	assert_null(record->stream);
	memset(&told, 0, sizeof(told));
	told.resets_for_data = true;
	record = begin();
	record->stream->remote_finished = true;
	say(record, HEADER WANTED "x");
	assert_told("odc");
}

static void test_time_to_agree_and_to_live(void **state)
{
	struct fake_record *silent = begin(), *agreed = begin(), *stays = begin();

	(void)state;
	say(silent, HEADER);
	conn->active = 0;
	say(agreed, HEADER WANTED);
	assert_int_equal(conn->active, net->now / 1000);
	say(stays, HEADER "\x07/stays\n");
	fake_pass(net, 9900);
	assert_false(silent->closed);
	fake_pass(net, 300);
	assert_reset(silent, CLOSE_NEGOTIATION_TIMEOUT);
	fake_pass(net, 49600);
	assert_false(agreed->closed);
	fake_pass(net, 400);
	assert_reset(agreed, CLOSE_MESSAGE_TIMEOUT);
	fake_pass(net, 3600000);
	assert_false(stays->closed);
}

static void test_streams_of_a_counted_protocol(void **state)
{
	struct fake_record *records[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		records[i] = begin();
		say(records[i], HEADER "\x09/counted\nx");
	}
	assert_told("odod");
	assert_reset(records[2], CLOSE_STREAM_LIMIT);
	assert_int_equal(records[1]->stream->counted, 3);
	assert_int_equal(conn->yamux.counted[3], 2);
	say(begin(), HEADER WANTED);
	assert_told("ododo");
	assert_int_equal(conn->yamux.counted[0], 0);
}

static void test_refusals(void **state)
{
	struct fake_record *record = begin();

	(void)state;
	say(record, "GET / HTTP/1.1\r\n");
	assert_reset(record, CLOSE_MULTISTREAM_HEADER);
	assert_int_equal(record->len, 0);
	record = begin();
	say(record, HEADER "\x03"
			   "abc");
	assert_said(record, HEADER);
	assert_reset(record, CLOSE_MULTISTREAM_MALFORMED);
	record = begin();
	say(record, HEADER);
	fake_refuse_write(true);
	say(record, WANTED);
	fake_refuse_write(false);
	assert_reset(record, CLOSE_MEMORY);
	record = begin();
	say(record, HEADER "\x05/no");
	fake_finish(record->stream); /* without having agreed */
	assert_true(record->finished && record->closed && !record->reset);
	assert_told("");
}

/* --- streams of ours --- */

static const char own[] = "state";

static void outbound_open(struct stream *stream)
{
	assert_int_equal(negotiate_outbound(stream, &wanted, (void *)(uintptr_t)own), 0);
}

static const struct stream_protocol outbound = {.id = "outbound", .open = outbound_open};

static struct fake_record *propose(void)
{
	struct fake_record *record = fake_record(stream_ref(fake_stream(conn, &outbound)));

	assert_said(record, HEADER WANTED);
	return record;
}

static void test_proposal_is_agreed_to(void **state)
{
	static const char all[] = HEADER WANTED "behind";

	(void)state;
	for (size_t cut = 1; cut < sizeof(all) - 1; cut++) {
		struct fake_record *record = propose();

		memset(&told, 0, sizeof(told));
		fake_data(record->stream, all, cut);
		fake_data(record->stream, all + cut, sizeof(all) - 1 - cut);
		assert_said(record, HEADER WANTED);
		assert_told(cut > sizeof(all) - 1 - 6 ? "odd" : "od");
		assert_memory_equal(told.data, "behind", 6);
		assert_ptr_equal(told.state, own);
	}
}

/* The protocol hears of each end with its own state, and of no beginning. */
static void test_proposal_is_not_agreed_to(void **state)
{
	static const char *const answers[] = {HEADER NA, HEADER "\x06/else\n", "HTTP/1.1 400\r\n",
					      HEADER "\x03"
						     "abc"};
	struct fake_record *record;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		record = propose();
		memset(&told, 0, sizeof(told));
		say(record, answers[i]);
		assert_told("c");
		assert_reset(record, CLOSE_STOP_REFUSED);
		assert_int_equal(told.reason, CLOSE_STOP_REFUSED);
		assert_ptr_equal(told.state, own);
	}
	record = propose();
	say(record, HEADER);
	fake_finish(record->stream);
	assert_reset(record, CLOSE_STOP_REFUSED);
	record = propose();
	fake_reset(record->stream);
	assert_told("ccc");
	assert_int_equal(told.reason, CLOSE_REMOTE_RESET);
}

static void test_proposal_has_its_time(void **state)
{
	struct fake_record *record = propose();

	(void)state;
	say(record, HEADER);
	fake_pass(net, 9900);
	assert_told("");
	fake_pass(net, 300);
	assert_reset(record, CLOSE_NEGOTIATION_TIMEOUT);
	assert_told("c");
}

/* --- no memory --- */

static int result;

static void inbound_without_memory(struct stream *stream)
{
	uint64_t cap = pool_cap(net);

	pool_set_cap(net, 0);
	result = negotiate_inbound(stream);
	pool_set_cap(net, cap);
	stream->protocol = &mute;
}

static void outbound_without_memory(struct stream *stream)
{
	uint64_t cap = pool_cap(net);

	pool_set_cap(net, 0);
	result = negotiate_outbound(stream, &wanted, NULL);
	pool_set_cap(net, cap);
	stream->protocol = &mute;
}

static void outbound_without_room(struct stream *stream)
{
	fake_refuse_write(true);
	result = negotiate_outbound(stream, &wanted, NULL);
	fake_refuse_write(false);
	assert_false(wheel_armed(&stream->timer));
	stream->protocol = &mute;
}

static void test_no_memory(void **state)
{
	static const struct stream_protocol protocols[] = {{.id = "1", .open = inbound_without_memory},
							   {.id = "2", .open = outbound_without_memory},
							   {.id = "3", .open = outbound_without_room}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		result = 0;
		fake_reset(fake_stream(conn, &protocols[i]));
		assert_int_equal(result, -1);
	}
	assert_told("ccc"); /* by the test's own end of the streams */
}

#define NEGOTIATE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    NEGOTIATE_TEST(test_bytes_behind_the_agreement_are_the_protocols),
	    NEGOTIATE_TEST(test_what_came_with_the_end),
	    NEGOTIATE_TEST(test_time_to_agree_and_to_live),
	    NEGOTIATE_TEST(test_streams_of_a_counted_protocol),
	    NEGOTIATE_TEST(test_refusals),
	    NEGOTIATE_TEST(test_proposal_is_agreed_to),
	    NEGOTIATE_TEST(test_proposal_is_not_agreed_to),
	    NEGOTIATE_TEST(test_proposal_has_its_time),
	    NEGOTIATE_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
