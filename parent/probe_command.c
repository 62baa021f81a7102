/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "parent/commands.h"
#include "parent/exit.h"
#include "parent/spawn.h"

#define PROBE_ARGUMENTS 64

/* Becomes the program probe with these arguments behind its name. */
static int probe_become(char *const *arguments)
{
	struct spawn_program program;
	char *list[PROBE_ARGUMENTS + 2] = {"probe"};
	char error[512];
	size_t count = 0;

	while (count < PROBE_ARGUMENTS && arguments[count] != NULL) {
		list[count + 1] = arguments[count];
		count++;
	}
	if (arguments[count] != NULL) {
		fputs("dusk-relay: too many arguments\n", stderr);
		return EXIT_USAGE;
	}
	if (spawn_open(&program, "probe", error, sizeof(error)) != 0) {
		fprintf(stderr, "dusk-relay: %s\n", error);
		return EXIT_FAILED;
	}
	spawn_become(&program, list);
	fprintf(stderr, "dusk-relay: program %s: %s\n", program.path, strerror(errno));
	return EXIT_FAILED;
}

int command_probe(struct parent *parent, char *const *arguments)
{
	(void)parent;
	return probe_become(arguments);
}

/* Where a relay with these settings is reached from the same machine. */
static int probe_local(char text[MULTIADDR_TEXT_MAX], const struct settings *settings)
{
	union listen_address address = settings->listen.item[0].address;
	uint16_t port = settings->listen.item[0].port_named ? listen_port(&address) : settings->port;
	struct multiaddr multiaddr;

	if (port == 0)
		return -1;
	if (address.any.sa_family == AF_INET) {
		if (address.four.sin_addr.s_addr == htonl(INADDR_ANY))
			address.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address.four.sin_port = htons(port);
	} else {
		if (IN6_IS_ADDR_UNSPECIFIED(&address.six.sin6_addr))
			address.six.sin6_addr = in6addr_loopback;
		address.six.sin6_port = htons(port);
	}
	listen_multiaddr(&multiaddr, &address);
	if (settings->peer_id.len > 0)
		multiaddr_append_p2p(&multiaddr, &settings->peer_id);
	return multiaddr_to_text(multiaddr.bytes, multiaddr.len, text);
}

int command_health(struct parent *parent, char *const *arguments)
{
	char address[MULTIADDR_TEXT_MAX];
	char *list[] = {"--health", address, NULL};
	int status = commands_load(parent, arguments);

	if (status != 0)
		return status;
	if (probe_local(address, &parent->settings) != 0) {
		fputs("dusk-relay: DUSK_RELAY_PORT is 0: nobody can know the port; use dusk-relay probe\n",
		      stderr);
		return EXIT_SETTINGS;
	}
	return probe_become(list);
}
