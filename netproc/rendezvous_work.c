/* SPDX-License-Identifier: MIT
 *
 * The requests of a stream. It carries any number, one after another or several in one piece; each is
 * answered before the next is looked at. Signatures cost fifty times what all else of a request does, so that
 * only a few are verified in a turn of the loop; a REGISTER beyond those waits, and its stream with it. */
#include "netproc/rendezvous_stream.h"

#include <string.h>

#include "netproc/conn.h"
#include "netproc/net.h"

#define EARLY_MOST 16384 /* bytes of further requests that wait behind one */

bool rendezvous_busy(const struct rendezvous_stream *state)
{
	return state->reply != NULL || state->unchecked != NULL || state->blocked;
}

void rendezvous_stream_finish(struct rendezvous_stream *state)
{
	if (state->finished)
		return;
	state->finished = true;
	stream_set_timer(state->stream, RENDEZVOUS_LINGER_MS);
	stream_finish(state->stream);
}

/* False: the stream is gone. */
static bool answer_write(struct stream *stream, struct writer *w)
{
	if (!w->bad && stream_write(stream, w->start, writer_len(w)) == 0)
		return true;
	stream_reset(stream, CLOSE_MEMORY);
	return false;
}

static bool take_register(struct rendezvous_stream *state, const struct rendezvous_request *q)
{
	uint8_t bytes[RENDEZVOUS_SHORT_ANSWER];
	struct writer w = writer_of(bytes, sizeof(bytes));
	uint64_t ttl = 0;
	enum rendezvous_status status = rendezvous_register(state->stream->conn, q, &ttl);

	rendezvous_register_response_write(&w, status, ttl);
	if (!answer_write(state->stream, &w))
		return false;
	/* Who sends what no client can read has nothing more to say. */
	if (status == RENDEZVOUS_INVALID_SIGNED_PEER_RECORD) {
		rendezvous_stream_finish(state);
		return false;
	}
	return true;
}

/* A connection has one place in the line, however many of its streams wait. */
static void line_up(struct rendezvous_stream *state)
{
	struct conn *conn = state->stream->conn;

	if (!list_in(&conn->check_turn)) {
		list_init(&conn->checks);
		list_append(&conn->net->rendezvous->unchecked, &conn->check_turn);
	}
	list_append(&conn->checks, &state->check);
}

/* Keeps the message until its turn; false: the stream is gone. */
static bool put_off(struct rendezvous_stream *state, struct span bytes)
{
	struct net *net = state->stream->net;

	state->unchecked = pool_take(net, bytes.len);
	if (state->unchecked == NULL) {
		stream_reset(state->stream, CLOSE_MEMORY);
		return false;
	}
	memcpy(state->unchecked->bytes, bytes.bytes, bytes.len);
	state->unchecked->end = (uint32_t)bytes.len;
	line_up(state);
	return true;
}

static bool take_discover(struct rendezvous_stream *state, const struct rendezvous_request *q)
{
	struct stream *stream = state->stream;
	struct stream_ref ref = stream_ref(stream);
	struct net *net = stream->net;
	uint8_t bytes[RENDEZVOUS_SHORT_ANSWER];
	struct writer w = writer_of(bytes, sizeof(bytes));
	enum rendezvous_status status =
	    rendezvous_discover(stream, q, rendezvous_work_answered, &state->reply);

	if (status != RENDEZVOUS_OK) {
		rendezvous_discover_refusal_write(&w, status);
		return answer_write(stream, &w);
	}
	rendezvous_replies_go_on(stream->conn);
	return stream_find(net, ref) != NULL;
}

/* False: nothing more is to be read from this stream, which may be gone. */
static bool take_request(struct rendezvous_stream *state, struct span bytes)
{
	struct rendezvous_request q;

	conn_touch(state->stream->conn);
	if (rendezvous_request_parse(bytes.bytes, bytes.len, &q) != 0) {
		stream_reset(state->stream, CLOSE_MESSAGE_MALFORMED);
		return false;
	}
	switch (q.type) {
	case RENDEZVOUS_REGISTER:
		if (rendezvous_register_must_wait(state->stream->conn, &q))
			return put_off(state, bytes);
		return take_register(state, &q);
	case RENDEZVOUS_UNREGISTER:
		rendezvous_unregister(state->stream->conn, &q);
		return true;
	default:
		return take_discover(state, &q);
	}
}

static enum close_reason reason_of(enum message_result result)
{
	switch (result) {
	case MESSAGE_TOO_LONG:
		return CLOSE_MESSAGE_TOO_LONG;
	case MESSAGE_NO_MEMORY:
		return CLOSE_MEMORY;
	default:
		return CLOSE_MESSAGE_MALFORMED;
	}
}

/* Takes at most one request from the front of `bytes`; false as above. */
static bool take_piece(struct rendezvous_stream *state, const uint8_t *bytes, size_t len, size_t *used)
{
	struct net *net = state->stream->net;
	bool started = message_started(&state->message);
	struct span whole = {0};
	enum message_result result;

	result = message_take(net, &state->message, RENDEZVOUS_REQUEST_MAX, bytes, len, used, &whole);
	if (result == MESSAGE_MORE) {
		if (!started)
			stream_set_timer(state->stream, RENDEZVOUS_REQUEST_MS);
		return true;
	}
	if (result != MESSAGE_WHOLE) {
		stream_reset(state->stream, reason_of(result));
		return false;
	}
	if (!take_request(state, whole))
		return false;
	message_clear(net, &state->message);
	stream_set_timer(state->stream, rendezvous_busy(state) ? RENDEZVOUS_ANSWER_MS : RENDEZVOUS_IDLE_MS);
	return true;
}

/* True when a request may be looked at: the one before is answered and a short answer would fit. */
static bool ready(struct rendezvous_stream *state)
{
	if (rendezvous_busy(state) || state->finished)
		return false;
	if (stream_room(state->stream) >= RENDEZVOUS_SHORT_ANSWER)
		return true;
	state->blocked = true;
	stream_set_timer(state->stream, RENDEZVOUS_ANSWER_MS);
	stream_want_room(state->stream);
	return false;
}

/* Bytes that waited, buffer by buffer; a request is done with before its bytes go. False as above. */
static bool work_early(struct rendezvous_stream *state)
{
	struct net *net = state->stream->net;
	uint8_t gone[512];

	while (state->early.len > 0 && ready(state)) {
		const struct pool_buffer *first = state->early.first;
		size_t used;

		if (!take_piece(state, first->bytes + first->start, first->end - first->start, &used))
			return false;
		while (used > 0) {
			size_t step = used < sizeof(gone) ? used : sizeof(gone);

			queue_take(net, &state->early, gone, step);
			used -= step;
		}
	}
	return true;
}

static bool work_new(struct rendezvous_stream *state, const uint8_t *bytes, size_t len)
{
	size_t used;

	while (len > 0 && state->early.len == 0 && ready(state)) {
		if (!take_piece(state, bytes, len, &used))
			return false;
		bytes += used;
		len -= used;
	}
	if (len == 0 || state->finished)
		return true;
	if (state->early.len + len > EARLY_MOST) {
		stream_reset(state->stream, CLOSE_MESSAGE_TOO_LONG);
		return false;
	}
	if (queue_append(state->stream->net, &state->early, bytes, len) == 0)
		return true;
	stream_reset(state->stream, CLOSE_MEMORY);
	return false;
}

/* A request that the peer left unfinished is none. */
void rendezvous_settle(struct rendezvous_stream *state)
{
	if (!state->remote_finished || state->working || rendezvous_busy(state) || state->early.len > 0)
		return;
	if (message_started(&state->message))
		stream_reset(state->stream, CLOSE_MESSAGE_MALFORMED);
	else
		rendezvous_stream_finish(state);
}

void rendezvous_work(struct rendezvous_stream *state, const uint8_t *bytes, size_t len)
{
	if (state->working || state->finished)
		return;
	state->working = true;
	if (!work_early(state) || !work_new(state, bytes, len))
		return;
	state->working = false;
	rendezvous_settle(state);
}

void rendezvous_work_answered(struct stream *stream)
{
	struct rendezvous_stream *state = stream->state;

	state->reply = NULL;
	stream_set_timer(stream, RENDEZVOUS_IDLE_MS);
	rendezvous_work(state, NULL, 0);
}

/* There is room for the answer: it was seen to before the request was taken, and nothing was written since.
 */
void rendezvous_work_checked(struct rendezvous_stream *state)
{
	struct pool_buffer *unchecked = state->unchecked;
	struct net *net = state->stream->net;
	struct rendezvous_request q;
	bool goes_on = false;

	state->unchecked = NULL;
	if (rendezvous_request_parse(unchecked->bytes, unchecked->end, &q) == 0)
		goes_on = take_register(state, &q);
	pool_give(net, unchecked);
	if (!goes_on)
		return;
	stream_set_timer(state->stream, RENDEZVOUS_IDLE_MS);
	rendezvous_work(state, NULL, 0);
}
