/* SPDX-License-Identifier: MIT */
#include "probe/accept_stop.h"

#include <stdlib.h>
#include <string.h>

int accept_stop_read(struct exchange *x, struct stop_request *request)
{
	struct circuit_message m;
	struct span message;
	int result = exchange_message(x, CIRCUIT_MESSAGE_MAX, &message);

	if (result <= 0)
		return result;
	memset(request, 0, sizeof(*request));
	result = stop_message_parse(message.bytes, message.len, &m);
	if (result == 0 && (!m.has_type || m.type != STOP_CONNECT || !m.has_peer))
		result = -1;
	if (result == 0)
		result = peer_id_parse(&request->source, m.peer.bytes, m.peer.len);
	request->limit = m.limit;
	exchange_took(x, message);
	return result == 0 ? 1 : -1;
}

void accept_stop_answer(struct exchange *x, int status)
{
	uint8_t out[32];
	struct writer w = writer_of(out, sizeof(out));
	struct circuit_message m = {
	    .has_type = true, .type = STOP_STATUS, .has_status = true, .status = status};

	stop_message_write(&w, &m);
	exchange_write(x, out, writer_len(&w));
}

static void accept_stop_remove(struct client *c, size_t index)
{
	c->stop_count--;
	memmove(&c->stops[index], &c->stops[index + 1], (c->stop_count - index) * sizeof(c->stops[0]));
}

/* A relay may open other streams, identify among them: those were answered `na` and end by themselves. */
static void accept_stop_forget(struct client *c, size_t index)
{
	exchange_close(c->stops[index]);
	free(c->stops[index]);
	accept_stop_remove(c, index);
}

struct exchange *accept_stop_ready(struct client *c, struct stop_request *request)
{
	size_t index = 0;

	while (index < c->stop_count) {
		struct exchange *x = c->stops[index];
		int found = accept_stop_read(x, request);

		if (found > 0) {
			accept_stop_remove(c, index);
			return x;
		}
		if (found < 0)
			accept_stop_forget(c, index);
		else
			index++;
	}
	return NULL;
}

struct accept_stop_wait {
	struct client *c;
	struct stop_request *request;
	struct exchange *x;
};

static bool accept_stop_came(void *argument)
{
	struct accept_stop_wait *w = argument;

	w->x = accept_stop_ready(w->c, w->request);
	return w->x != NULL;
}

struct exchange *accept_stop(struct client *c, struct client **clients, size_t count,
			     struct stop_request *request)
{
	struct accept_stop_wait w = {.c = c, .request = request};

	if (client_wait_all(clients, count, accept_stop_came, &w, c->timeout_ms, "a STOP stream") == 0)
		return w.x;
	if (clients[0] != c)
		client_fail(c, "%s", clients[0]->error);
	return NULL;
}
