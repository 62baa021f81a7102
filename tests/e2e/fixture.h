/* SPDX-License-Identifier: MIT
 *
 * What the e2e test programs share: one daemon for each program, a witness that must not be disturbed by any
 * test, checks that name what went wrong, and the close reasons that tests expect. Called by every test_*.c.
 */
#ifndef TESTS_E2E_FIXTURE_H
#define TESTS_E2E_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/e2e/daemon.h"
#include "tests/peer/peer.h"

extern struct daemon relay;   /* the daemon of this program */
extern struct client witness; /* an honest peer with a reservation, there all the time */

/* Fails the test with the peer's own words and the end of the daemon's log. */
void fixture_fail(const char *file, int line, const char *what, const char *why);

/* `call` gives 0 when it went well; `who` has an `error`. */
#define EXPECT(who, call)                                                                                    \
	do {                                                                                                 \
		if ((call) != 0)                                                                             \
			fixture_fail(__FILE__, __LINE__, #call, (who)->error);                               \
	} while (0)
#define EXPECT_TRUE(condition)                                                                               \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			fixture_fail(__FILE__, __LINE__, #condition, "is not so");                           \
	} while (0)
#define EXPECT_STATUS(wanted, got)                                                                           \
	do {                                                                                                 \
		int fixture_got = (got);                                                                     \
		if (fixture_got != (wanted))                                                                 \
			fixture_fail(__FILE__, __LINE__, #got, fixture_number(fixture_got));                 \
	} while (0)
const char *fixture_number(long long number);

/* The connection of a test was closed for this reason: a log line now, and the counter at the end of the
 * program. */
#define EXPECT_CLOSED(reason)		 fixture_expect_closed(__FILE__, __LINE__, reason, 2000)
#define EXPECT_CLOSED_WITHIN(reason, ms) fixture_expect_closed(__FILE__, __LINE__, reason, ms)
void fixture_expect_closed(const char *file, int line, const char *reason, int timeout_ms);
/* The same for a stream's reason. */
#define EXPECT_STREAM_CLOSED(reason) fixture_expect_stream_closed(__FILE__, __LINE__, reason)
void fixture_expect_stream_closed(const char *file, int line, const char *reason);

/* For test groups: a daemon with these settings and the witness; at the end the counters, and exit 0 at
 * SIGTERM. */
int fixture_begin(const char *const *settings);
int fixture_group_end(void **state);
/* Before and after each test: marks the log; the witness is as it was. */
int fixture_test_begin(void **state);
int fixture_test_end(void **state);
#define E2E_TEST(function) cmocka_unit_test_setup_teardown(function, fixture_test_begin, fixture_test_end)
/* For groups whose tests start the daemon themselves; what a failed test left running is stopped
 * (fixture_bare.c). */
int fixture_bare_begin(void **state);
int fixture_bare_end(void **state);
int fixture_bare_test_end(void **state);
#define E2E_BARE_TEST(function) cmocka_unit_test_teardown(function, fixture_bare_test_end)
void fixture_start(const char *const *settings);
void fixture_stop(void);
/* For slow tests: true when E2E_SLOW is set; says so otherwise. */
bool fixture_slow(const char *what);
/* A client with an open session; fails the test otherwise. */
void fixture_connect(struct client *c);
/* Connected and reserved. */
void fixture_reserve(struct client *c);
/* A circuit from `a` to `b`, both ends open: `x` at a, the result at b (to be closed and freed by
 * fixture_end_circuit). */
struct exchange *fixture_circuit(struct client *a, struct client *b, struct exchange *x);
void fixture_end_circuit(struct exchange *x, struct exchange *y);
/* Waits until the gauge of open connections is `count` (the witness is one). */
void fixture_expect_connections(uint64_t count);

#endif
