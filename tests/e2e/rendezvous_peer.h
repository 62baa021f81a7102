/* SPDX-License-Identifier: MIT
 *
 * Peers of the rendezvous tests: records of every kind, good and bad, and requests of exactly chosen fields.
 */
#ifndef TESTS_E2E_RENDEZVOUS_PEER_H
#define TESTS_E2E_RENDEZVOUS_PEER_H

#include "tests/e2e/fixture.h"

struct record {
	uint8_t bytes[ENVELOPE_MAX];
	size_t len;
};

/* The record of `c` with its one circuit address through the relay. */
void rendezvous_record(struct record *r, const struct client *c, enum envelope_kind kind, uint64_t seq);
/* A record of `c` with these binary addresses. */
void rendezvous_record_of(struct record *r, const struct client *c, enum envelope_kind kind,
			  const struct span *addrs, size_t count);
/* A record of `c` with an address that is no circuit: for a relay whose privacy guard is off. */
void rendezvous_open_record(struct record *r, const struct client *c, enum envelope_kind kind);
/* REGISTER with its record; the status. ttl 0: absent. */
int rendezvous_register(struct client *c, const char *ns, const struct record *r, uint64_t ttl);
/* A fresh peer, connected, registered under `ns` with `kind`. */
void rendezvous_join(struct client *c, const char *ns, enum envelope_kind kind);
/* DISCOVER without limit and cookie, status OK; the caller frees `result`. */
void rendezvous_discover(struct client *c, const char *ns, struct rendezvous_result *result);
/* How many of the result's records are those of `c`. */
size_t rendezvous_count_of(const struct rendezvous_result *result, const struct client *c);

#endif
