/* SPDX-License-Identifier: MIT
 *
 * What the tests of CONNECT share: a world with limits and reservations, the request, the destination's
 * answer, and what the source was told.
 */
#ifndef TESTS_UNIT_CONNECT_FIXTURE_H
#define TESTS_UNIT_CONNECT_FIXTURE_H

#include "tests/unit/net_fake.h"

#include "proto/circuit_message.h"

#define CONNECT_PUBLIC 0x08080808u

struct net *connect_world(void);
/* Nothing may be pending, and nothing counted. */
void connect_world_end(struct net *net);
/* A connection of that peer, from an address of its own, that holds a reservation. */
struct conn *connect_reserved(struct net *net, uint8_t peer);
/* Bytes of a CONNECT to that id, or to that peer; returns how many, at most 128. */
size_t connect_request_id(uint8_t *out, const void *id, size_t len);
size_t connect_request(uint8_t *out, uint8_t peer);
/* A hop stream that has asked. */
struct stream *connect_ask(struct conn *source, uint8_t peer);
/* The status that was said first; 0: nothing yet. */
int connect_status(struct stream_ref ref);
/* The destination's answer on a STOP stream, with bytes behind it. */
void connect_answer(struct fake_record *stop, int status, const void *behind, size_t len);
/* Out of the list of denied peers. */
void connect_forgive(struct net *net, const uint8_t peer[32]);

#endif
