/* SPDX-License-Identifier: MIT */
#include "tests/e2e/flow.h"

#include <string.h>

#define FLOW_PIECE 16384

static uint8_t flow_byte(uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static void flow_data(struct exchange *x, const uint8_t *bytes, size_t len)
{
	struct flow *flow = x->user;

	for (size_t i = 0; i < len; i++)
		flow->wrong |= bytes[i] != flow_byte(flow->received + i);
	flow->received += len;
}

void flow_begin(struct flow *flow, struct client *sender, struct exchange *from, struct exchange *to,
		uint64_t len)
{
	*flow = (struct flow){.sender = sender, .from = from, .len = len};
	to->user = flow;
	to->data = flow_data;
}

void flow_push(struct flow *flow)
{
	uint8_t piece[FLOW_PIECE];
	size_t took = 1;

	while (took > 0 && flow->sent < flow->len && session_pending(&flow->sender->session) < YAMUX_WINDOW) {
		size_t len = flow->len - flow->sent < FLOW_PIECE ? flow->len - flow->sent : FLOW_PIECE;

		for (size_t i = 0; i < len; i++)
			piece[i] = flow_byte(flow->sent + i);
		took = exchange_write(flow->from, piece, len);
		flow->sent += took;
	}
	client_flush(flow->sender);
}

bool flow_done(const struct flow *flow)
{
	return flow->received >= flow->len;
}

struct flow_all {
	struct flow *flows;
	size_t count;
};

static bool flow_all_done(void *argument)
{
	struct flow_all *all = argument;
	bool done = true;

	for (size_t i = 0; i < all->count; i++) {
		flow_push(&all->flows[i]);
		done = done && flow_done(&all->flows[i]);
	}
	return done;
}

int64_t flow_run(struct client **clients, size_t client_count, struct flow *flows, size_t count,
		 int timeout_ms)
{
	struct flow_all all = {flows, count};
	int64_t start = client_now();

	EXPECT(clients[0], client_wait_all(clients, client_count, flow_all_done, &all, timeout_ms,
					   "all bytes to arrive"));
	for (size_t i = 0; i < count; i++) {
		EXPECT_TRUE(!flows[i].wrong);
		EXPECT_STATUS((int)flows[i].len, (int)flows[i].received);
	}
	return client_now() - start;
}

struct flow_wait {
	struct exchange *x;
	size_t len;
};

static bool flow_has(void *argument)
{
	struct flow_wait *wait = argument;

	return bytes_len(&wait->x->inbox) >= wait->len || exchange_over(wait->x);
}

static void flow_pass(struct client **clients, size_t client_count, struct exchange *from,
		      struct exchange *to, size_t len)
{
	uint8_t piece[FLOW_PIECE] = {0};
	struct flow_wait wait = {to, len};

	memset(piece, 'r', len);
	EXPECT_STATUS((int)len, (int)exchange_write(from, piece, len));
	EXPECT(clients[0], client_wait_all(clients, client_count, flow_has, &wait, 30000, "a round trip"));
	EXPECT_STATUS((int)len, (int)bytes_len(&to->inbox));
	EXPECT_TRUE(bytes_at(&to->inbox)[len - 1] == 'r');
	bytes_consume(&to->inbox, len);
}

int64_t flow_round_trip(struct client **clients, size_t client_count, struct exchange *a, struct exchange *b,
			size_t len)
{
	int64_t start = client_now();

	flow_pass(clients, client_count, a, b, len);
	flow_pass(clients, client_count, b, a, len);
	return client_now() - start;
}
