/* SPDX-License-Identifier: MIT
 *
 * The whole of netproc but its main in one process, for fuzzers and unit tests: real connections over socket
 * pairs, keyproc silent.
 */
#ifndef TESTS_FUZZ_NET_WORLD_H
#define TESTS_FUZZ_NET_WORLD_H

#include "netproc/conn.h"
#include "netproc/net.h"

#define WORLD_PEERS 3

struct world {
	int far[WORLD_PEERS]; /* the strangers' ends */
	struct conn_ref conn[WORLD_PEERS];
	uint32_t opened[WORLD_PEERS]; /* streams that a script opened, two for each: odd numbers */
	bool stalled[WORLD_PEERS];    /* reads nothing */
};

struct world_identity {
	uint8_t key[32];
	uint8_t secret[64];
};

/* No connections; the state of netproc is one for all worlds, under small limits. */
struct net *world_net(void);
void world_begin(struct world *world);
/* A new connection in the place of that peer, before its handshake. */
struct conn *world_connect(struct world *world, unsigned peer);
/* The same, past its handshake: bytes for its muxer go to world_deliver. */
struct conn *world_connect_ready(struct world *world, unsigned peer);
/* Who is at that place, past a handshake. */
const struct world_identity *world_identity(unsigned peer);
/* The stranger's end is closed without a word. */
void world_vanish(struct world *world, unsigned peer);
/* Bytes as the stranger's plaintext, for the layer above records. */
void world_deliver(struct world *world, unsigned peer, const uint8_t *bytes, size_t len);
/* What the loop does at the end of a turn; time goes on by so many milliseconds; what was sent to those that
 * are not stalled is thrown away. */
void world_turn(struct world *world, uint64_t milliseconds);
/* Closes all, lets timers run out; fails when any stream, circuit, reservation or buffer is still held. */
void world_end(struct world *world);
/* After world_end: three days and more go by, all that has a time limit ends. NULL, or the name of what is
 * still held: a gauge, a table, a count of limits, bytes. `count` is how many. */
const char *world_left(uint64_t *count);

#endif
