/* SPDX-License-Identifier: MIT */
#include "probe/ask_rendezvous.h"

#include <string.h>

#include "proto/multiaddr.h"

void ask_rendezvous_send(struct exchange *x, const struct rendezvous_request *request)
{
	uint8_t out[ENVELOPE_MAX + 1024];
	struct writer w = writer_of(out, sizeof(out));

	rendezvous_request_write(&w, request);
	exchange_write(x, out, writer_len(&w));
}

void rendezvous_result_free(struct rendezvous_result *result)
{
	bytes_free(&result->message);
	memset(result, 0, sizeof(*result));
}

static int ask_rendezvous_keep(struct rendezvous_result *result, struct span message)
{
	struct rendezvous_answer a;

	rendezvous_result_free(result);
	bytes_append(&result->message, message.bytes, message.len);
	if (rendezvous_answer_parse(bytes_at(&result->message), message.len, &a) != 0)
		return -1;
	if (a.cookie.len > sizeof(result->cookie))
		return -1;
	result->status = a.status;
	result->ttl = a.ttl;
	result->count = a.count;
	result->cookie_len = a.cookie.len;
	if (a.cookie.len > 0)
		memcpy(result->cookie, a.cookie.bytes, a.cookie.len);
	return 1;
}

int ask_rendezvous_read(struct exchange *x, struct rendezvous_result *result)
{
	struct span message;
	int found = exchange_message(x, RENDEZVOUS_ANSWER_MAX, &message);

	if (found <= 0)
		return found;
	found = ask_rendezvous_keep(result, message);
	exchange_took(x, message);
	return found;
}

int rendezvous_result_at(const struct rendezvous_result *result, size_t index,
			 struct rendezvous_registration *registration)
{
	struct rendezvous_answer a;

	if (rendezvous_answer_parse(bytes_at(&result->message), bytes_len(&result->message), &a) != 0)
		return -1;
	for (size_t i = 0; i <= index; i++)
		if (!rendezvous_answer_next(&a, registration))
			return -1;
	return 0;
}

struct ask_rendezvous_wait {
	struct exchange *x;
	struct rendezvous_result *result;
	int found;
};

static bool ask_rendezvous_answered(void *argument)
{
	struct ask_rendezvous_wait *w = argument;

	w->found = ask_rendezvous_read(w->x, w->result);
	return w->found != 0;
}

static int ask_rendezvous_wait(struct client *c, struct exchange *x, struct rendezvous_result *result)
{
	struct ask_rendezvous_wait w = {.x = x, .result = result};

	if (client_wait(c, ask_rendezvous_answered, &w, "the rendezvous answer") != 0)
		return -1;
	if (w.found > 0)
		return 0;
	if (x->state == EXCHANGE_REFUSED)
		return client_fail(c, "the relay does not speak %s", x->protocol);
	return client_fail(c, "the rendezvous stream ended without an answer");
}

int ask_rendezvous_on(struct client *c, struct exchange *x, const struct rendezvous_request *request,
		      struct rendezvous_result *result)
{
	memset(result, 0, sizeof(*result));
	ask_rendezvous_send(x, request);
	return ask_rendezvous_wait(c, x, result);
}

int ask_rendezvous(struct client *c, const struct rendezvous_request *request,
		   struct rendezvous_result *result)
{
	struct exchange x;
	int outcome;

	memset(result, 0, sizeof(*result));
	if (exchange_open(&x, &c->session.mux, RENDEZVOUS_PROTOCOL) != 0)
		return client_fail(c, "the session is over");
	ask_rendezvous_send(&x, request);
	exchange_finish(&x);
	outcome = ask_rendezvous_wait(c, &x, result);
	if (outcome == 0)
		outcome = client_wait_over(c, &x, "the end of the rendezvous stream");
	exchange_close(&x);
	return outcome;
}

size_t ask_rendezvous_record(const struct client *c, enum envelope_kind kind, const char *relay_address,
			     uint64_t seq, uint8_t *out, size_t capacity)
{
	struct multiaddr a;
	struct span addr;

	if (multiaddr_from_text(&a, relay_address) != 0 || multiaddr_append_p2p(&a, &c->session.relay) != 0 ||
	    multiaddr_append_circuit(&a) != 0 || multiaddr_append_p2p(&a, &c->identity.id) != 0)
		return 0;
	addr = (struct span){a.bytes, a.len};
	return identity_record(&c->identity, kind, seq, &addr, 1, out, capacity);
}

static struct span ask_rendezvous_text(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

int ask_register(struct client *c, const char *ns, const uint8_t *record, size_t len, uint64_t ttl,
		 struct rendezvous_result *result)
{
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_REGISTER, .has_ns = true, .ns = ask_rendezvous_text(ns)};

	q.record = (struct span){record, len};
	q.has_ttl = ttl > 0;
	q.ttl = ttl;
	return ask_rendezvous(c, &q, result);
}

int ask_unregister(struct client *c, const char *ns)
{
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_UNREGISTER, .has_ns = true, .ns = ask_rendezvous_text(ns)};
	struct exchange x;
	int outcome;

	if (exchange_open(&x, &c->session.mux, RENDEZVOUS_PROTOCOL) != 0)
		return client_fail(c, "the session is over");
	ask_rendezvous_send(&x, &q);
	exchange_finish(&x);
	outcome = client_wait_over(c, &x, "the end of the UNREGISTER stream");
	if (outcome == 0 && bytes_len(&x.inbox) > 0)
		outcome = client_fail(c, "UNREGISTER was answered");
	exchange_close(&x);
	return outcome;
}

int ask_discover(struct client *c, const char *ns, uint64_t limit, const uint8_t *cookie, size_t cookie_len,
		 struct rendezvous_result *result)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_DISCOVER, .limit = limit};

	if (ns) {
		q.has_ns = true;
		q.ns = ask_rendezvous_text(ns);
	}
	q.cookie = (struct span){cookie, cookie_len};
	return ask_rendezvous(c, &q, result);
}
