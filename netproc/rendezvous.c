/* SPDX-License-Identifier: MIT
 *
 * The streams of rendezvous. A stream carries any number of requests, one after another or several in one
 * piece; each is answered before the next is looked at. Clients finish before the answer, after it, or never:
 * what was asked is answered in all cases, and our FIN follows theirs. */
#include "netproc/rendezvous.h"

#include <stdlib.h>

#include "netproc/conn.h"
#include "netproc/message.h"
#include "netproc/net.h"
#include "netproc/rendezvous_cookie.h"
#include "netproc/rendezvous_state.h"

#define EARLY_MOST	16384  /* bytes of further requests that wait behind one */
#define REQUEST_TIME_MS 30000  /* from the first to the last byte of a request */
#define IDLE_TIME_MS	300000 /* between requests: canvas keeps one stream for all of them */
#define ANSWER_TIME_MS	60000  /* of an answer without progress */
#define LINGER_TIME_MS	10000  /* for the peer to finish after we did */

struct rendezvous_stream {
	struct stream *stream;
	struct message message;
	struct queue early;
	struct rendezvous_reply *reply; /* to the DISCOVER that waits or is being answered */
	bool blocked;			/* no room for even a short answer */
	bool working; /* inside `work` below: who comes in meanwhile leaves the rest to it */
	bool remote_finished;
	bool finished; /* by us */
	uint8_t lingered;
};

static bool busy(const struct rendezvous_stream *state)
{
	return state->reply != NULL || state->blocked;
}

static void finish(struct rendezvous_stream *state)
{
	if (state->finished)
		return;
	state->finished = true;
	stream_set_timer(state->stream, LINGER_TIME_MS);
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
		finish(state);
		return false;
	}
	return true;
}

static void answered(struct stream *stream);

static bool take_discover(struct rendezvous_stream *state, const struct rendezvous_request *q)
{
	struct stream *stream = state->stream;
	struct stream_ref ref = stream_ref(stream);
	struct net *net = stream->net;
	uint8_t bytes[RENDEZVOUS_SHORT_ANSWER];
	struct writer w = writer_of(bytes, sizeof(bytes));
	enum rendezvous_status status = rendezvous_discover(stream, q, answered, &state->reply);

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
			stream_set_timer(state->stream, REQUEST_TIME_MS);
		return true;
	}
	if (result != MESSAGE_WHOLE) {
		stream_reset(state->stream, reason_of(result));
		return false;
	}
	if (!take_request(state, whole))
		return false;
	message_clear(net, &state->message);
	stream_set_timer(state->stream, state->reply != NULL ? ANSWER_TIME_MS : IDLE_TIME_MS);
	return true;
}

/* True when a request may be looked at: the one before is answered and a short answer would fit. */
static bool ready(struct rendezvous_stream *state)
{
	if (busy(state) || state->finished)
		return false;
	if (stream_room(state->stream) >= RENDEZVOUS_SHORT_ANSWER)
		return true;
	state->blocked = true;
	stream_set_timer(state->stream, ANSWER_TIME_MS);
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

/* The peer will ask no more. A request that it left unfinished is none. */
static void settle_finish(struct rendezvous_stream *state)
{
	if (!state->remote_finished || busy(state) || state->early.len > 0)
		return;
	if (message_started(&state->message))
		stream_reset(state->stream, CLOSE_MESSAGE_MALFORMED);
	else
		finish(state);
}

/* The one place where requests are worked on; `len` bytes came just now. */
static void work(struct rendezvous_stream *state, const uint8_t *bytes, size_t len)
{
	if (state->working || state->finished)
		return;
	state->working = true;
	if (!work_early(state) || !work_new(state, bytes, len))
		return;
	state->working = false;
	settle_finish(state);
}

/* The answer that waited for its turn is written. */
static void answered(struct stream *stream)
{
	struct rendezvous_stream *state = stream->state;

	state->reply = NULL;
	stream_set_timer(stream, IDLE_TIME_MS);
	work(state, NULL, 0);
}

static void rendezvous_open(struct stream *stream)
{
	struct rendezvous_stream *state = pool_alloc(stream->net, sizeof(*state));

	if (state == NULL) {
		stream_reset(stream, CLOSE_MEMORY);
		return;
	}
	state->stream = stream;
	stream->state = state;
	stream_set_timer(stream, REQUEST_TIME_MS);
}

static void rendezvous_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	work(stream->state, bytes, len);
}

static void rendezvous_finish(struct stream *stream)
{
	struct rendezvous_stream *state = stream->state;

	state->remote_finished = true;
	if (!state->working)
		settle_finish(state);
}

static void rendezvous_writable(struct stream *stream)
{
	struct rendezvous_stream *state = stream->state;
	struct conn *conn = stream->conn;

	if (state->reply != NULL) {
		enum rendezvous_progress progress = rendezvous_reply_write(state->reply);

		stream_set_timer(stream, ANSWER_TIME_MS);
		if (progress == RENDEZVOUS_REPLY_WAITS)
			return;
		if (progress == RENDEZVOUS_REPLY_DONE)
			answered(stream);
		else
			stream_reset(stream, CLOSE_MEMORY);
		rendezvous_replies_go_on(conn);
		return;
	}
	state->blocked = false;
	work(state, NULL, 0);
}

/* An answer that the peer does not take, a request that does not end; between requests there is nothing
 * wrong, only an end. */
static void rendezvous_timeout(struct stream *stream)
{
	struct rendezvous_stream *state = stream->state;

	if (state->finished) {
		/* What we said may still be on its way: as long as an answer may take. */
		if (!stream->local_finished && ++state->lingered < ANSWER_TIME_MS / LINGER_TIME_MS)
			stream_set_timer(stream, LINGER_TIME_MS);
		else
			stream_reset(stream, CLOSE_MESSAGE_TIMEOUT);
	} else if (busy(state)) {
		stream_reset(stream, CLOSE_NOT_READING);
	} else if (message_started(&state->message)) {
		stream_reset(stream, CLOSE_MESSAGE_TIMEOUT);
	} else {
		finish(state);
	}
}

static void rendezvous_closed(struct stream *stream, enum close_reason reason)
{
	struct rendezvous_stream *state = stream->state;
	bool waited;

	(void)reason;
	if (state == NULL)
		return;
	stream->state = NULL;
	waited = state->reply != NULL;
	if (waited)
		rendezvous_reply_drop(state->reply);
	message_clear(stream->net, &state->message);
	queue_clear(stream->net, &state->early);
	pool_free(stream->net, state, sizeof(*state));
	if (waited)
		rendezvous_replies_go_on(stream->conn);
}

/* Clients open hundreds of streams at once, one for each request. */
const struct stream_protocol rendezvous_protocol = {
    .id = RENDEZVOUS_PROTOCOL,
    .stays = true,
    .open = rendezvous_open,
    .data = rendezvous_data,
    .finish = rendezvous_finish,
    .closed = rendezvous_closed,
    .writable = rendezvous_writable,
    .timeout = rendezvous_timeout,
};

int rendezvous_init(struct net *net)
{
	struct rendezvous *rendezvous = calloc(1, sizeof(*rendezvous));

	if (rendezvous == NULL)
		return -1;
	rendezvous->cookie_tag = rendezvous_cookie_tag(net->hash_key);
	if (table_init(&rendezvous->lines) == 0 && rendezvous_store_init(&rendezvous->store, net) == 0) {
		net->rendezvous = rendezvous;
		return 0;
	}
	table_free(&rendezvous->lines);
	free(rendezvous);
	return -1;
}

void rendezvous_peer(struct net *net, const uint8_t peer[32], bool held)
{
	rendezvous_store_reserved(&net->rendezvous->store, peer, held);
}

void rendezvous_free(struct net *net)
{
	if (net->rendezvous == NULL)
		return;
	rendezvous_store_free(&net->rendezvous->store);
	table_free(&net->rendezvous->lines);
	free(net->rendezvous);
	net->rendezvous = NULL;
}
