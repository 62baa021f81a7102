/* SPDX-License-Identifier: MIT
 *
 * Small texts of the parent: dates of the log, its filters, the nearest name of one that is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "parent/date.h"
#include "parent/filter.h"
#include "parent/nearest.h"

static void expect_date(int64_t seconds, const char *expected)
{
	char text[DATE_TEXT];

	date_text(text, seconds);
	assert_string_equal(text, expected);
}

static void test_date(void **state)
{
	(void)state;
	expect_date(0, "1970-01-01T00:00:00Z");
	expect_date(951782399, "2000-02-28T23:59:59Z");
	expect_date(951782400, "2000-02-29T00:00:00Z");
	expect_date(951868800, "2000-03-01T00:00:00Z");
	expect_date(1709164800, "2024-02-29T00:00:00Z");
	expect_date(1767225599, "2025-12-31T23:59:59Z");
	expect_date(1768473000, "2026-01-15T10:30:00Z");
	expect_date(4107542400, "2100-03-01T00:00:00Z");
	expect_date(253402300799, "9999-12-31T23:59:59Z");
	expect_date(INT64_MAX, "9999-12-31T23:59:59Z");
	expect_date(-1, "1970-01-01T00:00:00Z");
	expect_date(INT64_MIN, "1970-01-01T00:00:00Z");
}

/* Beside libc's, every 7th hour of 130 years. */
static void test_date_as_libc(void **state)
{
	(void)state;
	for (int64_t at = 0; at < INT64_C(4102444800); at += 25200) {
		char expected[32];
		time_t moment = (time_t)at;
		struct tm parts;

		gmtime_r(&moment, &parts);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &parts);
		expect_date(at, expected);
	}
}

static const struct {
	const char *text;
	int level;
	int result;
} filter_cases[] = {
    {"info", LOG_LEVEL_INFO, 0},
    {"DEBUG", LOG_LEVEL_DEBUG, 0},
    {"off", FILTER_OFF, 0},
    {"error", LOG_LEVEL_ERROR, 0},
    {"warn,dusk_relay=debug", LOG_LEVEL_DEBUG, 0},
    {"dusk_relay=debug,warn", LOG_LEVEL_DEBUG, 0},
    {"dusk_relay", LOG_LEVEL_TRACE, 0},
    {"dusk_relay=", LOG_LEVEL_TRACE, 0},
    {"dusk=warn", LOG_LEVEL_WARN, 0},
    {"dusk=warn,dusk_relay=error", LOG_LEVEL_ERROR, 0},
    {"dusk_relay=error,dusk=warn", LOG_LEVEL_ERROR, 0},
    {"dusk_relay::net=trace", LOG_LEVEL_INFO, 0},
    {"libp2p_swarm=debug", LOG_LEVEL_INFO, 0},
    {"libp2p_swarm=debug,yamux=trace,warn", LOG_LEVEL_WARN, 0},
    {"info,libp2p=off", LOG_LEVEL_INFO, 0},
    {" warn , libp2p=off ", LOG_LEVEL_WARN, 0},
    {"debug/handshake", LOG_LEVEL_DEBUG, 0},
    {"info,debug", LOG_LEVEL_DEBUG, 0},
    {",,,", LOG_LEVEL_INFO, 0},
    {"", LOG_LEVEL_INFO, 0},
    {"dusk_relay=loud", LOG_LEVEL_INFO, -1},
    {"dusk_relay=loud,warn", LOG_LEVEL_WARN, -1},
    {"a b", LOG_LEVEL_INFO, -1},
    {"=info", LOG_LEVEL_INFO, -1},
    {"\x1b[31m", LOG_LEVEL_INFO, -1},
};

static void test_filter(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(filter_cases) / sizeof(filter_cases[0]); i++) {
		int level = 99;
		int result = filter_parse(&level, filter_cases[i].text);

		if (result != filter_cases[i].result || level != filter_cases[i].level)
			fail_msg("%s gave %d, level %d", filter_cases[i].text, result, level);
	}
}

static void test_nearest(void **state)
{
	static const char *const names[] = {"DUSK_RELAY_PORT", "DUSK_MAX_CIRCUITS", "DUSK_MAX_MEMORY"};
	char long_word[200];

	(void)state;
	assert_string_equal(nearest_name("DUSK_RELAY_PROT", names, 3), "DUSK_RELAY_PORT");
	assert_string_equal(nearest_name("DUSK_MAX_CIRCUIT", names, 3), "DUSK_MAX_CIRCUITS");
	assert_string_equal(nearest_name("DUSK_MEMORY", names, 3), "DUSK_MAX_MEMORY");
	assert_null(nearest_name("PATH", names, 3));
	assert_null(nearest_name("", names, 3));
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(nearest_name(long_word, names, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_date),
	    cmocka_unit_test(test_date_as_libc),
	    cmocka_unit_test(test_filter),
	    cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
