/* SPDX-License-Identifier: MIT */
#include "probe/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_TIMEOUT_MAX 600

void arguments_usage(bool to_stdout)
{
	fputs("usage: dusk-relay probe [--timeout SECONDS] [--health] MULTIADDR\n"
	      "\n"
	      "Tries a relay the way a client would: connect, Noise, identify, reserve, discover, ping.\n"
	      "MULTIADDR is /ip4/HOST/tcp/PORT (or ip6, dns, dns4, dns6), with /p2p/ID to demand that peer.\n"
	      "  --timeout SECONDS  how long each step may take, 1 to 600 (5)\n"
	      "  --health           say it in one line; a relay that is full counts as healthy\n"
	      "Exit status: 0 all well, 1 a step failed, 64 wrong usage.\n",
	      to_stdout ? stdout : stderr);
}

static const char *arguments_seconds(struct arguments *a, const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = text ? strtol(text, &end, 10) : 0;
	if (!text || errno || end == text || *end || value < 1 || value > ARGUMENTS_TIMEOUT_MAX)
		return "--timeout needs a number of seconds from 1 to 600";
	a->timeout_seconds = (int)value;
	return NULL;
}

static const char *arguments_word(struct arguments *a, const char *word)
{
	if (strcmp(word, "--health") == 0)
		a->health = true;
	else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		a->help = true;
	else if (word[0] == '-')
		return "unknown option";
	else if (a->multiaddr)
		return "more than one address";
	else
		a->multiaddr = word;
	return NULL;
}

const char *arguments_parse(struct arguments *a, int count, char **words)
{
	memset(a, 0, sizeof(*a));
	a->timeout_seconds = ARGUMENTS_TIMEOUT_SECONDS;
	for (int i = 1; i < count; i++) {
		const char *wrong;

		if (strcmp(words[i], "--timeout") == 0)
			wrong = arguments_seconds(a, ++i < count ? words[i] : NULL);
		else if (strncmp(words[i], "--timeout=", 10) == 0)
			wrong = arguments_seconds(a, words[i] + 10);
		else
			wrong = arguments_word(a, words[i]);
		if (wrong)
			return wrong;
	}
	return a->multiaddr || a->help ? NULL : "no address given";
}
