/* SPDX-License-Identifier: MIT
 *
 * DISCOVER. An answer is a snapshot: references to registrations, taken when its turn comes, encoded piece by
 * piece as the stream's window opens. So an answer that nobody reads costs eight bytes a result, and what
 * comes and goes meanwhile does not change it. Of one connection's many only a few hold references at all,
 * and in a turn of the loop only so many begin. */
#include "netproc/rendezvous_state.h"

#include <string.h>

#include "netproc/conn.h"
#include "netproc/limits.h"
#include "netproc/net.h"
#include "netproc/rendezvous_reply.h"
#include "netproc/rendezvous_cookie.h"

static enum rendezvous_status refuse(struct net *net, enum net_counter counter, enum rendezvous_status status)
{
	net_count(net, counter);
	return status;
}

/* Who may not, and what cannot be meant; fills in what is asked for. */
static enum rendezvous_status admit(struct stream *stream, const struct rendezvous_request *q,
				    uint64_t *after)
{
	struct net *net = stream->net;
	const struct rendezvous *rendezvous = net->rendezvous;

	if (!limits_rendezvous_rate(net, stream->conn))
		return refuse(net, NET_COUNT_DISCOVER_RATE, RENDEZVOUS_UNAVAILABLE);
	if (limits_denied(net, stream->conn->peer)) {
		log_event(&net->log, LOG_EVENT_PEER_DENIED, NULL, NULL, 0, 0, 0, NULL, 0);
		return refuse(net, NET_COUNT_DISCOVER_NOT_AUTHORIZED, RENDEZVOUS_NOT_AUTHORIZED);
	}
	if (!rendezvous_namespace_valid(q->ns))
		return refuse(net, NET_COUNT_DISCOVER_INVALID_NAMESPACE, RENDEZVOUS_INVALID_NAMESPACE);
	if (q->ns.len == 0 && net->settings.privacy_guard) {
		log_event(&net->log, LOG_EVENT_GUARD_REFUSED_ALL, NULL, NULL, 0, 0, 0, NULL, 0);
		return refuse(net, NET_COUNT_DISCOVER_NOT_AUTHORIZED, RENDEZVOUS_NOT_AUTHORIZED);
	}
	*after = 0;
	if (q->cookie.len > 0 && rendezvous_cookie_read(q->cookie, rendezvous->cookie_key,
							rendezvous->store.serial, q->ns, after) != 0)
		return refuse(net, NET_COUNT_DISCOVER_INVALID_COOKIE, RENDEZVOUS_INVALID_COOKIE);
	return RENDEZVOUS_OK;
}

static uint64_t line_hash(const struct net *net, struct conn_ref ref)
{
	uint32_t pair[2] = {ref.slot, ref.generation};

	return table_hash(net->hash_key, pair, sizeof(pair));
}

static struct rendezvous_line *line_find(const struct conn *conn)
{
	struct rendezvous *rendezvous = conn->net->rendezvous;
	struct conn_ref ref = conn_ref(conn);
	uint64_t hash = line_hash(conn->net, ref);
	struct table_link *link;

	for (link = table_first(&rendezvous->lines, hash); link != NULL; link = table_next(link, hash)) {
		struct rendezvous_line *line = container_of(link, struct rendezvous_line, link);

		if (line->conn.slot == ref.slot && line->conn.generation == ref.generation)
			return line;
	}
	return NULL;
}

static struct rendezvous_line *line_get(struct conn *conn)
{
	struct net *net = conn->net;
	struct rendezvous_line *line = line_find(conn);

	if (line != NULL)
		return line;
	line = pool_alloc(net, sizeof(*line));
	if (line == NULL)
		return NULL;
	line->conn = conn_ref(conn);
	list_init(&line->waiting);
	table_insert(&net->rendezvous->lines, &line->link, line_hash(net, line->conn));
	return line;
}

/* Ends with the last of its answers. */
static void line_settle(struct net *net, struct rendezvous_line *line)
{
	if (line->busy || line->running > 0 || !list_empty(&line->waiting))
		return;
	table_remove(&net->rendezvous->lines, &line->link);
	list_remove(&line->turn);
	pool_free(net, line, sizeof(*line));
}

static struct rendezvous_reply *reply_new(struct stream *stream, const struct rendezvous_request *q,
					  uint64_t after)
{
	struct rendezvous_reply *reply = pool_alloc(stream->net, sizeof(*reply) + q->ns.len);

	if (reply == NULL)
		return NULL;
	reply->stream = stream;
	reply->after = after;
	reply->newest_first = q->cookie.len == 0 && q->limit == 0;
	reply->limit =
	    q->limit == 0 || q->limit > RENDEZVOUS_RESULTS_MOST ? RENDEZVOUS_RESULTS_MOST : q->limit;
	reply->ns_len = (uint8_t)q->ns.len;
	if (q->ns.len > 0)
		memcpy(reply->ns, q->ns.bytes, q->ns.len);
	return reply;
}

enum rendezvous_status rendezvous_discover(struct stream *stream, const struct rendezvous_request *q,
					   rendezvous_answered answered, struct rendezvous_reply **reply)
{
	struct net *net = stream->net;
	uint64_t after;
	enum rendezvous_status status = admit(stream, q, &after);
	struct rendezvous_line *line;

	if (status != RENDEZVOUS_OK)
		return status;
	*reply = reply_new(stream, q, after);
	if (*reply == NULL)
		return refuse(net, NET_COUNT_DISCOVER_UNAVAILABLE, RENDEZVOUS_UNAVAILABLE);
	line = line_get(stream->conn);
	if (line == NULL) {
		rendezvous_reply_free(*reply);
		*reply = NULL;
		return refuse(net, NET_COUNT_DISCOVER_UNAVAILABLE, RENDEZVOUS_UNAVAILABLE);
	}
	(*reply)->answered = answered;
	(*reply)->line = line;
	list_append(&line->waiting, &(*reply)->waiting);
	return RENDEZVOUS_OK;
}

void rendezvous_reply_drop(struct rendezvous_reply *reply)
{
	struct net *net = reply->stream->net;
	struct rendezvous_line *line = reply->line;

	if (reply->running)
		line->running--;
	list_remove(&reply->waiting);
	rendezvous_reply_free(reply);
	line_settle(net, line);
}

enum rendezvous_progress rendezvous_reply_write(struct rendezvous_reply *reply)
{
	enum rendezvous_progress progress;

	if (!reply->running)
		return RENDEZVOUS_REPLY_WAITS;
	progress = rendezvous_reply_encode(reply);
	if (progress == RENDEZVOUS_REPLY_DONE)
		rendezvous_reply_drop(reply);
	return progress;
}

static void found_spend(struct rendezvous *rendezvous, uint32_t count)
{
	unsigned cost = RENDEZVOUS_FOUND_LEAST + count;

	rendezvous->found_left = rendezvous->found_left > cost ? rendezvous->found_left - cost : 0;
}

static bool may_begin(const struct rendezvous *rendezvous, const struct rendezvous_line *line)
{
	return line->running < RENDEZVOUS_ANSWERS_MOST && (!rendezvous->turns || rendezvous->found_left > 0);
}

/* What stood in line behind answers that used up the peer's rate. There is room: it was seen to before the
 * request was taken, and nothing was written since. */
static enum rendezvous_progress refuse_late(struct rendezvous_reply *reply)
{
	uint8_t bytes[RENDEZVOUS_SHORT_ANSWER];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct stream *stream = reply->stream;

	rendezvous_discover_refusal_write(
	    &w, refuse(stream->net, NET_COUNT_DISCOVER_RATE, RENDEZVOUS_UNAVAILABLE));
	if (w.bad || stream_write(stream, w.start, writer_len(&w)) != 0)
		return RENDEZVOUS_REPLY_FAILED;
	rendezvous_reply_drop(reply);
	return RENDEZVOUS_REPLY_DONE;
}

/* The stream is told of the end, or ends; either may bring more answers into the line, which is busy and
 * takes them up. */
static void give_turn(struct rendezvous_line *line, struct rendezvous_reply *reply)
{
	struct stream *stream = reply->stream;
	rendezvous_answered answered = reply->answered;
	enum rendezvous_progress progress = RENDEZVOUS_REPLY_FAILED;

	reply->running = true;
	line->running++;
	if (!limits_rendezvous_answers(stream->net, stream->conn)) {
		found_spend(stream->net->rendezvous, 0);
		progress = refuse_late(reply);
	} else if (rendezvous_reply_take(reply) == 0) {
		found_spend(stream->net->rendezvous, reply->count);
		progress = rendezvous_reply_write(reply);
	}
	if (progress == RENDEZVOUS_REPLY_DONE)
		answered(stream);
	else if (progress == RENDEZVOUS_REPLY_FAILED)
		stream_reset(stream, CLOSE_MEMORY);
}

/* At most so many answers of the connection begin; what waits only for a turn of the loop lines up. */
static void line_go_on(struct conn *conn, struct rendezvous_line *line, unsigned most)
{
	struct rendezvous *rendezvous = conn->net->rendezvous;
	struct list *next;

	line->busy = true;
	while (conn_alive(conn) && most-- > 0 && may_begin(rendezvous, line) &&
	       (next = list_shift(&line->waiting)) != NULL)
		give_turn(line, container_of(next, struct rendezvous_reply, waiting));
	line->busy = false;
	if (line->running < RENDEZVOUS_ANSWERS_MOST && !list_empty(&line->waiting) && !list_in(&line->turn))
		list_append(&rendezvous->hungry, &line->turn);
	line_settle(conn->net, line);
}

void rendezvous_replies_go_on(struct conn *conn)
{
	struct rendezvous_line *line = line_find(conn);

	if (line != NULL && !line->busy)
		line_go_on(conn, line, RENDEZVOUS_FOUND_A_TURN);
}

bool rendezvous_replies_turn(struct rendezvous *rendezvous)
{
	struct list *next;

	while (rendezvous->found_left > 0 && (next = list_shift(&rendezvous->hungry)) != NULL) {
		struct rendezvous_line *line = container_of(next, struct rendezvous_line, turn);
		const struct list *first = line->waiting.next;

		if (!list_empty(&line->waiting))
			line_go_on(container_of(first, struct rendezvous_reply, waiting)->stream->conn, line,
				   1);
	}
	return !list_empty(&rendezvous->hungry);
}
