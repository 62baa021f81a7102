/* SPDX-License-Identifier: MIT
 *
 * For test programs whose tests start the daemon themselves, each with settings of its own.
 */
#include "tests/e2e/fixture.h"

#include <signal.h>
#include <sodium.h>

int fixture_bare_begin(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return sodium_init() < 0 || daemon_prepare(&relay) != 0 ? -1 : 0;
}

int fixture_bare_end(void **state)
{
	(void)state;
	daemon_remove(&relay);
	return 0;
}

int fixture_bare_test_end(void **state)
{
	(void)state;
	if (relay.pid > 0)
		daemon_stop(&relay);
	return 0;
}

void fixture_start(const char *const *settings)
{
	if (daemon_start(&relay, settings) != 0)
		fixture_fail(__FILE__, __LINE__, "the daemon's start", relay.error);
}

void fixture_stop(void)
{
	EXPECT(&relay, daemon_stop(&relay));
}
