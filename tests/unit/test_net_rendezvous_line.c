/* SPDX-License-Identifier: MIT
 *
 * The line of one connection's answers to DISCOVER: how many run, what each costs of a turn of the loop, what
 * a refusal counts, and that nothing is left in any list of whoever goes or finds no memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "netproc/pool.h"
#include "tests/unit/rendezvous_asker.h"

static const struct span none;
static struct rendezvous *rendezvous;

static int before(void **state)
{
	asker_before(state);
	rendezvous = f.net.rendezvous;
	return 0;
}

static struct fixture_wire *ask(const char *ns, uint32_t window)
{
	struct stream *stream = fixture_stream(&f, conn);

	stream->send_window = window;
	fixture_discover(stream, ns, 0, none);
	return fixture_wire(&f, stream);
}

/* Holders of an entry beside the store. */
static uint32_t running(const char *ns)
{
	uint8_t key[32] = {2};

	return rendezvous_store_find(store, key, fixture_span(ns))->references - 1;
}

static void eight_answers_run(void **state)
{
	struct fixture_wire *wires[10];

	(void)state;
	asker_put_sized(2, "a", RENDEZVOUS_LEGACY, 2000);
	for (int i = 0; i < 10; i++) {
		wires[i] = ask("a", 100);
		assert_int_equal(running("a"), i < RENDEZVOUS_ANSWERS_MOST ? i + 1 : RENDEZVOUS_ANSWERS_MOST);
	}
	assert_int_equal(wires[8]->len, 0);
	fixture_rst(wires[9]->stream); /* one that waits */
	assert_int_equal(running("a"), RENDEZVOUS_ANSWERS_MOST);
	fixture_rst(wires[3]->stream); /* one that runs: the next begins */
	assert_int_equal(running("a"), RENDEZVOUS_ANSWERS_MOST);
	assert_int_equal(wires[8]->len, 100);
	fixture_window(wires[0]->stream, 8192);
	assert_int_equal(fixture_status(wires[0]), RENDEZVOUS_OK);
	assert_int_equal(running("a"), RENDEZVOUS_ANSWERS_MOST - 1);
}

/* Whoever goes while its answers wait for a turn stands in no list any more. */
static void who_goes_leaves_the_line(void **state)
{
	struct fixture_wire *wires[3];

	(void)state;
	asker_put(2, "a");
	rendezvous_turn(&f.net);
	rendezvous->found_left = 0;
	for (int i = 0; i < 3; i++)
		wires[i] = ask("a", FIXTURE_WINDOW);
	assert_int_equal(wires[0]->len, 0);
	assert_false(list_empty(&rendezvous->hungry));
	for (int i = 0; i < 3; i++)
		fixture_rst(wires[i]->stream);
	assert_true(list_empty(&rendezvous->hungry));
	assert_int_equal(rendezvous->lines.count, 0);
	assert_false(rendezvous_turn(&f.net));
}

/* An answer that finds nothing and one that is refused late are work, too. */
static void what_a_turn_is_spent_for(void **state)
{
	struct fixture_wire *wires[3];
	unsigned left;

	(void)state;
	for (uint32_t i = 2; i < 12; i++)
		asker_put(i, "a");
	rendezvous_turn(&f.net);
	left = rendezvous->found_left;
	assert_int_equal(left, RENDEZVOUS_FOUND_A_TURN);
	ask("a", FIXTURE_WINDOW);
	left -= RENDEZVOUS_FOUND_LEAST + 10;
	assert_int_equal(rendezvous->found_left, left);
	ask("nothing", FIXTURE_WINDOW);
	left -= RENDEZVOUS_FOUND_LEAST;
	assert_int_equal(rendezvous->found_left, left);
	f.charge_most = 1; /* what was answered is above it */
	wires[0] = ask("a", FIXTURE_WINDOW);
	left -= RENDEZVOUS_FOUND_LEAST;
	assert_int_equal(rendezvous->found_left, left);
	assert_int_equal(fixture_status(wires[0]), RENDEZVOUS_UNAVAILABLE);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_RATE], 1);
	f.charge_most = 0;
	rendezvous->found_left = 1; /* one more may begin, and no sum goes round */
	for (int i = 0; i < 3; i++)
		wires[i] = ask("a", FIXTURE_WINDOW);
	assert_int_equal(rendezvous->found_left, 0);
	assert_int_equal(fixture_status(wires[0]), RENDEZVOUS_OK);
	assert_int_equal(wires[1]->len, 0);
	assert_false(rendezvous_turn(&f.net));
	assert_int_equal(fixture_status(wires[2]), RENDEZVOUS_OK);
}

/* Bytes that a registration of this namespace with so long a record takes in an answer. */
static size_t size_of(const char *ns, size_t len)
{
	static const uint8_t bytes[1000];
	const struct rendezvous_registration registration = {
	    .ns = fixture_span(ns), .record = {bytes, len}, .ttl = 7200};

	return rendezvous_registration_size(&registration);
}

/* The longest answer has as many as fit; what is charged is all of it but a few bytes of frame. */
static void what_an_answer_takes(void **state)
{
	const size_t size = size_of("name", 700);
	const size_t fit = (RENDEZVOUS_ANSWER_BYTES - RENDEZVOUS_ANSWER_FRAME) / size;
	struct fixture_wire *wire;

	(void)state;
	assert_true(fit < RENDEZVOUS_RESULTS_MOST);
	for (uint32_t i = 2; i < 1002; i++)
		asker_put_sized(i, "name", RENDEZVOUS_LEGACY, 700);
	wire = ask("name", UINT32_MAX);
	for (int i = 0; i < 100 && wire->stream->want_room; i++)
		fixture_window(wire->stream, 65536);
	assert_true(wire->len <= RENDEZVOUS_ANSWER_BYTES);
	assert_true(fixture_answer(wire, &answer, answer_bytes, sizeof(answer_bytes)));
	assert_int_equal(answer.count, fit);
	assert_int_equal(f.charged, fit * size + 8 + 4);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_SERVED], fit);
}

/* An answer that waits holds its request, one that runs its references, too. */
static void what_an_answer_holds(void **state)
{
	struct fixture_wire *run, *wait;
	size_t held;

	(void)state;
	for (uint32_t i = 2; i < 12; i++)
		asker_put_sized(i, "name", RENDEZVOUS_LEGACY, 700);
	run = ask("name", 100);
	for (int i = 1; i < RENDEZVOUS_ANSWERS_MOST; i++)
		ask("name", 100);
	wait = ask("name", 100);
	held = rendezvous_protocol.held(wait->stream);
	assert_int_equal(rendezvous_protocol.held(run->stream), held + 10 * sizeof(void *));
	wait = ask("longer name", 100);
	assert_int_equal(rendezvous_protocol.held(wait->stream), held + 7);
}

static void refusals_are_counted(void **state)
{
	(void)state;
	assert_int_equal(fixture_status(ask("\xff", FIXTURE_WINDOW)), RENDEZVOUS_INVALID_NAMESPACE);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_INVALID_NAMESPACE], 1);
	assert_int_equal(fixture_status(ask("", FIXTURE_WINDOW)), RENDEZVOUS_NOT_AUTHORIZED); /* the guard */
	assert_int_equal(fixture_status(ask(NULL, FIXTURE_WINDOW)), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_NOT_AUTHORIZED], 2);
	f.denied = true;
	assert_int_equal(fixture_status(ask("a", FIXTURE_WINDOW)), RENDEZVOUS_NOT_AUTHORIZED);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_NOT_AUTHORIZED], 3);
	f.denied = false;
	f.rate_full = true;
	assert_int_equal(fixture_status(ask("a", FIXTURE_WINDOW)), RENDEZVOUS_UNAVAILABLE);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_RATE], 1);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 0);
}

/* At whichever piece it ends: before the answer has its place the request is refused, after it the stream is
 * reset; nothing stays. */
static void no_memory(void **state)
{
	uint64_t cap = pool_cap(&f.net), refused = 0, reset = 0;

	(void)state;
	for (uint32_t i = 2; i < 102; i++)
		asker_put(i, "a");
	for (uint64_t more = 0;; more += 16) {
		struct stream *stream = fixture_stream(&f, conn);
		struct fixture_wire *wire = fixture_wire(&f, stream);
		uint64_t used = pool_used(&f.net);
		int status;

		assert_true(more < 65536);
		pool_set_cap(&f.net, used + more);
		fixture_discover(stream, "a", 0, none);
		pool_set_cap(&f.net, cap);
		status = fixture_status(wire);
		if (wire->gone) {
			assert_int_equal(wire->reason, CLOSE_MEMORY);
			assert_int_equal(status, -1);
			reset++;
		} else {
			assert_int_equal(pool_used(&f.net), used);
			fixture_rst(stream);
		}
		assert_int_equal(running("a"), 0);
		assert_int_equal(rendezvous->lines.count, 0);
		if (status == RENDEZVOUS_OK)
			break;
		refused += status == RENDEZVOUS_UNAVAILABLE;
	}
	assert_true(refused > 0 && reset > 0);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_UNAVAILABLE], refused);
	assert_int_equal(f.net.counter[NET_COUNT_DISCOVER_OK], 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, before, asker_after)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(eight_answers_run),
	    CASE(who_goes_leaves_the_line),
	    CASE(what_a_turn_is_spent_for),
	    CASE(what_an_answer_takes),
	    CASE(what_an_answer_holds),
	    CASE(refusals_are_counted),
	    CASE(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
