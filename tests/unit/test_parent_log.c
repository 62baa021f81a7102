/* SPDX-License-Identifier: MIT
 *
 * What reaches the log: escaping, the bounded queue, events of hostile children. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "parent/children_log.h"
#include "parent/escape.h"
#include "parent/logger.h"
#include "proto/peer_id.h"

static void expect_escaped(const char *bytes, size_t len, const char *expected)
{
	char text[256];

	assert_int_equal(escape_text(text, sizeof(text), bytes, len), strlen(expected));
	assert_string_equal(text, expected);
}

#define ESCAPED(bytes, expected) expect_escaped(bytes, sizeof(bytes) - 1, expected)

static void test_escape(void **state)
{
	(void)state;
	ESCAPED("", "");
	ESCAPED("plain text, 'quotes'", "plain text, 'quotes'");
	ESCAPED("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m");
	ESCAPED("a\r\nb\tc\0d", "a\\x0d\\x0ab\\x09c\\x00d");
	ESCAPED("\\x1b", "\\\\x1b");
	ESCAPED("\x7f", "\\x7f");
	ESCAPED("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	ESCAPED("\xe2\x82\xac \xf0\x9f\x8c\x92", "\xe2\x82\xac \xf0\x9f\x8c\x92");
	ESCAPED("\xff\xfe", "\\xff\\xfe");
	ESCAPED("\xc3", "\\xc3");
	ESCAPED("\xc3(", "\\xc3(");
	ESCAPED("\xc0\xaf", "\\xc0\\xaf");		     /* too long a form of '/' */
	ESCAPED("\xe0\x80\xaf", "\\xe0\\x80\\xaf");	     /* the same */
	ESCAPED("\xed\xa0\x80", "\\xed\\xa0\\x80");	     /* half of a pair */
	ESCAPED("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond Unicode */
	ESCAPED("\xc2\x9b"
		"31m",
		"\\xc2\\x9b"
		"31m"); /* CSI in eight bits */
	ESCAPED("\xe2\x80\xae"
		"x",
		"\\xe2\\x80\\xaex");		    /* turns the direction */
	ESCAPED("\xe2\x80\x8b", "\\xe2\\x80\\x8b"); /* without width */
	ESCAPED("\xef\xbb\xbf", "\\xef\\xbb\\xbf"); /* byte order mark */
}

static void test_escape_is_bounded(void **state)
{
	char text[64];
	char long_text[300];

	(void)state;
	memset(long_text, 'a', sizeof(long_text));
	for (size_t capacity = 0; capacity <= sizeof(text); capacity++) {
		memset(text, 'Z', sizeof(text));
		size_t len = escape_text(text, capacity, long_text, sizeof(long_text));
		assert_true(capacity == 0 || len == capacity - 1);
		if (capacity > 0)
			assert_int_equal(text[len], '\0');
		if (capacity > 8)
			assert_string_equal(text + len - 3, "...");
		for (size_t i = capacity; i < sizeof(text); i++)
			assert_int_equal(text[i], 'Z');
	}
	/* Never cut inside a character. */
	memset(long_text, 0xff, sizeof(long_text));
	escape_text(text, 20, long_text, sizeof(long_text));
	assert_string_equal(text, "\\xff\\xff\\xff\\xff...");
}

static struct logger logger;
static int ends[2];

static size_t read_all(char *text, size_t size)
{
	ssize_t len = read(ends[0], text, size - 1);

	text[len > 0 ? len : 0] = '\0';
	return len > 0 ? (size_t)len : 0;
}

static int open_pipe(void **state)
{
	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	logger_init(&logger, ends[1], LOG_LEVEL_INFO);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void test_logger_line(void **state)
{
	char text[4096];

	(void)state;
	logger_line(&logger, LOG_LEVEL_WARN, "hello %d", 7);
	logger_line(&logger, LOG_LEVEL_DEBUG, "not wanted");
	logger_write(&logger);
	read_all(text, sizeof(text));
	assert_int_equal(text[0], '[');
	assert_int_equal(text[21], ' ');
	assert_string_equal(text + 21, " WARN  dusk_relay] hello 7\n");
	assert_false(logger_pending(&logger));
}

static void test_logger_cuts(void **state)
{
	char text[8192];
	char word[3000];

	(void)state;
	memset(word, 'w', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	logger_line(&logger, LOG_LEVEL_INFO, "%s", word);
	logger_write(&logger);
	assert_int_equal(read_all(text, sizeof(text)), LOGGER_LINE);
	assert_string_equal(text + LOGGER_LINE - 4, "...\n");
}

/* A reader that reads nothing costs lines, never memory or time; warnings still find room. */
static void test_logger_is_bounded(void **state)
{
	char word[512];
	size_t used;

	(void)state;
	memset(word, 'w', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		logger_line(&logger, LOG_LEVEL_INFO, "%s", word);
	used = logger.used;
	assert_true(used <= LOGGER_QUEUE * 3 / 4);
	assert_true(logger.lost > 0);
	logger_line(&logger, LOG_LEVEL_WARN, "%s", word);
	assert_true(logger.used > used);
	for (int i = 0; i < 1000; i++)
		logger_line(&logger, LOG_LEVEL_WARN, "%s", word);
	assert_true(logger.used <= LOGGER_QUEUE);
}

static void test_logger_tells_what_was_lost(void **state)
{
	static char text[LOGGER_QUEUE * 2];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 2000; i++)
		logger_line(&logger, LOG_LEVEL_INFO,
			    "some line that is not very short at all, to fill the queue");
	while (logger_pending(&logger)) {
		logger_write(&logger);
		len += read_all(text + len, sizeof(text) - len);
	}
	assert_non_null(strstr(text, "log lines left out"));
}

static void test_logger_broken_pipe(void **state)
{
	(void)state;
	close(ends[0]);
	logger_line(&logger, LOG_LEVEL_INFO, "x");
	logger_flush(&logger, 10);
	assert_true(logger.broken);
	logger_line(&logger, LOG_LEVEL_INFO, "x");
	assert_false(logger_pending(&logger));
}

static struct imsg_log make_event(enum log_event event)
{
	static const uint8_t key[32] = {1, 2, 3};
	struct imsg_log log = {.event = (uint16_t)event};
	struct peer_id id;

	peer_id_from_ed25519(&id, key);
	for (int i = 0; i < 2; i++) {
		log.peer_len[i] = id.len;
		memcpy(log.peer[i], id.bytes, id.len);
	}
	return log;
}

static void test_event_texts(void **state)
{
	struct imsg_log log = make_event(LOG_EVENT_PEER_CONNECTED);
	char text[LOGGER_LINE];

	(void)state;
	log.number[0] = 3;
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL), 0);
	assert_int_equal(strncmp(text, "peer connected: 12D3KooW", 24), 0);
	assert_non_null(strstr(text, " (total connections: 3)"));
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_SHORT), 0);
	assert_int_equal(strlen(text), strlen("peer connected: *123456 (total connections: 3)"));
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_NONE), 0);
	assert_string_equal(text, "peer connected: - (total connections: 3)");
	log = make_event(LOG_EVENT_REGISTERED);
	log.text_len = 6;
	memcpy(log.text, "a\x1b'\n\xff.", 6);
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_SHORT), 0);
	assert_non_null(strstr(text, "registered under namespace 'a\\x1b'\\x0a\\xff.'"));
	log = make_event(LOG_EVENT_RESERVATION_REFUSED);
	log.number[0] = 128;
	log.number[1] = NET_SETTING_max_reservations;
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL), 0);
	assert_string_equal(text, "reservation refused: limit 128 reached; DUSK_MAX_RESERVATIONS lifts it");
}

/* A process cannot speak for another, nor of things that do not exist. */
static void test_event_breaches(void **state)
{
	struct imsg_log log = make_event(LOG_EVENT_KEY_MLOCK);
	char text[LOGGER_LINE];

	(void)state;
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_KEYPROC, SETTINGS_IDS_FULL), 0);
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL), -1);
	log = make_event(LOG_EVENT_PEER_CONNECTED);
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_KEYPROC, SETTINGS_IDS_FULL), -1);
	log.peer_len[0] = IMSG_PEER_MAX + 1;
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL), -1);
	log = make_event(LOG_EVENT_REGISTERED);
	log.text_len = IMSG_TEXT_MAX + 1;
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL), -1);
	log = make_event(LOG_EVENT_CONNECTION_CLOSED);
	log.number[0] = CLOSE_REASON_COUNT;
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL), -1);
	log = make_event(LOG_EVENT_CIRCUIT_REFUSED);
	log.number[1] = NET_SETTING_COUNT;
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL), -1);
	log.event = LOG_EVENT_COUNT;
	assert_int_equal(children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL), -1);
}

/* The longest of everything still fits, for every event. */
static void test_every_event_fits(void **state)
{
	(void)state;
	for (unsigned event = 0; event < LOG_EVENT_COUNT; event++) {
		struct imsg_log log = make_event((enum log_event)event);
		char text[LOGGER_LINE];

		log.text_len = IMSG_TEXT_MAX;
		memset(log.text, 0xff, IMSG_TEXT_MAX);
		int net = children_log_text(text, &log, IMSG_PROCESS_NETPROC, SETTINGS_IDS_FULL);
		int key = children_log_text(text, &log, IMSG_PROCESS_KEYPROC, SETTINGS_IDS_FULL);
		int metrics = children_log_text(text, &log, IMSG_PROCESS_METRICS, SETTINGS_IDS_FULL);
		assert_int_equal((net == 0) + (key == 0) + (metrics == 0), 1);
		assert_true(strlen(text) > 0 && strlen(text) < LOGGER_LINE);
		assert_null(strchr(text, '{'));
	}
}

static void test_warnings_once_a_minute(void **state)
{
	static struct children_log children;
	struct imsg_log log = make_event(LOG_EVENT_PEER_DENIED);
	char text[4096];

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(children_log_event(&children, &logger, &log, IMSG_PROCESS_NETPROC, 1000), 0);
	children_log_tick(&children, &logger, 2000);
	logger_write(&logger);
	read_all(text, sizeof(text));
	assert_non_null(strstr(text, "denied peer"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	children_log_tick(&children, &logger, 1000 + CHILDREN_LOG_EVERY);
	logger_write(&logger);
	read_all(text, sizeof(text));
	assert_non_null(strstr(text, "9 more times in the last minute"));
	children_log_tick(&children, &logger, 1000 + 3 * CHILDREN_LOG_EVERY);
	assert_false(logger_pending(&logger));
}

static void refuse(struct children_log *children, enum log_event event, enum net_setting setting, int times)
{
	struct imsg_log log = make_event(event);

	log.number[1] = (uint64_t)setting;
	while (times-- > 0)
		assert_int_equal(children_log_event(children, &logger, &log, IMSG_PROCESS_NETPROC, 1000), 0);
}

/* Each limit is a warning of its own, though they share an event. */
static void test_warnings_of_each_limit(void **state)
{
	static struct children_log children;
	char text[4096];

	(void)state;
	refuse(&children, LOG_EVENT_CIRCUIT_REFUSED, NET_SETTING_max_circuits, 3);
	refuse(&children, LOG_EVENT_CIRCUIT_REFUSED, NET_SETTING_max_circuits_per_peer, 1);
	refuse(&children, LOG_EVENT_RESERVATION_REFUSED, NET_SETTING_max_memory, 1);
	logger_write(&logger);
	read_all(text, sizeof(text));
	assert_non_null(strstr(text, "circuit refused: limit 0 reached; DUSK_MAX_CIRCUITS lifts it\n"));
	assert_non_null(
	    strstr(text, "circuit refused: limit 0 reached; DUSK_MAX_CIRCUITS_PER_PEER lifts it\n"));
	assert_non_null(strstr(text, "reservation refused: limit 0 reached; DUSK_MAX_MEMORY lifts it\n"));
	refuse(&children, LOG_EVENT_CIRCUIT_REFUSED, NET_SETTING_max_circuits_per_peer, 5);
	children_log_tick(&children, &logger, 1000 + CHILDREN_LOG_EVERY);
	logger_write(&logger);
	read_all(text, sizeof(text));
	assert_non_null(
	    strstr(text, "circuit refused: 2 more times in the last minute; DUSK_MAX_CIRCUITS lifts it\n"));
	assert_non_null(strstr(
	    text, "circuit refused: 5 more times in the last minute; DUSK_MAX_CIRCUITS_PER_PEER lifts it\n"));
	assert_null(strstr(text, "reservation"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_escape),
	    cmocka_unit_test(test_escape_is_bounded),
	    cmocka_unit_test_setup_teardown(test_logger_line, open_pipe, close_pipe),
	    cmocka_unit_test_setup_teardown(test_logger_cuts, open_pipe, close_pipe),
	    cmocka_unit_test_setup_teardown(test_logger_is_bounded, open_pipe, close_pipe),
	    cmocka_unit_test_setup_teardown(test_logger_tells_what_was_lost, open_pipe, close_pipe),
	    cmocka_unit_test_setup_teardown(test_logger_broken_pipe, open_pipe, close_pipe),
	    cmocka_unit_test(test_event_texts),
	    cmocka_unit_test(test_event_breaches),
	    cmocka_unit_test(test_every_event_fits),
	    cmocka_unit_test_setup_teardown(test_warnings_once_a_minute, open_pipe, close_pipe),
	    cmocka_unit_test_setup_teardown(test_warnings_of_each_limit, open_pipe, close_pipe),
	};

	signal(SIGPIPE, SIG_IGN); /* as the parent has it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
