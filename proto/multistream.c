/* SPDX-License-Identifier: MIT
 *
 * Lines of multistream-select, see multistream.h.
 */
#include "proto/multistream.h"

#include <string.h>

/* The length prefix, one or two bytes and minimal. `used` is 0 when it is not whole. */
static enum multistream_result multistream_length(const uint8_t *bytes, size_t len, size_t *used,
						  size_t *line)
{
	*used = 0;
	if (len == 0)
		return MULTISTREAM_MORE;
	*line = bytes[0] & 0x7f;
	*used = 1;
	if (bytes[0] & 0x80) {
		if (len < 2)
			return MULTISTREAM_MORE;
		if (bytes[1] == 0 || bytes[1] & 0x80)
			return MULTISTREAM_BAD;
		*line |= (size_t)bytes[1] << 7;
		*used = 2;
	}
	return *line < 2 || *line > MULTISTREAM_LINE_MAX ? MULTISTREAM_BAD : MULTISTREAM_LINE;
}

enum multistream_result multistream_next(const uint8_t *bytes, size_t len, struct span *line, size_t *used)
{
	size_t head, content = 0;
	enum multistream_result result = multistream_length(bytes, len, &head, &content);

	*line = (struct span){0};
	*used = 0;
	if (result != MULTISTREAM_LINE)
		return result;
	if (len - head < content)
		return MULTISTREAM_MORE;
	if (bytes[head + content - 1] != '\n')
		return MULTISTREAM_BAD;
	*line = (struct span){.bytes = bytes + head, .len = content - 1};
	*used = head + content;
	return MULTISTREAM_LINE;
}

bool multistream_is(struct span line, const char *text)
{
	size_t len = strlen(text);

	return line.len == len && (len == 0 || memcmp(line.bytes, text, len) == 0);
}

void multistream_write(struct writer *w, const void *text, size_t len)
{
	if (len >= MULTISTREAM_LINE_MAX) {
		w->bad = true;
		return;
	}
	writer_varint(w, len + 1);
	writer_bytes(w, text, len);
	writer_u8(w, '\n');
}

void multistream_write_text(struct writer *w, const char *text)
{
	multistream_write(w, text, strlen(text));
}
