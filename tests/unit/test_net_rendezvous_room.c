/* SPDX-License-Identifier: MIT
 *
 * What the registry has room for: caps, bytes, and the share of one range of addresses (an IPv4 /24, an IPv6
 * /48), so that many identities behind few addresses do not take the place of all others, while a crowd
 * behind one address has room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rendezvous_fixture.h"

#define BYTES (UINT64_C(1) << 20)

static struct fixture f;
static struct rendezvous_store *store;
static enum net_setting setting;

static int before(void **state)
{
	(void)state;
	fixture_init(&f, true);
	store = &f.net.rendezvous->store;
	return 0;
}

static int after(void **state)
{
	(void)state;
	rendezvous_store_free(store);
	assert_int_equal(store->bytes, 0);
	assert_int_equal(store->ranges.count, 0);
	fixture_free(&f);
	return 0;
}

static struct ip_key ipv4(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return (struct ip_key){.family = 4, .prefix = (uint64_t)a << 24 | b << 16 | c << 8 | d};
}

static enum rendezvous_put put(uint32_t peer, const struct ip_key *from, const char *ns, const char *record)
{
	struct rendezvous_offer offer = {
	    .from = from, .ns = fixture_span(ns), .record = fixture_span(record), .ttl = 7200};
	uint8_t key[32] = {0};

	memcpy(key, &peer, sizeof(peer));
	offer.peer = key;
	return rendezvous_store_put(store, &offer, &setting);
}

static enum net_setting refused_by(uint32_t peer, const char *ns)
{
	assert_int_equal(put(peer, NULL, ns, "record"), RENDEZVOUS_PUT_REFUSED);
	return setting;
}

static void caps_refuse_the_new_and_never_the_refreshed(void **state)
{
	(void)state;
	f.net.settings.max_registrations_per_peer = 2;
	f.net.settings.max_registrations_per_namespace = 3;
	f.net.settings.max_registrations = 4;
	put(1, NULL, "a", "record");
	put(1, NULL, "b", "record");
	assert_int_equal(refused_by(1, "c"), NET_SETTING_max_registrations_per_peer);
	put(2, NULL, "a", "record");
	put(3, NULL, "a", "record");
	assert_int_equal(refused_by(4, "a"), NET_SETTING_max_registrations_per_namespace);
	assert_int_equal(refused_by(4, "c"), NET_SETTING_max_registrations);
	assert_int_equal(put(1, NULL, "b", "other"), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(put(3, NULL, "a", "a longer record"), RENDEZVOUS_PUT_AGAIN);
	rendezvous_store_remove(store, rendezvous_store_find(store, (uint8_t[32]){2}, fixture_span("a")));
	assert_int_equal(put(4, NULL, "a", "record"), RENDEZVOUS_PUT_NEW);
}

static void bytes_are_bounded(void **state)
{
	char record[2001], longer[4001];
	uint32_t peer = 0;

	(void)state;
	memset(record, 'r', 2000);
	record[2000] = 0;
	memset(longer, 'l', 4000);
	longer[4000] = 0;
	f.net.settings.max_registration_bytes = 65536;
	while (put(peer, NULL, "a", record) == RENDEZVOUS_PUT_NEW)
		peer++;
	assert_int_equal(put(peer, NULL, "a", record), RENDEZVOUS_PUT_REFUSED);
	assert_int_equal(setting, NET_SETTING_max_registration_bytes);
	assert_true(store->bytes > 50000 && store->bytes <= 65536);
	for (uint32_t i = 0; i < peer; i++)
		put(i, NULL, "a", longer);
	assert_true(store->bytes <= 65536);
	record[0] = 's';
	for (uint32_t i = 0; i < peer; i++)
		assert_int_equal(put(i, NULL, "a", record), RENDEZVOUS_PUT_AGAIN);
	assert_true(store->bytes <= 65536);
}

/* The registry's bytes are the pool's, at most a quarter of it. */
static void the_pool_bounds_the_bytes(void **state)
{
	uint64_t used = pool_used(&f.net);
	uint32_t peer = 0;

	(void)state;
	pool_set_cap(&f.net, used + 400000);
	while (put(peer, NULL, "a", "record") == RENDEZVOUS_PUT_NEW)
		assert_int_equal(pool_used(&f.net), used + store->bytes), peer++;
	assert_true(store->bytes > 50000 && store->bytes <= (used + 400000) / 4);
	assert_int_equal(put(peer, NULL, "a", "record"), RENDEZVOUS_PUT_REFUSED);
	assert_int_equal(setting, NET_SETTING_max_memory);
	pool_set_cap(&f.net, FIXTURE_POOL);
	assert_int_equal(put(peer, NULL, "a", "record"), RENDEZVOUS_PUT_NEW);
	/* Buffers took all: what comes is refused whole. */
	pool_set_cap(&f.net, FIXTURE_POOL);
	assert_true(pool_reserve(&f.net, FIXTURE_POOL - pool_used(&f.net) - 300));
	used = pool_used(&f.net);
	assert_int_equal(put(peer + 1, NULL, "b", "record"), RENDEZVOUS_PUT_REFUSED);
	assert_int_equal(setting, NET_SETTING_max_memory);
	assert_int_equal(pool_used(&f.net), used);
	pool_release(&f.net, used - store->bytes);
}

/* One record under many namespaces, then another under each: what was shared must not grow past the cap. */
static void unsharing_is_bounded(void **state)
{
	char record[2001], ns[16];

	(void)state;
	memset(record, 'r', 2000);
	record[2000] = 0;
	f.net.settings.max_registration_bytes = 65536;
	for (int i = 0; i < 60; i++) {
		snprintf(ns, sizeof(ns), "ns%d", i);
		assert_int_equal(put(1, NULL, ns, record), RENDEZVOUS_PUT_NEW);
	}
	for (int i = 0; i < 60; i++) {
		snprintf(ns, sizeof(ns), "ns%d", i);
		snprintf(record, sizeof(record), "%d", i);
		record[strlen(record)] = 'r';
		put(1, NULL, ns, record);
		assert_true(store->bytes <= 65536);
	}
}

static enum rendezvous_put put_numbered(uint32_t peer, const struct ip_key *from, uint32_t number,
					const char *record)
{
	char ns[16];

	snprintf(ns, sizeof(ns), "ns%u", (unsigned)number);
	return put(peer, from, ns, record);
}

/* Fresh peers, each under a name of its own, until one is refused: how many were not. */
static uint32_t fill(const struct ip_key *from, uint32_t first, const char *record)
{
	uint32_t peer = first;

	while (put_numbered(peer, from, peer, record) == RENDEZVOUS_PUT_NEW)
		peer++;
	return peer - first;
}

static void one_range_leaves_a_fifth(void **state)
{
	struct ip_key few[4] = {ipv4(198, 51, 100, 1), ipv4(198, 51, 100, 2), ipv4(198, 51, 100, 3),
				ipv4(198, 51, 100, 255)};
	struct ip_key next = ipv4(198, 51, 101, 1);
	uint32_t peers = 0;

	(void)state;
	f.net.settings.max_registrations = 1000;
	while (put_numbered(peers, &few[peers % 4], peers, "record") == RENDEZVOUS_PUT_NEW)
		peers++;
	assert_int_equal(peers, 801);
	assert_int_equal(put(peers, &few[0], "another", "record"), RENDEZVOUS_PUT_OVER_SHARE);
	assert_int_equal(setting, NET_SETTING_max_registrations);
	/* Others have theirs, each an eighth at most. */
	assert_int_equal(fill(&next, 10000, "record"), 125);
	assert_int_equal(put(20000, NULL, "of the house", "record"), RENDEZVOUS_PUT_NEW);
	/* What ends gives its place back. */
	for (uint32_t peer = 0; peer < 700; peer++) {
		char ns[16];

		snprintf(ns, sizeof(ns), "ns%u", (unsigned)peer);
		rendezvous_store_remove(
		    store, rendezvous_store_find(store, (uint8_t[32]){(uint8_t)peer, (uint8_t)(peer >> 8)},
						 fixture_span(ns)));
	}
	assert_int_equal(put(30000, &few[1], "later", "record"), RENDEZVOUS_PUT_NEW);
}

static void bytes_have_shares_too(void **state)
{
	struct ip_key one = ipv4(203, 0, 113, 7), other = ipv4(203, 0, 114, 7);
	char record[1001];
	uint32_t got;

	(void)state;
	memset(record, 'r', 1000);
	record[1000] = 0;
	f.net.settings.max_registration_bytes = BYTES;
	fill(&one, 0, record);
	assert_int_equal(setting, NET_SETTING_max_registration_bytes);
	assert_true(store->bytes * 10 > BYTES * 8 && store->bytes * 10 < BYTES * 8 + 20000);
	got = fill(&other, 10000, record);
	assert_true(got > 20);
	assert_true(store->bytes <= BYTES - BYTES / 8);
}

/* An IPv6 range is a /48: the 65536 networks in it are one. */
static void an_ipv6_range_is_a_48(void **state)
{
	struct ip_key in = {.family = 6}, out = {.family = 6, .prefix = 0x20010db800020000};
	uint32_t peers = 0;

	(void)state;
	f.net.settings.max_registrations = 1000;
	do
		in.prefix = 0x20010db800010000 | (peers & 0xffff);
	while (put_numbered(peers, &in, peers, "record") == RENDEZVOUS_PUT_NEW && ++peers > 0);
	assert_int_equal(peers, 801);
	assert_int_equal(store->ranges.count, 1);
	assert_int_equal(put(peers, &out, "a", "record"), RENDEZVOUS_PUT_NEW);
	assert_int_equal(store->ranges.count, 2);
}

/* A range that has its share still registers again, with new records as well; but what is registered again
 * does not grow, neither by longer records nor by one for each namespace where there was one for all. */
static void registering_again_takes_no_more(void **state)
{
	struct ip_key from = ipv4(203, 0, 113, 7), moved = ipv4(203, 0, 113, 200), other = ipv4(192, 0, 2, 1);
	uint64_t bytes;

	(void)state;
	f.net.settings.max_registrations = 1000;
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(put_numbered(1, &from, i, "the one record"), RENDEZVOUS_PUT_NEW);
	fill(&from, 100, "record");
	bytes = store->bytes;
	assert_int_equal(put_numbered(100, &moved, 100, "again!"), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(put_numbered(100, &moved, 100, "longer than before"), RENDEZVOUS_PUT_OVER_SHARE);
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(put_numbered(1, &moved, i, "the new record"), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(store->bytes, bytes);
	assert_int_equal(put_numbered(1, &from, 0, "of its own"), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(put_numbered(1, &from, 1, "of its too"), RENDEZVOUS_PUT_OVER_SHARE);
	/* What moves to another range counts there, the same bytes as well, and is new where it comes back.
	 */
	assert_int_equal(put_numbered(101, &other, 101, "record"), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(store->ranges.count, 2);
	assert_int_equal(put_numbered(101, &from, 101, "record"), RENDEZVOUS_PUT_OVER_SHARE);
}

/* Two hundred chat clients behind one address, each in fifty communities and in the one of all, in a registry
 * of the smallest container that the compose file thinks of (a quarter of 192 MiB), nearly filled by others.
 */
static void a_crowd_behind_one_address_fits(void **state)
{
	struct ip_key crowd = ipv4(203, 0, 113, 7);
	char record[321];

	(void)state;
	memset(record, 'r', 320);
	record[320] = 0;
	f.net.settings.max_registration_bytes = UINT64_C(48) << 20;
	for (uint32_t peer = 100000; store->bytes < UINT64_C(40) << 20; peer++) {
		struct ip_key from = {.family = 4, .prefix = (uint64_t)(peer / 100) << 8};

		assert_int_equal(put_numbered(peer, &from, peer % 5000, record), RENDEZVOUS_PUT_NEW);
	}
	for (uint32_t peer = 0; peer < 200; peer++) {
		assert_int_equal(put(peer, &crowd, "dusk/peers", record), RENDEZVOUS_PUT_NEW);
		for (uint32_t i = 0; i < 50; i++)
			assert_int_equal(put_numbered(peer, &crowd, (peer + i) % 100, record),
					 RENDEZVOUS_PUT_NEW);
	}
}

/* What answers in progress still hold of it counts: it is no way round the share. */
static void what_answers_hold_counts(void **state)
{
	struct ip_key from = ipv4(203, 0, 113, 7);
	struct rendezvous_entry *entry;
	uint64_t bytes;

	(void)state;
	put(1, &from, "a", "record");
	entry = rendezvous_store_find(store, (uint8_t[32]){1}, fixture_span("a"));
	bytes = entry->envelope->range->bytes;
	rendezvous_entry_hold(entry);
	rendezvous_store_remove(store, entry);
	assert_int_equal(entry->envelope->range->bytes, bytes);
	assert_int_equal(entry->envelope->range->count, 0);
	rendezvous_entry_release(store, entry);
	assert_int_equal(store->ranges.count, 0);
}

/* By the way of a REGISTER: status, counter, and nobody is charged for a source that limits do not hold for.
 */
static void a_register_over_the_share(void **state)
{
	static struct fixture_record record;
	struct fixture_peer peer;
	int status = RENDEZVOUS_OK;

	(void)state;
	f.net.settings.max_registrations = 100;
	for (uint32_t i = 0; i < 82; i++) {
		struct conn *conn;
		struct stream *stream;

		fixture_peer(&peer, i);
		conn = fixture_conn(&f, &peer);
		conn->ip = ipv4(203, 0, 113, i);
		conn->ip.exempt = i == 0;
		stream = fixture_stream(&f, conn);
		fixture_record(&f, &record, &peer, ENVELOPE_RECORD, 1);
		fixture_register(stream, "a", &record, 0);
		status = fixture_status(fixture_wire(&f, stream));
		assert_int_equal(status, i < 81 ? RENDEZVOUS_OK : RENDEZVOUS_UNAVAILABLE);
		fixture_conn_free(conn);
	}
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_SHARE], 1);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_UNAVAILABLE], 0);
	assert_int_equal(store->ranges.count, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(caps_refuse_the_new_and_never_the_refreshed),
	    CASE(bytes_are_bounded),
	    CASE(the_pool_bounds_the_bytes),
	    CASE(unsharing_is_bounded),
	    CASE(one_range_leaves_a_fifth),
	    CASE(bytes_have_shares_too),
	    CASE(an_ipv6_range_is_a_48),
	    CASE(registering_again_takes_no_more),
	    CASE(a_crowd_behind_one_address_fits),
	    CASE(what_answers_hold_counts),
	    CASE(a_register_over_the_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
