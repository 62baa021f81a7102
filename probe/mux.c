/* SPDX-License-Identifier: MIT */
#include "probe/mux.h"

#include <stdlib.h>
#include <string.h>

#define MUX_TABLE_FIRST 8

void mux_start(struct mux *m, struct bytes *out, const struct mux_events *events, void *owner)
{
	memset(m, 0, sizeof(*m));
	m->out = out;
	m->events = events;
	m->owner = owner;
	m->next_id = 1;
	m->frame_max = MUX_FRAME_MAX;
	m->window = YAMUX_WINDOW;
}

void mux_frame(struct mux *m, uint8_t type, uint16_t flags, uint32_t stream, uint32_t length,
	       const uint8_t *payload, size_t len)
{
	uint8_t *at = bytes_room(m->out, YAMUX_HEADER + len);

	yamux_frame_write(at, type, flags, stream, length);
	if (len > 0)
		memcpy(at + YAMUX_HEADER, payload, len);
	bytes_added(m->out, YAMUX_HEADER + len);
}

void mux_ping(struct mux *m, uint32_t value)
{
	m->pings_open++;
	mux_frame(m, YAMUX_PING, YAMUX_SYN, 0, value, NULL, 0);
}

void mux_go_away(struct mux *m, uint32_t code)
{
	mux_frame(m, YAMUX_GO_AWAY, 0, 0, code, NULL, 0);
}

/* --- the table of streams --- */

static struct mux_stream **mux_slot(const struct mux *m, uint32_t id)
{
	return &m->table[(id >> 1) & (m->table_size - 1)];
}

struct mux_stream *mux_find(const struct mux *m, uint32_t id)
{
	struct mux_stream *s = m->table_size ? *mux_slot(m, id) : NULL;

	while (s && s->id != id)
		s = s->next;
	return s;
}

static void mux_grow(struct mux *m)
{
	struct mux_stream **old = m->table;
	size_t old_size = m->table_size;

	m->table_size = old_size ? old_size * 2 : MUX_TABLE_FIRST;
	m->table = calloc(m->table_size, sizeof(struct mux_stream *));
	if (!m->table)
		abort();
	for (size_t i = 0; i < old_size; i++) {
		for (struct mux_stream *s = old[i], *next; s; s = next) {
			struct mux_stream **slot = mux_slot(m, s->id);

			next = s->next;
			s->next = *slot;
			*slot = s;
		}
	}
	free(old);
}

struct mux_stream *mux_add(struct mux *m, uint32_t id, uint16_t flags_due)
{
	struct mux_stream *s = calloc(1, sizeof(*s));
	struct mux_stream **slot;

	if (!s)
		abort();
	if (m->count >= m->table_size)
		mux_grow(m);
	slot = mux_slot(m, id);
	s->mux = m;
	s->id = id;
	s->flags_due = flags_due;
	s->send_window = YAMUX_WINDOW;
	s->receive_window = YAMUX_WINDOW;
	s->next = *slot;
	*slot = s;
	m->count++;
	return s;
}

static void mux_remove(struct mux_stream *s)
{
	struct mux *m = s->mux;
	struct mux_stream **at = mux_slot(m, s->id);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	m->count--;
	if (m->payload_stream == s)
		m->payload_stream = NULL;
}

/* --- what a stream sends --- */

static uint16_t mux_take_flags(struct mux_stream *s)
{
	uint16_t flags = s->flags_due;

	s->flags_due = 0;
	return flags;
}

static void mux_grant(struct mux_stream *s, uint32_t credit)
{
	s->receive_window += credit;
	mux_frame(s->mux, YAMUX_WINDOW_UPDATE, mux_take_flags(s), s->id, credit, NULL, 0);
}

struct mux_stream *mux_open(struct mux *m, const struct mux_stream_events *events, void *user)
{
	struct mux_stream *s;

	if (m->failure)
		return NULL;
	s = mux_add(m, m->next_id, YAMUX_SYN);
	m->next_id += 2;
	s->events = events;
	s->user = user;
	if (m->window > YAMUX_WINDOW)
		mux_grant(s, m->window - YAMUX_WINDOW);
	return s;
}

void mux_announce(struct mux_stream *s)
{
	uint32_t extra = s->mux->window > s->receive_window ? s->mux->window - s->receive_window : 0;

	if (s->flags_due && !s->dead)
		mux_grant(s, extra);
}

size_t mux_write(struct mux_stream *s, const uint8_t *bytes, size_t len)
{
	size_t taken = 0;

	if (s->dead || s->finish_sent)
		return 0;
	while (taken < len && s->send_window > 0) {
		size_t part = len - taken;

		if (part > s->send_window)
			part = s->send_window;
		if (part > s->mux->frame_max)
			part = s->mux->frame_max;
		mux_frame(s->mux, YAMUX_DATA, mux_take_flags(s), s->id, (uint32_t)part, bytes + taken, part);
		s->send_window -= (uint32_t)part;
		taken += part;
	}
	return taken;
}

void mux_finish(struct mux_stream *s)
{
	if (s->dead || s->finish_sent)
		return;
	s->finish_sent = true;
	mux_frame(s->mux, YAMUX_DATA, (uint16_t)(mux_take_flags(s) | YAMUX_FIN), s->id, 0, NULL, 0);
}

void mux_reset(struct mux_stream *s)
{
	if (s->dead)
		return;
	s->dead = true;
	mux_frame(s->mux, YAMUX_WINDOW_UPDATE, (uint16_t)(mux_take_flags(s) | YAMUX_RST), s->id, 0, NULL, 0);
}

void mux_give_credit(struct mux_stream *s)
{
	uint32_t credit = s->credit_due;

	if (credit == 0 || s->dead || s->finish_received)
		return;
	s->credit_due = 0;
	mux_grant(s, credit);
}

void mux_release(struct mux_stream *s)
{
	if (!(s->finish_sent && s->finish_received) && !s->mux->failure)
		mux_reset(s);
	mux_remove(s);
	free(s);
}

/* --- the end --- */

/* One stream that has not heard of the end yet. Its owner may release it, so the search starts again each
 * time. */
static struct mux_stream *mux_find_living(const struct mux *m)
{
	for (size_t i = 0; i < m->table_size; i++)
		for (struct mux_stream *s = m->table[i]; s; s = s->next)
			if (!s->dead)
				return s;
	return NULL;
}

void mux_stop(struct mux *m, const char *why)
{
	struct mux_stream *s;

	if (!m->failure)
		m->failure = why;
	while ((s = mux_find_living(m)) != NULL) {
		s->dead = true;
		if (s->events && s->events->reset)
			s->events->reset(s);
	}
}

void mux_fail(struct mux *m, const char *why)
{
	if (m->failure)
		return;
	mux_go_away(m, YAMUX_GO_AWAY_PROTOCOL);
	mux_stop(m, why);
}

void mux_free(struct mux *m)
{
	for (size_t i = 0; i < m->table_size; i++) {
		for (struct mux_stream *s = m->table[i], *next; s; s = next) {
			next = s->next;
			free(s);
		}
	}
	free(m->table);
	memset(m, 0, sizeof(*m));
}
