/* SPDX-License-Identifier: MIT */
#include "netproc/rendezvous_reply.h"

#include <string.h>

#include "netproc/limits.h"
#include "netproc/net.h"
#include "netproc/rendezvous_cookie.h"

#define ROOM_WORTH_IT 4096 /* less is not written piecemeal: the callback comes when there is this much */

#define CACHE_LINE    64
#define FETCHED_AHEAD 320 /* bytes of an envelope: one of a client with one address */

static struct span namespace_of(const struct rendezvous_reply *reply)
{
	return (struct span){reply->ns, reply->ns_len};
}

static struct rendezvous_registration registration_of(const struct rendezvous_entry *entry, uint32_t taken)
{
	return (struct rendezvous_registration){
	    .ns = {entry->namespace->name, entry->namespace->len},
	    .record = {entry->envelope->bytes, entry->envelope->len},
	    .ttl = rendezvous_entry_left(entry, taken),
	};
}

/* What the answer walks through; NULL when nobody ever stood there. */
static const struct order *order_of(const struct rendezvous_reply *reply)
{
	const struct rendezvous_store *store = &reply->stream->net->rendezvous->store;
	bool standard = conn_kind_standard(reply->stream->conn);
	const struct rendezvous_namespace *namespace;

	if (reply->ns_len == 0)
		return &store->all[standard ? RENDEZVOUS_STANDARD : RENDEZVOUS_LEGACY];
	namespace = rendezvous_store_namespace(store, namespace_of(reply));
	return namespace == NULL ? NULL
				 : &namespace->order[standard ? RENDEZVOUS_STANDARD : RENDEZVOUS_LEGACY];
}

/* The registrations from which the answer is taken; returns how many. In a large registry hardly any is in
 * the processor's cache, so all are asked for before the first is looked at. */
static uint32_t gather(const struct rendezvous_reply *reply, const struct order *order,
		       struct rendezvous_entry **found)
{
	struct order_place place = order_oldest(order);
	uint32_t count = 0;
	void *entry;

	if (reply->newest_first)
		place = order_newest(order);
	else if (reply->after > 0)
		place = order_after(order, reply->after);
	while (count < reply->limit && (entry = order_entry(place)) != NULL) {
		__builtin_prefetch(entry);
		found[count++] = entry;
		place = reply->newest_first ? order_older(place) : order_newer(place);
	}
	return count;
}

/* The same for the records. */
static void fetch_records(struct rendezvous_entry *const *found, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		for (size_t at = 0; at < FETCHED_AHEAD; at += CACHE_LINE)
			__builtin_prefetch((const char *)found[i]->envelope + at);
}

/* Finds what belongs into the answer, as much as fits. */
static void find(struct rendezvous_reply *reply, const struct order *order, struct rendezvous_entry **found)
{
	size_t most = RENDEZVOUS_ANSWER_BYTES - RENDEZVOUS_ANSWER_FRAME;
	uint32_t gathered = order == NULL ? 0 : gather(reply, order, found);

	fetch_records(found, gathered);
	while (reply->count < gathered) {
		struct rendezvous_registration registration =
		    registration_of(found[reply->count], reply->taken);
		size_t size = rendezvous_registration_size(&registration);

		if (reply->registrations + size > most)
			return;
		reply->registrations += size;
		reply->count++;
	}
}

/* The next page begins behind this serial. Behind an answer of the newest come only those who register later.
 */
static uint64_t cookie_of(const struct rendezvous_reply *reply, struct rendezvous_entry *const *found)
{
	if (reply->count > 0)
		return found[reply->newest_first ? 0 : reply->count - 1]->serial;
	return reply->newest_first ? reply->stream->net->rendezvous->store.serial : reply->after;
}

static void tell(const struct rendezvous_reply *reply)
{
	const struct conn *conn = reply->stream->conn;
	struct net *net = reply->stream->net;
	struct peer_id id;
	struct log_peer peer;

	net_count(net, NET_COUNT_DISCOVER_OK);
	net_add(net, NET_COUNT_DISCOVER_SERVED, reply->count);
	limits_rendezvous_answer(net, conn, reply->registrations + RENDEZVOUS_COOKIE_HEAD + reply->ns_len);
	if (log_event_rows[LOG_EVENT_SERVED].level > net->log.level)
		return;
	conn_peer_id(conn, &id);
	peer = (struct log_peer){id.bytes, id.len};
	log_event(&net->log, LOG_EVENT_SERVED, &peer, NULL, reply->count, 0, 0, NULL, 0);
}

int rendezvous_reply_take(struct rendezvous_reply *reply)
{
	struct net *net = reply->stream->net;
	struct rendezvous_entry **found = net->rendezvous->found;

	reply->taken = rendezvous_now(net);
	find(reply, order_of(reply), found);
	reply->cookie = cookie_of(reply, found);
	if (reply->count > 0) {
		reply->entries = pool_alloc(net, reply->count * sizeof(struct rendezvous_entry *));
		if (reply->entries == NULL)
			return -1;
		memcpy(reply->entries, found, reply->count * sizeof(struct rendezvous_entry *));
		for (uint32_t i = 0; i < reply->count; i++)
			rendezvous_entry_hold(found[i]);
	}
	tell(reply);
	return 0;
}

void rendezvous_reply_free(struct rendezvous_reply *reply)
{
	struct net *net = reply->stream->net;

	if (reply->entries != NULL) {
		for (uint32_t i = 0; i < reply->count; i++)
			rendezvous_entry_release(&net->rendezvous->store, reply->entries[i]);
		pool_free(net, reply->entries, reply->count * sizeof(struct rendezvous_entry *));
	}
	pool_free(net, reply, sizeof(*reply) + reply->ns_len);
}

size_t rendezvous_reply_held(const struct rendezvous_reply *reply)
{
	size_t references = reply->entries == NULL ? 0 : reply->count * sizeof(struct rendezvous_entry *);

	return sizeof(*reply) + reply->ns_len + references;
}

static void piece_write(struct writer *w, const struct rendezvous_reply *reply, uint32_t piece)
{
	size_t cookie_len = RENDEZVOUS_COOKIE_HEAD + reply->ns_len;

	if (piece == 0) {
		rendezvous_discover_head_write(w, reply->registrations, cookie_len);
	} else if (piece <= reply->count) {
		struct rendezvous_registration registration =
		    registration_of(reply->entries[piece - 1], reply->taken);

		rendezvous_registration_write(w, &registration);
	} else {
		uint8_t cookie[RENDEZVOUS_COOKIE_MAX];

		rendezvous_cookie_write(cookie, reply->stream->net->rendezvous->cookie_key, reply->cookie,
					namespace_of(reply));
		rendezvous_discover_tail_write(w, cookie, cookie_len);
	}
}

/* Writes up to `most` bytes from where the answer stands. A piece that was cut is encoded again and what went
 * out is left away. */
static int chunk_write(struct rendezvous_reply *reply, size_t most)
{
	struct rendezvous *rendezvous = reply->stream->net->rendezvous;
	struct writer w = writer_of(rendezvous->chunk, sizeof(rendezvous->chunk));
	size_t skip = reply->written, end, begin = 0;
	uint32_t piece = reply->piece;

	if (most > RENDEZVOUS_CHUNK)
		most = RENDEZVOUS_CHUNK;
	while (piece <= reply->count + 1 && writer_len(&w) < skip + most) {
		begin = writer_len(&w);
		piece_write(&w, reply, piece++);
	}
	if (w.bad)
		return -1;
	end = writer_len(&w) < skip + most ? writer_len(&w) : skip + most;
	reply->written = end < writer_len(&w) ? (uint32_t)(end - begin) : 0;
	reply->piece = end < writer_len(&w) ? piece - 1 : piece;
	return stream_write(reply->stream, rendezvous->chunk + skip, end - skip);
}

enum rendezvous_progress rendezvous_reply_encode(struct rendezvous_reply *reply)
{
	size_t room = stream_room(reply->stream);

	while (room > 0) {
		if (chunk_write(reply, room) != 0)
			return RENDEZVOUS_REPLY_FAILED;
		if (reply->piece > reply->count + 1)
			return RENDEZVOUS_REPLY_DONE;
		room = stream_room(reply->stream);
		if (room < ROOM_WORTH_IT)
			break;
	}
	stream_want_room(reply->stream);
	return RENDEZVOUS_REPLY_WAITS;
}
