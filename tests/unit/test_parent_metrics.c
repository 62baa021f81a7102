/* SPDX-License-Identifier: MIT
 *
 * What the parent puts beside the children's counters: each process's own time, also of one that is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "parent/parent.h"

static struct parent parent;
static int metrics_end;

static int set_up(void **state)
{
	struct parent_child *child = &parent.child[PARENT_METRICS];
	int pair[2];

	(void)state;
	memset(&parent, 0, sizeof(parent));
	logger_init(&parent.log, -1, LOG_LEVEL_TRACE);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	handlers_init(&parent, child, pair[0], IMSG_PROCESS_METRICS);
	metrics_end = pair[1];
	child->ready = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(metrics_end);
	close(parent.child[PARENT_METRICS].channel.fd);
	return 0;
}

static bool was_sent(void)
{
	uint8_t bytes[8192];

	return recv(metrics_end, bytes, sizeof(bytes), 0) > (ssize_t)sizeof(parent.counters);
}

/* netproc is reaped, keyproc is dead but not reaped, metrics was never started. */
static void test_times_of_who_is_gone_stay(void **state)
{
	const struct imsg_net_stats stats = {0};
	uint64_t *cpu = parent.counters.cpu;
	pid_t dead = fork();

	(void)state;
	if (dead == 0)
		_exit(0);
	assert_int_equal(waitpid(dead, NULL, 0), dead);
	parent.child[PARENT_KEYPROC].pid = dead;
	cpu[IMSG_PROCESS_KEYPROC] = 7;
	cpu[IMSG_PROCESS_NETPROC] = 8;
	metrics_take_net(&parent, &stats);
	assert_true(was_sent());
	assert_int_equal(cpu[IMSG_PROCESS_KEYPROC], 7);
	assert_int_equal(cpu[IMSG_PROCESS_NETPROC], 8);
	assert_int_equal(cpu[IMSG_PROCESS_METRICS], 0);
	assert_true(cpu[IMSG_PROCESS_PARENT] > 0);
}

static void test_times_of_the_living(void **state)
{
	const struct imsg_key_stats stats = {0};
	const uint64_t *cpu = parent.counters.cpu;

	(void)state;
	parent.child[PARENT_KEYPROC].pid = parent.child[PARENT_NETPROC].pid = getpid();
	parent.child[PARENT_METRICS].pid = getpid();
	metrics_take_key(&parent, &stats);
	assert_true(was_sent());
	for (int i = 0; i <= IMSG_PROCESS_METRICS; i++)
		assert_true(cpu[i] > 0);
}

/* Half of the counters is not sent, nor any before metrics is ready. */
static void test_nothing_is_sent_before_both_answered(void **state)
{
	const struct imsg_net_stats net = {0};
	const struct imsg_key_stats key = {0};

	(void)state;
	parent.child[PARENT_KEYPROC].asked_metrics = parent.child[PARENT_NETPROC].asked_metrics = true;
	metrics_take_net(&parent, &net);
	assert_false(was_sent());
	metrics_take_key(&parent, &key);
	assert_true(was_sent());
	parent.child[PARENT_NETPROC].asked_metrics = true;
	metrics_take_key(&parent, &key);
	assert_false(was_sent());
	parent.child[PARENT_METRICS].ready = false;
	metrics_take_net(&parent, &net);
	assert_false(was_sent());
}

#define METRICS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    METRICS_TEST(test_times_of_who_is_gone_stay),
	    METRICS_TEST(test_times_of_the_living),
	    METRICS_TEST(test_nothing_is_sent_before_both_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
