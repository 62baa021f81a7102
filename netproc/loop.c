/* SPDX-License-Identifier: MIT
 *
 * The loop: the poller only says who may read or write; a turn then does all control and light work, a
 * bounded number of costly steps, a few bulk reads, and looks again. The parent is served first.
 */
#include <time.h>

#include "netproc/conn.h"
#include "netproc/key.h"
#include "netproc/memory.h"
#include "netproc/noise.h"
#include "netproc/poller.h"
#include "netproc/pool.h"
#include "netproc/process.h"
#include "netproc/rendezvous.h"

#define LOOP_STEPS_A_TURN  8u /* of handshakes: 40 to 80 us each */
#define LOOP_BULK_A_TURN   4u /* reads */
#define LOOP_LIGHT_A_TURN  4096u
#define LOOP_TIMERS_A_TURN 512u
#define LOOP_MESSAGES	   64u
#define LOOP_LIGHT_LATELY  10u	  /* milliseconds after which no light circuit is active */
#define LOOP_NAP	   50000u /* nanoseconds */
#define LOOP_NAP_PIECE	   8192u  /* bytes of a read below which bulk comes in small pieces */
#define LOOP_NAP_LATELY	   1u	  /* milliseconds between two waits of a stream of pieces */
#define LOOP_NAP_READS	   4u	  /* since the last wait: with fewer the sleep costs more than it saves */

void loop_clock(struct net *net)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	net->now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	net->now_part = (uint64_t)now.tv_nsec / 1000 % 1000;
	clock_gettime(CLOCK_REALTIME, &now);
	net->now_unix = now.tv_sec > 0 ? (uint64_t)now.tv_sec : 0;
}

int loop_init(struct process *process)
{
	if (poller_add_flag(&process->net, process->parent.fd, &process->parent_ready) != 0 ||
	    poller_add_flag(&process->net, process->keyproc.fd, &process->keyproc_ready) != 0)
		return -1;
	return accept_init(process);
}

/* --- the steps of a turn --- */

static void loop_channels(struct process *process)
{
	if (process->parent_ready.set) {
		process->parent_ready.set = false;
		process_serve(process, &process->parent, LOOP_MESSAGES);
	}
	if (process->keyproc_ready.set) {
		process->keyproc_ready.set = false;
		process_serve(process, &process->keyproc, LOOP_MESSAGES);
	}
}

static void loop_timers(struct process *process)
{
	struct net *net = &process->net;

	log_tick(&net->log, net->now / 1000);
	net->counter[NET_COUNT_LOG_DROPPED] = net->log.dropped;
	wheel_turn(net, LOOP_TIMERS_A_TURN);
}

static struct conn *loop_shift(struct list *list)
{
	struct list *entry = list_shift(list);

	return entry != NULL ? container_of(entry, struct conn, ready) : NULL;
}

/* One connection's turn: what waits to be written, then one read. It comes back while it is readable. */
static void loop_serve(struct conn *conn, size_t most)
{
	if (conn->writable && (conn->out_len > 0 || conn->state == CONN_READY))
		conn_pump(conn);
	if (conn->readable && conn_alive(conn))
		conn_read(conn, conn->state == CONN_HANDSHAKE ? CONN_READ_HANDSHAKE : most);
	if (conn_alive(conn) && conn->readable)
		conn_schedule(conn);
	memory_turn(conn->net);
}

static void loop_light(struct process *process)
{
	struct conn_table *table = process->net.conns;
	struct list now;
	unsigned left = LOOP_LIGHT_A_TURN;
	struct conn *conn;

	/* Those that come back during this turn wait for the next. */
	if (list_empty(&table->light))
		return;
	now = table->light;
	now.next->prev = &now;
	now.prev->next = &now;
	list_init(&table->light);
	while (left-- > 0 && (conn = loop_shift(&now)) != NULL)
		loop_serve(conn, CONN_READ_LIGHT);
	while ((conn = loop_shift(&now)) != NULL)
		conn_schedule(conn);
}

static void loop_steps(struct process *process)
{
	unsigned left = LOOP_STEPS_A_TURN;
	struct conn *conn;

	while (left-- > 0 && (conn = loop_shift(&process->net.conns->steps)) != NULL)
		noise_step(conn);
	key_flush(&process->net);
	if (process->net.rendezvous != NULL)
		process->rendezvous_more = rendezvous_turn(&process->net);
}

static void loop_bulk(struct process *process)
{
	struct conn_table *table = process->net.conns;
	bool light = process->net.now - table->light_at <= LOOP_LIGHT_LATELY;
	unsigned left = LOOP_BULK_A_TURN;
	struct conn *conn;

	while (left-- > 0 && (conn = loop_shift(&table->bulk)) != NULL) {
		/* A larger window brings no larger share where others wait. */
		size_t most = list_empty(&table->bulk) ? CONN_READ_BULK : CONN_READ_SHARED;

		loop_serve(conn, light ? CONN_READ_LIGHT : most);
	}
}

static void loop_flush(struct process *process)
{
	struct list *entry;

	while ((entry = list_shift(&process->net.conns->flush)) != NULL) {
		conn_pump(container_of(entry, struct conn, flush));
		memory_turn(&process->net);
	}
}

static void loop_end(struct process *process)
{
	struct net *net = &process->net;

	key_flush(net);
	conn_reap(net);
	conn_flush_next(net);
	pool_idle(net);
	if (net->draining && !process->drained)
		process_drain(process);
	net_count(net, NET_COUNT_LOOP_TURNS);
}

static void (*const loop_turn[])(struct process *process) = {
    loop_channels, loop_timers, accept_turn, loop_light, loop_flush,
    loop_steps,	   loop_bulk,	loop_flush,  loop_end,
};

/* --- waiting --- */

static bool loop_pending(const struct process *process)
{
	const struct conn_table *table = process->net.conns;

	return !list_empty(&table->light) || !list_empty(&table->bulk) || !list_empty(&table->steps) ||
	       !list_empty(&table->flush) || !list_empty(&table->doomed) || process->rendezvous_more ||
	       accept_pending(process);
}

/* True when many small pieces of bulk were read since the loop last waited, as before that wait a moment ago,
 * and nobody waits for a small message. What comes in the meantime is then found by one wait; with few reads
 * a wait the sleep would cost more than it saves. */
static bool loop_may_nap(struct process *process)
{
	const struct net *net = &process->net;
	struct process_naps *naps = &process->naps;
	uint64_t relayed = net->counter[NET_COUNT_RELAYED_BYTES] - naps->relayed;
	uint64_t reads = net->counter[NET_COUNT_READ_CALLS] - naps->reads;
	bool pieces = reads >= LOOP_NAP_READS && relayed > 0 && relayed < reads * LOOP_NAP_PIECE;
	bool lately = net->now - naps->at <= LOOP_NAP_LATELY;

	naps->relayed += relayed;
	naps->reads += reads;
	if (pieces)
		naps->at = net->now;
	return pieces && lately && net->now - net->conns->short_at > LOOP_LIGHT_LATELY &&
	       list_empty(&net->conns->opening) && !net->draining;
}

static void loop_nap(struct process *process)
{
	const struct timespec nap = {.tv_nsec = LOOP_NAP};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	net_count(&process->net, NET_COUNT_LOOP_NAPS);
}

static void loop_wait(struct process *process)
{
	uint64_t wait = loop_pending(process) ? 0 : wheel_wait(&process->net);

	if (wait > 0 && loop_may_nap(process))
		loop_nap(process);
	poller_wait(&process->net, wait);
	loop_clock(&process->net);
}

_Noreturn void loop_run(struct process *process)
{
	size_t i;

	for (;;) {
		loop_wait(process);
		for (i = 0; i < sizeof(loop_turn) / sizeof(loop_turn[0]); i++)
			loop_turn[i](process);
	}
}
