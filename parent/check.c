/* SPDX-License-Identifier: MIT
 *
 * `dusk-relay check`: what a start would find here, one line for each thing, "ok", "warn" or "fail" first.
 * Changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "imsg/harden.h"
#include "parent/commands.h"
#include "parent/date.h"
#include "parent/exit.h"
#include "parent/limits.h"
#include "parent/sandbox.h"
#include "parent/spawn.h"
#include "parent/users.h"

#define CHECK_CLOCK_LEAST INT64_C(1767225600) /* 2026-01-01: no clock of a running machine shows less */

enum check_result { CHECK_OK, CHECK_WARN, CHECK_FAIL };

static void check_say(enum check_result *worst, enum check_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void check_say(enum check_result *worst, enum check_result result, const char *format, ...)
{
	static const char *const words[] = {"ok  ", "warn", "fail"};
	va_list arguments;

	*worst = result > *worst ? result : *worst;
	printf("%s  ", words[result]);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

/* Settings that are not at their default, and what the settings' reader had to say. */
static void check_settings(struct parent *parent, enum check_result *worst)
{
	static const char *const sources[] = {"default", "environment", "flag"};
	const struct settings *settings = &parent->settings;

	for (size_t i = 0; i < settings->note_count; i++)
		check_say(worst, CHECK_WARN, "settings: %s", settings->notes[i]);
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (settings->raw[i] != NULL)
			check_say(worst, CHECK_OK, "settings: %s=%s (%s)", settings_variable(i),
				  settings->raw[i], sources[settings->source[i]]);
	}
}

static void check_external(struct parent *parent, enum check_result *worst)
{
	const struct external_list *list = &parent->settings.external;
	char text[MULTIADDR_TEXT_MAX];

	if (list->count == 0)
		check_say(
		    worst, CHECK_WARN,
		    "external address: none; set DUSK_RELAY_EXTERNAL_ADDR=/dns4/relay.example.org/tcp/%u",
		    parent->settings.port);
	for (size_t i = 0; i < list->count; i++) {
		bool closed = multiaddr_is_private(list->address[i].bytes, list->address[i].len);

		multiaddr_to_text(list->address[i].bytes, list->address[i].len, text);
		check_say(worst, closed ? CHECK_WARN : CHECK_OK, "external address: %s%s", text,
			  closed ? " (private: not reachable from elsewhere)" : "");
	}
}

/* `setting` asks for them. */
static void check_sockets(const char *setting, struct listen_set *set, const struct listen_wish *wish,
			  uint16_t port, enum check_result *worst)
{
	if (listen_open(set, wish, port, setting) != 0) {
		check_say(worst, CHECK_WARN, "%s: %s (a relay that runs already?)", setting, set->error);
		return;
	}
	for (size_t i = 0; i < set->note_count; i++)
		check_say(worst, CHECK_WARN, "%s: %s", setting, set->note[i]);
	check_say(worst, CHECK_OK, "%s: %zu sockets on port %u can be had", setting, set->count,
		  listen_port(&set->address[0]));
	listen_close(set);
}

static void check_listen(struct parent *parent, enum check_result *worst)
{
	const struct settings *settings = &parent->settings;

	check_sockets("DUSK_RELAY_LISTEN", &parent->listeners, &settings->listen, settings->port, worst);
	if (settings->metrics.count > 0)
		check_sockets("DUSK_RELAY_METRICS", &parent->page, &settings->metrics, 0, worst);
}

static void check_resources(struct parent *parent, enum check_result *worst)
{
	uint64_t wanted = parent->settings.net.max_connections;
	uint64_t fits = limits_descriptors(wanted);
	uint64_t memory =
	    parent->settings.net.max_memory != 0 ? parent->settings.net.max_memory : limits_memory();

	check_say(worst, fits < wanted ? CHECK_WARN : CHECK_OK,
		  "descriptors: enough for %" PRIu64 " of %" PRIu64 " connections", fits, wanted);
	check_say(worst, CHECK_OK, "memory: budget %" PRIu64 " MiB", memory >> 20);
}

static void check_key(struct parent *parent, enum check_result *worst)
{
	struct keydir *keydir = &parent->keydir;
	struct stat file;
	int folder;

	if (keydir_resolve(keydir, &parent->settings) != 0) {
		check_say(worst, CHECK_FAIL, "key: the path is too long");
		return;
	}
	folder = keydir_open(keydir, false);
	if (folder < 0) {
		check_say(worst, errno == ENOENT ? CHECK_WARN : CHECK_FAIL, "key: folder %s: %s",
			  keydir->folder, strerror(errno));
		return;
	}
	const char *name = keydir->place == IMSG_KEY_IN_CWD ? "relay_keypair" : "keypair";
	if (fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) != 0)
		check_say(worst, CHECK_WARN, "key: %s: %s; a start would make a new identity", keydir->file,
			  strerror(errno));
	else
		check_say(worst, S_ISREG(file.st_mode) && file.st_size == 68 ? CHECK_OK : CHECK_FAIL,
			  "key: %s: %lld bytes, owner %u, mode %04o; dusk-relay peer-id reads it",
			  keydir->file, (long long)file.st_size, file.st_uid, file.st_mode & 07777);
	close(folder);
}

static void check_clock(enum check_result *worst)
{
	char text[DATE_TEXT];
	int64_t now = time(NULL);

	date_text(text, now);
	check_say(worst, now < CHECK_CLOCK_LEAST ? CHECK_FAIL : CHECK_OK, "clock: %s%s", text,
		  now < CHECK_CLOCK_LEAST ? ": wrong; clients refuse reservations that end in their past"
					  : "");
}

static void check_programs(const struct parent *parent, enum check_result *worst)
{
	static const char *const names[] = {"keyproc", "netproc", "probe", "metrics"};
	size_t needed = sizeof(names) / sizeof(names[0]) - (parent->settings.metrics.count > 0 ? 0 : 1);

	for (size_t i = 0; i < needed; i++) {
		struct spawn_program program;
		char error[512];

		if (spawn_open(&program, names[i], error, sizeof(error)) != 0) {
			check_say(worst, CHECK_FAIL, "%s", error);
			continue;
		}
		check_say(worst, CHECK_OK, "program %s", program.path);
		close(program.fd);
	}
}

struct check_lock {
	uint32_t layers;
	int error;
	char step[32];
};

/* A child locks itself the way the relay would and says how far it came. */
static void check_lock_child(int out, const struct settings *settings)
{
	bool root = users_can_change(settings);
	const struct harden_user user = {.user = root ? settings->net_user.user : 0,
					 .group = root ? settings->net_user.group : 0};
	struct check_lock lock = {0};
	const char *step = "";

	if (harden_lock(parent_calls, parent_call_count, &parent_limits, &user, true, &lock.layers, &step) !=
	    0) {
		lock.error = errno;
		strncpy(lock.step, step, sizeof(lock.step) - 1);
	}
	ssize_t written = write(out, &lock, sizeof(lock));
	_exit(written == sizeof(lock) ? 0 : 1);
}

static void check_confinement(struct parent *parent, enum check_result *worst)
{
	struct check_lock lock = {.error = EIO};
	char layers[256];
	int pipe_fds[2];

	if (pipe(pipe_fds) != 0)
		return;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		check_lock_child(pipe_fds[1], &parent->settings);
	close(pipe_fds[1]);
	if (read(pipe_fds[0], &lock, sizeof(lock)) != sizeof(lock))
		lock.error = EIO;
	close(pipe_fds[0]);
	waitpid(pid, NULL, 0);
	harden_layers_text(lock.layers, layers, sizeof(layers));
	if (lock.error != 0)
		check_say(worst, CHECK_FAIL, "confinement: failed at %s: %s", lock.step,
			  strerror(lock.error));
	else
		check_say(worst, harden_enough(lock.layers) ? CHECK_OK : CHECK_FAIL, "confinement: %s%s",
			  layers, harden_enough(lock.layers) ? "" : " (below the minimum: no start)");
}

int command_check(struct parent *parent, char *const *arguments)
{
	enum check_result worst = CHECK_OK;
	int status = commands_load(parent, arguments);

	if (status != 0)
		return status;
	check_settings(parent, &worst);
	check_external(parent, &worst);
	check_listen(parent, &worst);
	check_resources(parent, &worst);
	check_key(parent, &worst);
	check_clock(&worst);
	check_programs(parent, &worst);
	check_confinement(parent, &worst);
	return worst == CHECK_FAIL ? EXIT_SETTINGS : EXIT_DRAINED;
}
