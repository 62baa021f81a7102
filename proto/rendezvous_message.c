/* SPDX-License-Identifier: MIT
 *
 * Rendezvous requests, see rendezvous_message.h. Answers are in rendezvous_answer.c.
 */
#include "proto/rendezvous_message.h"

#include <stdalign.h>

#include "proto/protobuf_arena.h"
#include "rendezvous.pb-c.h"

/* A copy of the request, and bookkeeping for more fields than any client sends. */
#define RENDEZVOUS_ARENA (RENDEZVOUS_REQUEST_MAX + 4096)

static int register_read(struct rendezvous_request *q, struct protobuf_origin *origin,
			 const RendezvousPb__Register *body)
{
	if (body == NULL)
		return -1;
	q->has_ns = body->has_ns != 0;
	q->ns = protobuf_origin_of(origin, &body->ns);
	q->record = protobuf_origin_of(origin, &body->signed_peer_record);
	q->has_ttl = body->ttl > 0; /* 0 asks for the default, as absence does */
	q->ttl = body->ttl;
	return 0;
}

static int unregister_read(struct rendezvous_request *q, struct protobuf_origin *origin,
			   const RendezvousPb__Unregister *body)
{
	if (body == NULL)
		return -1;
	q->has_ns = body->has_ns != 0;
	q->ns = protobuf_origin_of(origin, &body->ns);
	return 0;
}

static int discover_read(struct rendezvous_request *q, struct protobuf_origin *origin,
			 const RendezvousPb__Discover *body)
{
	if (body == NULL)
		return -1;
	q->has_ns = body->has_ns != 0;
	q->ns = protobuf_origin_of(origin, &body->ns);
	q->limit = body->limit;
	q->cookie = protobuf_origin_of(origin, &body->cookie);
	return 0;
}

static int request_read(struct rendezvous_request *q, struct protobuf_origin *origin,
			const RendezvousPb__Request *request)
{
	switch (request->type) { /* 0 when absent: canvas leaves out the type of REGISTER */
	case RENDEZVOUS_REGISTER:
		q->type = RENDEZVOUS_REGISTER;
		return register_read(q, origin, request->register_);
	case RENDEZVOUS_UNREGISTER:
		q->type = RENDEZVOUS_UNREGISTER;
		return unregister_read(q, origin, request->unregister);
	case RENDEZVOUS_DISCOVER:
		q->type = RENDEZVOUS_DISCOVER;
		return discover_read(q, origin, request->discover);
	default:
		return -1;
	}
}

int rendezvous_request_parse(const uint8_t *bytes, size_t len, struct rendezvous_request *q)
{
	alignas(max_align_t) uint8_t memory[RENDEZVOUS_ARENA];
	struct protobuf_origin origin = {.message = {.bytes = bytes, .len = len}};
	struct protobuf_arena arena;
	const RendezvousPb__Request *request;

	*q = (struct rendezvous_request){0};
	if (len > RENDEZVOUS_REQUEST_MAX)
		return -1;
	protobuf_arena_init(&arena, memory, sizeof(memory));
	request = protobuf_unpack(&arena, &rendezvous_pb__request__descriptor, bytes, len);
	return request == NULL ? -1 : request_read(q, &origin, request);
}

void rendezvous_request_write(struct writer *w, const struct rendezvous_request *q)
{
	RendezvousPb__Request request = RENDEZVOUS_PB__REQUEST__INIT;
	RendezvousPb__Register reg = RENDEZVOUS_PB__REGISTER__INIT;
	RendezvousPb__Unregister unregister = RENDEZVOUS_PB__UNREGISTER__INIT;
	RendezvousPb__Discover discover = RENDEZVOUS_PB__DISCOVER__INIT;

	reg.has_ns = unregister.has_ns = discover.has_ns = q->has_ns;
	reg.ns = unregister.ns = discover.ns = protobuf_bytes(q->ns);
	reg.has_signed_peer_record = q->record.len > 0;
	reg.signed_peer_record = protobuf_bytes(q->record);
	reg.has_ttl = q->has_ttl;
	reg.ttl = q->ttl;
	discover.has_limit = q->limit > 0;
	discover.limit = q->limit;
	discover.has_cookie = q->cookie.len > 0;
	discover.cookie = protobuf_bytes(q->cookie);
	request.has_type = 1;
	request.type = q->type;
	request.register_ = q->type == RENDEZVOUS_REGISTER ? &reg : NULL;
	request.unregister = q->type == RENDEZVOUS_UNREGISTER ? &unregister : NULL;
	request.discover = q->type == RENDEZVOUS_DISCOVER ? &discover : NULL;
	protobuf_message_write(w, &request.base, RENDEZVOUS_ANSWER_MAX);
}
