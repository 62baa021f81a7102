/* SPDX-License-Identifier: MIT */
#include "probe/ask_ping.h"

#include <sodium.h>
#include <string.h>

int ask_ping_once(struct client *c, struct exchange *x)
{
	uint8_t sent[PING_SIZE];
	int same;

	randombytes_buf(sent, sizeof(sent));
	if (client_write(c, x, sent, sizeof(sent)) != 0 ||
	    client_read(c, x, sizeof(sent), "the answer to a ping") != 0)
		return -1;
	same = memcmp(bytes_at(&x->inbox), sent, sizeof(sent)) == 0;
	bytes_consume(&x->inbox, sizeof(sent));
	return same ? 0 : client_fail(c, "the answer to a ping holds other bytes");
}

static int ask_ping_run(struct client *c, struct exchange *x, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (ask_ping_once(c, x) != 0)
			return -1;
	exchange_finish(x);
	return client_wait_over(c, x, "the end of the ping stream");
}

int ask_ping(struct client *c, unsigned count)
{
	struct exchange x;
	int result = client_open(c, &x, PING_PROTOCOL);

	if (result == 0)
		result = ask_ping_run(c, &x, count);
	exchange_close(&x);
	return result;
}
