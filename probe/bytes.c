/* SPDX-License-Identifier: MIT */
#include "probe/bytes.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_FIRST 256

size_t bytes_len(const struct bytes *b)
{
	return b->end - b->start;
}

uint8_t *bytes_at(const struct bytes *b)
{
	return b->data + b->start;
}

static void bytes_compact(struct bytes *b)
{
	if (b->start == 0)
		return;
	memmove(b->data, b->data + b->start, bytes_len(b));
	b->end -= b->start;
	b->start = 0;
}

static void bytes_grow(struct bytes *b, size_t capacity)
{
	size_t wanted = b->capacity ? b->capacity : BYTES_FIRST;

	while (wanted < capacity)
		wanted *= 2;
	b->data = realloc(b->data, wanted);
	if (!b->data)
		abort();
	b->capacity = wanted;
}

uint8_t *bytes_room(struct bytes *b, size_t len)
{
	if (b->capacity - b->end < len) {
		bytes_compact(b);
		if (b->capacity - b->end < len)
			bytes_grow(b, b->end + len);
	}
	return b->data + b->end;
}

void bytes_added(struct bytes *b, size_t len)
{
	b->end += len;
}

void bytes_append(struct bytes *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	memcpy(bytes_room(b, len), bytes, len);
	bytes_added(b, len);
}

void bytes_consume(struct bytes *b, size_t len)
{
	b->start += len;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void bytes_free(struct bytes *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}
