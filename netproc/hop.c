/* SPDX-License-Identifier: MIT
 *
 * A hop stream: one request, RESERVE or CONNECT. The window is given back for the request alone: what comes
 * behind a CONNECT belongs to the circuit, and what comes behind a refusal is not wanted.
 */
#include "netproc/hop.h"

#include "netproc/net.h"

#define REQUEST_TIME 15000 /* milliseconds for the request to be whole */

static void hop_open(struct stream *stream)
{
	struct hop *hop = pool_alloc(stream->net, sizeof(*hop));
	if (hop == NULL) {
		stream_reset(stream, CLOSE_MEMORY);
		return;
	}
	stream->state = hop;
	stream_set_timer(stream, REQUEST_TIME);
}

/* No request at all: counted beside the refused RESERVEs, as go-libp2p does. */
static void refuse_malformed(struct stream *stream, enum circuit_status status, enum close_reason reason)
{
	hop_name_fault(stream->net, reason);
	net_count(stream->net, NET_COUNT_RESERVE_REJECTED);
	net_count(stream->net, NET_COUNT_RESERVE_REFUSED_MALFORMED);
	hop_refuse(stream, status);
}

/* Takes the request apart; the stream may be gone when it returns. */
static void serve(struct stream *stream, struct span whole)
{
	struct circuit_message m;
	conn_touch(stream->conn);
	if (hop_message_parse(whole.bytes, whole.len, &m) != 0 || !m.has_type)
		refuse_malformed(stream, CIRCUIT_MALFORMED_MESSAGE, CLOSE_MESSAGE_MALFORMED);
	else if (m.type == HOP_RESERVE)
		hop_reserve(stream);
	else if (m.type == HOP_CONNECT)
		hop_connect(stream, &m);
	else
		refuse_malformed(stream, CIRCUIT_UNEXPECTED_MESSAGE, CLOSE_MESSAGE_UNEXPECTED);
}

/* Returns how many bytes the request took. */
static size_t read_request(struct stream *stream, const uint8_t *bytes, size_t len)
{
	struct hop *hop = stream->state;
	struct net *net = stream->net;
	struct span whole;
	size_t used;
	switch (message_take(net, &hop->message, CIRCUIT_MESSAGE_MAX, bytes, len, &used, &whole)) {
	case MESSAGE_MORE:
		hop->taken += (uint32_t)used;
		break;
	case MESSAGE_WHOLE:
		hop->taken += (uint32_t)used;
		serve(stream, whole);
		break;
	case MESSAGE_TOO_LONG:
		refuse_malformed(stream, CIRCUIT_MALFORMED_MESSAGE, CLOSE_MESSAGE_TOO_LONG);
		break;
	case MESSAGE_MALFORMED:
		refuse_malformed(stream, CIRCUIT_MALFORMED_MESSAGE, CLOSE_MESSAGE_MALFORMED);
		break;
	case MESSAGE_NO_MEMORY:
		stream_reset(stream, CLOSE_MEMORY);
		break;
	}
	return used;
}

static void hop_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	struct net *net = stream->net;
	struct stream_ref ref = stream_ref(stream);
	struct hop *hop = stream->state;
	if (hop->state == HOP_READING) {
		size_t used = read_request(stream, bytes, len);
		stream = stream_find(net, ref);
		if (stream == NULL || used == len)
			return;
		bytes += used;
		len -= used;
	}
	hop = stream->state;
	if (hop != NULL && stream->protocol == &hop_protocol && hop->state == HOP_ASKING)
		hop_connect_early(stream, bytes, len);
}

/* rust half-closes behind RESERVE and waits for the answer: only a request that is not whole ends with the
 * peer's direction. */
static void hop_finish(struct stream *stream)
{
	struct hop *hop = stream->state;
	if (hop->state != HOP_READING)
		return;
	if (message_started(&hop->message))
		refuse_malformed(stream, CIRCUIT_MALFORMED_MESSAGE, CLOSE_MESSAGE_MALFORMED);
	else
		hop_end(stream);
}

static void hop_timeout(struct stream *stream)
{
	struct hop *hop = stream->state;
	if (hop->state == HOP_SIGNING)
		hop_reserve_unsigned(stream);
	else if (hop->state == HOP_ASKING)
		hop_connect_late(stream);
	else
		stream_reset(stream, CLOSE_MESSAGE_TIMEOUT);
}

static void hop_closed(struct stream *stream, enum close_reason reason)
{
	struct hop *hop = stream->state;
	struct net *net = stream->net;
	(void)reason;
	if (hop == NULL)
		return;
	stream->state = NULL;
	struct stop *stop = hop->stop;
	message_clear(net, &hop->message);
	queue_clear(net, &hop->early);
	pool_free(net, hop, sizeof(*hop));
	if (stop != NULL)
		stop_cancel(stop, CLOSE_CIRCUIT_PEER_GONE);
}

static size_t hop_held(const struct stream *stream)
{
	const struct hop *hop = stream->state;
	return hop == NULL ? 0 : sizeof(*hop) + hop->early.len + message_held(&hop->message);
}

const struct stream_protocol hop_protocol = {
    .id = CIRCUIT_HOP_PROTOCOL,
    .holds_credit = true,
    .open = hop_open,
    .data = hop_data,
    .finish = hop_finish,
    .closed = hop_closed,
    .timeout = hop_timeout,
    .held = hop_held,
};
