/* SPDX-License-Identifier: MIT
 *
 * A child's log: what is sent, what is cut, the two budgets, a full channel, the level.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "imsg/log.h"

static struct imsg_log last;
static uint64_t received;

static int on_log(void *context, uint64_t id, const void *payload)
{
	(void)context;
	(void)id;
	memcpy(&last, payload, sizeof(last));
	received++;
	return 0;
}

static const struct imsg_row rows[] = {
    {.name = "NET_LOG",
     .type = IMSG_NET_LOG,
     .sender = IMSG_PROCESS_NETPROC,
     .receiver = IMSG_PROCESS_PARENT,
     .phase = IMSG_PHASE_ANY,
     .size = sizeof(struct imsg_log),
     .handle = on_log},
};

struct fixture {
	struct imsg_channel child, parent;
	struct imsg_table table;
	struct log_sink sink;
};

static void open_fixture(struct fixture *f, enum log_level level)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(imsg_channel_open(&f->child, ends[0], IMSG_PROCESS_PARENT), 0);
	assert_int_equal(imsg_channel_open(&f->parent, ends[1], IMSG_PROCESS_NETPROC), 0);
	f->table = (struct imsg_table){.rows = rows, .count = 1, .phase = IMSG_PHASE_RUN};
	log_init(&f->sink, &f->child, IMSG_NET_LOG, level);
	received = 0;
}

static void close_fixture(struct fixture *f)
{
	close(f->child.fd);
	close(f->parent.fd);
}

/* Reads all there is; a channel holds fewer than a second's budget. */
static void drain(struct fixture *f)
{
	while (imsg_receive(&f->parent, &f->table) == IMSG_OK)
		;
}

static void flood(struct fixture *f, enum log_event event, int times)
{
	for (int i = 0; i < times; i++) {
		log_event(&f->sink, event, NULL, NULL, 0, 0, 0, NULL, 0);
		drain(f);
	}
}

static void test_what_is_sent(void **state)
{
	uint8_t long_peer[60], long_text[IMSG_TEXT_MAX + 10];
	struct log_peer one = {(const uint8_t *)"abc", 3}, two = {long_peer, sizeof(long_peer)};
	struct fixture f;

	(void)state;
	memset(long_peer, 7, sizeof(long_peer));
	memset(long_text, 't', sizeof(long_text));
	open_fixture(&f, LOG_LEVEL_INFO);
	log_event(&f.sink, LOG_EVENT_CIRCUIT_OPENED, &one, &two, 1, 2, 3, long_text, sizeof(long_text));
	drain(&f);
	assert_int_equal(received, 1);
	assert_int_equal(last.event, LOG_EVENT_CIRCUIT_OPENED);
	assert_int_equal(last.peer_len[0], 3);
	assert_memory_equal(last.peer[0], "abc\0", 4);
	assert_int_equal(last.peer_len[1], IMSG_PEER_MAX);
	assert_int_equal(last.number[2], 3);
	assert_int_equal(last.text_len, IMSG_TEXT_MAX);
	log_event(&f.sink, LOG_EVENT_CIRCUIT_OPENED, NULL, NULL, 0, 0, 0, NULL, 5);
	drain(&f);
	assert_int_equal(last.text_len, 0);
	assert_int_equal(last.peer_len[0], 0);
	close_fixture(&f);
}

static void test_levels(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, LOG_LEVEL_WARN);
	for (int event = 0; event < LOG_EVENT_COUNT; event++) {
		uint64_t before = received;

		flood(&f, (enum log_event)event, 1);
		assert_int_equal(received - before, log_event_rows[event].level <= LOG_LEVEL_WARN);
	}
	assert_int_equal(f.sink.dropped, 0); /* a level that is off is no loss */
	flood(&f, LOG_EVENT_COUNT, 1);
	close_fixture(&f);
}

static void test_budgets(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, LOG_LEVEL_TRACE);
	log_tick(&f.sink, 100);
	flood(&f, LOG_EVENT_PEER_CONNECTED, LOG_EVENTS_PER_SECOND + 40);
	assert_int_equal(received, LOG_EVENTS_PER_SECOND);
	assert_int_equal(f.sink.dropped, 40);
	/* Warnings get through a flood of info, and not the other way round. */
	flood(&f, LOG_EVENT_KEY_RATE, LOG_WARNINGS_PER_SECOND + 7);
	assert_int_equal(received, LOG_EVENTS_PER_SECOND + LOG_WARNINGS_PER_SECOND);
	assert_int_equal(f.sink.dropped, 47);
	log_tick(&f.sink, 100);
	flood(&f, LOG_EVENT_KEY_RATE, 1);
	assert_int_equal(f.sink.dropped, 48);
	log_tick(&f.sink, 101);
	flood(&f, LOG_EVENT_KEY_RATE, 1);
	flood(&f, LOG_EVENT_PEER_CONNECTED, 1);
	assert_int_equal(received, LOG_EVENTS_PER_SECOND + LOG_WARNINGS_PER_SECOND + 2);
	close_fixture(&f);
}

/* One limit that refuses a flood does not hide another that refuses once. */
static void test_budgets_of_warnings(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, LOG_LEVEL_TRACE);
	log_tick(&f.sink, 100);
	for (int i = 0; i < 10 * LOG_WARNINGS_PER_SECOND; i++) {
		log_event(&f.sink, LOG_EVENT_CIRCUIT_REFUSED, NULL, NULL, 1, 3, 0, NULL, 0);
		drain(&f);
	}
	assert_int_equal(received, LOG_WARNINGS_PER_SECOND);
	log_event(&f.sink, LOG_EVENT_CIRCUIT_REFUSED, NULL, NULL, 1, 4, 0, NULL, 0);
	log_event(&f.sink, LOG_EVENT_RATE_REFUSED, NULL, NULL, 1, 3, 0, NULL, 0);
	drain(&f);
	assert_int_equal(received, LOG_WARNINGS_PER_SECOND + 2);
	close_fixture(&f);
}

/* A warning in the middle of a flood of info waits for the channel. */
static void test_warnings_wait_for_room(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, LOG_LEVEL_TRACE);
	while (f.sink.dropped == 0) {
		log_tick(&f.sink, f.sink.second + 1);
		log_event(&f.sink, LOG_EVENT_PEER_CONNECTED, NULL, NULL, 0, 0, 0, NULL, 0);
	}
	for (uint64_t i = 0; i < LOG_WARNINGS_KEPT; i++)
		log_event(&f.sink, LOG_EVENT_PEER_DENIED, NULL, NULL, i, 0, 0, NULL, 0);
	assert_int_equal(f.sink.dropped, 1);
	log_event(&f.sink, LOG_EVENT_PEER_DENIED, NULL, NULL, 99, 0, 0, NULL, 0);
	assert_int_equal(f.sink.dropped, 2);
	drain(&f);
	received = 0;
	log_tick(&f.sink, f.sink.second);
	drain(&f);
	assert_int_equal(received, LOG_WARNINGS_KEPT);
	assert_int_equal(last.number[0], LOG_WARNINGS_KEPT - 1);
	close_fixture(&f);
}

/* The loop never waits for its log. */
static void test_full_channel(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, LOG_LEVEL_TRACE);
	for (int i = 0; i < LOG_EVENTS_PER_SECOND; i++)
		log_event(&f.sink, LOG_EVENT_PEER_CONNECTED, NULL, NULL, 0, 0, 0, NULL, 0);
	drain(&f);
	assert_true(received >= IMSG_OUTSTANDING);
	assert_int_equal(received + f.sink.dropped, LOG_EVENTS_PER_SECOND);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_sent),
	    cmocka_unit_test(test_levels),
	    cmocka_unit_test(test_budgets),
	    cmocka_unit_test(test_budgets_of_warnings),
	    cmocka_unit_test(test_warnings_wait_for_room),
	    cmocka_unit_test(test_full_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
