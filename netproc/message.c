/* SPDX-License-Identifier: MIT
 *
 * One length-prefixed message from pieces. The common case, a message in one piece, copies nothing.
 */
#include "netproc/message.h"

#include <string.h>

#include "netproc/pool.h"

#define PREFIX_MOST 4 /* bytes: 28 bits, more than any bound here */

/* Reads the prefix byte by byte, since it too may come in pieces. */
static enum message_result take_prefix(struct message *m, size_t most, const uint8_t *bytes, size_t len,
				       size_t *used)
{
	while (!m->complete) {
		if (*used == len)
			return MESSAGE_MORE;
		uint8_t byte = bytes[(*used)++];
		if (m->prefix > 0 && byte == 0)
			return MESSAGE_MALFORMED;
		m->length |= (uint32_t)(byte & 0x7f) << (7 * m->prefix++);
		m->complete = (byte & 0x80) == 0;
		if (m->length > most || (!m->complete && m->prefix == PREFIX_MOST))
			return MESSAGE_TOO_LONG;
	}
	return MESSAGE_WHOLE;
}

static uint8_t *place_of(struct message *m)
{
	return m->buffer == NULL ? m->bytes : m->buffer->bytes;
}

static enum message_result keep_piece(struct net *net, struct message *m, const uint8_t *bytes, size_t len)
{
	if (m->buffer == NULL && m->length > MESSAGE_IN_PLACE) {
		m->buffer = pool_take(net, m->length);
		if (m->buffer == NULL)
			return MESSAGE_NO_MEMORY;
	}
	if (len > 0)
		memcpy(place_of(m) + m->have, bytes, len);
	m->have += (uint32_t)len;
	return MESSAGE_WHOLE;
}

enum message_result message_take(struct net *net, struct message *m, size_t most, const uint8_t *bytes,
				 size_t len, size_t *used, struct span *whole)
{
	*used = 0;
	enum message_result result = take_prefix(m, most, bytes, len, used);
	if (result != MESSAGE_WHOLE)
		return result;
	size_t missing = m->length - m->have;
	size_t left = len - *used;
	if (m->have == 0 && left >= missing) {
		*whole = (struct span){bytes + *used, missing};
		*used += missing;
		return MESSAGE_WHOLE;
	}
	size_t piece = left < missing ? left : missing;
	result = keep_piece(net, m, bytes + *used, piece);
	if (result != MESSAGE_WHOLE)
		return result;
	*used += piece;
	if (m->have < m->length)
		return MESSAGE_MORE;
	*whole = (struct span){place_of(m), m->length};
	return MESSAGE_WHOLE;
}

int message_started(const struct message *m)
{
	return m->prefix > 0;
}

size_t message_held(const struct message *m)
{
	return m->buffer == NULL ? 0 : m->buffer->capacity;
}

void message_clear(struct net *net, struct message *m)
{
	if (m->buffer != NULL)
		pool_give(net, m->buffer);
	*m = (struct message){0};
}
