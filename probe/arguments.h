/* SPDX-License-Identifier: MIT
 *
 * The command line of probe. Called by main.c. Trusts nothing: a line that makes no sense is refused with the
 * usage text.
 */
#ifndef PROBE_ARGUMENTS_H
#define PROBE_ARGUMENTS_H

#include <stdbool.h>

#define ARGUMENTS_TIMEOUT_SECONDS 5

struct arguments {
	const char *multiaddr;
	int timeout_seconds;
	bool health; /* one line only; a full relay is healthy */
	bool help;
};

/* NULL, or what is wrong with the line. */
const char *arguments_parse(struct arguments *a, int count, char **words);
void arguments_usage(bool to_stdout);

#endif
