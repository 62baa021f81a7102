/* SPDX-License-Identifier: MIT
 *
 * Sorting without memory and without system calls: libc's qsort asks sysinfo(2) how much memory there is,
 * which the lock forbids. Called by memory and circuit_report.
 */
#ifndef NETPROC_SORT_H
#define NETPROC_SORT_H

#include <stddef.h>

/* Heapsort (Williams 1964) of `count` entries of `size` bytes, as qsort(3) would; not stable. */
void sort(void *entries, size_t count, size_t size, int (*compare)(const void *a, const void *b));

#endif
