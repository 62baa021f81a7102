/* SPDX-License-Identifier: MIT
 *
 * Back-pressure is credit: a sender gets window only for what the other end can take at once, so that a
 * reader that stops costs the relay next to nothing. Windows grow on long paths.
 * hashicorp/yamux, spec.md.
 */
#include "netproc/circuit.h"
#include "netproc/net.h"
#include "netproc/pool.h"

#define CREDIT_LUMP  131072u /* js wakes, and rust and go expect, half a window at a time */
#define CREDIT_LOW   32768u  /* a sender with less than this left gets smaller lumps too */
#define CREDIT_LEAST 16u     /* js does not wake for less */
#define CREDIT_TIGHT 60	     /* per cent of the pool above which windows stay at their least */
#define CREDIT_SLOW  5000u   /* milliseconds for half a window after which it was too large */
#define CREDIT_PARTS 8u	     /* of the pool's quarter for grown windows: one is the most that a circuit has */
#define CREDIT_WAIT  64u     /* milliseconds until a sender held back by bandwidth is looked at again */

static struct circuit_half *credit_other(struct circuit_half *half)
{
	return &half->circuit->half[half == &half->circuit->half[0] ? 1 : 0];
}

/* --- bandwidth --- */

/* A sender that had to wait is looked at again. */
static void credit_again(struct net *net, struct wheel_timer *timer)
{
	struct circuit *circuit = container_of(timer, struct circuit, wait);
	struct stream_ref first = circuit->half[0].stream, second = circuit->half[1].stream;

	if (stream_find(net, first) != NULL)
		circuit_credit(&circuit->half[0]);
	if (stream_find(net, second) != NULL)
		circuit_credit(&circuit->half[1]);
}

void circuit_credit_pay(struct circuit_half *half, size_t len)
{
	struct circuit *circuit = half->circuit;
	uint32_t part = len < half->unpaid ? (uint32_t)len : half->unpaid;

	if (part == 0)
		return;
	half->unpaid -= part;
	limits_bandwidth_spend(
	    circuit->net, half == &circuit->half[0] ? circuit->counted.source : circuit->counted.destination,
	    part);
}

void circuit_credit_init(struct circuit *circuit)
{
	circuit->wait.fire = credit_again;
}

/* --- windows --- */

/* What the window would be next: twice, and not above the largest. */
static uint32_t credit_next(const struct net *net, uint32_t window)
{
	uint32_t most = (uint32_t)net->settings.max_window;

	return window > most / 2 ? most : window * 2;
}

/* Windows above the least take from a quarter of the pool, and those of one circuit from a part of that: two
 * who keep up with each other must not take what all have. */
uint32_t circuit_credit_window(const struct circuit_half *half)
{
	const struct net *net = half->circuit->net;
	uint64_t quarter = pool_cap(net) / 4;
	uint32_t window = half->window, next = credit_next(net, window);
	uint64_t both = (uint64_t)half->circuit->half[0].window + half->circuit->half[1].window;

	if (next <= window || pool_above(net, CREDIT_TIGHT))
		return window;
	if (net->window_extra + (next - window) > quarter)
		return window;
	return both + (next - window) - 2u * STREAM_WINDOW_LEAST > quarter / CREDIT_PARTS ? window : next;
}

/* A circuit that has become slow gives back what its window had grown by. */
static void credit_shrink(struct circuit_half *half)
{
	half->circuit->net->window_extra -= half->window - STREAM_WINDOW_LEAST;
	half->window = STREAM_WINDOW_LEAST;
}

/* Half the window used within two round trips of the whole path, and nothing waiting at the destination: the
 * window is what limits. */
static void credit_grow(struct circuit_half *half, const struct stream *from, const struct stream *to,
			uint32_t credited)
{
	struct net *net = from->net;
	uint32_t took = (uint32_t)net->now - half->epoch_at;
	uint32_t round_trips = 2u * ((uint32_t)from->conn->round_trip + to->conn->round_trip);

	half->epoch_bytes += credited;
	if (half->epoch_bytes < half->window / 2)
		return;
	/* A queue that is on its way out says nothing yet: looked at again when it is empty. */
	if (took <= round_trips && to->queue.len > 0)
		return;
	if (took >= CREDIT_SLOW)
		credit_shrink(half);
	if (took <= round_trips && to->queue.len == 0) {
		uint32_t window = circuit_credit_window(half);

		net->window_extra += window - half->window;
		half->window = window;
	}
	half->epoch_at = (uint32_t)net->now;
	half->epoch_bytes = 0;
}

/* What the sender may get now. A window at its least: never more than the destination's unused window less
 * what waits for it, so that a reader that never read costs nothing. One that has grown has shown that its
 * destination keeps up: then the sender's own path counts, else a far source beside a near destination would
 * get one window of the near one for each of its long round trips. What it may hold when the reader stops
 * comes from the quarter of the pool that grown windows have. */
static uint32_t credit_due(const struct circuit_half *half, const struct stream *from,
			   const struct stream *to)
{
	uint64_t window = pool_above(from->net, CREDIT_TIGHT) ? STREAM_WINDOW_LEAST : half->window;
	uint64_t under_way = (uint64_t)from->receive_window + to->queue.len;
	uint64_t room = saturating_sub(window, under_way);
	uint64_t taken = saturating_sub(to->send_window, under_way);

	if (window > STREAM_WINDOW_LEAST)
		return (uint32_t)room;
	return (uint32_t)(room < taken ? room : taken);
}

static bool credit_worth(const struct stream *from, uint32_t due)
{
	return due >= CREDIT_LUMP || (from->receive_window < CREDIT_LOW && due >= CREDIT_LOW) ||
	       (from->receive_window < CREDIT_LEAST && due > CREDIT_LEAST);
}

void circuit_credit(struct circuit_half *half)
{
	struct circuit *circuit = half->circuit;
	struct net *net = circuit->net;
	struct stream *from = stream_find(net, half->stream);
	struct stream *to = stream_find(net, credit_other(half)->stream);
	uint32_t due;

	if (from == NULL || to == NULL || from->remote_finished || circuit->ending)
		return;
	due = credit_due(half, from, to);
	if (!credit_worth(from, due))
		return;
	if (!limits_bandwidth(net, from->conn->peer)) {
		if (!wheel_armed(&circuit->wait))
			wheel_arm(net, &circuit->wait, CREDIT_WAIT);
		return;
	}
	limits_bandwidth_spend(net, from->conn->peer, due);
	credit_grow(half, from, to, due);
	from->uncredited = 0;
	stream_credit(from, due);
}
