/* SPDX-License-Identifier: MIT
 *
 * Messages of /rendezvous/1.0.0. libp2p specs rendezvous/README.md. Called by
 * netproc/rendezvous*.c and probe. Hides protobuf-c as circuit_message.h does. Answers are written piece by
 * piece, since a DISCOVER answer is encoded as the stream's window opens: a head with the total length, then
 * one registration after another, then a tail.
 */
#ifndef PROTO_RENDEZVOUS_MESSAGE_H
#define PROTO_RENDEZVOUS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

#define RENDEZVOUS_PROTOCOL	 "/rendezvous/1.0.0"
#define RENDEZVOUS_REQUEST_MAX	 8192 /* bytes of a request without its prefix */
#define RENDEZVOUS_NAMESPACE_MAX 255
#define RENDEZVOUS_COOKIE_MAX	 (8 + RENDEZVOUS_NAMESPACE_MAX)

enum rendezvous_type {
	RENDEZVOUS_REGISTER = 0,
	RENDEZVOUS_REGISTER_RESPONSE = 1,
	RENDEZVOUS_UNREGISTER = 2,
	RENDEZVOUS_DISCOVER = 3,
	RENDEZVOUS_DISCOVER_RESPONSE = 4
};

enum rendezvous_status {
	RENDEZVOUS_OK = 0,
	RENDEZVOUS_INVALID_NAMESPACE = 100,
	RENDEZVOUS_INVALID_SIGNED_PEER_RECORD = 101,
	RENDEZVOUS_INVALID_TTL = 102,
	RENDEZVOUS_INVALID_COOKIE = 103,
	RENDEZVOUS_NOT_AUTHORIZED = 200,
	RENDEZVOUS_INTERNAL_ERROR = 300,
	RENDEZVOUS_UNAVAILABLE = 400
};

struct rendezvous_request {
	enum rendezvous_type type; /* absent in the message is REGISTER */
	bool has_ns;
	struct span ns; /* any length and bytes: the caller checks */
	struct span record;
	bool has_ttl;
	uint64_t ttl; /* seconds; 0 is absent */
	uint64_t limit;
	struct span cookie; /* len 0: absent */
};

struct rendezvous_registration {
	struct span ns;
	struct span record;
	uint64_t ttl; /* seconds left */
};

/* What a client reads; used by probe and tests. */
#define RENDEZVOUS_ANSWER_MAX (1024 * 1024)
struct rendezvous_answer {
	enum rendezvous_type type;
	int status;
	uint64_t ttl;
	struct span cookie;
	size_t count;		     /* registrations in the answer */
	struct reader registrations; /* walked by rendezvous_answer_next */
};

/* `bytes` without prefix. 0, or -1 when it is not a message or the body named by its type is missing. */
int rendezvous_request_parse(const uint8_t *bytes, size_t len, struct rendezvous_request *q);
/* With prefix; for probe and tests. */
void rendezvous_request_write(struct writer *w, const struct rendezvous_request *q);

/* A whole RegisterResponse with prefix; ttl is written only with status OK. */
void rendezvous_register_response_write(struct writer *w, enum rendezvous_status status, uint64_t ttl);
/* A DiscoverResponse without registrations, with prefix: refusals. */
void rendezvous_discover_refusal_write(struct writer *w, enum rendezvous_status status);

/* Bytes of one registration inside an answer, tag and lengths included. */
size_t rendezvous_registration_size(const struct rendezvous_registration *r);
/* Head of an OK answer: prefix, type, and the opened body, when its registrations take `registrations` bytes
 * in all and the cookie `cookie_len`. Then exactly those bytes follow by rendezvous_registration_write, then
 * the tail. */
void rendezvous_discover_head_write(struct writer *w, size_t registrations, size_t cookie_len);
void rendezvous_registration_write(struct writer *w, const struct rendezvous_registration *r);
void rendezvous_discover_tail_write(struct writer *w, const uint8_t *cookie, size_t cookie_len);

int rendezvous_answer_parse(const uint8_t *bytes, size_t len, struct rendezvous_answer *a);
bool rendezvous_answer_next(struct rendezvous_answer *a, struct rendezvous_registration *r);

#endif
