/* SPDX-License-Identifier: MIT */
#include "tests/e2e/pair.h"

void pair_open(struct pair *p)
{
	fixture_connect(&p->a);
	fixture_reserve(&p->b);
	p->both[0] = &p->a;
	p->both[1] = &p->b;
	p->y = fixture_circuit(&p->a, &p->b, &p->x);
}

void pair_close(struct pair *p)
{
	fixture_end_circuit(&p->x, p->y);
	client_free(&p->a);
	client_free(&p->b);
}

struct pair_bytes {
	struct exchange *x;
	size_t len;
};

static bool pair_has_bytes(void *argument)
{
	struct pair_bytes *w = argument;

	return bytes_len(&w->x->inbox) >= w->len;
}

bool pair_is_over(void *argument)
{
	return exchange_over(argument);
}

void pair_wait_bytes(struct pair *p, struct exchange *at, size_t len)
{
	struct pair_bytes w = {.x = at, .len = len};

	EXPECT(&p->a,
	       client_wait_all(p->both, 2, pair_has_bytes, &w, PEER_TIMEOUT_MS, "bytes through the circuit"));
}

void pair_read(struct pair *p, struct exchange *at, const void *wanted, size_t len)
{
	pair_wait_bytes(p, at, len);
	assert_memory_equal(bytes_at(&at->inbox), wanted, len);
	bytes_consume(&at->inbox, len);
}

void pair_wait_over(struct pair *p, struct exchange *at)
{
	EXPECT(&p->a,
	       client_wait_all(p->both, 2, pair_is_over, at, PEER_TIMEOUT_MS, "the end of the circuit"));
}
