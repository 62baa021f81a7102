/* SPDX-License-Identifier: MIT
 *
 * netproc as a process: its net, its two channels, where it stands between start and end. Included by main,
 * messages, accept, loop.
 */
#ifndef NETPROC_PROCESS_H
#define NETPROC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "imsg/imsg.h"
#include "netproc/net.h"
#include "netproc/poller.h"
#include "netproc/wheel.h"

struct process {
	struct net net;
	struct imsg_channel parent;
	struct imsg_channel keyproc;
	struct imsg_table table;
	struct imsg_net_conf conf;
	bool conf_seen;
	bool record_seen;
	bool started; /* NET_START came */
	bool hello;   /* keyproc's static key is here */
	bool drained;
	struct wheel_timer drain_timer; /* what is left is closed */
	bool drain_over;
	struct poller_flag parent_ready;
	struct poller_flag keyproc_ready;
	bool rendezvous_more; /* signatures wait to be verified */
	struct process_naps {
		uint64_t relayed; /* counters at the last wait that may block */
		uint64_t reads;
		uint64_t at; /* net->now of the last wait after bulk in small pieces */
	} naps;
	bool accepting;
	bool accept_waits;     /* a crowd waits in the kernel's queue until a handshake is over */
	uint32_t accept_first; /* whose turn it is to be first */
	struct poller_flag listener[IMSG_LISTENERS]; /* somebody waits there */
	struct wheel_timer accept_timer;	     /* accepting paused or waits: tries again */
};

/* messages.c */
extern const struct imsg_row process_rows[];
extern const size_t process_row_count;
/* Everything is there: says why it cannot start, and ends the process. */
_Noreturn void process_fail(struct process *process, enum start_failure reason, int system, uint32_t detail);
/* Reads what is there on a channel, at most `most` messages. Ends the process when the channel does. */
void process_serve(struct process *process, struct imsg_channel *channel, unsigned most);
/* Says GoAway to everybody and closes what has nothing left to send. */
void process_drain(struct process *process);

/* accept.c */
/* 0, or -1 when a descriptor is not a listening TCP socket. */
int accept_init(struct process *process);
/* Takes what waits at the listeners, a bounded number a turn. */
void accept_turn(struct process *process);
void accept_stop(struct process *process);
/* True when a listener has more waiting. */
bool accept_pending(const struct process *process);

/* loop.c */
int loop_init(struct process *process);
_Noreturn void loop_run(struct process *process);
void loop_clock(struct net *net);

#endif
