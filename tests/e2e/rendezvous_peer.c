/* SPDX-License-Identifier: MIT */
#include "tests/e2e/rendezvous_peer.h"

#include <stdio.h>
#include <string.h>

void rendezvous_record(struct record *r, const struct client *c, enum envelope_kind kind, uint64_t seq)
{
	char address[64];

	snprintf(address, sizeof(address), "/ip4/127.0.0.1/tcp/%u", relay.port);
	r->len = ask_rendezvous_record(c, kind, address, seq, r->bytes, sizeof(r->bytes));
	EXPECT_TRUE(r->len > 0);
}

void rendezvous_record_of(struct record *r, const struct client *c, enum envelope_kind kind,
			  const struct span *addrs, size_t count)
{
	r->len = identity_record(&c->identity, kind, 1700000000, addrs, count, r->bytes, sizeof(r->bytes));
	EXPECT_TRUE(r->len > 0);
}

void rendezvous_open_record(struct record *r, const struct client *c, enum envelope_kind kind)
{
	struct multiaddr a;
	struct span addr;

	EXPECT_STATUS(0, multiaddr_from_text(&a, "/ip4/203.0.113.7/tcp/4001"));
	addr = (struct span){a.bytes, a.len};
	rendezvous_record_of(r, c, kind, &addr, 1);
}

int rendezvous_register(struct client *c, const char *ns, const struct record *r, uint64_t ttl)
{
	struct rendezvous_result result;
	int status;

	EXPECT(c, ask_register(c, ns, r->bytes, r->len, ttl, &result));
	status = result.status;
	rendezvous_result_free(&result);
	return status;
}

void rendezvous_join(struct client *c, const char *ns, enum envelope_kind kind)
{
	struct record r;

	fixture_connect(c);
	rendezvous_record(&r, c, kind, 1700000000);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(c, ns, &r, 0));
}

void rendezvous_discover(struct client *c, const char *ns, struct rendezvous_result *result)
{
	EXPECT(c, ask_discover(c, ns, 0, NULL, 0, result));
	EXPECT_STATUS(RENDEZVOUS_OK, result->status);
	EXPECT_TRUE(result->cookie_len == 8 + strlen(ns));
	assert_memory_equal(result->cookie + 8, ns, strlen(ns));
}

size_t rendezvous_count_of(const struct rendezvous_result *result, const struct client *c)
{
	struct rendezvous_registration registration;
	size_t count = 0;

	for (size_t i = 0; rendezvous_result_at(result, i, &registration) == 0; i++) {
		struct peer_record record;
		enum envelope_kind kind;
		struct envelope e;

		EXPECT_STATUS(ENVELOPE_OK,
			      (int)peer_record_open(registration.record.bytes, registration.record.len, &e,
						    &kind, &record));
		count += peer_id_equal(&record.peer, &c->identity.id);
	}
	return count;
}
