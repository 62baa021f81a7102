/* SPDX-License-Identifier: MIT
 *
 * Streams of a session by id: open addressing, at most three quarters full, grown by factors of two, removal
 * by moving back. The peer chooses the ids, so where one stands depends on a number that the peer does not
 * know.
 */
#include "netproc/net.h"
#include "netproc/table.h"
#include "netproc/yamux.h"

#define YAMUX_PLACES_LEAST 4u

/* Ids follow one another as a rule: multiplied by any number they may still stand close together, and for
 * some numbers do so after one more round. Two rounds let each bit of an id move each bit of its place. */
static uint32_t yamux_home(const struct yamux_session *session, uint32_t id)
{
	uint32_t mixed = id * session->mixer;

	mixed = (mixed ^ mixed >> 16) * 0x85ebca6bu;
	mixed = (mixed ^ mixed >> 13) * 0xc2b2ae35u;
	return mixed >> (__builtin_clz(session->places) + 1);
}

static size_t yamux_table_bytes(uint32_t places)
{
	return places * sizeof(struct stream *);
}

struct stream *yamux_find(const struct yamux_session *session, uint32_t id)
{
	uint32_t mask = session->places - 1, at;

	if (session->places == 0)
		return NULL;
	for (at = yamux_home(session, id); session->streams[at] != NULL; at = (at + 1) & mask)
		if (session->streams[at]->id == id)
			return session->streams[at];
	return NULL;
}

static void yamux_put(struct yamux_session *session, struct stream *stream)
{
	uint32_t mask = session->places - 1, at = yamux_home(session, stream->id);

	while (session->streams[at] != NULL)
		at = (at + 1) & mask;
	session->streams[at] = stream;
}

static int yamux_resize(struct net *net, struct yamux_session *session, uint32_t places)
{
	struct stream **old = session->streams;
	uint32_t old_places = session->places, i;
	struct stream **new = pool_alloc(net, yamux_table_bytes(places));

	if (new == NULL)
		return -1;
	session->streams = new;
	session->places = places;
	for (i = 0; i < old_places; i++)
		if (old[i] != NULL)
			yamux_put(session, old[i]);
	pool_free(net, old, yamux_table_bytes(old_places));
	return 0;
}

int yamux_insert(struct net *net, struct yamux_session *session, struct stream *stream)
{
	if (session->mixer == 0)
		session->mixer = (uint32_t)table_hash(net->hash_key, &session, sizeof(session)) | 1;
	if (session->places == 0 || (session->count + 1) * 4 > session->places * 3) {
		uint32_t places = session->places == 0 ? YAMUX_PLACES_LEAST : session->places * 2;

		if (yamux_resize(net, session, places) != 0)
			return -1;
	}
	yamux_put(session, stream);
	session->count++;
	return 0;
}

void yamux_remove(struct yamux_session *session, const struct stream *stream)
{
	uint32_t mask = session->places - 1, hole, at;

	for (hole = yamux_home(session, stream->id); session->streams[hole] != stream;
	     hole = (hole + 1) & mask)
		if (session->streams[hole] == NULL)
			return;
	session->count--;
	/* Moves back whatever probed past the hole, so that no search ends early. */
	for (at = (hole + 1) & mask; session->streams[at] != NULL; at = (at + 1) & mask) {
		uint32_t home = yamux_home(session, session->streams[at]->id);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			session->streams[hole] = session->streams[at];
			hole = at;
		}
	}
	session->streams[hole] = NULL;
}

void yamux_table_free(struct net *net, struct yamux_session *session)
{
	pool_free(net, session->streams, yamux_table_bytes(session->places));
	session->streams = NULL;
	session->places = 0;
	session->count = 0;
}
