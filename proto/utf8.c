/* SPDX-License-Identifier: MIT
 *
 * UTF-8 by the table of RFC 3629 section 4, see utf8.h.
 */
#include "proto/utf8.h"

/* First bytes of one row: how many bytes follow and what the second one may be. The others are 80..BF. */
struct utf8_row {
	uint8_t first_low, first_high;
	uint8_t follow;
	uint8_t second_low, second_high;
};

static const struct utf8_row utf8_rows[] = {
    {0x00, 0x7f, 0, 0x00, 0x00}, {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static const struct utf8_row *utf8_row_of(uint8_t first)
{
	for (size_t i = 0; i < sizeof(utf8_rows) / sizeof(utf8_rows[0]); i++)
		if (first >= utf8_rows[i].first_low && first <= utf8_rows[i].first_high)
			return &utf8_rows[i];
	return NULL;
}

/* Bytes of the character at `bytes`, 0 when there is none. */
static size_t utf8_character(const uint8_t *bytes, size_t len)
{
	const struct utf8_row *row = utf8_row_of(bytes[0]);

	if (row == NULL || row->follow >= len)
		return 0;
	if (row->follow > 0 && (bytes[1] < row->second_low || bytes[1] > row->second_high))
		return 0;
	for (size_t i = 2; i <= row->follow; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return row->follow + 1u;
}

bool utf8_valid(const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t used = utf8_character(bytes, len);

		if (used == 0)
			return false;
		bytes += used;
		len -= used;
	}
	return true;
}
