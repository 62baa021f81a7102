/* SPDX-License-Identifier: MIT */
#include "netproc/negotiate.h"

#include <string.h>

#include "netproc/conn.h"
#include "netproc/net.h"
#include "netproc/protocols.h"
#include "netproc/selection.h"

#define NEGOTIATE_TIME 10000u /* milliseconds for the negotiation */
#define NEGOTIATE_LIFETIME                                                                                   \
	60000u /* and for what a stream is for, unless its protocol stays or sets a time of its own */

struct negotiation {
	struct selection selection;
	const struct stream_protocol *protocol; /* found, or proposed */
	void *state;				/* outbound: the protocol's */
};

static void negotiate_free(struct net *net, struct negotiation *negotiation)
{
	selection_free(net, &negotiation->selection);
	pool_free(net, negotiation, sizeof(*negotiation));
}

static void negotiate_timeout(struct stream *stream)
{
	stream_reset(stream, CLOSE_NEGOTIATION_TIMEOUT);
}

/* Hands the stream to the protocol, with the bytes that came along behind the accepted line. */
static void negotiate_done(struct stream *stream, uint8_t *bytes, size_t len)
{
	struct negotiation *negotiation = stream->state;
	const struct stream_protocol *protocol = negotiation->protocol;
	struct net *net = stream->net;
	struct stream_ref ref = stream_ref(stream);
	bool finished = stream->remote_finished;

	stream_become(stream, protocol, negotiation->state);
	negotiate_free(net, negotiation);
	conn_touch(stream->conn);
	if (!protocol->stays)
		stream_linger(stream, NEGOTIATE_LIFETIME);
	protocol->open(stream);
	stream = stream_find(net, ref);
	if (stream != NULL && len > 0 && stream->protocol->data != NULL)
		stream->protocol->data(stream, bytes, len);
	stream = stream_find(net, ref);
	if (stream != NULL && finished && stream->protocol->finish != NULL)
		stream->protocol->finish(stream);
}

/* --- a peer's stream --- */

static bool negotiate_accepts(void *context, struct span proposal)
{
	struct stream *stream = context;
	struct negotiation *negotiation = stream->state;

	negotiation->protocol = protocols_find(stream->net, proposal);
	return negotiation->protocol != NULL;
}

/* A protocol with a limit of its own counts its streams on this connection. */
static bool negotiate_admit(struct stream *stream, const struct stream_protocol *protocol)
{
	uint8_t *counted = stream->conn->yamux.counted;

	if (protocol->counted == 0)
		return true;
	if (counted[protocol->counted] >= protocol->max_streams)
		return false;
	counted[protocol->counted]++;
	stream->counted = (uint8_t)protocol->counted;
	return true;
}

static void negotiate_inbound_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	struct negotiation *negotiation = stream->state;
	uint8_t answer[SELECTION_ANSWER_MAX];
	struct writer w = writer_of(answer, sizeof(answer));
	enum close_reason reason = CLOSE_NONE;
	enum selection_result result;
	size_t used;

	result = selection_input(stream->net, &negotiation->selection, bytes, len, &used, negotiate_accepts,
				 stream, &w, &reason);
	if (writer_len(&w) > 0 && stream_write(stream, answer, writer_len(&w)) != 0) {
		stream_reset(stream, CLOSE_MEMORY);
		return;
	}
	if (result == SELECTION_FAILED)
		stream_reset(stream, reason);
	else if (result == SELECTION_ACCEPTED && !negotiate_admit(stream, negotiation->protocol))
		stream_reset(stream, CLOSE_STREAM_LIMIT);
	else if (result == SELECTION_ACCEPTED)
		negotiate_done(stream, bytes + used, len - used);
}

/* A peer that finishes without having agreed on anything gets our FIN behind the answers. */
static void negotiate_inbound_finish(struct stream *stream)
{
	stream_finish(stream);
}

static void negotiate_inbound_closed(struct stream *stream, enum close_reason reason)
{
	(void)reason;
	negotiate_free(stream->net, stream->state);
}

static void negotiate_inbound_open(struct stream *stream)
{
	stream_set_timer(stream, NEGOTIATE_TIME);
}

static const struct stream_protocol negotiate_inbound_protocol = {
    .id = "negotiation",
    .open = negotiate_inbound_open,
    .data = negotiate_inbound_data,
    .finish = negotiate_inbound_finish,
    .closed = negotiate_inbound_closed,
    .timeout = negotiate_timeout,
};

int negotiate_inbound(struct stream *stream)
{
	struct negotiation *negotiation = pool_alloc(stream->net, sizeof(*negotiation));

	if (negotiation == NULL)
		return -1;
	stream_become(stream, &negotiate_inbound_protocol, negotiation);
	negotiate_inbound_open(stream);
	return 0;
}

/* --- a stream of ours --- */

/* The peer's header and its echo of our only proposal. */
static bool negotiate_agreed(void *context, struct span line)
{
	struct stream *stream = context;
	struct negotiation *negotiation = stream->state;

	return multistream_is(line, negotiation->protocol->id);
}

static void negotiate_outbound_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	struct negotiation *negotiation = stream->state;
	uint8_t unsent[SELECTION_ANSWER_MAX];
	struct writer w = writer_of(unsent, sizeof(unsent));
	enum close_reason reason = CLOSE_NONE;
	enum selection_result result;
	size_t used;

	result = selection_input(stream->net, &negotiation->selection, bytes, len, &used, negotiate_agreed,
				 stream, &w, &reason);
	if (result == SELECTION_ACCEPTED)
		negotiate_done(stream, bytes + used, len - used);
	else if (result == SELECTION_FAILED || negotiation->selection.rounds > 0)
		stream_reset(stream, CLOSE_STOP_REFUSED);
}

static void negotiate_outbound_finish(struct stream *stream)
{
	stream_reset(stream, CLOSE_STOP_REFUSED);
}

static void negotiate_outbound_closed(struct stream *stream, enum close_reason reason)
{
	struct negotiation *negotiation = stream->state;

	stream->protocol = negotiation->protocol;
	stream->state = negotiation->state;
	negotiate_free(stream->net, negotiation);
	stream->protocol->closed(stream, reason);
}

static void negotiate_outbound_open(struct stream *stream)
{
	stream_set_timer(stream, NEGOTIATE_TIME);
}

static const struct stream_protocol negotiate_outbound_protocol = {
    .id = "negotiation",
    .open = negotiate_outbound_open,
    .data = negotiate_outbound_data,
    .finish = negotiate_outbound_finish,
    .closed = negotiate_outbound_closed,
    .timeout = negotiate_timeout,
};

int negotiate_outbound(struct stream *stream, const struct stream_protocol *protocol, void *state)
{
	struct negotiation *negotiation = pool_alloc(stream->net, sizeof(*negotiation));
	uint8_t proposal[SELECTION_ANSWER_MAX];
	struct writer w = writer_of(proposal, sizeof(proposal));

	if (negotiation == NULL)
		return -1;
	negotiation->protocol = protocol;
	negotiation->state = state;
	stream_become(stream, &negotiate_outbound_protocol, negotiation);
	negotiate_outbound_open(stream);
	multistream_write_text(&w, MULTISTREAM_HEADER);
	multistream_write_text(&w, protocol->id);
	if (stream_write(stream, proposal, writer_len(&w)) != 0) {
		wheel_cancel(&stream->timer);
		negotiate_free(stream->net, negotiation);
		return -1;
	}
	return 0;
}
