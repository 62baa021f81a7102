/* SPDX-License-Identifier: MIT
 *
 * The parent against its own children, which count as hostile: every row of the catalogue by the wrong
 * sender, with the wrong values, at the wrong time, twice; and what it says when they fail. The channel's own
 * checks are imsg's tests. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "imsg/harden.h"
#include "parent/exit.h"
#include "parent/parent.h"
#include "parent/sandbox.h"
#include "parent/spawn.h"

static struct parent parent;
static int child_end[PARENT_CHILDREN];

static int set_up(void **state)
{
	static const enum imsg_process processes[] = {IMSG_PROCESS_KEYPROC, IMSG_PROCESS_NETPROC,
						      IMSG_PROCESS_METRICS};
	int pair[2];

	(void)state;
	memset(&parent, 0, sizeof(parent));
	logger_init(&parent.log, -1, LOG_LEVEL_TRACE);
	parent.child[PARENT_KEYPROC].name = "keyproc";
	parent.child[PARENT_NETPROC].name = "netproc";
	parent.child[PARENT_METRICS].name = "metrics";
	parent.notify.fd = -1;
	parent.listeners.count = 2;
	strcpy(parent.keydir.file, "/somewhere/keypair");
	strcpy(parent.keydir.folder, "/somewhere");
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
		handlers_init(&parent, &parent.child[i], pair[0], processes[i]);
		child_end[i] = pair[1];
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < PARENT_CHILDREN; i++) {
		close(child_end[i]);
		if (parent.child[i].open)
			close(parent.child[i].channel.fd);
	}
	return 0;
}

/* What a child writes, and what the parent does with it. True when that ended the daemon. */
static bool send_bytes(enum parent_child_index from, enum imsg_type type, const void *payload, size_t size)
{
	uint8_t datagram[IMSG_MAX] __attribute__((aligned(8)));
	size_t len = imsg_compose(datagram, type, 0, payload, size);

	assert_int_equal(write(child_end[from], datagram, len), len);
	loop_read_child(&parent, &parent.child[from], 16);
	return parent.ending;
}

static struct imsg_key_ready key_ready(void)
{
	struct imsg_key_ready ready = {.layers = 0xffff, .record_len = 3};

	memset(ready.identity, 7, sizeof(ready.identity));
	memset(ready.record, 1, 3);
	return ready;
}

static void make_ready(void)
{
	struct imsg_key_ready key = key_ready();
	struct imsg_net_ready net = {.layers = 0xffff, .listeners = 2};
	struct imsg_metrics_ready page = {.layers = 0xffff};

	assert_false(send_bytes(PARENT_KEYPROC, IMSG_KEY_READY, &key, sizeof(key)));
	assert_false(send_bytes(PARENT_NETPROC, IMSG_NET_READY, &net, sizeof(net)));
	assert_true(parent.child[PARENT_KEYPROC].ready && parent.child[PARENT_NETPROC].ready);
	assert_false(send_bytes(PARENT_METRICS, IMSG_METRICS_READY, &page, sizeof(page)));
	assert_true(parent.child[PARENT_METRICS].ready);
}

static void expect_end(int status, const char *words)
{
	assert_true(parent.ending);
	assert_int_equal(parent.status, status);
	if (strstr(parent.last_words, words) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", parent.last_words, words);
}

static void test_ready(void **state)
{
	(void)state;
	make_ready();
	assert_int_equal(parent.key.record_len, 3);
}

static void test_key_ready_values(void **state)
{
	struct imsg_key_ready ready = key_ready();

	(void)state;
	ready.record_len = IMSG_RECORD_MAX + 1;
	assert_true(send_bytes(PARENT_KEYPROC, IMSG_KEY_READY, &ready, sizeof(ready)));
	expect_end(EXIT_FAILED, "keyproc broke the rules");
}

static void test_key_ready_without_identity(void **state)
{
	struct imsg_key_ready ready = key_ready();

	(void)state;
	memset(ready.identity, 0, sizeof(ready.identity));
	assert_true(send_bytes(PARENT_KEYPROC, IMSG_KEY_READY, &ready, sizeof(ready)));
}

static void test_key_ready_padding(void **state)
{
	struct imsg_key_ready ready = key_ready();

	(void)state;
	ready.record[IMSG_RECORD_MAX - 1] = 1;
	assert_true(send_bytes(PARENT_KEYPROC, IMSG_KEY_READY, &ready, sizeof(ready)));
}

static void test_net_ready_values(void **state)
{
	struct imsg_net_ready ready = {.layers = 0xffff, .listeners = 3};

	(void)state;
	assert_true(send_bytes(PARENT_NETPROC, IMSG_NET_READY, &ready, sizeof(ready)));
	expect_end(EXIT_FAILED, "netproc broke the rules");
}

static void test_ready_twice(void **state)
{
	struct imsg_net_ready ready = {.layers = 0xffff, .listeners = 2};

	(void)state;
	make_ready();
	assert_true(send_bytes(PARENT_NETPROC, IMSG_NET_READY, &ready, sizeof(ready)));
}

/* Every row, by the process that may not send it: netproc cannot pose as keyproc. */
static void test_wrong_sender(void **state)
{
	static const uint8_t zero[IMSG_PAYLOAD_MAX];

	for (size_t i = 0; i < imsg_row_count; i++) {
		const struct imsg_row *row = &imsg_rows[i];

		for (int from = 0; from < PARENT_CHILDREN; from++) {
			bool right = row->receiver == IMSG_PROCESS_PARENT &&
				     row->sender == parent.child[from].channel.peer;

			if (right)
				continue;
			tear_down(state);
			set_up(state);
			assert_true(send_bytes((enum parent_child_index)from, (enum imsg_type)row->type, zero,
					       row->size));
			assert_int_equal(parent.status, EXIT_FAILED);
		}
	}
}

/* Every row with 0xff in every byte: no field of ours takes that, and nothing is read beyond its array. */
static void test_all_ones(void **state)
{
	uint8_t ones[IMSG_PAYLOAD_MAX];

	memset(ones, 0xff, sizeof(ones));
	for (size_t i = 0; i < imsg_row_count; i++) {
		const struct imsg_row *row = &imsg_rows[i];
		int from = row->sender == IMSG_PROCESS_KEYPROC	 ? PARENT_KEYPROC
			   : row->sender == IMSG_PROCESS_METRICS ? PARENT_METRICS
								 : PARENT_NETPROC;

		if (row->receiver != IMSG_PROCESS_PARENT || row->size == 0)
			continue;
		tear_down(state);
		set_up(state);
		if (row->phase == IMSG_PHASE_RUN)
			make_ready();
		assert_true(
		    send_bytes((enum parent_child_index)from, (enum imsg_type)row->type, ones, row->size));
	}
}

static void test_pong(void **state)
{
	struct imsg_ping pong = {.sequence = 1};

	make_ready();
	parent.child[PARENT_NETPROC].ping_sent = 2;
	assert_false(send_bytes(PARENT_NETPROC, IMSG_NET_PONG, &pong, sizeof(pong)));
	assert_int_equal(parent.child[PARENT_NETPROC].unanswered, 1);
	pong.sequence = 2;
	assert_false(send_bytes(PARENT_NETPROC, IMSG_NET_PONG, &pong, sizeof(pong)));
	assert_int_equal(parent.child[PARENT_NETPROC].unanswered, 0);
	assert_true(send_bytes(PARENT_NETPROC, IMSG_NET_PONG, &pong, sizeof(pong)));
	tear_down(state);
	set_up(state);
	make_ready();
	pong.sequence = 1;
	assert_true(send_bytes(PARENT_NETPROC, IMSG_NET_PONG, &pong, sizeof(pong)));
}

static void test_unasked(void **state)
{
	struct imsg_net_stats net = {0};
	struct imsg_key_stats key = {0};

	make_ready();
	assert_true(send_bytes(PARENT_NETPROC, IMSG_NET_STATS_ANSWER, &net, sizeof(net)));
	tear_down(state);
	set_up(state);
	make_ready();
	assert_true(send_bytes(PARENT_KEYPROC, IMSG_KEY_STATS_ANSWER, &key, sizeof(key)));
	tear_down(state);
	set_up(state);
	make_ready();
	assert_true(send_bytes(PARENT_NETPROC, IMSG_NET_DRAINED, NULL, 0));
}

static void test_report(void **state)
{
	struct imsg_net_stats stats = {0};

	(void)state;
	make_ready();
	parent.child[PARENT_NETPROC].asked = true;
	stats.counter[NET_COUNT_RESERVE_OK] = 5;
	stats.closed[CLOSE_NOISE_SIZE] = UINT64_MAX;
	assert_false(send_bytes(PARENT_NETPROC, IMSG_NET_STATS_ANSWER, &stats, sizeof(stats)));
	parent.log.queue[parent.log.used] = '\0';
	assert_non_null(
	    strstr(parent.log.queue,
		   "] counter libp2p_relaysvc_reservation_request_response_status_total{status=\"ok\"} 5\n"));
	assert_non_null(
	    strstr(parent.log.queue,
		   "] counter dusk_relay_closed_total{reason=\"noise_size\"} 18446744073709551615\n"));
	assert_non_null(strstr(parent.log.queue, "] counters end\n"));
	assert_null(strstr(parent.log.queue, "} 0\n"));
}

/* Each failure a child can name ends the daemon with the status of its row and words for the operator. */
static void test_failures(void **state)
{
	for (uint32_t reason = 0; reason < START_FAILURE_COUNT; reason++) {
		struct imsg_failed failed = {.status = (uint32_t)start_failure_rows[reason].status,
					     .reason = reason,
					     .system = 13,
					     .detail = 0777};

		tear_down(state);
		set_up(state);
		assert_true(send_bytes(PARENT_KEYPROC, IMSG_KEY_FAILED, &failed, sizeof(failed)));
		expect_end((int)failed.status, start_failure_rows[reason].text);
	}
	struct imsg_failed wrong = {.status = 0, .reason = 0};
	tear_down(state);
	set_up(state);
	assert_true(send_bytes(PARENT_KEYPROC, IMSG_KEY_FAILED, &wrong, sizeof(wrong)));
	expect_end(EXIT_FAILED, "broke the rules");
}

static void test_advice(void **state)
{
	struct imsg_failed failed = {.status = 78, .reason = START_FAILURE_KEY_OWNER, .detail = 1234};

	send_bytes(PARENT_KEYPROC, IMSG_KEY_FAILED, &failed, sizeof(failed));
	expect_end(EXIT_SETTINGS, "chown");
	expect_end(EXIT_SETTINGS, "/somewhere/keypair");
	tear_down(state);
	set_up(state);
	parent.show_only = true;
	send_bytes(PARENT_KEYPROC, IMSG_KEY_FAILED, &failed, sizeof(failed));
	expect_end(EXIT_SETTINGS, "run this as user 1234");
	assert_null(strstr(parent.last_words, "chown"));
	tear_down(state);
	set_up(state);
	failed = (struct imsg_failed){.status = 78,
				      .reason = START_FAILURE_CONFINEMENT,
				      .detail = HARDEN_NO_NEW_PRIVS | HARDEN_OWN_USER | HARDEN_CHROOT |
						HARDEN_LANDLOCK};
	send_bytes(PARENT_NETPROC, IMSG_NET_FAILED, &failed, sizeof(failed));
	expect_end(EXIT_SETTINGS, "missing: nnp: needs one of landlock,chroot,uid");
	expect_end(EXIT_SETTINGS, "Landlock");
	expect_end(EXIT_SETTINGS, "CAP_SYS_CHROOT");
}

/* What systemd keeps for a service with a user of its own must not change hands: there, and behind the link.
 */
static void test_advice_for_the_service(void **state)
{
	static const enum start_failure reasons[] = {START_FAILURE_KEY_OWNER,
						     START_FAILURE_KEY_DIRECTORY_OWNER};
	char link[] = "/tmp/test-parent-XXXXXX";
	char path[64];

	assert_non_null(mkdtemp(link));
	snprintf(path, sizeof(path), "%s/dusk-relay", link);
	assert_int_equal(symlink("private/dusk-relay", path), 0);
	for (size_t i = 0; i < 8; i++) {
		struct imsg_failed failed = {.status = 78, .reason = reasons[i & 1], .detail = 62034};

		tear_down(state);
		set_up(state);
		parent.show_only = (i & 4) != 0;
		strcpy(parent.keydir.folder, (i & 2) != 0 ? path : "/var/lib/private/dusk-relay");
		send_bytes(PARENT_KEYPROC, IMSG_KEY_FAILED, &failed, sizeof(failed));
		expect_end(EXIT_SETTINGS, parent.show_only ? "StateDirectory=dusk-relay" : "systemctl start");
		assert_null(strstr(parent.last_words, "chown"));
	}
	unlink(path);
	rmdir(link);
}

static void died(void **state, bool ready, int wait_status, int status, const char *words)
{
	struct parent_child *child = &parent.child[PARENT_NETPROC];

	tear_down(state);
	set_up(state);
	child->ready = ready;
	child->reaped = true;
	child->wait_status = wait_status;
	failure_died(&parent, child);
	expect_end(status, words);
}

static void test_deaths(void **state)
{
	died(state, true, SIGSYS, EXIT_FAILED, "system call");
	died(state, true, SIGKILL, EXIT_FAILED, "killed");
	died(state, true, SIGSEGV, EXIT_FAILED, "crashed");
	died(state, true, 3 << 8, EXIT_FAILED, "status 3");
	died(state, false, 78 << 8, EXIT_SETTINGS, "status 78");
	died(state, false, 0, EXIT_FAILED, "status 0");
	died(state, false, SPAWN_NOT_RUN << 8, EXIT_FAILED, "could not be started");
}

/* The first end counts: what follows from it must not hide it. */
static void test_first_end_counts(void **state)
{
	(void)state;
	parent_end(&parent, EXIT_SETTINGS, "first");
	parent_end(&parent, EXIT_FAILED, "second");
	expect_end(EXIT_SETTINGS, "first");
}

static void test_table_is_sorted(void **state)
{
	static const char *const forbidden[] = {
	    "bind", "clone",  "connect", "dup",	    "execve",  "fork",	 "kill",   "listen",   "mmap",
	    "open", "openat", "prctl",	 "recvmsg", "sendmsg", "sendto", "setuid", "shutdown", "socket"};

	(void)state;
	for (size_t i = 0; i < parent_call_count; i++) {
		assert_true(i == 0 || strcmp(parent_calls[i - 1].name, parent_calls[i].name) < 0);
		for (size_t j = 0; j < sizeof(forbidden) / sizeof(forbidden[0]); j++)
			assert_string_not_equal(parent_calls[i].name, forbidden[j]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_ready),
	    TEST(test_key_ready_values),
	    TEST(test_key_ready_without_identity),
	    TEST(test_key_ready_padding),
	    TEST(test_net_ready_values),
	    TEST(test_ready_twice),
	    TEST(test_wrong_sender),
	    TEST(test_all_ones),
	    TEST(test_pong),
	    TEST(test_unasked),
	    TEST(test_report),
	    TEST(test_failures),
	    TEST(test_advice),
	    TEST(test_advice_for_the_service),
	    TEST(test_deaths),
	    TEST(test_first_end_counts),
	    TEST(test_table_is_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
