/* SPDX-License-Identifier: MIT
 *
 * The catalogue: every message between the processes, one row each. Receivers' tables, SECURITY.md's matrix,
 * the hostile-peer tests and the fuzzers are made from these lists. A type exists only with one sender, one
 * receiver, one size.
 *
 * X(type, sender, struct of the payload, phase, times, handler)
 *   sender   PARENT, KEYPROC, NETPROC, METRICS
 *   phase    START: until this process has said READY; RUN: after it; ANY
 *   times    ONCE, MANY
 *   handler  the receiver's function (context, id, payload): 0, or the breach it found
 *
 * A row whose payload is `struct imsg_none` has no payload. All structs are fixed, at most IMSG_PAYLOAD_MAX
 * bytes, without holes; every length inside is checked against its array before use; unused bytes are zero.
 */
#ifndef IMSG_CATALOGUE_H
#define IMSG_CATALOGUE_H

#include <stdint.h>

#include "imsg/counters.h"
#include "imsg/events.h"
#include "imsg/settings.h"

#define IMSG_MAX	 4096 /* bytes of a datagram */
#define IMSG_PAYLOAD_MAX (IMSG_MAX - 16)
#define IMSG_OUTSTANDING 128 /* requests to keyproc without an answer */
#define IMSG_DH_BATCH	 16
#define IMSG_ADDR_MAX	 256 /* bytes of one external address, binary */
#define IMSG_ADDRS	 8   /* external addresses */
#define IMSG_RECORD_MAX	 3072
#define IMSG_VOUCHER_MAX 320
#define IMSG_PEER_MAX	 44
#define IMSG_TEXT_MAX	 256
#define IMSG_LISTENERS	 16
#define IMSG_PROCESSES	 4 /* of the daemon, in the order of enum imsg_process */

#define IMSG_TO_KEYPROC(X)                                                                                   \
	X(KEY_CONF, PARENT, struct imsg_key_conf, START, ONCE, key_from_parent_conf)                         \
	X(KEY_ADDR, PARENT, struct imsg_addr, START, MANY, key_from_parent_addr)                             \
	X(KEY_START, PARENT, struct imsg_none, START, ONCE, key_from_parent_start)                           \
	X(KEY_PING, PARENT, struct imsg_ping, RUN, MANY, key_from_parent_ping)                               \
	X(KEY_STATS, PARENT, struct imsg_none, RUN, MANY, key_from_parent_stats)                             \
	X(KEY_HELLO, NETPROC, struct imsg_none, RUN, ONCE, key_from_net_hello)                               \
	X(KEY_NOISE_DH, NETPROC, struct imsg_noise_dh, RUN, MANY, key_from_net_noise_dh)                     \
	X(KEY_VOUCHER, NETPROC, struct imsg_voucher, RUN, MANY, key_from_net_voucher)

#define IMSG_TO_NETPROC(X)                                                                                   \
	X(NET_CONF, PARENT, struct imsg_net_conf, START, ONCE, net_from_parent_conf)                         \
	X(NET_ADDR, PARENT, struct imsg_addr, START, MANY, net_from_parent_addr)                             \
	X(NET_DENY, PARENT, struct imsg_peer, START, MANY, net_from_parent_deny)                             \
	X(NET_RECORD, PARENT, struct imsg_record, START, ONCE, net_from_parent_record)                       \
	X(NET_START, PARENT, struct imsg_none, START, ONCE, net_from_parent_start)                           \
	X(NET_PING, PARENT, struct imsg_ping, RUN, MANY, net_from_parent_ping)                               \
	X(NET_STATS, PARENT, struct imsg_none, RUN, MANY, net_from_parent_stats)                             \
	X(NET_REPORT, PARENT, struct imsg_none, RUN, MANY, net_from_parent_report)                           \
	X(NET_DRAIN, PARENT, struct imsg_drain, RUN, ONCE, net_from_parent_drain)                            \
	X(NET_HELLO, KEYPROC, struct imsg_hello, START, ONCE, net_from_key_hello)                            \
	X(NET_NOISE_DH, KEYPROC, struct imsg_noise_dh_answer, RUN, MANY, net_from_key_noise_dh)              \
	X(NET_VOUCHER, KEYPROC, struct imsg_voucher_answer, RUN, MANY, net_from_key_voucher)

#define IMSG_TO_METRICS(X)                                                                                   \
	X(METRICS_CONF, PARENT, struct imsg_metrics_conf, START, ONCE, metrics_from_parent_conf)             \
	X(METRICS_START, PARENT, struct imsg_none, START, ONCE, metrics_from_parent_start)                   \
	X(METRICS_PING, PARENT, struct imsg_ping, RUN, MANY, metrics_from_parent_ping)                       \
	X(METRICS_COUNTERS, PARENT, struct imsg_metrics_counters, RUN, MANY, metrics_from_parent_counters)

#define IMSG_TO_PARENT(X)                                                                                    \
	X(KEY_READY, KEYPROC, struct imsg_key_ready, START, ONCE, parent_from_key_ready)                     \
	X(KEY_FAILED, KEYPROC, struct imsg_failed, START, ONCE, parent_from_key_failed)                      \
	X(KEY_PONG, KEYPROC, struct imsg_ping, RUN, MANY, parent_from_key_pong)                              \
	X(KEY_STATS_ANSWER, KEYPROC, struct imsg_key_stats, RUN, MANY, parent_from_key_stats)                \
	X(KEY_LOG, KEYPROC, struct imsg_log, ANY, MANY, parent_from_key_log)                                 \
	X(NET_READY, NETPROC, struct imsg_net_ready, START, ONCE, parent_from_net_ready)                     \
	X(NET_FAILED, NETPROC, struct imsg_failed, START, ONCE, parent_from_net_failed)                      \
	X(NET_PONG, NETPROC, struct imsg_ping, RUN, MANY, parent_from_net_pong)                              \
	X(NET_STATS_ANSWER, NETPROC, struct imsg_net_stats, RUN, MANY, parent_from_net_stats)                \
	X(NET_DRAINED, NETPROC, struct imsg_none, RUN, ONCE, parent_from_net_drained)                        \
	X(NET_LOG, NETPROC, struct imsg_log, ANY, MANY, parent_from_net_log)                                 \
	X(METRICS_READY, METRICS, struct imsg_metrics_ready, START, ONCE, parent_from_metrics_ready)         \
	X(METRICS_FAILED, METRICS, struct imsg_failed, START, ONCE, parent_from_metrics_failed)              \
	X(METRICS_PONG, METRICS, struct imsg_ping, RUN, MANY, parent_from_metrics_pong)                      \
	X(METRICS_LOG, METRICS, struct imsg_log, ANY, MANY, parent_from_metrics_log)

#define IMSG_CATALOGUE(X) IMSG_TO_KEYPROC(X) IMSG_TO_NETPROC(X) IMSG_TO_METRICS(X) IMSG_TO_PARENT(X)

enum imsg_type {
	IMSG_NONE,
#define IMSG_TYPE_ENUM(type, sender, payload, phase, times, handler) IMSG_##type,
	IMSG_CATALOGUE(IMSG_TYPE_ENUM)
#undef IMSG_TYPE_ENUM
	    IMSG_TYPE_COUNT
};

struct imsg_none {
	uint8_t nothing[0];
};

/* Which of the two file names, and what is expected of the key. */
enum imsg_key_place { IMSG_KEY_IN_FOLDER /* <dir>/keypair */, IMSG_KEY_IN_CWD /* <dir>/relay_keypair */ };

struct imsg_key_conf {
	uint32_t place;		  /* enum imsg_key_place */
	uint32_t voucher_ttl_max; /* seconds; 1 to 86400 */
	uint32_t show_only;    /* 1: say READY and do nothing else (sub-command peer-id); no key is created */
	uint32_t expected_len; /* 0: any key */
	uint8_t expected[IMSG_PEER_MAX];
	uint32_t user; /* root mode: uid and gid to become; 0: stay */
	uint32_t group;
	uint32_t log_level; /* enum log_level: events above it are not sent */
};

/* One external address, without /p2p; index counts from 0. */
struct imsg_addr {
	uint16_t index;
	uint16_t len;
	uint8_t bytes[IMSG_ADDR_MAX];
};

struct imsg_peer {
	uint8_t len;
	uint8_t bytes[IMSG_PEER_MAX];
	uint8_t zero[3];
};

struct imsg_net_conf {
	struct net_settings settings;
	uint32_t listeners; /* descriptors from IMSG_FD_LISTEN on */
	uint32_t user;	    /* root mode: uid and gid to become; 0: stay */
	uint32_t group;
	uint32_t force_kind; /* rendezvous kind: 0 by client, 1 standard, 2 legacy */
	uint32_t log_level;  /* enum log_level: events above it are not sent */
	uint32_t zero;
	uint64_t memory; /* bytes: the budget resolved by the parent */
	uint16_t port[IMSG_LISTENERS];
};

/* The identity and the signed peer record of identify, made by keyproc, carried by the parent. */
struct imsg_record {
	uint8_t identity[32];
	uint32_t len; /* 0: no external address */
	uint8_t bytes[IMSG_RECORD_MAX];
	uint32_t zero;
};

struct imsg_ping {
	uint64_t sequence;
};

struct imsg_drain {
	uint64_t milliseconds;
};

struct imsg_hello {
	uint8_t static_key[32]; /* Noise, X25519 */
	uint8_t signature[64];	/* of the identity over it */
};

struct imsg_noise_dh {
	uint32_t count; /* 1 to IMSG_DH_BATCH */
	uint32_t zero;
	struct {
		uint64_t id; /* netproc's own, echoed */
		uint8_t ephemeral[32];
	} request[IMSG_DH_BATCH];
};

enum imsg_dh_status {
	IMSG_DH_OK,
	IMSG_DH_POINT /* low order: the result would be zero */,
	IMSG_DH_STATUS_COUNT
};

struct imsg_noise_dh_answer {
	uint32_t count;
	uint32_t zero;
	struct {
		uint64_t id;
		uint32_t status;
		uint32_t zero;
		uint8_t shared[32];
	} answer[IMSG_DH_BATCH];
};

struct imsg_voucher {
	uint64_t id;
	uint32_t lifetime; /* seconds, at most voucher_ttl_max (else a status) */
	uint8_t peer_len;
	uint8_t peer[IMSG_PEER_MAX];
	uint8_t zero[7];
};

enum imsg_voucher_status {
	IMSG_VOUCHER_OK,
	IMSG_VOUCHER_PEER,
	IMSG_VOUCHER_LIFETIME,
	IMSG_VOUCHER_CLOCK,
	IMSG_VOUCHER_STATUS_COUNT
};

struct imsg_voucher_answer {
	uint64_t id;
	uint64_t expire; /* unix seconds, by keyproc's clock */
	uint32_t status;
	uint32_t len;
	uint8_t envelope[IMSG_VOUCHER_MAX];
};

struct imsg_key_ready {
	uint8_t identity[32];
	uint32_t layers;     /* bitmap of harden.h */
	uint32_t created;    /* 1: a new identity was made */
	uint32_t record_len; /* 0: no external address */
	uint32_t zero;
	uint8_t record[IMSG_RECORD_MAX];
};

/* Why a process could not start: printed by the parent, which exits with `status`. */
struct imsg_failed {
	uint32_t status; /* 1 or 78 */
	uint32_t reason; /* enum start_failure */
	uint32_t system; /* errno or 0 */
	uint32_t detail; /* an owner, a mode, the layers that are missing: by reason */
};

struct imsg_net_ready {
	uint32_t layers;
	uint32_t listeners;
};

struct imsg_key_stats {
	uint64_t counter[KEY_COUNTER_COUNT];
};

struct imsg_net_stats {
	uint64_t counter[NET_COUNTER_COUNT];
	uint64_t closed[CLOSE_REASON_COUNT]; /* connections and streams ended, by reason */
};

struct imsg_metrics_conf {
	uint32_t user; /* root mode: uid and gid to become; 0: stay */
	uint32_t group;
	uint32_t log_level; /* enum log_level: events above it are not sent */
	uint32_t zero;
};

struct imsg_metrics_ready {
	uint32_t layers;
	uint32_t zero;
};

/* All that is known of the daemon, sent each second without being asked. */
struct imsg_metrics_counters {
	struct imsg_net_stats net;
	struct imsg_key_stats key;
	uint64_t started;	      /* unix seconds */
	uint64_t cpu[IMSG_PROCESSES]; /* microseconds of processor time */
	uint32_t layers[IMSG_PROCESSES];
};

struct imsg_log {
	uint16_t event;
	uint8_t peer_len[2];
	uint16_t text_len;
	uint16_t zero;
	uint64_t number[3];
	uint8_t peer[2][IMSG_PEER_MAX];
	uint8_t text[IMSG_TEXT_MAX];
};

/* X(name, exit status, text): why a child did not start. The parent adds the path, errno text, and the
 * command that mends it. */
#define START_FAILURES(X)                                                                                    \
	X(BREACH, 1, "a message broke the catalogue")                                                        \
	X(RESOURCES, 1, "out of memory or descriptors")                                                      \
	X(KEY_OPEN, 78, "key file cannot be opened")                                                         \
	X(KEY_NOT_REGULAR, 78, "key file is not a regular file")                                             \
	X(KEY_LINKS, 78, "key file has several links")                                                       \
	X(KEY_OWNER, 78, "key file belongs to another user")                                                 \
	X(KEY_DIRECTORY_OWNER, 78, "key folder belongs to another user")                                     \
	X(KEY_DIRECTORY_MODE, 78, "key folder can be written by others")                                     \
	X(KEY_SIZE, 78, "key file has not 68 bytes")                                                         \
	X(KEY_FORMAT, 78, "key file is not an Ed25519 key")                                                  \
	X(KEY_MISMATCH, 78, "key file is damaged: its two halves do not belong together")                    \
	X(KEY_READ, 78, "key file cannot be read")                                                           \
	X(KEY_CREATE, 78, "key file cannot be created")                                                      \
	X(KEY_MISSING, 78, "key file is missing")                                                            \
	X(KEY_OTHER_IDENTITY, 78, "key file holds another identity than DUSK_RELAY_PEER_ID")                 \
	X(CONFINEMENT, 78, "confinement is below the minimum")                                               \
	X(PRIVILEGE, 78, "privileges cannot be given up")                                                    \
	X(LISTENER, 1, "a listening socket is not what was promised")                                        \
	X(HELLO, 1, "keyproc did not answer")

enum start_failure {
#define START_FAILURE_ENUM(name, status, text) START_FAILURE_##name,
	START_FAILURES(START_FAILURE_ENUM)
#undef START_FAILURE_ENUM
	    START_FAILURE_COUNT
};

struct start_failure_row {
	uint32_t status; /* exit status of the daemon */
	const char *text;
};

extern const struct start_failure_row start_failure_rows[START_FAILURE_COUNT];

#endif
