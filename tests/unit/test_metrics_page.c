/* SPDX-License-Identifier: MIT
 *
 * The page of metrics: every counter of the lists stands on it once, under one head for its metric, with the
 * value that was sent; and it fits with the largest numbers. And the handlers of its messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "metrics/metrics.h"
#include "metrics/page.h"

static char page[PAGE_MAX + 1];
static struct imsg_metrics_counters counters;

static size_t occurrences(const char *what)
{
	size_t count = 0;

	for (const char *at = page; (at = strstr(at, what)) != NULL; at += strlen(what))
		count++;
	return count;
}

static void write_page(void)
{
	size_t len = page_write(page, PAGE_MAX, &counters);

	assert_in_range(len, 1, PAGE_MAX - 1);
	page[len] = '\0';
}

static void expect_line(const char *metric, const char *labels, uint64_t value)
{
	char line[256];

	snprintf(line, sizeof(line), labels[0] != '\0' ? "\n%s{%s} %llu\n" : "\n%s%s %llu\n", metric, labels,
		 (unsigned long long)value);
	if (occurrences(line) != 1)
		fail_msg("%zu times on the page: %s", occurrences(line), line);
}

static void test_every_counter_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < NET_COUNTER_COUNT; i++)
		counters.net.counter[i] = 1000 + i;
	for (size_t i = 0; i < KEY_COUNTER_COUNT; i++)
		counters.key.counter[i] = 2000 + i;
	for (size_t i = 0; i < CLOSE_REASON_COUNT; i++)
		counters.net.closed[i] = 3000 + i;
	write_page();
	for (size_t i = 0; i < NET_COUNTER_COUNT; i++)
		expect_line(net_counter_rows[i].metric, net_counter_rows[i].labels, 1000 + i);
	for (size_t i = 0; i < KEY_COUNTER_COUNT; i++)
		expect_line(key_counter_rows[i].metric, key_counter_rows[i].labels, 2000 + i);
	for (size_t i = 0; i < CLOSE_REASON_COUNT; i++) {
		char label[128];

		snprintf(label, sizeof(label), "reason=\"%s\"", close_reason_text((enum close_reason)i));
		expect_line("dusk_relay_closed_total", label, 3000 + i);
	}
}

/* The format: one head for a metric, before its lines, and its lines in one block. */
static void test_heads(void **state)
{
	static char seen[256][128];
	size_t count = 0;
	char current[128] = "";

	(void)state;
	write_page();
	for (char *at = page, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		char name[128] = "";

		if (sscanf(at, "# TYPE %127s", name) == 1) {
			for (size_t i = 0; i < count; i++)
				assert_string_not_equal(seen[i], name);
			strcpy(seen[count++], name);
			strcpy(current, name);
		} else if (at[0] != '#') {
			assert_memory_equal(at, current, strlen(current));
			assert_int_equal(strspn(end - 1, "0123456789"), 1);
		}
	}
	assert_true(count > 30);
	assert_int_equal(occurrences("# TYPE libp2p_relaysvc_connection_duration_seconds histogram\n"), 1);
	assert_int_equal(occurrences("# HELP "), count);
}

static void test_layers(void **state)
{
	(void)state;
	memset(&counters, 0, sizeof(counters));
	counters.layers[IMSG_PROCESS_METRICS] = 1u << 3;
	counters.started = 1234567890;
	counters.cpu[IMSG_PROCESS_NETPROC] = 12000345;
	write_page();
	assert_int_equal(occurrences("\nprocess_cpu_seconds_total{process=\"netproc\"} 12.000345\n"), 1);
	assert_int_equal(occurrences("\nprocess_cpu_seconds_total{process=\"parent\"} 0.000000\n"), 1);
	assert_int_equal(
	    occurrences("dusk_relay_confinement_layer{process=\"metrics\",layer=\"seccomp\"} 1\n"), 1);
	assert_int_equal(
	    occurrences("dusk_relay_confinement_layer{process=\"netproc\",layer=\"seccomp\"} 0\n"), 1);
	expect_line("dusk_relay_start_time_seconds", "", 1234567890);
}

static void test_largest(void **state)
{
	(void)state;
	memset(&counters, 0xff, sizeof(counters));
	write_page();
	assert_int_equal(page_write(page, 1000, &counters), 0);
}

static void test_messages(void **state)
{
	static struct metrics metrics;
	struct imsg_metrics_conf conf = {.log_level = LOG_LEVEL_TRACE + 1};

	(void)state;
	assert_int_equal(metrics_from_parent_conf(&metrics, 0, &conf), IMSG_BREACH_VALUE);
	conf.log_level = LOG_LEVEL_INFO;
	conf.zero = 1;
	assert_int_equal(metrics_from_parent_conf(&metrics, 0, &conf), IMSG_BREACH_PADDING);
	assert_int_equal(metrics_from_parent_start(&metrics, 0, NULL), IMSG_BREACH_PHASE);
	conf.zero = 0;
	assert_int_equal(metrics_from_parent_conf(&metrics, 0, &conf), 0);
	assert_int_equal(metrics_from_parent_start(&metrics, 0, NULL), 0);
	metrics_tick(&metrics, 5000);
	assert_false(metrics_is_fresh(&metrics));
	assert_int_equal(metrics_from_parent_counters(&metrics, 0, &counters), 0);
	assert_true(metrics_is_fresh(&metrics));
	metrics_tick(&metrics, 5000 + METRICS_FRESH - 1);
	assert_true(metrics_is_fresh(&metrics));
	metrics_tick(&metrics, 5000 + METRICS_FRESH);
	assert_false(metrics_is_fresh(&metrics));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_counter_once),
	    cmocka_unit_test(test_heads),
	    cmocka_unit_test(test_layers),
	    cmocka_unit_test(test_largest),
	    cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
