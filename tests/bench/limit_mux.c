/* SPDX-License-Identifier: MIT
 *
 * Yamux frames: those of a circuit go to its other half under another number, all else is answered.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/bench/limit.h"

#define MUX_IN_PLACE 4096 /* plain bytes of a record that is sealed where it stands */

static struct limit_stream *mux_find(struct limit_conn *c, uint32_t id)
{
	struct limit_stream *s = c->streams;

	while (s && s->id != id)
		s = s->next;
	return s;
}

static void mux_forward(const struct limit_stream *s, uint8_t type, uint16_t flags, uint32_t length)
{
	uint8_t header[YAMUX_HEADER];

	yamux_frame_write(header, type, flags, s->other->id, length);
	limit_send(s->other->conn, header, sizeof(header));
}

static void mux_end(struct limit_stream *s, uint16_t flags)
{
	struct limit_stream *other = s->other;

	if (other)
		mux_forward(s, YAMUX_DATA, flags & (YAMUX_FIN | YAMUX_RST), 0);
	if (!(flags & YAMUX_RST))
		return;
	if (other)
		limit_stream_free(other);
	limit_stream_free(s);
}

static void mux_frame(struct limit_conn *c)
{
	const struct yamux_frame f = c->frame;
	struct limit_stream *s = f.stream ? mux_find(c, f.stream) : NULL;
	uint8_t pong[YAMUX_HEADER];

	if (f.type == YAMUX_PING) {
		if (!(f.flags & YAMUX_SYN))
			return;
		yamux_frame_write(pong, YAMUX_PING, YAMUX_ACK, 0, f.length);
		limit_send(c, pong, sizeof(pong));
		return;
	}
	if (!s && (f.flags & YAMUX_SYN))
		s = limit_stream_new(c, f.stream);
	if (f.type == YAMUX_DATA)
		c->payload_left = f.length;
	if (!s)
		return;
	if (s->linked && s->other && f.type == YAMUX_DATA && f.length > 0)
		mux_forward(s, YAMUX_DATA, 0, f.length);
	if (s->linked && s->other && f.type == YAMUX_WINDOW_UPDATE && f.length > 0)
		mux_forward(s, YAMUX_WINDOW_UPDATE, 0, f.length);
	if (f.flags & (YAMUX_FIN | YAMUX_RST))
		mux_end(s, f.flags);
}

static size_t mux_payload(struct limit_conn *c, const uint8_t *bytes, size_t len)
{
	size_t part = len < c->payload_left ? len : c->payload_left;
	struct limit_stream *s = mux_find(c, c->frame.stream);

	c->payload_left -= (uint32_t)part;
	if (s && s->linked && s->other)
		limit_send(s->other->conn, bytes, part);
	else if (s && !s->linked)
		limit_stream_data(s, bytes, part);
	return part;
}

/* One whole data frame of a circuit in one record: the way nearly all bytes go. */
static bool mux_whole(struct limit_conn *c, uint8_t *record, uint8_t *plain, size_t len)
{
	struct yamux_frame f;
	struct limit_stream *s;

	if (c->payload_left > 0 || c->header_len > 0 || len < YAMUX_HEADER)
		return false;
	f = yamux_frame_read(plain);
	if (f.type != YAMUX_DATA || f.flags != 0 || f.length != len - YAMUX_HEADER)
		return false;
	s = mux_find(c, f.stream);
	if (!s || !s->linked || !s->other)
		return false;
	yamux_frame_write(plain, YAMUX_DATA, 0, s->other->id, f.length);
	if (record && len >= MUX_IN_PLACE)
		limit_send_record(s->other->conn, record, len);
	else
		limit_send(s->other->conn, plain, len);
	return true;
}

void limit_plain(struct limit_conn *c, uint8_t *record, uint8_t *plain, size_t len)
{
	if (mux_whole(c, record, plain, len))
		return;
	while (len > 0) {
		size_t part = (size_t)YAMUX_HEADER - c->header_len;

		if (c->payload_left > 0) {
			part = mux_payload(c, plain, len);
		} else {
			part = len < part ? len : part;
			memcpy(c->header + c->header_len, plain, part);
			c->header_len = (uint8_t)(c->header_len + part);
			if (c->header_len == YAMUX_HEADER) {
				c->header_len = 0;
				c->frame = yamux_frame_read(c->header);
				mux_frame(c);
			}
		}
		plain += part;
		len -= part;
	}
}

void limit_streams_end(struct limit_conn *c)
{
	while (c->streams) {
		struct limit_stream *s = c->streams;

		if (s->other) {
			mux_forward(s, YAMUX_DATA, YAMUX_RST, 0);
			limit_stream_free(s->other);
		}
		limit_stream_free(s);
	}
}
