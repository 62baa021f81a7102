/* SPDX-License-Identifier: MIT
 *
 * One hop stream: what hop.c (reads the request), hop_reserve.c and hop_connect.c (answer it) share. Only
 * these include it. libp2p specs, relay/circuit-v2.md. Every byte is a stranger's.
 */
#ifndef NETPROC_HOP_H
#define NETPROC_HOP_H

#include "netproc/message.h"
#include "netproc/stop.h"

#define HOP_LINGER     10000 /* milliseconds that an answer may take to leave */
#define HOP_EARLY_MOST 65536 /* bytes behind CONNECT that wait for the circuit */

enum hop_state {
	HOP_READING, /* the request */
	HOP_SIGNING, /* RESERVE: keyproc makes the voucher */
	HOP_ASKING,  /* CONNECT: the destination is asked */
	HOP_DONE     /* answered: nothing more is read */
};

struct hop {
	enum hop_state state;
	uint32_t taken;	   /* bytes of the request: credit due once the stream is a circuit */
	struct stop *stop; /* in HOP_ASKING */
	struct queue early;
	struct message message;
};

/* Writes the answer; 0, or -1 when the stream was reset for want of memory. */
int hop_write(struct stream *stream, const struct circuit_message *m);
/* Nothing more will be read or said: our direction ends behind the answer. */
void hop_end(struct stream *stream);
/* A status other than OK, then the end. Never a reset: it would drop the answer at go and js. */
void hop_refuse(struct stream *stream, enum circuit_status status);
/* Names what was wrong with a request, as the reason for which its stream ends: the answer alone says little.
 */
void hop_name_fault(struct net *net, enum close_reason reason);

/* RESERVE was read. */
void hop_reserve(struct stream *stream);
/* keyproc took too long: the answer goes without a voucher. */
void hop_reserve_unsigned(struct stream *stream);

/* CONNECT was read; `m` is good during the call only. */
void hop_connect(struct stream *stream, const struct circuit_message *m);
/* Bytes behind CONNECT; the stream may be gone when it returns. */
void hop_connect_early(struct stream *stream, const uint8_t *bytes, size_t len);
/* The destination took too long. */
void hop_connect_late(struct stream *stream);

#endif
