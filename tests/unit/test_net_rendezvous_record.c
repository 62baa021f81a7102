/* SPDX-License-Identifier: MIT
 *
 * What REGISTER makes of a record: its flavour and whether its addresses end with the reservation, also when
 * the same bytes come again; and what each refusal counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rendezvous_fixture.h"

static struct fixture f;
static struct fixture_peer alice;
static struct conn *conn;
static struct fixture_record record;

static int before(void **state)
{
	(void)state;
	conn = fixture_alone(&f, false, &alice, &record, ENVELOPE_RECORD);
	conn->ip = (struct ip_key){.prefix = 0x08080808, .family = 4};
	return 0;
}

static int after(void **state)
{
	(void)state;
	fixture_conn_free(conn);
	fixture_free(&f);
	return 0;
}

static int register_as(const char *ns)
{
	struct stream *stream = fixture_stream(&f, conn);
	struct fixture_wire *wire = fixture_wire(&f, stream);

	fixture_register(stream, ns, &record, 7200);
	int status = fixture_status(wire);
	if (wire->stream != NULL)
		fixture_rst(wire->stream);
	return status;
}

static const struct rendezvous_entry *entry_of(const char *ns)
{
	return rendezvous_store_find(&f.net.rendezvous->store, alice.public, fixture_span(ns));
}

static void assert_entry(const char *ns, enum rendezvous_kind kind, bool circuits)
{
	const struct rendezvous_entry *entry = entry_of(ns);

	assert_non_null(entry);
	assert_int_equal(entry->envelope->kind, kind);
	assert_int_equal(entry->envelope->circuits, circuits);
	assert_int_equal(conn->kind_standard, kind == RENDEZVOUS_STANDARD);
}

/* Bytes that are known are not taken apart again; what was seen in them holds, from another range of
 * addresses too, where they are kept once more. */
static void known_bytes_are_what_they_were(void **state)
{
	static const enum envelope_kind kinds[] = {ENVELOPE_RECORD, ENVELOPE_RECORD_LEGACY};
	struct multiaddr addr;
	uint64_t seq = 1;

	(void)state;
	assert_int_equal(multiaddr_from_text(&addr, "/ip4/203.0.113.7/tcp/4001"), 0);
	for (int i = 0; i < 4; i++) {
		enum rendezvous_kind kind = i < 2 ? RENDEZVOUS_STANDARD : RENDEZVOUS_LEGACY;

		if (i % 2 == 0)
			fixture_record(&f, &record, &alice, kinds[i / 2], ++seq);
		else
			fixture_record_of(&record, &alice, kinds[i / 2], ++seq, &addr, 1);
		for (int n = 0; n < 3; n++) {
			static const char *const ns[] = {"first", "again", "elsewhere"};

			conn->ip.prefix = n == 2 ? 0x09090909 : 0x08080808;
			conn->kind_standard = kind != RENDEZVOUS_STANDARD;
			assert_int_equal(register_as(ns[n]), RENDEZVOUS_OK);
			assert_entry(ns[n], kind, i % 2 == 0);
		}
	}
}

/* With a reservation circuits have no grace that could end; addresses that are none never do. */
static void what_ends_with_the_reservation(void **state)
{
	(void)state;
	assert_int_equal(register_as("circuits"), RENDEZVOUS_OK);
	fixture_sleep(&f, 70000);
	assert_non_null(entry_of("circuits"));
	f.reserved = false;
	fixture_record_of(&record, &alice, ENVELOPE_RECORD, 2, NULL, 0);
	assert_int_equal(register_as("nothing"), RENDEZVOUS_OK);
	assert_false(entry_of("nothing")->envelope->circuits);
	fixture_sleep(&f, 70000);
	assert_non_null(entry_of("nothing"));
	assert_non_null(entry_of("circuits")); /* nobody said that the reservation ended */
	fixture_record(&f, &record, &alice, ENVELOPE_RECORD, 3);
	assert_int_equal(register_as("circuits"), RENDEZVOUS_OK);
	fixture_sleep(&f, 63000);
	assert_null(entry_of("circuits"));
	assert_non_null(entry_of("nothing"));
}

static void refusals_are_counted(void **state)
{
	(void)state;
	assert_int_equal(register_as("\xff"), RENDEZVOUS_INVALID_NAMESPACE);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_INVALID_NAMESPACE], 1);
	f.denied = true;
	assert_int_equal(register_as("a"), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_NOT_AUTHORIZED], 1);
	f.denied = false;
	assert_int_equal(register_as("a"), RENDEZVOUS_OK);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_INVALID_RECORD], 0);
	record.len = 0;
	assert_int_equal(register_as("a"), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	assert_int_equal(f.net.counter[NET_COUNT_REGISTER_INVALID_RECORD], 1);
}

/* What a turn of the loop may verify is spent by that alone, and what needs no verifying waits for no turn.
 */
static void signatures_of_a_turn(void **state)
{
	struct rendezvous *rendezvous = f.net.rendezvous;

	(void)state;
	assert_int_equal(register_as("a"), RENDEZVOUS_OK); /* nobody gives turns yet */
	assert_int_equal(rendezvous->checks, 0);
	rendezvous_turn(&f.net);
	assert_int_equal(rendezvous->checks, RENDEZVOUS_CHECKS_A_TURN);
	assert_int_equal(register_as("a"), RENDEZVOUS_OK);
	assert_int_equal(rendezvous->checks, RENDEZVOUS_CHECKS_A_TURN);
	rendezvous->checks = 1;
	fixture_record(&f, &record, &alice, ENVELOPE_RECORD, 2);
	assert_int_equal(register_as("a"), RENDEZVOUS_OK);
	assert_int_equal(rendezvous->checks, 0);
	assert_int_equal(register_as("a"), RENDEZVOUS_OK);
	record.len = 0;
	assert_int_equal(register_as("a"), RENDEZVOUS_INVALID_SIGNED_PEER_RECORD);
	fixture_record(&f, &record, &alice, ENVELOPE_RECORD, 3);
	assert_int_equal(register_as("a"), -1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(known_bytes_are_what_they_were),
	    CASE(what_ends_with_the_reservation),
	    CASE(refusals_are_counted),
	    CASE(signatures_of_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
