/* SPDX-License-Identifier: MIT
 *
 * The registry itself: replacement, sharing, ends by time and by reservation. Records are any
 * bytes here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rendezvous_fixture.h"

static struct fixture f;
static struct rendezvous_store *store;

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
	assert_int_equal(f.net.counter[NET_COUNT_RENDEZVOUS_REGISTERED], 0);
	assert_int_equal(f.net.counter[NET_COUNT_RENDEZVOUS_NAMESPACES], 0);
	fixture_free(&f);
	return 0;
}

static const uint8_t *peer_of(uint32_t number)
{
	static uint8_t peer[4][32];
	static unsigned turn;
	uint8_t *bytes = peer[turn++ % 4];

	memset(bytes, 0, 32);
	memcpy(bytes, &number, sizeof(number));
	return bytes;
}

static struct rendezvous_offer offer_of(uint32_t peer, const char *ns, const char *record)
{
	return (struct rendezvous_offer){
	    .peer = peer_of(peer), .ns = fixture_span(ns), .record = fixture_span(record), .ttl = 7200};
}

static enum rendezvous_put put(const struct rendezvous_offer *offer)
{
	enum net_setting setting;

	return rendezvous_store_put(store, offer, &setting);
}

static enum rendezvous_put put_new(uint32_t peer, const char *ns, const char *record)
{
	struct rendezvous_offer offer = offer_of(peer, ns, record);

	return put(&offer);
}

static enum rendezvous_put put_circuit(uint32_t peer, const char *ns, bool reserved)
{
	struct rendezvous_offer offer = offer_of(peer, ns, "circuit");

	offer.circuits = true;
	offer.reserved = reserved;
	return put(&offer);
}

static struct rendezvous_entry *find(uint32_t peer, const char *ns)
{
	return rendezvous_store_find(store, peer_of(peer), fixture_span(ns));
}

static void registering_again_replaces(void **state)
{
	uint64_t serial;

	(void)state;
	assert_int_equal(put_new(1, "a", "one"), RENDEZVOUS_PUT_NEW);
	serial = find(1, "a")->serial;
	assert_int_equal(put_new(1, "a", "two"), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(store->entries.count, 1);
	assert_true(find(1, "a")->serial > serial);
	assert_memory_equal(find(1, "a")->envelope->bytes, "two", 3);
	assert_int_equal(f.net.counter[NET_COUNT_RENDEZVOUS_REGISTERED], 1);
	assert_int_equal(find(1, "a")->owner->count, 1);
}

/* What grows in rust-libp2p 0.17: an old record and its timer stay at each refresh. */
static void a_million_refreshes_stay_flat(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_int_equal(put_new(1, "a", "one"), RENDEZVOUS_PUT_NEW);
	bytes = store->bytes;
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(put_new(1, "a", i % 2 ? "one" : "two"), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(store->bytes, bytes);
	assert_int_equal(store->entries.count, 1);
	assert_int_equal(store->namespaces.count, 1);
	assert_int_equal(store->owners.count, 1);
	fixture_sleep(&f, 7202000);
	assert_int_equal(f.net.counter[NET_COUNT_RENDEZVOUS_EXPIRED], 1);
}

static void equal_bytes_are_stored_once(void **state)
{
	char ns[16];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(ns, sizeof(ns), "ns%d", i);
		assert_int_equal(put_new(1, ns, "shared"), RENDEZVOUS_PUT_NEW);
		assert_ptr_equal(find(1, ns)->envelope, find(1, "ns0")->envelope);
	}
	assert_int_equal(find(1, "ns0")->envelope->references, 101);
	put_new(2, "ns0", "shared");
	assert_ptr_not_equal(find(2, "ns0")->envelope, find(1, "ns0")->envelope);
	assert_non_null(rendezvous_store_known(store, peer_of(1), fixture_span("shared")));
	assert_null(rendezvous_store_known(store, peer_of(1), fixture_span("sharee")));
	assert_null(rendezvous_store_known(store, peer_of(1), fixture_span("share")));
	assert_null(rendezvous_store_known(store, peer_of(3), fixture_span("shared")));
}

static void removal_leaves_nothing(void **state)
{
	(void)state;
	put_new(1, "a", "one");
	put_new(1, "b", "one");
	put_new(2, "a", "two");
	rendezvous_store_remove(store, find(1, "a"));
	assert_null(find(1, "a"));
	assert_non_null(find(1, "b"));
	assert_non_null(find(2, "a"));
	rendezvous_store_remove(store, find(1, "b"));
	rendezvous_store_remove(store, find(2, "a"));
	assert_int_equal(store->bytes, 0);
	assert_int_equal(store->owners.count + store->namespaces.count + store->entries.count, 0);
}

static void answers_hold_what_was_removed(void **state)
{
	struct rendezvous_entry *entry;

	(void)state;
	put_new(1, "a", "one");
	entry = find(1, "a");
	rendezvous_entry_hold(entry);
	rendezvous_store_remove(store, entry);
	assert_int_equal(f.net.counter[NET_COUNT_RENDEZVOUS_NAMESPACES], 0);
	assert_memory_equal(entry->envelope->bytes, "one", 3);
	assert_memory_equal(entry->namespace->name, "a", 1);
	assert_true(store->bytes > 0);
	put_new(2, "a", "two");
	assert_ptr_equal(find(2, "a")->namespace, entry->namespace);
	rendezvous_entry_release(store, entry);
	rendezvous_store_remove(store, find(2, "a"));
	assert_int_equal(store->bytes, 0);
}

static void ends_at_its_ttl(void **state)
{
	struct rendezvous_offer offer = offer_of(1, "a", "one");

	(void)state;
	offer.ttl = 60;
	put(&offer);
	put_new(2, "a", "two");
	assert_int_equal(rendezvous_entry_left(find(1, "a"), rendezvous_now(&f.net)), 60);
	fixture_sleep(&f, 59900);
	assert_non_null(find(1, "a"));
	assert_int_equal(rendezvous_entry_left(find(1, "a"), rendezvous_now(&f.net)), 1);
	fixture_sleep(&f, 2100);
	assert_null(find(1, "a"));
	assert_non_null(find(2, "a"));
	assert_int_equal(f.net.counter[NET_COUNT_RENDEZVOUS_EXPIRED], 1);
}

static void the_longest_ttl_lasts(void **state)
{
	struct rendezvous_offer offer = offer_of(1, "a", "one");

	(void)state;
	offer.ttl = 259200;
	put(&offer);
	f.net.now += 259199 * UINT64_C(1000);
	fixture_sleep(&f, 600);
	assert_non_null(find(1, "a"));
	fixture_sleep(&f, 3000);
	assert_null(find(1, "a"));
	/* Nothing is left to end: the timer stops, and starts again with the next. */
	fixture_sleep(&f, 1000);
	assert_false(wheel_armed(&store->timer));
	f.net.now += UINT64_C(40) * 86400 * 1000;
	put(&offer);
	fixture_sleep(&f, 2000);
	assert_non_null(find(1, "a"));
}

static void a_stopped_clock_ends_nothing_early(void **state)
{
	struct rendezvous_offer offer = offer_of(1, "a", "one");

	(void)state;
	offer.ttl = 5000;
	put(&offer);
	f.net.now +=
	    4000 *
	    UINT64_C(1000); /* one step, no tick between: what is put now lands on a second not yet done */
	offer = offer_of(2, "a", "two");
	offer.ttl = 259200;
	put(&offer);
	fixture_sleep(&f, 1000);
	assert_non_null(find(2, "a"));
	assert_non_null(find(1, "a"));
	fixture_sleep(&f, 1001000);
	assert_null(find(1, "a"));
	assert_non_null(find(2, "a"));
}

static void work_of_a_tick_is_bounded(void **state)
{
	struct rendezvous_offer offer;
	size_t last = 5000, ticks = 0;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		offer = offer_of(i, "a", "one");
		offer.ttl = 60;
		put(&offer);
	}
	fixture_sleep(&f, 60000);
	for (; store->entries.count > 0 && ticks < 1000; ticks++) {
		fixture_sleep(&f, 64);
		assert_true(last - store->entries.count <= RENDEZVOUS_EXPIRY_STEP);
		last = store->entries.count;
	}
	assert_int_equal(store->entries.count, 0);
}

static void circuits_end_after_the_grace(void **state)
{
	(void)state;
	put_circuit(1, "a", true);
	put_circuit(1, "b", true);
	put_new(1, "c", "direct");
	fixture_sleep(&f, 100000);
	assert_non_null(find(1, "a"));
	rendezvous_peer(&f.net, peer_of(1), false);
	fixture_sleep(&f, 59900);
	assert_non_null(find(1, "a"));
	fixture_sleep(&f, 2500);
	assert_null(find(1, "a"));
	assert_null(find(1, "b"));
	assert_non_null(find(1, "c"));
}

static void reconnect_within_the_grace_keeps_them(void **state)
{
	(void)state;
	put_circuit(1, "a", true);
	rendezvous_peer(&f.net, peer_of(1), false);
	fixture_sleep(&f, 50000);
	rendezvous_peer(&f.net, peer_of(1), true);
	fixture_sleep(&f, 600000);
	assert_non_null(find(1, "a"));
	rendezvous_peer(&f.net, peer_of(1), false);
	fixture_sleep(&f, 63000);
	assert_null(find(1, "a"));
}

static void without_reservation_there_is_the_grace(void **state)
{
	(void)state;
	put_circuit(1, "a", false);
	put_circuit(2, "a", false);
	fixture_sleep(&f, 50000);
	rendezvous_peer(&f.net, peer_of(2), true);
	assert_non_null(find(1, "a"));
	fixture_sleep(&f, 13000);
	assert_null(find(1, "a"));
	assert_non_null(find(2, "a"));
	/* Unknown peers are nothing to it. */
	rendezvous_peer(&f.net, peer_of(3), true);
	rendezvous_peer(&f.net, peer_of(3), false);
}

static void an_owner_without_circuits_leaves_the_grace(void **state)
{
	(void)state;
	put_circuit(1, "a", false);
	put_new(1, "b", "direct");
	rendezvous_store_remove(store, find(1, "a"));
	fixture_sleep(&f, 70000);
	assert_non_null(find(1, "b"));
	assert_true(list_empty(&store->graces));
}

/* 10 000 peers lose their reservations at once. */
static void graces_end_in_bounded_steps(void **state)
{
	size_t last = 10000;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++)
		put_circuit(i, "a", true);
	for (uint32_t i = 0; i < 10000; i++)
		rendezvous_peer(&f.net, peer_of(i), false);
	for (int tick = 0; tick < 2000 && store->entries.count > 0; tick++) {
		fixture_sleep(&f, 64);
		assert_true(last - store->entries.count <= RENDEZVOUS_EXPIRY_STEP);
		last = store->entries.count;
	}
	assert_int_equal(store->entries.count, 0);
	assert_int_equal(store->owners.count, 0);
}

static void serials_end(void **state)
{
	(void)state;
	store->serial = RENDEZVOUS_SERIAL_MAX - 1;
	assert_int_equal(put_new(1, "a", "one"), RENDEZVOUS_PUT_NEW);
	assert_int_equal(put_new(1, "a", "two"), RENDEZVOUS_PUT_REFUSED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(registering_again_replaces),
	    CASE(a_million_refreshes_stay_flat),
	    CASE(equal_bytes_are_stored_once),
	    CASE(removal_leaves_nothing),
	    CASE(answers_hold_what_was_removed),
	    CASE(ends_at_its_ttl),
	    CASE(the_longest_ttl_lasts),
	    CASE(a_stopped_clock_ends_nothing_early),
	    CASE(work_of_a_tick_is_bounded),
	    CASE(circuits_end_after_the_grace),
	    CASE(reconnect_within_the_grace_keeps_them),
	    CASE(without_reservation_there_is_the_grace),
	    CASE(an_owner_without_circuits_leaves_the_grace),
	    CASE(graces_end_in_bounded_steps),
	    CASE(serials_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
