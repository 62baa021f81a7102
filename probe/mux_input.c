/* SPDX-License-Identifier: MIT
 *
 * What comes in: frames parsed as bytes arrive, a payload handed on piece by piece.
 */
#include "probe/mux.h"

#include <string.h>

static void mux_input_ping(struct mux *m)
{
	if (m->frame.flags == YAMUX_SYN) {
		m->counters.pings++;
		if (!m->mute)
			mux_frame(m, YAMUX_PING, YAMUX_ACK, 0, m->frame.length, NULL, 0);
		return;
	}
	if (m->frame.flags != YAMUX_ACK || m->pings_open == 0) {
		mux_fail(m, "yamux: an answer to a ping that was not sent");
		return;
	}
	m->pings_open--;
	m->counters.pongs++;
	if (m->events->pong)
		m->events->pong(m->owner, m->frame.length);
}

static void mux_input_go_away(struct mux *m)
{
	m->ended = true;
	if (m->events->go_away)
		m->events->go_away(m->owner, m->frame.length);
}

static struct mux_stream *mux_input_syn(struct mux *m)
{
	struct mux_stream *s;

	if (m->frame.stream % 2 != 0 || mux_find(m, m->frame.stream)) {
		mux_fail(m, "yamux: a stream opened with an id that is not the opener's to use");
		return NULL;
	}
	if (!m->events->incoming) {
		mux_frame(m, YAMUX_WINDOW_UPDATE, YAMUX_RST, m->frame.stream, 0, NULL, 0);
		return NULL;
	}
	s = mux_add(m, m->frame.stream, YAMUX_ACK);
	s->acknowledged = true;
	m->events->incoming(m->owner, s);
	return mux_find(m, m->frame.stream);
}

static void mux_input_ack(struct mux *m, struct mux_stream *s)
{
	if (s->id % 2 == 0 || s->acknowledged)
		mux_fail(m, "yamux: a stream acknowledged twice, or by its opener");
	s->acknowledged = true;
}

static void mux_input_end(struct mux *m)
{
	struct mux_stream *s = mux_find(m, m->frame.stream);

	if (s && (m->frame.flags & YAMUX_FIN) && !s->dead) {
		if (s->finish_received)
			mux_fail(m, "yamux: a stream finished twice");
		s->finish_received = true;
		m->counters.finishes++;
		if (s->events && s->events->finish && !m->failure)
			s->events->finish(s);
	}
	s = mux_find(m, m->frame.stream); /* the owner may have released it */
	if (s && (m->frame.flags & YAMUX_RST) && !s->dead) {
		s->dead = true;
		m->counters.resets++;
		if (s->events && s->events->reset)
			s->events->reset(s);
	}
}

static void mux_input_credit(struct mux *m, struct mux_stream *s)
{
	bool was_empty = s->send_window == 0;

	if (m->frame.flags & YAMUX_RST || m->frame.length == 0)
		return; /* go puts an error code where the credit is */
	if (m->frame.length > UINT32_MAX - s->send_window) {
		mux_fail(m, "yamux: more credit than a window can hold");
		return;
	}
	s->send_window += m->frame.length;
	if (was_empty && s->events && s->events->writable)
		s->events->writable(s);
}

static void mux_input_payload_start(struct mux *m, struct mux_stream *s)
{
	m->payload_left = m->frame.length;
	m->payload_stream = s;
	if (!s || m->frame.length == 0)
		return;
	if (m->frame.length > s->receive_window)
		mux_fail(m, "yamux: more data than the window allows");
	else if (s->finish_received)
		mux_fail(m, "yamux: data after the end of the stream");
	else
		s->receive_window -= m->frame.length;
}

static void mux_input_stream_frame(struct mux *m)
{
	struct mux_stream *s = mux_find(m, m->frame.stream);

	if (m->frame.flags & YAMUX_SYN)
		s = mux_input_syn(m);
	else if (!s)
		m->counters.strays++;
	if (s && (m->frame.flags & YAMUX_ACK))
		mux_input_ack(m, s);
	if (m->failure)
		return;
	if (m->frame.type == YAMUX_DATA)
		mux_input_payload_start(m, s);
	else if (s)
		mux_input_credit(m, s);
	if (!m->failure && m->payload_left == 0)
		mux_input_end(m);
}

static void mux_input_header(struct mux *m)
{
	m->frame = yamux_frame_read(m->header);
	if (m->frame.version != 0 || m->frame.type > YAMUX_GO_AWAY) {
		mux_fail(m, "yamux: a frame of an unknown version or type");
		return;
	}
	if (m->frame.type == YAMUX_PING)
		mux_input_ping(m);
	else if (m->frame.type == YAMUX_GO_AWAY)
		mux_input_go_away(m);
	else if (m->frame.stream == 0)
		mux_fail(m, "yamux: a stream frame for stream 0");
	else
		mux_input_stream_frame(m);
}

static void mux_return_credit(struct mux *m, uint32_t id, uint32_t len)
{
	struct mux_stream *s = mux_find(m, id); /* the owner may have released it */

	if (!s)
		return;
	s->credit_due += len;
	if (!s->hold_credit && s->credit_due >= m->window / 2)
		mux_give_credit(s);
}

static size_t mux_input_payload(struct mux *m, const uint8_t *bytes, size_t len)
{
	size_t part = len < m->payload_left ? len : m->payload_left;
	struct mux_stream *s = m->payload_stream;

	m->payload_left -= (uint32_t)part;
	if (s) {
		s->received += part;
		if (!s->dead && s->events && s->events->data)
			s->events->data(s, bytes, part);
		if (m->payload_stream)
			mux_return_credit(m, m->frame.stream, (uint32_t)part);
	}
	if (m->payload_left == 0 && !m->failure)
		mux_input_end(m);
	return part;
}

void mux_input(struct mux *m, const uint8_t *bytes, size_t len)
{
	while (len > 0 && !m->failure) {
		size_t part;

		if (m->payload_left > 0) {
			part = mux_input_payload(m, bytes, len);
		} else {
			part = (size_t)YAMUX_HEADER - m->header_len;
			part = len < part ? len : part;
			memcpy(m->header + m->header_len, bytes, part);
			m->header_len = (uint8_t)(m->header_len + part);
			if (m->header_len == YAMUX_HEADER) {
				m->header_len = 0;
				mux_input_header(m);
			}
		}
		bytes += part;
		len -= part;
	}
}
