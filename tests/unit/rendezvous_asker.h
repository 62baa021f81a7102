/* SPDX-License-Identifier: MIT
 *
 * One who asks: a peer on a connection of the rendezvous fixture, registrations put behind REGISTER's back,
 * and the answers to DISCOVER. Used by the unit tests of discovering.
 */
#ifndef TESTS_UNIT_RENDEZVOUS_ASKER_H
#define TESTS_UNIT_RENDEZVOUS_ASKER_H

#include "tests/unit/rendezvous_fixture.h"

extern struct fixture f;
extern struct fixture_peer asker_peer;
extern struct conn *conn;
extern struct rendezvous_store *store;
extern uint8_t answer_bytes[RENDEZVOUS_ANSWER_MAX];
extern struct rendezvous_answer answer;

/* Before and after each test; _open: without the privacy guard. */
int asker_before(void **state);
int asker_before_open(void **state);
int asker_after(void **state);
/* Into the store: a record of `size` bytes that begin with the peer's number, or of 200. */
void asker_put_sized(uint32_t peer, const char *ns, enum rendezvous_kind kind, size_t size);
void asker_put(uint32_t peer, const char *ns);
void asker_take(uint32_t peer, const char *ns);
uint32_t asker_number_of(const struct rendezvous_registration *registration);
/* Asks on a stream of its own; the status, and the answer is in `answer`. */
int asker_ask(const char *ns, uint64_t limit, struct span cookie);
/* The next registration of the answer must be this peer's. */
void asker_expect(uint32_t peer, const char *ns);

#endif
