/* SPDX-License-Identifier: MIT
 *
 * The rendezvous client. libp2p specs, rendezvous/README.md. One stream for each request, as rust has it, or
 * a stream that the caller keeps open, as other clients have it. Called by steps.c, tests and load
 * generators.
 */
#ifndef PROBE_ASK_RENDEZVOUS_H
#define PROBE_ASK_RENDEZVOUS_H

#include "probe/client.h"
#include "proto/envelope.h"
#include "proto/rendezvous_message.h"

struct rendezvous_result {
	int status;
	uint64_t ttl;
	size_t count;
	uint8_t cookie[RENDEZVOUS_COOKIE_MAX];
	size_t cookie_len;
	/* The answer itself, to walk its registrations: rendezvous_answer_parse over `message`. */
	struct bytes message;
};

/* Without waiting: writes a request, reads an answer (1, 0, -1). The result's message is replaced. */
void ask_rendezvous_send(struct exchange *x, const struct rendezvous_request *request);
int ask_rendezvous_read(struct exchange *x, struct rendezvous_result *result);
void rendezvous_result_free(struct rendezvous_result *result);
/* Walks the answer: the `index`th registration. 0 or -1. */
int rendezvous_result_at(const struct rendezvous_result *result, size_t index,
			 struct rendezvous_registration *registration);

/* On a stream that is open already; waits for the answer. */
int ask_rendezvous_on(struct client *c, struct exchange *x, const struct rendezvous_request *request,
		      struct rendezvous_result *result);
/* A stream of its own, finished after the request; the relay has to finish it after one answer. */
int ask_rendezvous(struct client *c, const struct rendezvous_request *request,
		   struct rendezvous_result *result);
/* A signed record with the one circuit address <relay address>/p2p-circuit/p2p/<me>; its length. */
size_t ask_rendezvous_record(const struct client *c, enum envelope_kind kind, const char *relay_address,
			     uint64_t seq, uint8_t *out, size_t capacity);
int ask_register(struct client *c, const char *ns, const uint8_t *record, size_t len, uint64_t ttl,
		 struct rendezvous_result *result);
int ask_unregister(struct client *c, const char *ns);
int ask_discover(struct client *c, const char *ns, uint64_t limit, const uint8_t *cookie, size_t cookie_len,
		 struct rendezvous_result *result);

#endif
