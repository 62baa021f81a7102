/* SPDX-License-Identifier: MIT */
#include "probe/ask_identify.h"

#include <string.h>

#include "proto/multistream.h"

bool identify_answer_lists(const struct identify_answer *a, const char *protocol)
{
	for (size_t i = 0; i < a->message.protocol_count; i++)
		if (multistream_is(a->message.protocol_spans[i], protocol))
			return true;
	return false;
}

static int ask_identify_check(struct client *c, const struct identify_answer *a)
{
	uint8_t key[32];
	struct peer_id id;

	if (public_key_parse(a->message.public_key.bytes, a->message.public_key.len, key) != 0)
		return client_fail(c, "the key in the identify message is not an Ed25519 key");
	peer_id_from_ed25519(&id, key);
	if (!peer_id_equal(&id, &c->session.relay))
		return client_fail(c, "the key in the identify message is another peer's");
	return 0;
}

static int ask_identify_read(struct client *c, struct exchange *x, struct identify_answer *a)
{
	struct span message;

	if (client_message(c, x, sizeof(a->bytes), &message, "the identify message") != 0)
		return -1;
	memcpy(a->bytes, message.bytes, message.len);
	a->len = message.len;
	exchange_took(x, message);
	if (identify_message_parse(a->bytes, a->len, &a->message) != 0)
		return client_fail(c, "the identify message is malformed");
	if (client_wait_over(c, x, "the end of the identify stream") != 0)
		return -1;
	if (x->reset || bytes_len(&x->inbox) > 0)
		return client_fail(c, "the identify stream did not finish after one message");
	return ask_identify_check(c, a);
}

int ask_identify(struct client *c, struct identify_answer *a)
{
	struct exchange x;
	int result;

	memset(a, 0, sizeof(*a));
	if (exchange_open(&x, &c->session.mux, IDENTIFY_PROTOCOL) != 0)
		return client_fail(c, "the session is over");
	exchange_finish(&x);
	result = ask_identify_read(c, &x, a);
	exchange_close(&x);
	return result;
}
