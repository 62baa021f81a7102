/* SPDX-License-Identifier: MIT */
#include "parent/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Ranges of characters that are never written as they are. */
static const struct {
	uint32_t first;
	uint32_t last;
} escape_hidden[] = {
    {0x0000, 0x001f},	 /* controls */
    {0x007f, 0x009f},	 /* delete, and the controls of eight-bit terminals */
    {0x00ad, 0x00ad},	 /* soft hyphen */
    {0x061c, 0x061c},	 /* turns the direction of text */
    {0x200b, 0x200f},	 /* without width, direction */
    {0x2028, 0x202e},	 /* line and paragraph ends, direction */
    {0x2060, 0x206f},	 /* without width, direction */
    {0xd800, 0xdfff},	 /* halves of UTF-16 pairs */
    {0xfe00, 0xfe0f},	 /* variants */
    {0xfeff, 0xfeff},	 /* byte order mark */
    {0xfff0, 0xffff},	 /* specials */
    {0xe0000, 0x1fffff}, /* tags, private planes, beyond Unicode */
};

static bool escape_is_hidden(uint32_t character)
{
	for (size_t i = 0; i < sizeof(escape_hidden) / sizeof(escape_hidden[0]); i++) {
		if (character >= escape_hidden[i].first && character <= escape_hidden[i].last)
			return true;
	}
	return false;
}

/* Bytes of the well-formed, visible character at `at`; 0 when there is none. */
static size_t escape_visible(const uint8_t *at, size_t left)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = at[0] < 0x80	   ? 1
		      : (at[0] >> 5) == 6  ? 2
		      : (at[0] >> 4) == 14 ? 3
		      : (at[0] >> 3) == 30 ? 4
					   : 0;

	if (size == 0 || size > left)
		return 0;
	uint32_t character = size == 1 ? at[0] : (uint32_t)at[0] & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (at[i] & 0x3fU);
	}
	return character < least[size] || escape_is_hidden(character) ? 0 : size;
}

/* Writes the next piece of text for `at` to `piece`; returns how many input bytes it stands for. */
static size_t escape_piece(char piece[4], size_t *piece_len, const uint8_t *at, size_t left)
{
	static const char hex[] = "0123456789abcdef";
	size_t size = escape_visible(at, left);

	if (size == 1 && at[0] == '\\') {
		memcpy(piece, "\\\\", 2);
		*piece_len = 2;
	} else if (size > 0) {
		memcpy(piece, at, size);
		*piece_len = size;
	} else {
		piece[0] = '\\';
		piece[1] = 'x';
		piece[2] = hex[at[0] >> 4];
		piece[3] = hex[at[0] & 15];
		*piece_len = 4;
		size = 1;
	}
	return size;
}

size_t escape_text(char *out, size_t capacity, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t written = 0;
	size_t cut = 0; /* the last place where "..." and the terminator still fit */

	if (capacity == 0)
		return 0;
	while (len > 0) {
		char piece[4];
		size_t piece_len;
		size_t used = escape_piece(piece, &piece_len, at, len);

		if (written + 4 <= capacity)
			cut = written;
		if (written + piece_len + 1 > capacity) {
			size_t dots = capacity - 1 - cut < 3 ? capacity - 1 - cut : 3;
			memcpy(out + cut, "...", dots);
			written = cut + dots;
			break;
		}
		memcpy(out + written, piece, piece_len);
		written += piece_len;
		at += used;
		len -= used;
	}
	out[written] = '\0';
	return written;
}
