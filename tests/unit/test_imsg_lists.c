/* SPDX-License-Identifier: MIT
 *
 * The lists that all processes share: every entry has its text, names do not repeat, presets lie inside their
 * ranges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imsg/imsg.h"

static void test_reasons(void **state)
{
	(void)state;
	for (int i = 0; i < CLOSE_REASON_COUNT; i++) {
		assert_true(strlen(close_reason_text((enum close_reason)i)) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(close_reason_text((enum close_reason)i),
						close_reason_text((enum close_reason)j));
	}
	assert_string_equal(close_reason_text(CLOSE_REASON_COUNT), "unknown");
	assert_string_equal(close_reason_text((enum close_reason) - 1), "unknown");
}

static void check_counters(const struct counter_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_non_null(rows[i].metric);
		assert_int_equal(strspn(rows[i].metric, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(rows[i].metric));
		for (size_t j = 0; j < i; j++) {
			if (strcmp(rows[i].metric, rows[j].metric) == 0)
				assert_string_not_equal(rows[i].labels, rows[j].labels);
		}
	}
}

static void test_counters(void **state)
{
	(void)state;
	check_counters(net_counter_rows, NET_COUNTER_COUNT);
	check_counters(key_counter_rows, KEY_COUNTER_COUNT);
}

/* Only the words that the parent knows how to fill. */
static void test_events(void **state)
{
	static const char *const words[] = {"{peer}", "{peer2}", "{n}",	     "{n2}",
					    "{n3}",   "{text}",	 "{reason}", "{setting}"};

	(void)state;
	for (int i = 0; i < LOG_EVENT_COUNT; i++) {
		const char *at = log_event_rows[i].text;

		assert_in_range(log_event_rows[i].level, LOG_LEVEL_ERROR, LOG_LEVEL_TRACE);
		while ((at = strchr(at, '{')) != NULL) {
			int known = 0;

			for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
				known |= strncmp(at, words[w], strlen(words[w])) == 0;
			assert_true(known);
			at++;
		}
	}
}

static void test_failures(void **state)
{
	(void)state;
	for (int i = 0; i < START_FAILURE_COUNT; i++) {
		assert_true(start_failure_rows[i].status == 1 || start_failure_rows[i].status == 78);
		assert_true(strlen(start_failure_rows[i].text) > 0);
	}
}

static void preset(struct net_settings *settings, enum setting_profile profile)
{
	for (int i = 0; i < NET_SETTING_COUNT; i++)
		*net_setting_at(settings, (enum net_setting)i) = net_setting_rows[i].preset[profile];
}

static void test_presets(void **state)
{
	struct net_settings settings;

	(void)state;
	for (int profile = 0; profile < SETTING_PROFILE_COUNT; profile++) {
		preset(&settings, (enum setting_profile)profile);
		assert_int_equal(net_settings_check(&settings), 0);
	}
}

static void test_each_range(void **state)
{
	struct net_settings settings;

	(void)state;
	for (int i = 0; i < NET_SETTING_COUNT; i++) {
		const struct net_setting_row *row = &net_setting_rows[i];
		uint64_t *value = net_setting_at(&settings, (enum net_setting)i);

		preset(&settings, SETTING_PROFILE_DUSK);
		assert_true(row->min <= row->max);
		*value = row->min;
		assert_int_equal(net_settings_check(&settings), 0);
		*value = row->max;
		assert_int_equal(net_settings_check(&settings), 0);
		*value = row->max + 1;
		assert_int_equal(net_settings_check(&settings), i + 1);
		*value = row->min - 1;
		assert_int_equal(net_settings_check(&settings), i + 1);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(row->variable, net_setting_rows[j].variable);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reasons), cmocka_unit_test(test_counters),
	    cmocka_unit_test(test_events),  cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_presets), cmocka_unit_test(test_each_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
