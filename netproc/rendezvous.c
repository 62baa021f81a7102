/* SPDX-License-Identifier: MIT
 *
 * The streams of rendezvous, as the muxer tells of them. Clients finish before the answer, after it, or
 * never: what was asked is answered in all cases, and our FIN follows theirs. */
#include "netproc/rendezvous.h"

#include <stdlib.h>

#include "netproc/conn.h"
#include "netproc/net.h"
#include "netproc/rendezvous_cookie.h"
#include "netproc/rendezvous_stream.h"

static void rendezvous_open(struct stream *stream)
{
	struct rendezvous_stream *state = pool_alloc(stream->net, sizeof(*state));

	if (state == NULL) {
		stream_reset(stream, CLOSE_MEMORY);
		return;
	}
	state->stream = stream;
	stream->state = state;
	stream_set_timer(stream, RENDEZVOUS_REQUEST_MS);
}

static void rendezvous_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	rendezvous_work(stream->state, bytes, len);
}

static void rendezvous_finish(struct stream *stream)
{
	struct rendezvous_stream *state = stream->state;

	state->remote_finished = true;
	rendezvous_settle(state);
}

static void rendezvous_writable(struct stream *stream)
{
	struct rendezvous_stream *state = stream->state;
	struct conn *conn = stream->conn;

	if (state->reply != NULL) {
		enum rendezvous_progress progress = rendezvous_reply_write(state->reply);

		stream_set_timer(stream, RENDEZVOUS_ANSWER_MS);
		if (progress == RENDEZVOUS_REPLY_WAITS)
			return;
		if (progress == RENDEZVOUS_REPLY_DONE)
			rendezvous_work_answered(stream);
		else
			stream_reset(stream, CLOSE_MEMORY);
		rendezvous_replies_go_on(conn);
		return;
	}
	state->blocked = false;
	rendezvous_work(state, NULL, 0);
}

/* An answer that the peer does not take, a request that does not end; between requests there is nothing
 * wrong, only an end. */
static void rendezvous_timeout(struct stream *stream)
{
	struct rendezvous_stream *state = stream->state;

	if (state->finished) {
		/* What we said may still be on its way: as long as an answer may take. */
		if (!stream->local_finished &&
		    ++state->lingered < RENDEZVOUS_ANSWER_MS / RENDEZVOUS_LINGER_MS)
			stream_set_timer(stream, RENDEZVOUS_LINGER_MS);
		else
			stream_reset(stream, CLOSE_MESSAGE_TIMEOUT);
	} else if (rendezvous_busy(state)) {
		stream_reset(stream, CLOSE_NOT_READING);
	} else if (message_started(&state->message)) {
		stream_reset(stream, CLOSE_MESSAGE_TIMEOUT);
	} else {
		rendezvous_stream_finish(state);
	}
}

static void rendezvous_line_leave(struct rendezvous_stream *state)
{
	struct conn *conn = state->stream->conn;

	list_remove(&state->check);
	if (list_in(&conn->check_turn) && list_empty(&conn->checks))
		list_remove(&conn->check_turn);
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
	rendezvous_line_leave(state);
	pool_give(stream->net, state->unchecked);
	message_clear(stream->net, &state->message);
	queue_clear(stream->net, &state->early);
	pool_free(stream->net, state, sizeof(*state));
	if (waited)
		rendezvous_replies_go_on(stream->conn);
}

static size_t rendezvous_held(const struct stream *stream)
{
	const struct rendezvous_stream *state = stream->state;
	size_t held;

	if (state == NULL)
		return 0;
	held = sizeof(*state) + state->early.len;
	if (state->message.buffer != NULL)
		held += state->message.buffer->capacity;
	if (state->unchecked != NULL)
		held += state->unchecked->capacity;
	return held + (state->reply != NULL ? rendezvous_reply_held(state->reply) : 0);
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
    .held = rendezvous_held,
};

int rendezvous_init(struct net *net)
{
	struct rendezvous *rendezvous = calloc(1, sizeof(*rendezvous));

	if (rendezvous == NULL)
		return -1;
	list_init(&rendezvous->unchecked);
	list_init(&rendezvous->hungry);
	rendezvous_cookie_key(rendezvous->cookie_key, net->hash_key);
	if (table_init(&rendezvous->lines) == 0 && rendezvous_store_init(&rendezvous->store, net) == 0) {
		net->rendezvous = rendezvous;
		return 0;
	}
	table_free(&rendezvous->lines);
	free(rendezvous);
	return -1;
}

/* The next REGISTER of the connection whose turn it is, which lines up again when it has more; NULL: none. */
static struct rendezvous_stream *rendezvous_next_unchecked(struct rendezvous *rendezvous)
{
	struct list *first = list_shift(&rendezvous->unchecked), *check;
	struct conn *conn;

	if (first == NULL)
		return NULL;
	conn = container_of(first, struct conn, check_turn);
	check = list_shift(&conn->checks);
	if (!list_empty(&conn->checks))
		list_append(&rendezvous->unchecked, &conn->check_turn);
	return container_of(check, struct rendezvous_stream, check);
}

/* The budgets are for this turn and what comes in until the next. */
bool rendezvous_turn(struct net *net)
{
	struct rendezvous *rendezvous = net->rendezvous;
	struct rendezvous_stream *next;

	rendezvous->turns = true;
	rendezvous->checks = RENDEZVOUS_CHECKS_A_TURN;
	rendezvous->found_left = RENDEZVOUS_FOUND_A_TURN;
	while (rendezvous->checks > 0 && (next = rendezvous_next_unchecked(rendezvous)) != NULL)
		rendezvous_work_checked(next);
	return rendezvous_replies_turn(rendezvous) || !list_empty(&rendezvous->unchecked);
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
