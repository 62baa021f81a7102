/* SPDX-License-Identifier: MIT
 *
 * probe: tries a relay the way a client would and names the step that fails. Run by `dusk-relay probe` and
 * `dusk-relay health`.
 */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>

#include "probe/arguments.h"
#include "probe/steps.h"

int main(int count, char **words)
{
	struct arguments a;
	const char *wrong = arguments_parse(&a, count, words);

	if (wrong) {
		fprintf(stderr, "probe: %s\n", wrong);
		arguments_usage(false);
		return 64;
	}
	if (a.help) {
		arguments_usage(true);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0) {
		fputs("probe: the crypto library does not start\n", stderr);
		return 1;
	}
	return steps_run(&a);
}
