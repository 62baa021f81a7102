/* SPDX-License-Identifier: MIT
 *
 * netproc/circuit_credit: what windows of circuits may grow to, and that no circuit takes what all have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/circuit.h"
#include "netproc/pool.h"

static struct circuit circuit_of(struct net *net)
{
	struct circuit circuit = {.net = net};

	circuit.half[0].window = circuit.half[1].window = STREAM_WINDOW_LEAST;
	return circuit;
}

/* Grows a half as long as it may; returns how often it grew. */
static unsigned grow(struct net *net, struct circuit *circuit, unsigned which)
{
	struct circuit_half *half = &circuit->half[which];
	unsigned times = 0;

	half->circuit = circuit;
	for (uint32_t next; (next = circuit_credit_window(half)) > half->window; times++) {
		net->window_extra += next - half->window;
		half->window = next;
	}
	return times;
}

static void to_the_largest(void **state)
{
	(void)state;
	struct net *net = fake_net();
	struct circuit circuit = circuit_of(net);

	net->settings.max_window = 3 * STREAM_WINDOW_LEAST;
	assert_int_equal(grow(net, &circuit, 0), 2);
	assert_int_equal(circuit.half[0].window, 3 * STREAM_WINDOW_LEAST);
	net->settings.max_window = STREAM_WINDOW_LEAST;
	assert_int_equal(grow(net, &circuit, 1), 0);
	fake_net_end(net);
}

static void no_circuit_takes_all(void **state)
{
	(void)state;
	struct net *net = fake_net();
	uint64_t quarter = pool_cap(net) / 4;
	unsigned many = 0;

	net->settings.max_window = UINT32_MAX / 2;
	for (; many < 64; many++) {
		struct circuit circuit = circuit_of(net);
		uint64_t before = net->window_extra;

		if (grow(net, &circuit, 0) + grow(net, &circuit, 1) == 0)
			break;
		assert_true(net->window_extra - before <= quarter / 8);
		assert_true(net->window_extra <= quarter);
	}
	assert_in_range(many, 8, 63);
	fake_net_end(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(to_the_largest),
	    cmocka_unit_test(no_circuit_takes_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
