/* SPDX-License-Identifier: MIT
 *
 * Timers in a hierarchical wheel under the wait of the loop: O(1) to arm and to cancel, bounded work a tick.
 * Used by everything in netproc that has a deadline. Resolution 64 ms; a timer never fires early.
 */
#ifndef NETPROC_WHEEL_H
#define NETPROC_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net;
struct wheel;

struct wheel_timer {
	struct wheel_timer *next;
	struct wheel_timer **link; /* what points here; NULL: not armed */
	uint64_t at;		   /* ticks */
	void (*fire)(struct net *net, struct wheel_timer *timer);
};

/* NULL without memory. `now` in milliseconds of the monotonic clock. */
struct wheel *wheel_new(uint64_t now);
/* Arms, or arms again, to fire `milliseconds` from now. `fire` may arm it again or free what holds it. */
void wheel_arm(struct net *net, struct wheel_timer *timer, uint64_t milliseconds);
void wheel_cancel(struct wheel_timer *timer);
bool wheel_armed(const struct wheel_timer *timer);
/* Fires what is due at net->now, at most `most` timers; true when some are left for the next turn. */
bool wheel_turn(struct net *net, size_t most);
/* Milliseconds until the next tick that could hold a timer; at most 16 s. */
uint64_t wheel_wait(const struct net *net);

#endif
