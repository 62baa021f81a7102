/* SPDX-License-Identifier: MIT */
#include "tests/e2e/fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIXTURE_REASONS 64

struct daemon relay;
struct client witness;

static struct {
	const char *text;
	uint64_t count;
} fixture_reasons[FIXTURE_REASONS];

void fixture_fail(const char *file, int line, const char *what, const char *why)
{
	fprintf(stderr, "--- end of %s ---\n%s\n---\n", relay.log_path, daemon_tail(&relay));
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, why);
	_fail(file, line);
}

const char *fixture_number(long long number)
{
	static char text[32];

	snprintf(text, sizeof(text), "is %lld", number);
	return text;
}

/* The place of a reason among those expected so far. */
static size_t fixture_place_of(const char *reason)
{
	size_t i = 0;

	while (i < FIXTURE_REASONS - 1 && fixture_reasons[i].text &&
	       strcmp(fixture_reasons[i].text, reason) != 0)
		i++;
	fixture_reasons[i].text = reason;
	return i;
}

/* The log leaves out lines when there are too many in a second; the counters never do. */
static void fixture_expect_reason(const char *file, int line, const char *what, const char *reason,
				  int timeout_ms)
{
	size_t place = fixture_place_of(reason);
	uint64_t least = ++fixture_reasons[place].count;
	char text[120];

	snprintf(text, sizeof(text), "%s closed: %s", what, reason);
	if (daemon_expect(&relay, text, timeout_ms) != 0) {
		snprintf(text, sizeof(text), "dusk_relay_closed_total{reason=\"%s\"}", reason);
		if (daemon_expect_counter(&relay, text, least) != 0)
			fixture_fail(file, line, reason, relay.error);
	}
	daemon_mark(&relay);
}

void fixture_expect_closed(const char *file, int line, const char *reason, int timeout_ms)
{
	fixture_expect_reason(file, line, "connection", reason, timeout_ms);
}

void fixture_expect_stream_closed(const char *file, int line, const char *reason)
{
	fixture_expect_reason(file, line, "stream", reason, 2000);
}

/* --- the witness --- */

static int fixture_witness_is_well(void)
{
	if (client_yamux_ping(&witness, (uint32_t)relay.mark) != 0 || ask_ping(&witness, 1) != 0)
		return -1;
	return witness.go_aways == 0 ? 0 : client_fail(&witness, "the relay sent it a GoAway");
}

static long fixture_descriptors; /* of netproc, with the witness connected */

static int fixture_witness_begin(void)
{
	struct relay_answer answer;

	if (peer_open(&witness, relay.port) != 0 || ask_reserve(&witness, true, &answer) != 0)
		return -1;
	return answer.status == CIRCUIT_OK ? 0 : client_fail(&witness, "status %d", answer.status);
}

/* --- groups and tests --- */

int fixture_begin(const char *const *settings)
{
	signal(SIGPIPE, SIG_IGN);
	memset(fixture_reasons, 0, sizeof(fixture_reasons));
	if (sodium_init() < 0 || daemon_prepare(&relay) != 0 || daemon_start(&relay, settings) != 0) {
		fprintf(stderr, "%s (exit code %d)\n%s\n", relay.error, relay.exit_code, daemon_tail(&relay));
		return -1;
	}
	if (fixture_witness_begin() != 0) {
		fprintf(stderr, "the witness: %s\n%s\n", witness.error, daemon_tail(&relay));
		return -1;
	}
	fixture_descriptors = daemon_descriptors(&relay, "netproc");
	return 0;
}

/* Each close reason that a test saw in the log stands in the counters at least as often. */
static int fixture_check_counters(void)
{
	static char names[FIXTURE_REASONS][120];
	const char *list[FIXTURE_REASONS] = {0};
	uint64_t values[FIXTURE_REASONS];
	size_t count = 0;
	int wrong = 0;

	for (; count < FIXTURE_REASONS && fixture_reasons[count].text; count++) {
		snprintf(names[count], sizeof(names[count]), "dusk_relay_closed_total{reason=\"%s\"}",
			 fixture_reasons[count].text);
		list[count] = names[count];
	}
	daemon_counters(&relay, list, values, count);
	for (size_t i = 0; i < count; i++) {
		if (values[i] >= fixture_reasons[i].count)
			continue;
		fprintf(stderr, "the daemon: %s is %llu, %llu were seen\n", names[i],
			(unsigned long long)values[i], (unsigned long long)fixture_reasons[i].count);
		wrong = -1;
	}
	return wrong;
}

/* Once all peers but the witness have gone, netproc has as many descriptors as in the beginning. */
static int fixture_check_descriptors(void)
{
	int64_t end = client_now() + 5000;
	long now;

	do
		now = daemon_descriptors(&relay, "netproc");
	while (now > fixture_descriptors && client_now() < end);
	if (now <= fixture_descriptors)
		return 0;
	fprintf(stderr, "the daemon: netproc has %ld descriptors, %ld in the beginning\n", now,
		fixture_descriptors);
	return -1;
}

/* No test is a reason for an error, and no address of a peer may reach the log. */
static int fixture_check_log(void)
{
	static const char *const never[] = {" ERROR ", "127.0.0.", "::1"};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		const char *line = daemon_find_line(&relay, never[i]);

		if (!line)
			continue;
		fprintf(stderr, "the daemon logged what it never should: %s\n", line);
		wrong = -1;
	}
	return wrong;
}

static int fixture_check_all(void)
{
	int wrong = fixture_check_counters();

	wrong |= fixture_check_descriptors();
	return wrong | fixture_check_log();
}

int fixture_group_end(void **state)
{
	int wrong = relay.pid > 0 ? fixture_check_all() : -1;

	(void)state;
	client_free(&witness);
	if (daemon_stop(&relay) != 0) {
		fprintf(stderr, "%s\n%s\n", relay.error, daemon_tail(&relay));
		wrong = -1;
	}
	daemon_remove(&relay);
	return wrong;
}

/* What a failed test left open would be counted by the next one: everything above this descriptor is a test's
 * own. */
static int fixture_first_descriptor;

static void fixture_remember_descriptors(void)
{
	fixture_first_descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(fixture_first_descriptor);
}

int fixture_test_begin(void **state)
{
	(void)state;
	fixture_remember_descriptors();
	daemon_mark(&relay);
	return relay.pid > 0 ? 0 : -1;
}

int fixture_test_end(void **state)
{
	(void)state;
	syscall(SYS_close_range, (unsigned)fixture_first_descriptor, ~0u, 0);
	if (daemon_wait(&relay, 0) == 0) {
		fprintf(stderr, "the daemon ended with %d\n%s\n", relay.exit_code, daemon_tail(&relay));
		return -1;
	}
	if (fixture_witness_is_well() == 0)
		return 0;
	fprintf(stderr, "the witness was disturbed: %s\n%s\n", witness.error, daemon_tail(&relay));
	return -1;
}

bool fixture_slow(const char *what)
{
	if (getenv("E2E_SLOW"))
		return true;
	printf("left out, needs E2E_SLOW=1: %s\n", what);
	return false;
}

/* --- what tests begin with --- */

void fixture_connect(struct client *c)
{
	EXPECT(c, peer_open(c, relay.port));
}

void fixture_reserve(struct client *c)
{
	struct relay_answer answer;

	fixture_connect(c);
	EXPECT(c, ask_reserve(c, true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
}

struct fixture_connecting {
	struct client *b;
	struct exchange *source;
	struct exchange *destination;
	struct relay_answer answer;
	int found;
};

static bool fixture_connected(void *argument)
{
	struct fixture_connecting *w = argument;
	struct stop_request request;

	if (!w->destination) {
		w->destination = accept_stop_ready(w->b, &request);
		if (w->destination)
			accept_stop_answer(w->destination, CIRCUIT_OK);
	}
	if (w->found == 0)
		w->found = ask_relay_read(w->source, &w->answer);
	return w->found != 0;
}

struct exchange *fixture_circuit(struct client *a, struct client *b, struct exchange *x)
{
	struct fixture_connecting w = {.b = b, .source = x};
	struct client *both[] = {a, b};

	EXPECT(a, client_open(a, x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(x, &b->identity.id);
	EXPECT(a, client_wait_all(both, 2, fixture_connected, &w, PEER_TIMEOUT_MS, "a circuit"));
	EXPECT_TRUE(w.found > 0);
	EXPECT_STATUS(CIRCUIT_OK, w.answer.status);
	EXPECT_TRUE(w.destination != NULL);
	return w.destination;
}

void fixture_end_circuit(struct exchange *x, struct exchange *y)
{
	exchange_close(x);
	exchange_close(y);
	free(y);
}

void fixture_expect_connections(uint64_t count)
{
	int64_t end = client_now() + 5000;
	uint64_t open;

	do
		open = daemon_counter(&relay, "dusk_relay_connections");
	while (open != count && client_now() < end);
	EXPECT_STATUS((int)count, (int)open);
}
