/* SPDX-License-Identifier: MIT
 *
 * How results are printed: for people, and with tabs between for compare.py.
 */
#include <stdio.h>
#include <string.h>

#include "tests/bench/load_scenario.h"

void load_row_header(void)
{
	printf("%-44s %12s %-10s %9s %6s %7s %9s\n", "", "", "", "per s", "busy", "others", "B/read");
}

void load_row_print(struct load_bench *b, const struct load_row *row)
{
	double busy = row->cost && row->cost->wall > 0 ? row->cost->cpu / row->cost->wall : 0;
	double others = row->cost ? row->cost->others : 0;

	printf("%-44s %12.4g %-10s", row->name, row->value, row->unit);
	if (row->rate > 0)
		printf(" %9.1f", row->rate);
	else
		printf(" %9s", "");
	if (row->cost)
		printf(" %5.0f%% %6.0f%%", busy * 100, others * 100);
	if (row->per_read > 0)
		printf(" %9.0f", row->per_read);
	printf("\n");
	fflush(stdout);
	if (!b->table)
		return;
	fprintf(b->table, "%s\t%.6g\t%s\t%.6g\t%.3f\t%.3f\t%.0f\n", row->name, row->value, row->unit,
		row->rate, busy, others, row->per_read);
	fflush(b->table);
}

void load_row_missing(struct load_bench *b, const char *name, const char *why)
{
	printf("%-44s %12s (%s)\n", name, "-", why);
	fflush(stdout);
	if (b->table)
		fprintf(b->table, "%s\tnan\t%s\t0\t0\t0\t0\n", name, why);
}
