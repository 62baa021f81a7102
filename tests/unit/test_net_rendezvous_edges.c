/* SPDX-License-Identifier: MIT
 *
 * The registry at its edges: the last byte that fits, the second in which a registration ends, and the order
 * in which graces do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/pool.h"
#include "tests/unit/rendezvous_fixture.h"

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
	assert_true(list_empty(&store->graces));
	fixture_free(&f);
	return 0;
}

/* A record of so many times this letter. */
static enum rendezvous_put put_as(uint8_t peer, const char *ns, char letter, size_t len, bool circuits)
{
	static uint8_t record[4096];
	const uint8_t key[32] = {peer};
	struct rendezvous_offer offer = {
	    .peer = key, .ns = fixture_span(ns), .record = {record, len}, .ttl = 7200, .circuits = circuits};

	memset(record, letter, len);
	return rendezvous_store_put(store, &offer, &setting);
}

static enum rendezvous_put put(uint8_t peer, const char *ns, char letter, size_t len)
{
	return put_as(peer, ns, letter, len, false);
}

static struct rendezvous_entry *entry_of(uint8_t peer, const char *ns)
{
	const uint8_t key[32] = {peer};

	return rendezvous_store_find(store, key, fixture_span(ns));
}

/* --- bytes --- */

/* The setting with which those who are new may have so many: an eighth is kept for the others. */
static void leave_for_new(uint64_t bytes)
{
	uint64_t most = bytes;

	while (most - most / 8 < bytes)
		most++;
	assert_int_equal(most - most / 8, bytes);
	f.net.settings.max_registration_bytes = most;
}

static void assert_fits_exactly(uint64_t need, uint8_t peer, const char *ns, char letter, size_t len)
{
	uint64_t bytes = store->bytes + need;

	leave_for_new(bytes - 1);
	assert_int_equal(put(peer, ns, letter, len), RENDEZVOUS_PUT_REFUSED);
	assert_int_equal(setting, NET_SETTING_max_registration_bytes);
	leave_for_new(bytes);
	assert_int_equal(put(peer, ns, letter, len), RENDEZVOUS_PUT_NEW);
}

/* Its record, and all that a registration can need, unless the peer brings the record that it has. */
static void a_new_one_needs_all_its_bytes(void **state)
{
	(void)state;
	assert_int_equal(put(1, "a", 'r', 500), RENDEZVOUS_PUT_NEW);
	assert_fits_exactly(rendezvous_cost_entry(1) + rendezvous_cost_envelope(1000), 2, "b", 's', 1000);
	assert_fits_exactly(rendezvous_cost_entry(4), 1, "four", 'r', 500);
	assert_fits_exactly(rendezvous_cost_entry(1) + rendezvous_cost_envelope(501), 1, "c", 'r', 501);
}

/* What comes in place of another and is no longer needs nothing; if it is longer, all of it. */
static void one_in_place_of_another(void **state)
{
	uint64_t need = rendezvous_cost_entry(1) + rendezvous_cost_envelope(501);

	(void)state;
	assert_int_equal(put(1, "a", 'r', 500), RENDEZVOUS_PUT_NEW);
	f.net.settings.max_registration_bytes = 1;
	assert_int_equal(put(1, "a", 's', 500), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(put(1, "a", 't', 501), RENDEZVOUS_PUT_REFUSED);
	f.net.settings.max_registration_bytes = store->bytes + need - 1;
	assert_int_equal(put(1, "a", 't', 501), RENDEZVOUS_PUT_REFUSED);
	f.net.settings.max_registration_bytes++;
	assert_int_equal(put(1, "a", 't', 501), RENDEZVOUS_PUT_AGAIN);
}

/* Who else holds the old one, or its record, keeps it from giving anything back. */
static void one_that_gives_nothing_back(void **state)
{
	struct rendezvous_entry *held;

	(void)state;
	assert_int_equal(put(1, "a", 'r', 500), RENDEZVOUS_PUT_NEW);
	held = entry_of(1, "a");
	rendezvous_entry_hold(held); /* an answer */
	f.net.settings.max_registration_bytes = 1;
	assert_int_equal(put(1, "a", 's', 500), RENDEZVOUS_PUT_REFUSED);
	rendezvous_entry_release(store, held);
	f.net.settings.max_registration_bytes = 1 << 20;
	assert_int_equal(put(1, "b", 'r', 500), RENDEZVOUS_PUT_NEW); /* the same record */
	f.net.settings.max_registration_bytes = 1;
	assert_int_equal(put(1, "a", 's', 500), RENDEZVOUS_PUT_REFUSED);
	f.net.settings.max_registration_bytes = 1 << 20;
	assert_int_equal(put(1, "b", 't', 500), RENDEZVOUS_PUT_AGAIN); /* now each has its own */
	f.net.settings.max_registration_bytes = 1;
	assert_int_equal(put(1, "a", 's', 500), RENDEZVOUS_PUT_AGAIN);
}

/* --- memory --- */

/* At whichever piece it ends, nothing of the attempt is left and nothing of what stood before is gone. */
static void no_memory(void **state)
{
	uint64_t cap = pool_cap(&f.net);

	(void)state;
	f.net.settings.privacy_guard = 0; /* then it stands in the order of all, too */
	f.net.settings.max_registration_bytes = 1 << 20;
	assert_int_equal(put(1, "a", 'r', 100), RENDEZVOUS_PUT_NEW);
	for (uint8_t peer = 1; peer <= 2; peer++) {
		uint64_t bytes = store->bytes, refused = 0;

		for (uint64_t more = 0;; more += 16) {
			assert_true(more < 65536);
			/* A quarter of the cap is not what refuses here. */
			uint64_t taken = cap - pool_used(&f.net) - more;
			assert_true(pool_reserve(&f.net, taken));
			enum rendezvous_put result = put(peer, "b", 's', 200);
			pool_release(&f.net, taken);
			if (result == RENDEZVOUS_PUT_NEW)
				break;
			assert_int_equal(result, RENDEZVOUS_PUT_REFUSED);
			assert_int_equal(setting, NET_SETTING_max_memory);
			assert_int_equal(store->bytes, bytes);
			assert_null(entry_of(peer, "b"));
			refused++;
		}
		assert_true(refused > 10);
	}
	assert_int_equal(store->entries.count, 3);
	assert_int_equal(store->owners.count, 2);
	assert_int_equal(f.net.counter[NET_COUNT_RENDEZVOUS_REGISTERED], 3);
	assert_int_equal(f.net.counter[NET_COUNT_RENDEZVOUS_NAMESPACES], 2);
}

/* --- time --- */

static void seconds_left(void **state)
{
	const struct rendezvous_entry entry = {.expires = 100};

	(void)state;
	assert_int_equal(rendezvous_entry_left(&entry, 50), 49);
	assert_int_equal(rendezvous_entry_left(&entry, 98), 1);
	assert_int_equal(rendezvous_entry_left(&entry, 99), 1);
	assert_int_equal(rendezvous_entry_left(&entry, 100), 1);
	assert_int_equal(rendezvous_entry_left(&entry, 150), 1);
}

/* A ttl and a grace have the rest of the second in which they began on top, never less, and hardly more. */
static void no_time_is_short(void **state)
{
	(void)state;
	f.net.now += 950;
	assert_int_equal(put_as(1, "grace", 'r', 100, true), RENDEZVOUS_PUT_NEW);
	assert_int_equal(put(2, "ttl", 'r', 100), RENDEZVOUS_PUT_NEW);
	fixture_sleep(&f, 60000 - 1);
	assert_non_null(entry_of(1, "grace"));
	fixture_sleep(&f, 900);
	assert_null(entry_of(1, "grace"));
	fixture_sleep(&f, 7200000 - 60000 - 900);
	assert_non_null(entry_of(2, "ttl"));
	fixture_sleep(&f, 901);
	assert_null(entry_of(2, "ttl"));
}

/* 3000 that end in one second take three steps, one soon after the other. */
static void many_ends_follow_one_another(void **state)
{
	(void)state;
	for (int circuits = 0; circuits < 2; circuits++) {
		size_t steps = 0;

		for (uint8_t peer = 0; peer < 5; peer++)
			for (unsigned i = 0; i < 600; i++) {
				char ns[8];

				snprintf(ns, sizeof(ns), "%u", i);
				assert_int_equal(put_as(peer, ns, 'r', 100, circuits), RENDEZVOUS_PUT_NEW);
			}
		while (store->entries.count == 3000)
			fixture_sleep(&f, 64);
		assert_int_equal(store->entries.count, 3000 - RENDEZVOUS_EXPIRY_STEP);
		for (; store->entries.count > 0; steps++)
			fixture_sleep(&f, 64);
		assert_true(steps >= 2 && steps <= 4);
	}
}

/* Whoever registers again without a reservation begins a new one, behind the others. */
static void graces_begin_anew(void **state)
{
	(void)state;
	for (uint8_t peer = 1; peer <= 3; peer++)
		assert_int_equal(put_as(peer, "a", 'r', 100, true), RENDEZVOUS_PUT_NEW);
	fixture_sleep(&f, 40000);
	assert_int_equal(put_as(1, "a", 'r', 100, true), RENDEZVOUS_PUT_AGAIN);
	assert_int_equal(put_as(2, "b", 'r', 100, true), RENDEZVOUS_PUT_NEW);
	fixture_sleep(&f, 25000);
	assert_null(entry_of(3, "a"));
	assert_non_null(entry_of(1, "a"));
	assert_non_null(entry_of(2, "a"));
	fixture_sleep(&f, 40000);
	assert_null(entry_of(1, "a"));
	assert_null(entry_of(2, "a"));
	assert_null(entry_of(2, "b"));
	assert_true(list_empty(&store->graces));
}

/* After hours without any registration no second of them is looked at. */
static void nothing_is_done_for_idle_time(void **state)
{
	(void)state;
	assert_int_equal(put(1, "a", 'r', 100), RENDEZVOUS_PUT_NEW);
	rendezvous_store_remove(store, entry_of(1, "a"));
	fixture_sleep(&f, 5000);
	f.net.now += 100000000;
	fixture_sleep(&f, 5000);
	assert_int_equal(put(1, "a", 'r', 100), RENDEZVOUS_PUT_NEW);
	assert_int_equal(store->expired, rendezvous_now(&f.net));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_new_one_needs_all_its_bytes),
	    CASE(one_in_place_of_another),
	    CASE(one_that_gives_nothing_back),
	    CASE(no_memory),
	    CASE(seconds_left),
	    CASE(no_time_is_short),
	    CASE(many_ends_follow_one_another),
	    CASE(graces_begin_anew),
	    CASE(nothing_is_done_for_idle_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
