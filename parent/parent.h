/* SPDX-License-Identifier: MIT
 *
 * The supervisor's state, all of it. Made by main.c; start.c, loop.c, handlers.c and finish.c work on it.
 * Both children count as hostile: what they send passes the catalogue's checks and then those of handlers.c,
 * and a breach ends the daemon.
 */
#ifndef PARENT_PARENT_H
#define PARENT_PARENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "imsg/imsg.h"
#include "parent/children_log.h"
#include "parent/keydir.h"
#include "parent/listen.h"
#include "parent/logger.h"
#include "parent/notify.h"
#include "parent/settings.h"

#define PARENT_PING_EVERY  5000	 /* milliseconds */
#define PARENT_PINGS_LOST  3	 /* unanswered ones that end the daemon */
#define PARENT_START_TIME  30000 /* milliseconds for one child to become ready */
#define PARENT_DRAIN_GRACE 1500	 /* milliseconds beyond DUSK_RELAY_DRAIN */
#define PARENT_LAST_WORDS  1024	 /* bytes of the last line */

/* PARENT_METRICS is there only when DUSK_RELAY_METRICS names an address. */
enum parent_child_index { PARENT_KEYPROC, PARENT_NETPROC, PARENT_METRICS, PARENT_CHILDREN };

/* For whom a child was asked for its counters: the id of the question. */
enum parent_asked { PARENT_ASKED_REPORT, PARENT_ASKED_METRICS };

struct parent_child {
	const char *name;
	pid_t pid; /* 0: not started, or reaped */
	struct imsg_channel channel;
	struct imsg_table table;
	bool open;  /* the channel can still be read */
	bool ready; /* has said READY */
	bool reaped;
	int wait_status;
	uint64_t end_by; /* the channel is closed: milliseconds when the verdict is spoken; 0: not yet */
	uint32_t layers;
	uint64_t ping_sent; /* sequence of the last one */
	uint64_t ping_seen;
	uint32_t unanswered;
	bool asked;	    /* for counters, to report them */
	bool asked_metrics; /* for counters, to send them to metrics */
};

struct parent {
	struct settings settings;
	struct keydir keydir;
	struct listen_set listeners;
	struct listen_set page; /* of metrics: one listener, or none */
	struct notify notify;
	struct logger log;
	struct children_log children_log;
	struct parent_child child[PARENT_CHILDREN];
	struct imsg_key_ready key;
	int between[2]; /* keyproc's and netproc's ends of their channel, until they have them */
	int signal_fd;
	bool root; /* started as root and able to change users */
	bool show_only;
	uint32_t layers;
	struct imsg_metrics_counters counters; /* as last known, for metrics */
	uint64_t next_push;		       /* of counters to metrics; 0: not wanted */
	uint64_t next_ping;		       /* milliseconds of the monotonic clock, as all times here */
	uint64_t next_notify;		       /* sign of life for the service manager; 0: none wanted */
	uint64_t deadline;		       /* of the start or of the drain; 0: none */
	bool draining;
	bool drained;
	uint64_t reported; /* when the last report was asked for */
	bool ending;
	int status;
	char last_words[PARENT_LAST_WORDS];
};

uint64_t parent_now(void);
/* Ends the daemon: the first call decides the exit status and the last line. */
void parent_end(struct parent *parent, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* start.c: from settings to two ready children and a locked parent. 0, or -1 after parent_end. */
int start_prepare(struct parent *parent);
int start_keyproc(struct parent *parent);
int start_netproc(struct parent *parent);
int start_lock(struct parent *parent);

/* metrics.c: the page's listener if none was inherited (0, or -1 after parent_end), its process, and the
 * counters that it is sent.
 */
int metrics_listen(struct parent *parent);
int metrics_start(struct parent *parent);
void metrics_announce(struct parent *parent);
void metrics_tick(struct parent *parent, uint64_t now);
void metrics_take_net(struct parent *parent, const struct imsg_net_stats *stats);
void metrics_take_key(struct parent *parent, const struct imsg_key_stats *stats);

/* loop.c: serves channels, signals and times until `done` says so or the daemon ends. */
void loop_run(struct parent *parent, bool (*done)(const struct parent *parent));
/* Reads what a child has sent, at most `most` messages. */
void loop_read_child(struct parent *parent, struct parent_child *child, int most);

/* handlers.c */
void handlers_init(struct parent *parent, struct parent_child *child, int fd, enum imsg_process process);

/* failure.c: what a child that failed said, and what one that died left unsaid. */
/* ": missing: ..." for those layers (harden_missing), and how to get one of those of which one is needed. */
void failure_missing(uint32_t missing, char *text, size_t size);
void failure_told(struct parent *parent, const struct parent_child *child, const struct imsg_failed *failed);
void failure_died(struct parent *parent, const struct parent_child *child);
/* Time is over for a child that ended, or whose channel did: names the first cause, or waits for one more
 * end. */
void failure_verdict(struct parent *parent, struct parent_child *child, uint64_t now);

/* announce.c: the lines at start. */
void announce_key(struct parent *parent);
void announce_relay(struct parent *parent);

/* report.c: counters as lines. */
void report_net(struct parent *parent, const struct imsg_net_stats *stats);
void report_key(struct parent *parent, const struct imsg_key_stats *stats);

/* finish.c: last words, children, exit status. */
int finish(struct parent *parent);

#endif
