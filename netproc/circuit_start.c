/* SPDX-License-Identifier: MIT
 *
 * How a circuit begins: two streams that agreed become a pair, and what came early goes first.
 */
#include "netproc/circuit.h"
#include "netproc/pool.h"

static void circuit_bind(struct circuit *circuit, unsigned index, struct stream *stream)
{
	struct circuit_half *half = &circuit->half[index];

	half->stream = stream_ref(stream);
	stream->conn->circuits++;
	stream->conn->keep++;
	stream_become(stream, &circuit_protocol, half);
}

/* Bytes that came behind the last control message go first; a FIN that came before is passed on behind them.
 */
static void circuit_early(struct circuit_half *half, struct queue *early)
{
	struct circuit *circuit = half->circuit;
	struct net *net = circuit->net;
	struct stream *stream = stream_find(net, half->stream);
	struct stream *other = stream_find(net, circuit_other(half)->stream);

	if (stream == NULL || other == NULL) {
		queue_clear(net, early);
		return;
	}
	half->bytes += early->len;
	circuit_credit_pay(half, early->len);
	net_add(net, NET_COUNT_RELAYED_BYTES, early->len);
	stream_append(other, early);
	if (stream->remote_finished)
		circuit_finish(stream);
}

static struct circuit *circuit_new(struct net *net, struct stream *source, struct stream *destination)
{
	struct circuit_state *state = circuit_state(net);
	struct circuit *circuit = state != NULL ? pool_alloc(net, sizeof(*circuit)) : NULL;

	if (circuit == NULL)
		return NULL;
	circuit->net = net;
	circuit->began = net->now;
	circuit->timer.fire = circuit_timer;
	circuit->counted = limits_circuit_of(source->conn, destination->conn);
	circuit_credit_init(circuit);
	list_append(&state->all, &circuit->all);
	return circuit;
}

void circuit_start(struct stream *source, struct queue *source_early, struct stream *destination,
		   struct queue *destination_early)
{
	struct net *net = source->net;
	struct circuit *circuit = circuit_new(net, source, destination);
	struct stream_ref ref = stream_ref(source), other = stream_ref(destination);

	if (circuit == NULL) {
		struct limits_circuit counted = limits_circuit_of(source->conn, destination->conn);

		limits_connect_end(net, &counted);
		queue_clear(net, source_early);
		queue_clear(net, destination_early);
		stream_reset(destination, CLOSE_MEMORY);
		source = stream_find(net, ref);
		if (source != NULL)
			stream_reset(source, CLOSE_MEMORY);
		return;
	}
	circuit_bind(circuit, 0, source);
	circuit_bind(circuit, 1, destination);
	net_count(net, NET_COUNT_CIRCUITS);
	net_count(net, NET_COUNT_CIRCUITS_OPENED);
	circuit_log(circuit, LOG_EVENT_CIRCUIT_OPENED);
	if (net->settings.circuit_duration != 0)
		wheel_arm(net, &circuit->timer, net->settings.circuit_duration * 1000);
	circuit_early(&circuit->half[0], source_early);
	/* Both ends may be over by now (each had finished before): then the circuit is gone. */
	if (stream_find(net, ref) != NULL || stream_find(net, other) != NULL)
		circuit_early(&circuit->half[1], destination_early);
	queue_clear(net, destination_early);
}
