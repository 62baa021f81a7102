/* SPDX-License-Identifier: MIT */
#include "probe/exchange.h"

#include <string.h>

#include "proto/multistream.h"

static void exchange_changed(struct exchange *x)
{
	if (x->changed)
		x->changed(x);
}

static void exchange_line(struct exchange *x, const char *text)
{
	uint8_t line[MULTISTREAM_LINE_MAX + 2];
	struct writer w = writer_of(line, sizeof(line));

	multistream_write_text(&w, text);
	mux_write(x->stream, line, writer_len(&w));
}

static void exchange_inbound_line(struct exchange *x, struct span line)
{
	if (multistream_is(line, x->protocol)) {
		exchange_line(x, x->protocol);
		x->state = EXCHANGE_OPEN;
	} else {
		exchange_line(x, MULTISTREAM_NA);
	}
}

static void exchange_take_line(struct exchange *x, struct span line)
{
	if (x->state == EXCHANGE_HEADER)
		x->state = multistream_is(line, MULTISTREAM_HEADER) ? EXCHANGE_PROTOCOL : EXCHANGE_BROKEN;
	else if (x->inbound)
		exchange_inbound_line(x, line);
	else if (multistream_is(line, x->protocol))
		x->state = EXCHANGE_OPEN;
	else
		x->state = multistream_is(line, MULTISTREAM_NA) ? EXCHANGE_REFUSED : EXCHANGE_BROKEN;
}

static void exchange_negotiate(struct exchange *x)
{
	struct span line;
	size_t used;

	while (x->state == EXCHANGE_HEADER || x->state == EXCHANGE_PROTOCOL) {
		switch (multistream_next(bytes_at(&x->inbox), bytes_len(&x->inbox), &line, &used)) {
		case MULTISTREAM_MORE:
			return;
		case MULTISTREAM_BAD:
			x->state = EXCHANGE_BROKEN;
			return;
		case MULTISTREAM_LINE:
			exchange_take_line(x, line);
			bytes_consume(&x->inbox, used);
			break;
		}
	}
}

static void exchange_data(struct mux_stream *stream, const uint8_t *bytes, size_t len)
{
	struct exchange *x = stream->user;

	if (x->state == EXCHANGE_OPEN && x->data && bytes_len(&x->inbox) == 0) {
		x->data(x, bytes, len);
		return;
	}
	bytes_append(&x->inbox, bytes, len);
	exchange_negotiate(x);
	exchange_changed(x);
}

static void exchange_on_finish(struct mux_stream *stream)
{
	struct exchange *x = stream->user;

	x->finished = true;
	exchange_changed(x);
}

static void exchange_on_reset(struct mux_stream *stream)
{
	struct exchange *x = stream->user;

	x->reset = true;
	exchange_changed(x);
}

static void exchange_on_writable(struct mux_stream *stream)
{
	exchange_changed(stream->user);
}

static const struct mux_stream_events exchange_events = {
    .data = exchange_data,
    .finish = exchange_on_finish,
    .reset = exchange_on_reset,
    .writable = exchange_on_writable,
};

int exchange_open_silent(struct exchange *x, struct mux *mux, const char *protocol)
{
	memset(x, 0, sizeof(*x));
	x->protocol = protocol;
	x->stream = mux_open(mux, &exchange_events, x);
	return x->stream ? 0 : -1;
}

int exchange_open(struct exchange *x, struct mux *mux, const char *protocol)
{
	uint8_t lines[2 * (MULTISTREAM_LINE_MAX + 2)];
	struct writer w = writer_of(lines, sizeof(lines));

	if (exchange_open_silent(x, mux, protocol) != 0)
		return -1;
	multistream_write_text(&w, MULTISTREAM_HEADER);
	multistream_write_text(&w, protocol);
	mux_write(x->stream, lines, writer_len(&w));
	return 0;
}

void exchange_accept(struct exchange *x, struct mux_stream *stream, const char *protocol)
{
	memset(x, 0, sizeof(*x));
	x->protocol = protocol;
	x->inbound = true;
	x->stream = stream;
	stream->events = &exchange_events;
	stream->user = x;
	exchange_line(x, MULTISTREAM_HEADER);
}

void exchange_propose(struct exchange *x, const char *protocol)
{
	x->protocol = protocol;
	x->state = EXCHANGE_PROTOCOL;
	exchange_line(x, protocol);
}

size_t exchange_write(struct exchange *x, const void *bytes, size_t len)
{
	return x->stream ? mux_write(x->stream, bytes, len) : 0;
}

bool exchange_over(const struct exchange *x)
{
	return !x->stream || x->finished || x->reset || x->state == EXCHANGE_REFUSED ||
	       x->state == EXCHANGE_BROKEN;
}

int exchange_message(struct exchange *x, size_t most, struct span *message)
{
	struct reader r = reader_of(bytes_at(&x->inbox), bytes_len(&x->inbox));
	uint64_t len;

	if (x->state != EXCHANGE_OPEN || reader_left(&r) == 0)
		return exchange_over(x) ? -1 : 0;
	len = reader_varint(&r);
	if (r.bad)
		return exchange_over(x) || bytes_len(&x->inbox) >= VARINT_MAX ? -1 : 0;
	if (len > most)
		return -1;
	if (len > reader_left(&r))
		return exchange_over(x) ? -1 : 0;
	message->bytes = r.at;
	message->len = (size_t)len;
	return 1;
}

void exchange_took(struct exchange *x, struct span message)
{
	bytes_consume(&x->inbox, (size_t)(message.bytes + message.len - bytes_at(&x->inbox)));
}

void exchange_finish(struct exchange *x)
{
	if (x->stream)
		mux_finish(x->stream);
}

void exchange_reset(struct exchange *x)
{
	if (x->stream)
		mux_reset(x->stream);
}

void exchange_close(struct exchange *x)
{
	if (x->stream)
		mux_release(x->stream);
	x->stream = NULL;
	bytes_free(&x->inbox);
}
