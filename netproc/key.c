/* SPDX-License-Identifier: MIT
 *
 * Requests to keyproc. What is out stands in a table of IMSG_OUTSTANDING places, and the id that travels
 * names place and generation, so that an answer is matched in one step and a second answer to the same id is
 * seen. What waits stands in two queues.
 */
#include "netproc/key.h"

#include <stdlib.h>
#include <string.h>

#include "netproc/net.h"
#include "netproc/pool.h"
#include "proto/peer_id.h"

#define KEY_WAITING_MOST                                                                                     \
	65536 /* requests: above the half-open connections and RESERVEs that any setting allows for long */

enum key_kind { KEY_FREE, KEY_DH, KEY_VOUCHER_KIND };

typedef void (*dh_answer)(struct conn *conn, enum imsg_dh_status status, const uint8_t shared[32]);
typedef void (*voucher_answer)(struct stream *stream, uint64_t expire, const uint8_t *envelope, size_t len);

struct key_request {
	struct key_request *next;
	enum key_kind kind;
	uint32_t lifetime;
	uint8_t bytes[32]; /* the ephemeral key, or the peer */
	union {
		struct conn_ref conn;
		struct stream_ref stream;
	};
	union {
		dh_answer dh;
		voucher_answer voucher;
	};
};

struct key_place {
	struct key_request *request; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

struct key_queue {
	struct key_request *first;
	struct key_request **last;
	size_t count;
};

struct key {
	struct imsg_channel *channel;
	struct key_queue handshakes;
	struct key_queue vouchers;
	uint32_t first_free; /* IMSG_OUTSTANDING: none */
	uint32_t out;
	struct key_place place[IMSG_OUTSTANDING];
};

int key_init(struct net *net, struct imsg_channel *channel)
{
	struct key *key = calloc(1, sizeof(*key));
	if (key == NULL)
		return -1;
	key->channel = channel;
	key->handshakes.last = &key->handshakes.first;
	key->vouchers.last = &key->vouchers.first;
	for (uint32_t i = 0; i < IMSG_OUTSTANDING; i++)
		key->place[i].next_free = i + 1;
	net->key = key;
	return 0;
}

/* --- queues --- */

/* A request that finds no memory is let go: whoever asked has a deadline of its own. */
static struct key_request *wait_in(struct net *net, struct key_queue *queue, enum key_kind kind,
				   const uint8_t bytes[32])
{
	if (queue->count >= KEY_WAITING_MOST)
		return NULL;
	struct key_request *request = pool_alloc(net, sizeof(*request));
	if (request == NULL)
		return NULL;
	request->kind = kind;
	memcpy(request->bytes, bytes, sizeof(request->bytes));
	*queue->last = request;
	queue->last = &request->next;
	queue->count++;
	return request;
}

static struct key_request *shift(struct key_queue *queue)
{
	struct key_request *request = queue->first;
	queue->first = request->next;
	if (queue->first == NULL)
		queue->last = &queue->first;
	queue->count--;
	request->next = NULL;
	return request;
}

static void forget(struct net *net, struct key_request *request)
{
	pool_free(net, request, sizeof(*request));
}

/* Drops what nobody waits for any more from the front. */
static struct key_request *first_alive(struct net *net, struct key_queue *queue)
{
	while (queue->first != NULL) {
		struct key_request *request = queue->first;
		bool alive = request->kind == KEY_DH ? conn_find(net, request->conn) != NULL
						     : stream_find(net, request->stream) != NULL;
		if (alive)
			return request;
		forget(net, shift(queue));
	}
	return NULL;
}

void key_noise_dh(struct net *net, struct conn_ref conn, const uint8_t ephemeral[32], dh_answer answer)
{
	struct key_request *request = wait_in(net, &net->key->handshakes, KEY_DH, ephemeral);
	if (request == NULL)
		return;
	request->conn = conn;
	request->dh = answer;
}

void key_voucher(struct net *net, struct stream_ref stream, const uint8_t peer[32], uint32_t lifetime,
		 voucher_answer answer)
{
	struct key_request *request = wait_in(net, &net->key->vouchers, KEY_VOUCHER_KIND, peer);
	if (request == NULL)
		return;
	request->stream = stream;
	request->lifetime = lifetime;
	request->voucher = answer;
}

/* --- places --- */

static uint64_t place_take(struct key *key, struct key_request *request)
{
	uint32_t slot = key->first_free;
	struct key_place *place = &key->place[slot];
	key->first_free = place->next_free;
	key->out++;
	place->request = request;
	return (uint64_t)++place->generation << 32 | slot;
}

static struct key_request *place_free(struct key *key, uint32_t slot)
{
	struct key_place *place = &key->place[slot];
	struct key_request *request = place->request;
	place->request = NULL;
	place->next_free = key->first_free;
	key->first_free = slot;
	key->out--;
	return request;
}

/* The request of an id, its place freed; NULL when nobody asked. */
static struct key_request *place_give(struct key *key, uint64_t id, enum key_kind kind)
{
	uint32_t slot = (uint32_t)id;
	if (slot >= IMSG_OUTSTANDING)
		return NULL;
	const struct key_place *place = &key->place[slot];
	if (place->request == NULL || place->generation != id >> 32 || place->request->kind != kind)
		return NULL;
	return place_free(key, slot);
}

static bool places_left(const struct key *key)
{
	return key->out < IMSG_OUTSTANDING;
}

/* --- sending --- */

/* Takes back places and puts the requests at the front again, in their order: the channel was full. */
static void put_back(struct key *key, struct key_queue *queue, const uint64_t ids[], size_t count)
{
	while (count-- > 0) {
		struct key_request *request = place_free(key, (uint32_t)ids[count]);
		request->next = queue->first;
		if (queue->first == NULL)
			queue->last = &request->next;
		queue->first = request;
		queue->count++;
	}
}

/* One datagram of handshakes; false when nothing was sent. */
static bool send_handshakes(struct net *net)
{
	struct key *key = net->key;
	struct imsg_noise_dh message = {0};
	uint64_t ids[IMSG_DH_BATCH];
	while (message.count < IMSG_DH_BATCH && places_left(key) &&
	       first_alive(net, &key->handshakes) != NULL) {
		struct key_request *request = shift(&key->handshakes);
		uint64_t id = place_take(key, request);
		message.request[message.count].id = id;
		memcpy(message.request[message.count].ephemeral, request->bytes, 32);
		ids[message.count++] = id;
	}
	if (message.count == 0)
		return false;
	if (imsg_send(key->channel, IMSG_KEY_NOISE_DH, 0, &message, sizeof(message)) != IMSG_OK) {
		put_back(key, &key->handshakes, ids, message.count);
		return false;
	}
	net_add(net, NET_COUNT_KEY_REQUESTS, message.count);
	return true;
}

static bool send_voucher(struct net *net)
{
	struct key *key = net->key;
	if (!places_left(key) || first_alive(net, &key->vouchers) == NULL)
		return false;
	struct key_request *request = shift(&key->vouchers);
	struct peer_id peer;
	peer_id_from_ed25519(&peer, request->bytes);
	uint64_t id = place_take(key, request);
	struct imsg_voucher message = {.id = id, .lifetime = request->lifetime, .peer_len = peer.len};
	memcpy(message.peer, peer.bytes, peer.len);
	if (imsg_send(key->channel, IMSG_KEY_VOUCHER, 0, &message, sizeof(message)) != IMSG_OK) {
		put_back(key, &key->vouchers, &id, 1);
		return false;
	}
	net_count(net, NET_COUNT_KEY_REQUESTS);
	return true;
}

/* In turn, so that neither kind starves the other when places are short. */
void key_flush(struct net *net)
{
	bool sent = true;
	while (sent) {
		sent = send_handshakes(net);
		sent = send_voucher(net) || sent;
	}
}

/* --- answers --- */

int key_answer_noise_dh(struct net *net, const struct imsg_noise_dh_answer *answer)
{
	if (answer->count == 0 || answer->count > IMSG_DH_BATCH)
		return -1;
	for (uint32_t i = 0; i < answer->count; i++) {
		uint32_t status = answer->answer[i].status;
		struct key_request *request = place_give(net->key, answer->answer[i].id, KEY_DH);
		if (request == NULL || status >= IMSG_DH_STATUS_COUNT) {
			if (request != NULL)
				forget(net, request);
			return -1;
		}
		struct conn *conn = conn_find(net, request->conn);
		dh_answer tell = request->dh;
		forget(net, request);
		if (conn != NULL)
			tell(conn, (enum imsg_dh_status)status, answer->answer[i].shared);
	}
	return 0;
}

int key_answer_voucher(struct net *net, const struct imsg_voucher_answer *answer)
{
	bool has_envelope = answer->status == IMSG_VOUCHER_OK;
	if (answer->status >= IMSG_VOUCHER_STATUS_COUNT || answer->len > IMSG_VOUCHER_MAX ||
	    has_envelope != (answer->len > 0))
		return -1;
	struct key_request *request = place_give(net->key, answer->id, KEY_VOUCHER_KIND);
	if (request == NULL)
		return -1;
	struct stream *stream = stream_find(net, request->stream);
	voucher_answer tell = request->voucher;
	forget(net, request);
	if (stream != NULL)
		tell(stream, answer->expire, answer->envelope, answer->len);
	return 0;
}
