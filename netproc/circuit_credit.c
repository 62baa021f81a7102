/* SPDX-License-Identifier: MIT
 *
 * Back-pressure is credit: a sender gets window only for what the other end can take at once, so that a
 * reader that stops costs the relay next to nothing. Windows grow on long paths.
 * hashicorp/yamux, spec.md.
 */
#include "netproc/circuit.h"
#include "netproc/net.h"
#include "netproc/pool.h"
#include "netproc/reservation.h"

#define CREDIT_LUMP  131072u  /* js wakes, and rust and go expect, half a window at a time */
#define CREDIT_LOW   32768u   /* a sender with less than this left gets smaller lumps too */
#define CREDIT_LEAST 16u      /* js does not wake for less */
#define CREDIT_TIGHT 60	      /* per cent of the pool above which windows stay at their least */
#define CREDIT_SLOW  5000000u /* microseconds for half a window after which it was too large */
#define CREDIT_STEP  8u	      /* one part of so many that a window grows by once it has fitted the path */
#define CREDIT_PARTS 8u	 /* of the pool's quarter for grown windows: one is the most that a circuit has */
#define CREDIT_WAIT  64u /* milliseconds until a sender held back by bandwidth is looked at again */

static void credit_begin_epoch(struct circuit_half *half)
{
	half->epoch_at = net_microseconds(half->circuit->net);
	half->epoch_from = half->bytes;
	half->standing = UINT32_MAX;
	half->settle = 0;
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
	for (int i = 0; i < 2; i++) {
		struct circuit_half *half = &circuit->half[i];

		half->circuit = circuit;
		half->window = STREAM_WINDOW_LEAST;
		half->unpaid = STREAM_WINDOW_LEAST;
		credit_begin_epoch(half);
	}
}

/* --- windows --- */

/* All windows together have at most a quarter of the pool above their least. */
static bool credit_is_full(const struct net *net, uint32_t more)
{
	return net->window_extra + more > pool_cap(net) / 4;
}

/* What the window would be next: twice, or a little more once it has fitted the path; not above the largest.
 */
static uint32_t credit_next(const struct circuit_half *half)
{
	uint32_t most = (uint32_t)half->circuit->net->settings.max_window;
	uint32_t more = half->fitted ? half->window / CREDIT_STEP : half->window;

	return half->window > saturating_sub(most, more) ? most : half->window + more;
}

/* Windows above the least take from a quarter of the pool, and those of one circuit from a part of that: two
 * who keep up with each other must not take what all have. */
uint32_t circuit_credit_window(const struct circuit_half *half)
{
	const struct net *net = half->circuit->net;
	uint64_t part = pool_cap(net) / 4 / CREDIT_PARTS;
	uint32_t window = half->window, next = credit_next(half);
	uint64_t both = (uint64_t)half->circuit->half[0].window + half->circuit->half[1].window;

	if (next <= window || pool_above(net, CREDIT_TIGHT) || credit_is_full(net, next - window))
		return window;
	return both + (next - window) - 2u * STREAM_WINDOW_LEAST > part ? window : next;
}

/* Made with the first circuit. */
static struct list *credit_grown(struct net *net)
{
	struct circuit_state *state = net->relay->circuits;

	return &state->grown;
}

/* The list is in the order of use: who used its grown window last stands last. */
void circuit_credit_set(struct circuit_half *half, uint32_t window)
{
	struct net *net = half->circuit->net;

	net->window_extra += window;
	net->window_extra -= half->window;
	half->window = window;
	list_remove(&half->grown);
	if (window == STREAM_WINDOW_LEAST)
		half->fitted = false;
	else
		list_append(credit_grown(net), &half->grown);
}

/* A new epoch with this window. */
static void credit_renew(struct circuit_half *half, uint32_t window)
{
	circuit_credit_set(half, window);
	credit_begin_epoch(half);
}

/* Where the quarter is full, the grown window that was longest without use gives way, if it was for long. */
static void credit_reclaim(struct net *net, uint32_t more)
{
	struct list *grown = credit_grown(net);
	struct circuit_half *first;

	if (list_empty(grown) || !credit_is_full(net, more))
		return;
	first = container_of(grown->next, struct circuit_half, grown);
	if (net_microseconds(net) - first->epoch_at < CREDIT_SLOW)
		return;
	credit_renew(first, STREAM_WINDOW_LEAST);
}

/* What the path holds: the window less what always waited for the destination. The next epoch begins when all
 * that was under way by then has left. */
static void credit_fit(struct circuit_half *half)
{
	uint32_t window = half->window;
	uint64_t fit = saturating_sub(window, half->standing);

	half->fitted = true;
	credit_renew(half, fit < STREAM_WINDOW_LEAST ? STREAM_WINDOW_LEAST : (uint32_t)fit);
	half->settle = window;
}

static void credit_grow(struct circuit_half *half)
{
	uint32_t next = credit_next(half);

	if (next > half->window)
		credit_reclaim(half->circuit->net, next - half->window);
	credit_renew(half, circuit_credit_window(half));
}

/* An epoch is half a window. Used within two round trips of the whole path, with nothing waiting at its end
 * or before: the window is what limits. Something that waited all the time only adds to the delay and, with
 * many circuits, leaves the processor's caches. Round trips are the shortest seen, so that a queue of ours is
 * no path. */
static void credit_epoch(struct circuit_half *half, const struct stream *from, const struct stream *to)
{
	uint64_t took = net_microseconds(from->net) - half->epoch_at;
	uint64_t round_trips = 2 * ((uint64_t)from->conn->round_trip + to->conn->round_trip);

	if (half->bytes - half->epoch_from < (half->settle > 0 ? half->settle : half->window / 2))
		return;
	if (took >= CREDIT_SLOW)
		credit_renew(half, STREAM_WINDOW_LEAST);
	else if (half->settle > 0)
		credit_begin_epoch(half);
	else if (half->standing > 0)
		credit_fit(half);
	else if (took <= round_trips)
		credit_grow(half);
	else
		credit_renew(half, half->window);
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
	struct stream *to = stream_find(net, circuit_other(half)->stream);
	uint32_t due;

	if (from == NULL || to == NULL || from->remote_finished || circuit->ending)
		return;
	if (to->queue.len < half->standing)
		half->standing = (uint32_t)to->queue.len;
	due = credit_due(half, from, to);
	if (!credit_worth(from, due))
		return;
	if (!limits_bandwidth(net, from->conn->peer)) {
		if (!wheel_armed(&circuit->wait))
			wheel_arm(net, &circuit->wait, CREDIT_WAIT);
		return;
	}
	limits_bandwidth_spend(net, from->conn->peer, due);
	credit_epoch(half, from, to);
	from->uncredited = 0;
	stream_credit(from, due);
}
