/* SPDX-License-Identifier: MIT
 *
 * One STOP after another for each destination: who is asked, who waits, who is told. A stop is waiting (in a
 * queue), asking (it has a stream), or gone. Whoever ends first, stop or stream, lets go of the other, so
 * that no callback meets a stop that is gone.
 */
#include "netproc/stop.h"

#include "netproc/net.h"
#include "netproc/reservation.h"
#include "netproc/stop_queue.h"
#include "netproc/stop_state.h"

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
struct stream *stop_let_go(struct stop *stop)
{
	struct stream *stream = stop->stream;
	if (stop->handle != NULL)
		stop->handle->stop = NULL;
	stop->handle = NULL;
	stop->stream = NULL;
	return stream;
}

/* Takes the stop out of everything and frees it; the count in limits stays. */
void stop_free(struct net *net, struct stop *stop)
{
	message_clear(net, &stop->message);
	net_drop(net, NET_COUNT_CIRCUITS_PENDING);
	pool_free(net, stop, sizeof(*stop));
}

/* A place is free at the destination. Inside next_of its loop goes on with it. */
void stop_place_left(struct net *net, struct stop_destination *destination)
{
	destination->running--;
	if (!destination->taking)
		next_of(net, destination);
}

/* No circuit: the count is given back, the source is told. The stream, if any, was let go of. */
void stop_fail(struct net *net, struct stop *stop, enum circuit_status status)
{
	struct stop_destination *destination = stop->destination;
	struct stream *source = stop->source;
	stop_done done = stop->done;
	limits_connect_end(net, &stop->circuit);
	stop_free(net, stop);
	done(source, status, NULL, NULL);
	stop_place_left(net, destination);
}

void stop_cancel(struct stop *stop, enum close_reason reason)
{
	struct net *net = stop->source->net;
	struct stop_destination *destination = stop->destination;
	struct stream *stream = stop_let_go(stop);
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
		stop_place_left(net, destination);
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
bool stop_ask(struct net *net, struct stop *stop, const struct conn *failed)
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
		if (!stop_ask(net, stop, NULL))
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
	if (stop_ask(net, stop, NULL))
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
