/* SPDX-License-Identifier: MIT
 *
 * The STOP stream: the question, the destination's answer in any pieces, and every way in which there is
 * none.
 */
#include "netproc/net.h"
#include "netproc/stop_state.h"

#define STOP_LINGER 10000 /* milliseconds that our end of a refused stream may take to leave */
#define STOP_SPARE  2000  /* milliseconds: the source's own deadline comes first */

/* NULL: nobody waits for this stream any more. */
static struct stop *stop_of(const struct stream *stream)
{
	const struct stop_handle *handle = stream->state;
	return handle == NULL ? NULL : handle->stop;
}

static void stop_handle_free(struct stream *stream)
{
	if (stream->state != NULL)
		pool_free(stream->net, stream->state, sizeof(struct stop_handle));
	stream->state = NULL;
}

/* Negotiated: now the question, with the source's id and no address. */
static void stop_open(struct stream *stream)
{
	struct stop *stop = stop_of(stream);
	struct net *net = stream->net;
	uint8_t bytes[128];
	struct peer_id source;
	if (stop == NULL)
		return;
	peer_id_from_ed25519(&source, stop->circuit.source);
	struct circuit_message m = {
	    .has_type = true,
	    .type = STOP_CONNECT,
	    .has_peer = true,
	    .peer = {source.bytes, source.len},
	    .limit = stop_limit(net),
	};
	struct writer w = writer_of(bytes, sizeof(bytes));
	stop_message_write(&w, &m);
	if (w.bad || stream_write(stream, bytes, writer_len(&w)) != 0) {
		stream_reset(stream, CLOSE_MEMORY);
		return;
	}
	stream_set_timer(stream, net->settings.stop_timeout * 1000 + STOP_SPARE);
}

static void stop_timeout(struct stream *stream)
{
	stream_reset(stream, CLOSE_STOP_TIMEOUT);
}

/* It does not speak the protocol: no second try elsewhere. The stop ends first: nothing of it is used behind
 * a callback. */
static void stop_broken(struct stop *stop, enum close_reason reason)
{
	struct stream *stream = stop_let_go(stop);
	struct net *net = stream->net;
	struct stream_ref ref = stream_ref(stream);
	stop_fail(net, stop, CIRCUIT_CONNECTION_FAILED);
	stream = stream_find(net, ref);
	if (stream != NULL)
		stream_reset(stream, reason);
}

static void stop_accepted(struct stop *stop, const uint8_t *behind, size_t len)
{
	struct stream *stream = stop->stream;
	struct stream *source = stop->source;
	struct stop_destination *destination = stop->destination;
	struct net *net = stream->net;
	stop_done done = stop->done;
	uint32_t taken = stop->taken;
	struct queue early = {0};
	if (len > 0 && queue_append(net, &early, behind, len) != 0) {
		stop_broken(stop, CLOSE_MEMORY);
		return;
	}
	stop_let_go(stop);
	stop_handle_free(stream);
	stop_free(net, stop);
	stream_credit(stream, taken);
	done(source, CIRCUIT_OK, stream, &early);
	queue_clear(net, &early);
	stop_place_left(net, destination);
}

/* The destination said no: it hears nothing more from us. The source hears CONNECTION_FAILED whatever the
 * reason, as from every relay that clients were seen with. */
static void stop_refused(struct stop *stop)
{
	struct stream *stream = stop_let_go(stop);
	struct net *net = stream->net;
	struct stream_ref ref = stream_ref(stream);
	stop_fail(net, stop, CIRCUIT_CONNECTION_FAILED);
	stream = stream_find(net, ref);
	if (stream == NULL)
		return;
	stream_set_timer(stream, STOP_LINGER);
	stream_finish(stream);
}

static void stop_answer(struct stop *stop, struct span whole, const uint8_t *behind, size_t len)
{
	struct circuit_message m;
	if (stop_message_parse(whole.bytes, whole.len, &m) != 0 || !m.has_type || m.type != STOP_STATUS ||
	    !m.has_status)
		stop_broken(stop, CLOSE_MESSAGE_MALFORMED);
	else if (m.status == CIRCUIT_OK)
		stop_accepted(stop, behind, len);
	else
		stop_refused(stop);
}

static void stop_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	struct stop *stop = stop_of(stream);
	struct span whole;
	size_t used;
	if (stop == NULL)
		return;
	enum message_result result =
	    message_take(stream->net, &stop->message, CIRCUIT_MESSAGE_MAX, bytes, len, &used, &whole);
	stop->taken += (uint32_t)used;
	if (result == MESSAGE_WHOLE)
		stop_answer(stop, whole, bytes + used, len - used);
	else if (result == MESSAGE_TOO_LONG)
		stop_broken(stop, CLOSE_MESSAGE_TOO_LONG);
	else if (result == MESSAGE_MALFORMED)
		stop_broken(stop, CLOSE_MESSAGE_MALFORMED);
	else if (result == MESSAGE_NO_MEMORY)
		stop_broken(stop, CLOSE_MEMORY);
}

/* Finished without an answer is no answer. */
static void stop_finish(struct stream *stream)
{
	if (stop_of(stream) != NULL)
		stream_reset(stream, CLOSE_STOP_REFUSED);
}

/* Failed at the level of the transport: `na`, a reset, the connection gone. Once more on another connection,
 * else no circuit. */
static void stop_closed(struct stream *stream, enum close_reason reason)
{
	struct stop *stop = stop_of(stream);
	struct net *net = stream->net;
	(void)reason;
	stop_handle_free(stream);
	if (stop == NULL)
		return;
	stop->handle = NULL;
	stop->stream = NULL;
	message_clear(net, &stop->message);
	stop->taken = 0;
	bool again = !stop->retried;
	stop->retried = true;
	if (!again || !stop_ask(net, stop, stream->conn))
		stop_fail(net, stop, CIRCUIT_CONNECTION_FAILED);
}

const struct stream_protocol stop_protocol = {
    .id = CIRCUIT_STOP_PROTOCOL,
    .holds_credit = true,
    .open = stop_open,
    .data = stop_data,
    .finish = stop_finish,
    .closed = stop_closed,
    .timeout = stop_timeout,
};
