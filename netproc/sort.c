/* SPDX-License-Identifier: MIT */
#include "netproc/sort.h"

#include <stdint.h>

struct sort {
	uint8_t *entries;
	size_t size;
	int (*compare)(const void *a, const void *b);
};

static void *sort_at(const struct sort *s, size_t index)
{
	return s->entries + index * s->size;
}

static void sort_swap(const struct sort *s, size_t a, size_t b)
{
	uint8_t *left = sort_at(s, a), *right = sort_at(s, b);
	size_t i;

	for (i = 0; i < s->size; i++) {
		uint8_t byte = left[i];

		left[i] = right[i];
		right[i] = byte;
	}
}

/* Lets the entry at `from` sink until both below it are smaller. */
static void sort_sink(const struct sort *s, size_t from, size_t count)
{
	for (;;) {
		size_t largest = from, child = 2 * from + 1;

		if (child < count && s->compare(sort_at(s, child), sort_at(s, largest)) > 0)
			largest = child;
		if (child + 1 < count && s->compare(sort_at(s, child + 1), sort_at(s, largest)) > 0)
			largest = child + 1;
		if (largest == from)
			return;
		sort_swap(s, from, largest);
		from = largest;
	}
}

void sort(void *entries, size_t count, size_t size, int (*compare)(const void *a, const void *b))
{
	const struct sort s = {.entries = entries, .size = size, .compare = compare};
	size_t i;

	for (i = count / 2; i-- > 0;)
		sort_sink(&s, i, count);
	for (i = count; i-- > 1;) {
		sort_swap(&s, 0, i);
		sort_sink(&s, 0, i);
	}
}
