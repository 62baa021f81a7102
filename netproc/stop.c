/* SPDX-License-Identifier: MIT
 *
 * One STOP after another for each destination. A stop is waiting (in a queue), asking (it has a stream), or
 * gone. Its stream holds it as state; whoever ends first lets go of the other, so that no callback meets a
 * stop that is gone.
 */
#include "netproc/stop.h"

#include <string.h>

#include "netproc/message.h"
#include "netproc/net.h"
#include "netproc/reservation.h"
#include "netproc/stop_queue.h"

#define STOP_LINGER 10000 /* milliseconds that our end of a refused stream may take to leave */
#define STOP_SPARE  2000  /* milliseconds: the source's own deadline comes first */

struct stop {
	struct list place; /* while waiting */
	struct stop_group *group;
	struct stop_destination *destination;
	struct stream *source;
	struct stream *stream;	    /* while asking */
	struct stop_handle *handle; /* its state */
	stop_done done;
	bool retried;
	struct limits_circuit circuit; /* as counted */
	uint32_t taken;		       /* bytes of the answer: credit due once the stream is a circuit */
	struct message message;
};

/* State of the stream. It stays with the stream, which may still be negotiating when the stop goes. */
struct stop_handle {
	struct stop *stop; /* NULL: gone */
};

struct circuit_limit stop_limit(const struct net *net)
{
	uint64_t duration = net->settings.circuit_duration;
	uint64_t bytes = net->settings.circuit_bytes;
	return (struct circuit_limit){
	    .present = duration > 0 || bytes > 0,
	    .duration = duration > UINT32_MAX ? UINT32_MAX : (uint32_t)duration,
	    .data = bytes,
	};
}

/* --- ends --- */

static void next_of(struct net *net, struct stop_destination *destination);

/* Lets go of the stream, which goes on without us. */
static struct stream *let_go(struct stop *stop)
{
	struct stream *stream = stop->stream;
	if (stop->handle != NULL)
		stop->handle->stop = NULL;
	stop->handle = NULL;
	stop->stream = NULL;
	return stream;
}

/* NULL: nobody waits for this stream any more. */
static struct stop *stop_of(const struct stream *stream)
{
	const struct stop_handle *handle = stream->state;
	return handle == NULL ? NULL : handle->stop;
}

static void free_handle(struct stream *stream)
{
	if (stream->state != NULL)
		pool_free(stream->net, stream->state, sizeof(struct stop_handle));
	stream->state = NULL;
}

/* Takes the stop out of everything and frees it; the count in limits stays. */
static void stop_free(struct net *net, struct stop *stop)
{
	message_clear(net, &stop->message);
	net_drop(net, NET_COUNT_CIRCUITS_PENDING);
	pool_free(net, stop, sizeof(*stop));
}

/* A place is free at the destination. Inside next_of its loop goes on with it. */
static void place_left(struct net *net, struct stop_destination *destination)
{
	destination->running--;
	if (!destination->taking)
		next_of(net, destination);
}

/* No circuit: the count is given back, the source is told. The stream, if any, was let go of. */
static void stop_fail(struct net *net, struct stop *stop, enum circuit_status status)
{
	struct stop_destination *destination = stop->destination;
	struct stream *source = stop->source;
	stop_done done = stop->done;
	limits_connect_end(net, &stop->circuit);
	stop_free(net, stop);
	done(source, status, NULL, NULL);
	place_left(net, destination);
}

void stop_cancel(struct stop *stop, enum close_reason reason)
{
	struct net *net = stop->source->net;
	struct stop_destination *destination = stop->destination;
	struct stream *stream = let_go(stop);
	bool waiting = list_in(&stop->place);
	if (waiting)
		stop_queue_remove(net, destination, stop->group, &stop->place);
	limits_connect_end(net, &stop->circuit);
	stop_free(net, stop);
	if (waiting)
		stop_destination_settle(net, destination);
	if (stream != NULL)
		stream_reset(stream, reason);
	if (!waiting)
		place_left(net, destination);
}

/* --- asking --- */

static bool ask_on(struct net *net, struct stop *stop, struct conn *conn)
{
	struct stop_handle *handle = conn == NULL ? NULL : pool_alloc(net, sizeof(*handle));
	if (handle == NULL)
		return false;
	limits_connect_move(net, &stop->circuit, conn);
	handle->stop = stop;
	stop->handle = handle;
	stop->stream = stream_open(conn, &stop_protocol, handle);
	if (stop->stream != NULL)
		return true;
	stop->handle = NULL;
	pool_free(net, handle, sizeof(*handle));
	return false;
}

/* The newest connection, and once the next older one; the one that just failed is left out. */
static bool ask(struct net *net, struct stop *stop, const struct conn *failed)
{
	while (true) {
		struct conn *conn = reservation_find(net, stop->circuit.destination);
		if (failed != NULL && conn == failed)
			conn = reservation_older(net, stop->circuit.destination, failed);
		if (ask_on(net, stop, conn))
			return true;
		if (conn == NULL || stop->retried)
			return false;
		stop->retried = true;
		failed = conn;
	}
}

/* Starts those that wait while there is room. What fails here comes back through place_left, and the loop
 * sees its place. */
static void next_of(struct net *net, struct stop_destination *destination)
{
	destination->taking = true;
	while (destination->running < net->settings.max_pending_stops) {
		struct list *entry = stop_queue_shift(net, destination);
		if (entry == NULL)
			break;
		struct stop *stop = container_of(entry, struct stop, place);
		stop->group = NULL;
		destination->running++;
		if (!ask(net, stop, NULL))
			stop_fail(net, stop, CIRCUIT_CONNECTION_FAILED);
	}
	destination->taking = false;
	stop_destination_settle(net, destination);
}

static struct stop *stop_new(struct stream *source, const struct limits_circuit *circuit, stop_done done)
{
	struct net *net = source->net;
	struct stop_destination *destination = stop_destination_get(net, circuit->destination);
	struct stop *stop = destination == NULL ? NULL : pool_alloc(net, sizeof(*stop));
	if (stop == NULL) {
		if (destination != NULL)
			stop_destination_settle(net, destination);
		return NULL;
	}
	stop->destination = destination;
	stop->source = source;
	stop->circuit = *circuit;
	stop->done = done;
	net_count(net, NET_COUNT_CIRCUITS_PENDING);
	return stop;
}

/* CIRCUIT_OK: it asks, or waits for its turn. */
static enum circuit_status ask_or_wait(struct net *net, struct stop *stop)
{
	struct stop_destination *destination = stop->destination;
	if (destination->running >= net->settings.max_pending_stops || destination->waiting > 0) {
		stop->group = stop_queue_append(net, destination, stop->source->conn, &stop->place);
		return stop->group != NULL ? CIRCUIT_OK : CIRCUIT_RESOURCE_LIMIT_EXCEEDED;
	}
	destination->running++;
	if (ask(net, stop, NULL))
		return CIRCUIT_OK;
	destination->running--;
	return CIRCUIT_CONNECTION_FAILED;
}

struct stop *stop_begin(struct stream *source, const struct limits_circuit *circuit, stop_done done,
			enum circuit_status *status)
{
	struct net *net = source->net;
	struct stop *stop = stop_new(source, circuit, done);
	*status = CIRCUIT_RESOURCE_LIMIT_EXCEEDED;
	if (stop == NULL) {
		limits_connect_end(net, circuit);
		return NULL;
	}
	*status = ask_or_wait(net, stop);
	if (*status == CIRCUIT_OK)
		return stop;
	struct stop_destination *destination = stop->destination;
	limits_connect_end(net, &stop->circuit);
	stop_free(net, stop);
	stop_destination_settle(net, destination);
	return NULL;
}

/* --- the stream --- */

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
	struct stream *stream = let_go(stop);
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
	let_go(stop);
	free_handle(stream);
	stop_free(net, stop);
	stream_credit(stream, taken);
	done(source, CIRCUIT_OK, stream, &early);
	queue_clear(net, &early);
	place_left(net, destination);
}

/* The destination said no: it hears nothing more from us, the source hears why as far as the protocol has a
 * word. */
static void stop_refused(struct stop *stop, int status)
{
	struct stream *stream = let_go(stop);
	struct net *net = stream->net;
	struct stream_ref ref = stream_ref(stream);
	enum circuit_status told = CIRCUIT_CONNECTION_FAILED;
	if (status == CIRCUIT_RESOURCE_LIMIT_EXCEEDED || status == CIRCUIT_PERMISSION_DENIED)
		told = (enum circuit_status)status;
	stop_fail(net, stop, told);
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
		stop_refused(stop, m.status);
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
	free_handle(stream);
	if (stop == NULL)
		return;
	stop->handle = NULL;
	stop->stream = NULL;
	message_clear(net, &stop->message);
	stop->taken = 0;
	bool again = !stop->retried;
	stop->retried = true;
	if (!again || !ask(net, stop, stream->conn))
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
