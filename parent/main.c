/* SPDX-License-Identifier: MIT
 *
 * dusk-relay: a libp2p relay and rendezvous point. This is the supervisor: it reads the settings, opens the
 * listening sockets, starts keyproc (holds the keys) and netproc (meets strangers), writes their log, and
 * ends when one of them does. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parent/commands.h"
#include "parent/exit.h"
#include "parent/settings_text.h"

static int main_help(struct parent *parent, char *const *arguments);

static const struct {
	const char *name;
	int (*run)(struct parent *parent, char *const *arguments);
	const char *arguments; /* NULL: not in --help */
	const char *help;
} main_commands[] = {
    {"run", command_run, "[flags]", "run the relay (also without any command)"},
    {"health", command_health, "[flags]", "ask the relay on this machine whether it serves"},
    {"probe", command_probe, "MULTIADDR ...", "try a relay from anywhere, step by step"},
    {"check", command_check, "[flags]", "say what a start would find here"},
    {"peer-id", command_peer_id, "[flags]", "print the peer id of the key"},
    {"version", command_version, "", "print the version and the libraries"},
    {"settings", command_settings, NULL, NULL},
    {"help", main_help, NULL, NULL},
    {"--help", main_help, NULL, NULL},
    {"-h", main_help, NULL, NULL},
    {"--version", command_version, NULL, NULL},
};

#define MAIN_COMMANDS (sizeof(main_commands) / sizeof(main_commands[0]))

static int main_help(struct parent *parent, char *const *arguments)
{
	(void)parent;
	(void)arguments;
	puts("usage: dusk-relay [command] [flags]\n\ncommands:");
	for (size_t i = 0; i < MAIN_COMMANDS; i++) {
		if (main_commands[i].arguments != NULL)
			printf("  %-8s %-14s %s\n", main_commands[i].name, main_commands[i].arguments,
			       main_commands[i].help);
	}
	puts("\nsettings, from the environment or by flag (--flag value, --flag=value):");
	return settings_print("--help") == 0 ? EXIT_DRAINED : EXIT_FAILED;
}

/* 0, 1 and 2 must exist: what is opened later would land there. */
static void main_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

int main(int argc, char **argv)
{
	static struct parent parent;

	main_descriptors();
	if (argc < 2 || (argv[1][0] == '-' && argv[1][1] == '-' && strcmp(argv[1], "--help") != 0 &&
			 strcmp(argv[1], "--version") != 0))
		return command_run(&parent, argv + (argc > 0 ? 1 : 0));
	for (size_t i = 0; i < MAIN_COMMANDS; i++) {
		if (strcmp(argv[1], main_commands[i].name) == 0)
			return main_commands[i].run(&parent, argv + 2);
	}
	fputs("dusk-relay: no such command; see dusk-relay --help\n", stderr);
	return EXIT_USAGE;
}
