/* SPDX-License-Identifier: MIT */
#include "netproc/circuit.h"

#include "netproc/pool.h"
#include "netproc/reservation.h"

#define CIRCUIT_HALF_CLOSED 60000u /* milliseconds without a byte once one direction has finished */
#define CIRCUIT_READ_MORE   1u	   /* of them for each byte that its reader may not have read yet */

struct circuit_state *circuit_state(struct net *net)
{
	struct relay *relay = net->relay;
	struct circuit_state *state = relay->circuits;

	if (state == NULL) {
		state = pool_alloc(net, sizeof(*state));
		if (state == NULL)
			return NULL;
		list_init(&state->all);
		list_init(&state->grown);
		relay->circuits = state;
	}
	return state;
}

/* --- the end --- */

static void circuit_count_life(struct net *net, uint64_t seconds)
{
	static const struct {
		uint64_t most;
		enum net_counter counter;
	} buckets[] = {
	    {1, NET_COUNT_CIRCUIT_SECONDS_1},
	    {10, NET_COUNT_CIRCUIT_SECONDS_10},
	    {60, NET_COUNT_CIRCUIT_SECONDS_60},
	    {120, NET_COUNT_CIRCUIT_SECONDS_120},
	    {600, NET_COUNT_CIRCUIT_SECONDS_600},
	    {3600, NET_COUNT_CIRCUIT_SECONDS_3600},
	    {UINT64_MAX, NET_COUNT_CIRCUIT_SECONDS_INF},
	};
	size_t i;

	for (i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++)
		if (seconds <= buckets[i].most)
			net_count(net, buckets[i].counter);
	net_add(net, NET_COUNT_CIRCUIT_SECONDS_SUM, seconds);
	net_count(net, NET_COUNT_CIRCUIT_SECONDS_COUNT);
}

void circuit_log(struct circuit *circuit, enum log_event event)
{
	struct peer_id source, destination;
	struct log_peer peer, peer2;

	peer_id_from_ed25519(&source, circuit->counted.source);
	peer_id_from_ed25519(&destination, circuit->counted.destination);
	peer = (struct log_peer){source.bytes, source.len};
	peer2 = (struct log_peer){destination.bytes, destination.len};
	log_event(&circuit->net->log, event, &peer, &peer2, 0, 0, 0, NULL, 0);
}

static void circuit_free(struct circuit *circuit)
{
	struct net *net = circuit->net;

	wheel_cancel(&circuit->timer);
	wheel_cancel(&circuit->wait);
	list_remove(&circuit->all);
	limits_connect_end(net, &circuit->counted);
	circuit_credit_set(&circuit->half[0], STREAM_WINDOW_LEAST);
	circuit_credit_set(&circuit->half[1], STREAM_WINDOW_LEAST);
	net_drop(net, NET_COUNT_CIRCUITS);
	net_count(net, NET_COUNT_CIRCUITS_CLOSED);
	circuit_count_life(net, (net->now - circuit->began) / 1000);
	circuit_log(circuit, LOG_EVENT_CIRCUIT_CLOSED);
	pool_free(net, circuit, sizeof(*circuit));
}

/* Resets what is left of both ends; the second `closed` frees the circuit. */
static void circuit_end(struct circuit *circuit, enum close_reason reason)
{
	struct net *net = circuit->net;
	struct stream_ref first = circuit->half[0].stream, second = circuit->half[1].stream;
	struct stream *stream;

	if (circuit->ending)
		return;
	circuit->ending = true;
	stream = stream_find(net, first);
	if (stream != NULL && !stream->closing)
		stream_reset(stream, reason);
	stream = stream_find(net, second);
	if (stream != NULL && !stream->closing)
		stream_reset(stream, reason);
}

/* What waits for this end, and what was sent and its reader has not shown to have taken: credit comes by the
 * half window. At most a window. */
static uint64_t circuit_unread(const struct stream *stream)
{
	uint64_t unread = 0;

	if (stream != NULL)
		unread = saturating_sub(STREAM_WINDOW_LEAST, stream->send_window) + stream->queue.len;
	return unread < STREAM_WINDOW_LEAST ? unread : STREAM_WINDOW_LEAST;
}

/* Nothing waits for this end any more. */
static bool circuit_delivered(const struct stream *stream)
{
	return stream->local_finished && circuit_unread(stream) <= STREAM_WINDOW_LEAST / 2;
}

static enum close_reason circuit_reason(enum close_reason reason)
{
	return reason == CLOSE_REMOTE_RESET ? CLOSE_CIRCUIT_RESET : CLOSE_CIRCUIT_PEER_GONE;
}

static void circuit_closed(struct stream *stream, enum close_reason reason)
{
	struct circuit_half *half = stream->state;
	struct circuit *circuit = half->circuit;
	struct circuit_half *other = circuit_other(half);

	half->gone = true;
	stream->conn->circuits--;
	stream->conn->keep--;
	conn_touch(stream->conn);
	if (other->gone) {
		circuit_free(circuit);
		return;
	}
	/* What an end that finished had sent is still delivered; its FIN follows. The other end then finishes
	 * too, or writes to nobody (circuit_data), or the time of half-closed circuits is over. */
	if (reason != CLOSE_NONE && !half->finished)
		circuit_end(circuit, circuit_reason(reason));
}

/* --- the bytes --- */

/* False when the circuit's allowance is used up. */
static bool circuit_allowed(struct circuit *circuit, size_t len)
{
	uint64_t most = circuit->net->settings.circuit_bytes;

	return most == 0 || circuit->half[0].bytes + circuit->half[1].bytes + len <= most;
}

static void circuit_data(struct stream *stream, uint8_t *bytes, size_t len)
{
	struct circuit_half *half = stream->state;
	struct circuit *circuit = half->circuit;
	struct stream *other = stream_find(circuit->net, circuit_other(half)->stream);

	if (!circuit_allowed(circuit, len)) {
		circuit_end(circuit, CLOSE_CIRCUIT_LIMIT_BYTES);
		return;
	}
	half->bytes += len;
	circuit_credit_pay(half, len);
	circuit->moved = circuit->net->now;
	net_add(circuit->net, NET_COUNT_RELAYED_BYTES, len);
	if (other == NULL) {
		if (circuit_delivered(stream))
			circuit_end(circuit, CLOSE_CIRCUIT_PEER_GONE);
		return;
	}
	if (stream_forward(other, bytes, len) != 0)
		circuit_end(circuit, conn_alive(other->conn) ? CLOSE_MEMORY : CLOSE_CIRCUIT_PEER_GONE);
}

/* The peer enlarged this end's window: its reader reads. */
static void circuit_window(struct stream *stream)
{
	struct circuit_half *half = stream->state;

	half->circuit->moved = stream->net->now;
	circuit_credit(circuit_other(half));
}

static void circuit_sent(struct stream *stream, size_t len)
{
	(void)len;
	circuit_window(stream);
}

/* Bytes that wait for this end's connection move whenever it takes any. */
static void circuit_look(struct circuit *circuit, const struct stream *stream)
{
	uint64_t now = circuit->net->now;

	if (stream == NULL || stream->queue.len == 0)
		return;
	if ((uint32_t)now - stream->conn->progress < now - circuit->moved)
		circuit->moved = now - ((uint32_t)now - stream->conn->progress);
}

/* A reader that is slow shows nothing between two halves of a window: it gets the time to read them. */
static uint64_t circuit_patience(struct circuit *circuit)
{
	uint64_t most = 0;

	for (int i = 0; i < 2; i++) {
		const struct stream *stream = stream_find(circuit->net, circuit->half[i].stream);
		uint64_t unread = circuit_unread(stream);

		circuit_look(circuit, stream);
		most = unread > most ? unread : most;
	}
	return CIRCUIT_HALF_CLOSED + CIRCUIT_READ_MORE * most;
}

/* For whichever comes first: the limit of time, or the end of patience with a half-closed circuit. */
static void circuit_arm(struct circuit *circuit, uint64_t patience)
{
	struct net *net = circuit->net;
	uint64_t duration = net->settings.circuit_duration * 1000;
	uint64_t left = saturating_sub(circuit->began + duration, net->now);

	if (duration != 0 && left < patience)
		patience = left;
	wheel_arm(net, &circuit->timer, patience > 0 ? patience : 1);
}

void circuit_timer(struct net *net, struct wheel_timer *timer)
{
	struct circuit *circuit = container_of(timer, struct circuit, timer);
	uint64_t duration = net->settings.circuit_duration * 1000;
	bool half_closed = circuit->half[0].finished || circuit->half[1].finished;
	uint64_t patience = circuit_patience(circuit), still = net->now - circuit->moved;

	if (duration != 0 && net->now - circuit->began >= duration)
		circuit_end(circuit, CLOSE_CIRCUIT_LIMIT_TIME);
	else if (half_closed && still >= patience)
		circuit_end(circuit, CLOSE_CIRCUIT_HALF_CLOSED);
	else if (half_closed)
		circuit_arm(circuit, patience - still);
}

void circuit_finish(struct stream *stream)
{
	struct circuit_half *half = stream->state;
	struct circuit *circuit = half->circuit;
	struct stream *other = stream_find(circuit->net, circuit_other(half)->stream);

	half->finished = true;
	circuit->moved = circuit->net->now;
	circuit_arm(circuit, CIRCUIT_HALF_CLOSED);
	if (other != NULL)
		stream_finish(other);
}

const struct stream_protocol circuit_protocol = {
    .id = "circuit",
    .holds_credit = true,
    .stays = true,
    .open = NULL,
    .data = circuit_data,
    .finish = circuit_finish,
    .closed = circuit_closed,
    .sent = circuit_sent,
    .window = circuit_window,
};
