/* SPDX-License-Identifier: MIT
 *
 * What the tests of key.c share: a channel whose other end the test reads in keyproc's place.
 */
#ifndef TESTS_UNIT_KEY_FIXTURE_H
#define TESTS_UNIT_KEY_FIXTURE_H

#include "tests/unit/net_fake.h"

#include "netproc/key.h"

#define KEY_HEADER 16 /* bytes of a datagram in front of its message */

extern struct imsg_channel key_channel;
extern int key_other_end;

struct net *key_world(void);
void key_world_end(struct net *net);
/* Asks for a handshake of this connection; who was told, in order. */
void key_ask(struct net *net, struct conn *conn);
extern unsigned key_answers;
extern struct conn *key_answered[512];
/* The next datagram of handshakes; false when there is none. */
bool key_received(struct imsg_noise_dh *request);
/* What keyproc would say to it. */
struct imsg_noise_dh_answer key_answer_of(const struct imsg_noise_dh *request);

#endif
