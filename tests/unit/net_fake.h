/* SPDX-License-Identifier: MIT
 *
 * A small world for unit tests of netproc's protocols: connections without sockets and a muxer that only
 * writes down what it was told. Pool, wheel, table and stream.c are the real ones.
 */
#ifndef TESTS_UNIT_NET_FAKE_H
#define TESTS_UNIT_NET_FAKE_H

#include "netproc/conn.h"
#include "netproc/net.h"
#include "netproc/stream.h"

#define FAKE_SAID 16384

/* What happened to a stream; survives it. */
struct fake_record {
	uint8_t said[FAKE_SAID]; /* what we wrote */
	size_t len;
	bool finished;
	bool reset;
	bool closed;
	enum close_reason reason;
	uint64_t credit;
	struct conn *conn;
	struct stream *stream; /* while it lives */
};

struct net *fake_net(void);
/* The same with so much memory. */
struct net *fake_net_cap(uint64_t cap);
/* Frees the world; fails the test when anything of the pool is still held. */
void fake_net_end(struct net *net);
void fake_pass(struct net *net, uint64_t milliseconds);
unsigned fake_events(enum log_event event);
uint64_t fake_event_setting(enum log_event event);

/* A ready connection of the peer whose key is `peer` 32 times. */
struct conn *fake_conn(struct net *net, uint8_t peer, uint32_t ip4);
void fake_conn_close(struct conn *conn);

/* A stream that the peer opened and negotiated; NULL without memory. */
struct stream *fake_stream(struct conn *conn, const struct stream_protocol *protocol);
void fake_data(struct stream *stream, const void *bytes, size_t len);
void fake_finish(struct stream *stream);
void fake_reset(struct stream *stream);
/* The peer agreed to the protocol of a stream of ours. */
void fake_negotiated(struct stream *stream);
/* By what stream_ref said. */
struct fake_record *fake_record(struct stream_ref ref);
/* The streams that we opened, in order. */
struct fake_record *fake_outbound(unsigned index);
unsigned fake_outbound_count(void);
/* All streams ever made, dead ones too. */
struct fake_record *fake_any(unsigned index);
unsigned fake_any_count(void);
/* True while a stream of ours is not negotiated. */
bool fake_negotiating(const struct stream *stream);
void fake_refuse_open(bool refuse);
void fake_refuse_write(bool refuse);

/* What circuit_start was given. The fake ends the count and the other half when one half ends. */
struct fake_circuit {
	struct stream_ref source;
	struct stream_ref destination;
	uint8_t source_early[1024];
	uint8_t destination_early[1024];
	size_t source_early_len;
	size_t destination_early_len;
};
unsigned fake_circuit_count(void);
struct fake_circuit *fake_circuit(unsigned index);

#endif
