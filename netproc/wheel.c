/* SPDX-License-Identifier: MIT */
#include "netproc/wheel.h"

#include <stdlib.h>

#include "netproc/net.h"

#define WHEEL_TICK   64u /* milliseconds */
#define WHEEL_BITS   8u
#define WHEEL_PLACES (1u << WHEEL_BITS)
#define WHEEL_LEVELS 4u /* 2^32 ticks: eight years */

/*
 * Level 0 holds what is due within 256 ticks, one place a tick; each further level places 256 times as wide.
 * When level 0 comes round, the next place of level 1 is spread over level 0, and so on. `due` holds what is
 * to fire now: it outlives a turn that reached its limit.
 */
struct wheel {
	uint64_t tick; /* everything before it has been moved to `due` */
	struct wheel_timer *due;
	struct wheel_timer *spread; /* of a place being spread: outlives a turn too */
	struct wheel_timer *place[WHEEL_LEVELS][WHEEL_PLACES];
};

struct wheel *wheel_new(uint64_t now)
{
	struct wheel *wheel = calloc(1, sizeof(*wheel));

	if (wheel != NULL)
		wheel->tick = now / WHEEL_TICK;
	return wheel;
}

static void wheel_link(struct wheel_timer **head, struct wheel_timer *timer)
{
	timer->next = *head;
	if (timer->next != NULL)
		timer->next->link = &timer->next;
	timer->link = head;
	*head = timer;
}

static void wheel_unlink(struct wheel_timer *timer)
{
	*timer->link = timer->next;
	if (timer->next != NULL)
		timer->next->link = timer->link;
	timer->link = NULL;
	timer->next = NULL;
}

static void wheel_place(struct wheel *wheel, struct wheel_timer *timer)
{
	uint64_t left = timer->at > wheel->tick ? timer->at - wheel->tick : 0;
	unsigned level = 0;

	while (level < WHEEL_LEVELS - 1 && left >= (uint64_t)1 << (WHEEL_BITS * (level + 1)))
		level++;
	wheel_link(&wheel->place[level][timer->at >> (WHEEL_BITS * level) & (WHEEL_PLACES - 1)], timer);
}

void wheel_arm(struct net *net, struct wheel_timer *timer, uint64_t milliseconds)
{
	struct wheel *wheel = net->wheel;
	uint64_t most = ((uint64_t)1 << (WHEEL_BITS * WHEEL_LEVELS)) - 1;
	uint64_t at = saturating_add(net->now, milliseconds) / WHEEL_TICK + 1;

	wheel_cancel(timer);
	if (at < wheel->tick + 1)
		at = wheel->tick + 1;
	if (at - wheel->tick > most)
		at = wheel->tick + most;
	timer->at = at;
	wheel_place(wheel, timer);
}

void wheel_cancel(struct wheel_timer *timer)
{
	if (timer->link != NULL)
		wheel_unlink(timer);
}

bool wheel_armed(const struct wheel_timer *timer)
{
	return timer->link != NULL;
}

static void wheel_move(struct wheel_timer **from, struct wheel_timer **to)
{
	if (*from == NULL)
		return;
	*to = *from;
	(*to)->link = to;
	*from = NULL;
}

/* Takes the next tick: its place becomes due; a level that came round hands its next place down. */
static void wheel_step(struct wheel *wheel)
{
	unsigned level;

	wheel->tick++;
	for (level = 1; level < WHEEL_LEVELS; level++) {
		if ((wheel->tick & (((uint64_t)1 << (WHEEL_BITS * level)) - 1)) != 0)
			break;
		wheel_move(&wheel->place[level][wheel->tick >> (WHEEL_BITS * level) & (WHEEL_PLACES - 1)],
			   &wheel->spread);
		while (wheel->spread != NULL) {
			struct wheel_timer *timer = wheel->spread;

			wheel_unlink(timer);
			wheel_place(wheel, timer);
		}
	}
	wheel_move(&wheel->place[0][wheel->tick & (WHEEL_PLACES - 1)], &wheel->due);
}

bool wheel_turn(struct net *net, size_t most)
{
	struct wheel *wheel = net->wheel;
	uint64_t until = net->now / WHEEL_TICK;

	for (;;) {
		while (wheel->due != NULL) {
			struct wheel_timer *timer = wheel->due;

			if (most-- == 0)
				return true;
			wheel_unlink(timer);
			timer->fire(net, timer);
		}
		if (wheel->tick >= until)
			return false;
		wheel_step(wheel);
	}
}

uint64_t wheel_wait(const struct net *net)
{
	const struct wheel *wheel = net->wheel;
	uint64_t ahead;

	if (wheel->due != NULL)
		return 0;
	for (ahead = 1; ahead < WHEEL_PLACES; ahead++) {
		uint64_t tick = wheel->tick + ahead;

		if (wheel->place[0][tick & (WHEEL_PLACES - 1)] != NULL || (tick & (WHEEL_PLACES - 1)) == 0)
			break;
	}
	return saturating_sub((wheel->tick + ahead) * WHEEL_TICK, net->now);
}
