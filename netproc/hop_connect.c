/* SPDX-License-Identifier: MIT
 *
 * CONNECT. libp2p specs, relay/circuit-v2.md: the checks stand in its order, those that cost nothing first,
 * so that a client that dials whoever it ever heard of gets its NO_RESERVATION at once.
 */
#include <string.h>

#include "netproc/hop.h"
#include "netproc/net.h"

/* --- refusals --- */

static void count_refusal(struct net *net, enum circuit_status status)
{
	bool error = status == CIRCUIT_CONNECTION_FAILED || status == CIRCUIT_UNEXPECTED_MESSAGE;
	net_count(net, error ? NET_COUNT_CONNECT_ERROR : NET_COUNT_CONNECT_REJECTED);
	switch (status) {
	case CIRCUIT_PERMISSION_DENIED:
		net_count(net, NET_COUNT_CONNECT_REFUSED_DENIED);
		break;
	case CIRCUIT_CONNECTION_FAILED:
		net_count(net, NET_COUNT_CONNECT_REFUSED_STOP);
		break;
	case CIRCUIT_NO_RESERVATION:
		net_count(net, NET_COUNT_CONNECT_REFUSED_NO_RESERVATION);
		break;
	case CIRCUIT_MALFORMED_MESSAGE:
		net_count(net, NET_COUNT_CONNECT_REFUSED_MALFORMED);
		break;
	default:
		net_count(net, NET_COUNT_CONNECT_REFUSED_LIMIT);
		break;
	}
}

static void refuse(struct stream *stream, enum circuit_status status)
{
	count_refusal(stream->net, status);
	hop_refuse(stream, status);
}

/* --- the destination answered --- */

/* Both streams leave their protocols here; the circuit has them from now on. */
static void splice(struct stream *source, struct stream *destination, struct queue *destination_early)
{
	struct hop *hop = source->state;
	struct net *net = source->net;
	struct queue source_early = hop->early;
	uint32_t taken = hop->taken;
	message_clear(net, &hop->message);
	pool_free(net, hop, sizeof(*hop));
	source->state = NULL;
	stream_set_timer(source, 0);
	stream_set_timer(destination, 0);
	stream_credit(source, taken);
	circuit_start(source, &source_early, destination, destination_early);
	queue_clear(net, &source_early);
}

static void accepted(struct stream *source, struct stream *destination, struct queue *early)
{
	struct net *net = source->net;
	struct stream_ref ref = stream_ref(destination);
	struct limits_circuit counted = limits_circuit_of(source->conn, destination->conn);
	struct circuit_message m = {
	    .has_type = true,
	    .type = HOP_STATUS,
	    .has_status = true,
	    .status = CIRCUIT_OK,
	    .limit = stop_limit(net),
	};
	if (hop_write(source, &m) == 0) {
		net_count(net, NET_COUNT_CONNECT_OK);
		splice(source, destination, early);
		return;
	}
	limits_connect_end(net, &counted);
	net_count(net, NET_COUNT_CONNECT_ERROR);
	destination = stream_find(net, ref);
	if (destination != NULL)
		stream_reset(destination, CLOSE_CIRCUIT_PEER_GONE);
}

static void hop_answered(struct stream *source, enum circuit_status status, struct stream *destination,
			 struct queue *early)
{
	struct hop *hop = source->state;
	hop->stop = NULL;
	if (status == CIRCUIT_OK)
		accepted(source, destination, early);
	else
		refuse(source, status);
}

void hop_connect_late(struct stream *stream)
{
	struct hop *hop = stream->state;
	struct stop *stop = hop->stop;
	struct net *net = stream->net;
	struct stream_ref ref = stream_ref(stream);
	hop->stop = NULL;
	stop_cancel(stop, CLOSE_STOP_TIMEOUT);
	stream = stream_find(net, ref);
	if (stream != NULL)
		refuse(stream, CIRCUIT_CONNECTION_FAILED);
}

/* --- the request --- */

static bool denied(struct net *net, const uint8_t peer[32])
{
	if (!limits_denied(net, peer))
		return false;
	log_event(&net->log, LOG_EVENT_PEER_DENIED, NULL, NULL, 0, 0, 0, NULL, 0);
	return true;
}

/* The connection to ask, or the status to answer. */
static enum circuit_status find_destination(const struct stream *stream, const uint8_t *peer,
					    struct conn **destination)
{
	struct net *net = stream->net;
	if (denied(net, stream->conn->peer) || (peer != NULL && denied(net, peer)))
		return CIRCUIT_PERMISSION_DENIED;
	if (net->draining || !limits_connect_rate(net, stream->conn))
		return CIRCUIT_RESOURCE_LIMIT_EXCEEDED;
	if (peer == NULL || memcmp(peer, stream->conn->peer, 32) == 0)
		return CIRCUIT_NO_RESERVATION;
	*destination = reservation_find(net, peer);
	return *destination == NULL ? CIRCUIT_NO_RESERVATION
				    : limits_connect(net, stream->conn, *destination);
}

static void ask(struct stream *stream, const struct conn *destination)
{
	struct hop *hop = stream->state;
	struct limits_circuit circuit = limits_circuit_of(stream->conn, destination);
	enum circuit_status status;
	hop->state = HOP_ASKING;
	hop->stop = stop_begin(stream, &circuit, hop_answered, &status);
	if (hop->stop == NULL)
		refuse(stream, status);
	else
		stream_set_timer(stream, stream->net->settings.stop_timeout * 1000);
}

void hop_connect(struct stream *stream, const struct circuit_message *m)
{
	struct peer_id id;
	struct conn *destination = NULL;
	if (!m->has_peer || peer_id_parse(&id, m->peer.bytes, m->peer.len) != 0) {
		hop_name_fault(stream->net, CLOSE_MESSAGE_MALFORMED);
		refuse(stream, CIRCUIT_MALFORMED_MESSAGE);
		return;
	}
	enum circuit_status status = find_destination(stream, peer_id_ed25519(&id), &destination);
	if (status == CIRCUIT_OK)
		ask(stream, destination);
	else
		refuse(stream, status);
}

/* Few clients send before the answer; the rest of their window would not be theirs to fill. */
void hop_connect_early(struct stream *stream, const uint8_t *bytes, size_t len)
{
	struct hop *hop = stream->state;
	if (len > HOP_EARLY_MOST - hop->early.len)
		stream_reset(stream, CLOSE_MESSAGE_UNEXPECTED);
	else if (queue_append(stream->net, &hop->early, bytes, len) != 0)
		stream_reset(stream, CLOSE_MEMORY);
}
