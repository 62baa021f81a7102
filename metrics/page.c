/* SPDX-License-Identifier: MIT */
#include "metrics/page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "imsg/harden.h"

struct page {
	char *out;
	size_t size;
	size_t used;
	bool full;
};

static void page_print(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void page_print(struct page *page, const char *format, ...)
{
	va_list arguments;

	if (page->full)
		return;
	va_start(arguments, format);
	int len = vsnprintf(page->out + page->used, page->size - page->used, format, arguments);
	va_end(arguments);
	if (len < 0 || (size_t)len >= page->size - page->used)
		page->full = true;
	else
		page->used += (size_t)len;
}

static void page_head(struct page *page, const char *metric, size_t len, const char *type, const char *help)
{
	page_print(page, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, metric, help, (int)len, metric, type);
}

static bool page_ends(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* Sum and count stand behind the buckets of their histogram, under its head. */
static void page_family_head(struct page *page, const struct counter_row *row)
{
	if (page_ends(row->metric, "_seconds_sum") || page_ends(row->metric, "_seconds_count"))
		return;
	if (page_ends(row->metric, "_bucket"))
		page_head(page, row->metric, strlen(row->metric) - strlen("_bucket"), "histogram", row->help);
	else
		page_head(page, row->metric, strlen(row->metric),
			  row->type == COUNTER_TYPE_GAUGE ? "gauge" : "counter", row->help);
}

static void page_value(struct page *page, const struct counter_row *row, uint64_t value)
{
	if (row->labels[0] != '\0')
		page_print(page, "%s{%s} %" PRIu64 "\n", row->metric, row->labels, value);
	else
		page_print(page, "%s %" PRIu64 "\n", row->metric, value);
}

static bool page_is_first(const struct counter_row *rows, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (strcmp(rows[i].metric, rows[at].metric) == 0)
			return false;
	}
	return true;
}

/* The format wants all lines of a metric together, wherever its rows stand in the list. */
static void page_rows(struct page *page, const struct counter_row *rows, const uint64_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!page_is_first(rows, i))
			continue;
		page_family_head(page, &rows[i]);
		for (size_t j = i; j < count; j++) {
			if (strcmp(rows[i].metric, rows[j].metric) == 0)
				page_value(page, &rows[j], values[j]);
		}
	}
}

static void page_closed(struct page *page, const uint64_t *closed)
{
	static const char name[] = "dusk_relay_closed_total";

	page_head(page, name, strlen(name), "counter", "Connections and streams ended, by reason");
	for (size_t i = 0; i < CLOSE_REASON_COUNT; i++)
		page_print(page, "%s{reason=\"%s\"} %" PRIu64 "\n", name,
			   close_reason_text((enum close_reason)i), closed[i]);
}

static const char *const page_processes[IMSG_PROCESSES] = {"parent", "keyproc", "netproc", "metrics"};

static void page_times(struct page *page, const uint64_t cpu[IMSG_PROCESSES])
{
	static const char name[] = "process_cpu_seconds_total";

	page_head(page, name, strlen(name), "counter", "Processor time of each process");
	for (size_t process = 0; process < IMSG_PROCESSES; process++)
		page_print(page, "%s{process=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n", name,
			   page_processes[process], cpu[process] / 1000000, cpu[process] % 1000000);
}

static void page_layers(struct page *page, const uint32_t layers[IMSG_PROCESSES])
{
	static const char name[] = "dusk_relay_confinement_layer";

	page_head(page, name, strlen(name), "gauge", "1 for each layer of confinement that is active");
	for (size_t process = 0; process < IMSG_PROCESSES; process++) {
		for (size_t i = 0; i < HARDEN_LAYER_COUNT; i++)
			page_print(page, "%s{process=\"%s\",layer=\"%s\"} %d\n", name,
				   page_processes[process], harden_layer_rows[i].word,
				   (layers[process] & harden_layer_rows[i].bit) != 0 ? 1 : 0);
	}
}

static void page_about(struct page *page, uint64_t started)
{
	static const char build[] = "dusk_relay_build_info";
	static const char start[] = "dusk_relay_start_time_seconds";

	page_head(page, build, strlen(build), "gauge", "1, with the version");
	page_print(page, "%s{version=\"%s\"} 1\n", build, DUSK_VERSION);
	page_head(page, start, strlen(start), "gauge", "When the relay started, in unix seconds");
	page_print(page, "%s %" PRIu64 "\n", start, started);
}

size_t page_write(char *out, size_t size, const struct imsg_metrics_counters *counters)
{
	struct page page = {.out = out, .size = size};

	page_rows(&page, net_counter_rows, counters->net.counter, NET_COUNTER_COUNT);
	page_rows(&page, key_counter_rows, counters->key.counter, KEY_COUNTER_COUNT);
	page_closed(&page, counters->net.closed);
	page_times(&page, counters->cpu);
	page_layers(&page, counters->layers);
	page_about(&page, counters->started);
	return page.full ? 0 : page.used;
}
