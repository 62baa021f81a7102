/* SPDX-License-Identifier: MIT
 *
 * netproc/poller.c, on real sockets: what is told, how often, and that a failure is told like an end.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "netproc/net.h"
#include "netproc/poller.h"

struct seen {
	struct poller_watch watch;
	unsigned what;
	unsigned times;
};

static struct net net;
static int pair[2];

static void seen_ready(struct poller_watch *watch, unsigned what)
{
	struct seen *seen = container_of(watch, struct seen, watch);

	seen->what = what;
	seen->times++;
}

static int begin(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	return poller_init(&net) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0 ? 0
													: -1;
}

static int end(void **state)
{
	(void)state;
	close(net.poller);
	close(pair[0]);
	return close(pair[1]);
}

static void put(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}

static void a_change_is_told_once(void **state)
{
	(void)state;
	struct seen seen = {.watch.ready = seen_ready};

	assert_int_equal(poller_add(&net, pair[0], &seen.watch), 0);
	poller_wait(&net, 0);
	assert_int_equal(seen.what, POLLER_WRITE);
	poller_wait(&net, 0);
	assert_int_equal(seen.times, 1);
	put(pair[1]);
	poller_wait(&net, 0);
	poller_wait(&net, 0);
	assert_int_equal(seen.times, 2);
	assert_int_equal(seen.what & (POLLER_READ | POLLER_END), POLLER_READ);
	put(pair[1]); /* one more, though the first was not read */
	poller_wait(&net, 0);
	assert_int_equal(seen.times, 3);
}

static void a_half_closed_peer_has_ended(void **state)
{
	(void)state;
	struct seen seen = {.watch.ready = seen_ready};

	assert_int_equal(poller_add(&net, pair[0], &seen.watch), 0);
	poller_wait(&net, 0);
	put(pair[1]);
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	poller_wait(&net, 0);
	assert_int_equal(seen.times, 2);
	assert_int_equal(seen.what & (POLLER_READ | POLLER_END), POLLER_READ | POLLER_END);
}

/* A TCP connection to itself; returns both ends. */
static void tcp(int ends[2])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(ends[0], (struct sockaddr *)&at, len), 0);
	ends[1] = accept(listener, NULL, NULL);
	assert_true(ends[1] >= 0);
	close(listener);
}

static void a_reset_has_ended(void **state)
{
	(void)state;
	struct seen seen = {.watch.ready = seen_ready};
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	int ends[2];

	tcp(ends);
	assert_int_equal(poller_add(&net, ends[0], &seen.watch), 0);
	poller_wait(&net, 0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(ends[1]);
	poller_wait(&net, 1000);
	assert_int_equal(seen.times, 2);
	assert_true(seen.what & POLLER_END);
	close(ends[0]);
}

static void a_closed_descriptor_is_watched_no_more(void **state)
{
	(void)state;
	struct seen seen = {.watch.ready = seen_ready};
	int ends[2];

	tcp(ends);
	assert_int_equal(poller_add(&net, ends[0], &seen.watch), 0);
	put(ends[1]);
	close(ends[0]);
	poller_wait(&net, 0);
	assert_int_equal(seen.times, 0);
	close(ends[1]);
}

static void a_flag_is_set_until_all_is_read(void **state)
{
	(void)state;
	struct poller_flag flag = {.set = false};
	char byte;

	assert_int_equal(poller_add_flag(&net, pair[0], &flag), 0);
	poller_wait(&net, 0);
	assert_false(flag.set);
	put(pair[1]);
	for (int i = 0; i < 2; i++) {
		poller_wait(&net, 0);
		assert_true(flag.set);
		flag.set = false;
	}
	assert_int_equal(read(pair[0], &byte, 1), 1);
	poller_wait(&net, 0);
	assert_false(flag.set);
	assert_int_equal(shutdown(pair[1], SHUT_RDWR), 0);
	poller_wait(&net, 0);
	assert_true(flag.set);
}

static void an_edge_sets_a_flag_once(void **state)
{
	(void)state;
	struct poller_flag flag = {.set = false};

	assert_int_equal(poller_add_flag_edge(&net, pair[0], &flag), 0);
	put(pair[1]);
	poller_wait(&net, 0);
	assert_true(flag.set);
	flag.set = false;
	poller_wait(&net, 0);
	assert_false(flag.set);
	put(pair[1]);
	poller_remove(&net, pair[0]);
	poller_wait(&net, 0);
	assert_false(flag.set);
}

static void what_fails_is_said(void **state)
{
	(void)state;
	struct seen seen = {.watch.ready = seen_ready};
	struct poller_flag flag = {.set = false};

	assert_int_equal(poller_add(&net, -1, &seen.watch), -1);
	assert_int_equal(poller_add_flag(&net, -1, &flag), -1);
	assert_int_equal(poller_add_flag_edge(&net, -1, &flag), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_change_is_told_once),
	    TEST(a_half_closed_peer_has_ended),
	    TEST(a_reset_has_ended),
	    TEST(a_closed_descriptor_is_watched_no_more),
	    TEST(a_flag_is_set_until_all_is_read),
	    TEST(an_edge_sets_a_flag_once),
	    TEST(what_fails_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
