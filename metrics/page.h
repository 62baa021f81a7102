/* SPDX-License-Identifier: MIT
 *
 * The counters as a page in Prometheus' text format 0.0.4. Called by http.c and tests. Pure: no descriptor,
 * no clock, no allocation. Trusts its lists; numbers may be anything.
 */
#ifndef METRICS_PAGE_H
#define METRICS_PAGE_H

#include <stddef.h>

#include "imsg/catalogue.h"

#define PAGE_MAX 65536 /* bytes; test_metrics_page shows what is needed with the largest numbers */

/* Writes the page; its length, 0 when it does not fit. */
size_t page_write(char *out, size_t size, const struct imsg_metrics_counters *counters);

#endif
