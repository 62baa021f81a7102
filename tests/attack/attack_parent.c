/* SPDX-License-Identifier: MIT
 *
 * A hostile netproc against the live parent: the real daemon, with another program in netproc's place. Every
 * type and size before and after READY, repetitions, junk, forged and flooding log lines, a lie about its
 * confinement, silence. A breach ends the daemon with status 1 and a line that says so; no text of netproc's
 * makes a line of its own; nobody is left behind.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "imsg/imsg.h"
#include "tests/attack/hostile.h"
#include "tests/attack/live_daemon.h"
#include "tests/attack/live_tree.h"

#define FORGED "forged"

static struct live_daemon live;
static struct hostile_script script;

static void spawn(void)
{
	static const char *const settings[] = {"RUST_LOG=debug", NULL};
	const struct live_daemon_wish wish = {.build = live_tree_path(), .settings = settings};
	char path[120];

	snprintf(path, sizeof(path), "%s/libexec/dusk-relay/" HOSTILE_SCRIPT, live_tree_path());
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, &script, sizeof(script)) != (ssize_t)sizeof(script) ||
	    live_daemon_spawn(&live, &wish) != 0)
		attack_fail("the daemon cannot be started");
	close(fd);
}

/* Every line of the log is the parent's: it begins with its bracket, or is one of the two things printed on
 * stdout. */
static void lines_are_the_parents(const char *what)
{
	for (const char *at = live.said; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t len = strcspn(at, "\n");

		if (len == 0 || at[0] == '[' || strncmp(at, "  relay address: ", 17) == 0 ||
		    strncmp(at, "  external address", 18) == 0)
			continue;
		attack_fail("%s: a line that is not the parent's: %.*s", what, (int)len, at);
		return;
	}
	for (const char *at = live.said; *at != '\0'; at++) {
		if (((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7f) {
			attack_fail("%s: a control character %02x reached the log", what, (unsigned char)*at);
			return;
		}
	}
	attack_pass();
}

static void finish(const char *what)
{
	lines_are_the_parents(what);
	live_daemon_end(&live);
}

/* The act is a breach: the daemon ends with 1 and says so. */
static void breach_by(const char *what)
{
	spawn();
	struct attack_end end = live_daemon_wait(&live, 15000);

	attack_check(!end.hung && end.signal == 0 && end.status == 1, "%s: parent: %s", what,
		     attack_end_text(end));
	attack_check(strstr(live.said, "netproc broke the rules of its channel") != NULL,
		     "%s: the log does not say so: %.400s", what,
		     live.said_len > 400 ? live.said + live.said_len - 400 : live.said);
	finish(what);
}

static bool is_right(const struct imsg_row *row, size_t size, bool after_ready)
{
	if (row == NULL || row->receiver != IMSG_PROCESS_PARENT || row->sender != IMSG_PROCESS_NETPROC ||
	    row->size != size)
		return false;
	return row->phase == IMSG_PHASE_ANY || (row->phase == IMSG_PHASE_RUN) == after_ready;
}

static void every_type_and_size(bool after_ready)
{
	char what[120];

	for (unsigned type = 0; type <= IMSG_TYPE_COUNT; type++) {
		const struct imsg_row *row = imsg_row_of((uint16_t)type);
		size_t right = row == NULL ? 0 : row->size;
		const size_t sizes[] = {0, right > 0 ? right - 1 : 1, right, right + 1};

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			if (is_right(row, sizes[i], after_ready) || (i > 0 && sizes[i] == sizes[i - 1]))
				continue;
			script = (struct hostile_script){.act = HOSTILE_MESSAGE,
							 .after_ready = after_ready,
							 .type = type,
							 .size = (uint32_t)sizes[i]};
			snprintf(what, sizeof(what), "%s with %zu bytes %s READY",
				 imsg_type_name((uint16_t)type), sizes[i], after_ready ? "after" : "before");
			breach_by(what);
		}
	}
}

static void junk(void)
{
	static const uint32_t sizes[] = {1, 15, 16, 17, 1000, 4095, 4096};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		script = (struct hostile_script){.act = HOSTILE_RAW, .after_ready = 1, .size = sizes[i]};
		breach_by("junk");
	}
}

/* Right messages that answer nothing, or say the impossible. */
static void wrong_values(void)
{
	struct imsg_ping ping = {.sequence = 1000};
	struct imsg_failed failed = {.status = 0, .reason = START_FAILURE_COUNT};
	struct imsg_net_ready ready = {.listeners = 99};

	script = (struct hostile_script){.act = HOSTILE_MESSAGE,
					 .after_ready = 1,
					 .type = IMSG_NET_PONG,
					 .size = sizeof(struct imsg_ping)};
	breach_by("a PONG that was not asked for");
	memcpy(script.payload, &ping, sizeof(ping));
	breach_by("a PONG from the future");
	script = (struct hostile_script){.act = HOSTILE_MESSAGE,
					 .after_ready = 1,
					 .type = IMSG_NET_STATS_ANSWER,
					 .size = sizeof(struct imsg_net_stats)};
	breach_by("counters that were not asked for");
	script = (struct hostile_script){.act = HOSTILE_MESSAGE, .after_ready = 1, .type = IMSG_NET_DRAINED};
	breach_by("DRAINED without a drain");
	script =
	    (struct hostile_script){.act = HOSTILE_MESSAGE, .type = IMSG_NET_FAILED, .size = sizeof(failed)};
	memcpy(script.payload, &failed, sizeof(failed));
	breach_by("a failure that does not exist");
	script =
	    (struct hostile_script){.act = HOSTILE_MESSAGE, .type = IMSG_NET_READY, .size = sizeof(ready)};
	memcpy(script.payload, &ready, sizeof(ready));
	breach_by("READY with other listeners");
}

/* A line's fields, and whether they are a breach. */
static void log_with(const char *what, struct imsg_log line, bool breach)
{
	script = (struct hostile_script){.act = HOSTILE_LOG, .after_ready = 1};
	memcpy(script.payload, &line, sizeof(line));
	if (breach) {
		breach_by(what);
		return;
	}
	spawn();
	attack_check(live_daemon_says(&live, FORGED, 10000), "%s: the line is missing: %.300s", what,
		     live.said);
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(!end.hung && end.signal == 0 && end.status == 0, "%s: SIGTERM: %s", what,
		     attack_end_text(end));
	finish(what);
}

static struct imsg_log line_with(const char *text, size_t len)
{
	struct imsg_log line = {.event = LOG_EVENT_REGISTERED, .text_len = (uint16_t)len};

	memcpy(line.text, text, len);
	return line;
}

static void log_lines(void)
{
	static const char feed[] = FORGED "\n[2026-01-01T00:00:00Z ERROR dusk_relay] keyproc was taken over";
	static const char escape[] = FORGED "\x1b[2J\x1b]0;title\x07\r\b\x7f\x9b"
					    "31m";
	static const char unicode[] = FORGED "\xc2\x85\xe2\x80\xae\xff\xfe\xc0\x80";
	static const char format[] = FORGED "%s%n%x {peer} {n} {setting} {reason}";
	struct imsg_log line;

	log_with("a line feed in a namespace", line_with(feed, sizeof(feed)), false);
	log_with("terminal escapes", line_with(escape, sizeof(escape)), false);
	log_with("odd UTF-8", line_with(unicode, sizeof(unicode)), false);
	log_with("formats and words of the list", line_with(format, sizeof(format)), false);
	line = line_with(FORGED, 6);
	line.event = LOG_EVENT_KEY_MLOCK;
	log_with("a line of keyproc's", line, true);
	line.event = LOG_EVENT_COUNT;
	log_with("an event beyond the list", line, true);
	line.event = UINT16_MAX;
	log_with("an event far beyond the list", line, true);
	line = line_with(FORGED, 6);
	line.text_len = IMSG_TEXT_MAX + 1;
	log_with("a text longer than its field", line, true);
	line.text_len = UINT16_MAX;
	log_with("a text far longer than its field", line, true);
	line = line_with(FORGED, 6);
	line.peer_len[1] = IMSG_PEER_MAX + 1;
	log_with("a peer id longer than its field", line, true);
	line = line_with(FORGED, 6);
	line.event = LOG_EVENT_CONNECTION_CLOSED;
	line.number[0] = CLOSE_REASON_COUNT;
	log_with("a reason beyond the list", line, true);
	line.event = LOG_EVENT_RESERVATION_REFUSED;
	line.number[1] = UINT64_MAX;
	log_with("a setting beyond the list", line, true);
}

/* Lines as fast as they go: the parent still answers SIGTERM, and warnings stay few. */
static void log_flood(enum log_event event, const char *what)
{
	struct imsg_log line = line_with(FORGED, 6);

	line.event = (uint16_t)event;
	script = (struct hostile_script){.act = HOSTILE_LOG_FLOOD, .after_ready = 1, .size = 100};
	memcpy(script.payload, &line, sizeof(line));
	spawn();
	attack_check(live_daemon_says(&live, "confinement parent=", 10000), "%s: no start", what);
	/* Nobody reads for a while: the parent must not stand still for that. */
	usleep(500000);
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 15000);

	attack_check(!end.hung && end.signal == 0, "%s: SIGTERM: %s", what, attack_end_text(end));
	finish(what);
}

/* Listeners handed to the parent, which must not end up holding one. */
static void descriptors(void)
{
	struct imsg_log line = line_with(FORGED, 6);
	char path[64];
	size_t count = 0;

	script = (struct hostile_script){.act = HOSTILE_DESCRIPTOR, .after_ready = 1, .size = 20};
	memcpy(script.payload, &line, sizeof(line));
	spawn();
	attack_check(live_daemon_says(&live, FORGED, 10000), "descriptors: the line is missing");
	usleep(100000);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)live.pid);
	DIR *folder = opendir(path);

	while (folder != NULL && readdir(folder) != NULL)
		count++;
	if (folder != NULL)
		closedir(folder);
	/* `.`, `..`, 0-2, signalfd, two channels. Only CAP_SYS_PTRACE may count them. */
	attack_check(count == 8 || !attack_may_look_inside(), "descriptors: the parent holds %zu, not 6",
		     count - 2);
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(!end.hung && end.signal == 0 && end.status == 0, "descriptors: SIGTERM: %s",
		     attack_end_text(end));
	finish("descriptors");
}

static void lies(void)
{
	static const uint32_t weak =
	    HARDEN_NO_NEW_PRIVS | HARDEN_NOT_DUMPABLE | HARDEN_NO_CAPABILITIES | HARDEN_LANDLOCK;
	struct attack_end end;

	script = (struct hostile_script){.act = HOSTILE_WEAK};
	memcpy(script.payload, &weak, sizeof(weak));
	spawn();
	end = live_daemon_wait(&live, 10000);
	attack_check(end.status == 78, "no filter: parent: %s", attack_end_text(end));
	finish("no filter");
	script = (struct hostile_script){.act = HOSTILE_EXIT, .size = 78};
	spawn();
	end = live_daemon_wait(&live, 10000);
	attack_check(end.status == 78, "exit 78 before READY: parent: %s", attack_end_text(end));
	finish("exit before READY");
}

/* Silence before READY and after it, at once: each takes the parent's patience. */
static void silences(void)
{
	static struct live_daemon silent;
	struct attack_end end;

	script = (struct hostile_script){.act = HOSTILE_SILENT};
	spawn();
	/* It has read its script when it has said nothing for so long. */
	live_daemon_says(&live, "nothing", 2000);
	silent = live;
	script = (struct hostile_script){.act = HOSTILE_DEAF, .after_ready = 1};
	spawn();
	end = live_daemon_wait(&live, 40000);
	attack_check(!end.hung && end.signal == 0 && end.status == 1, "reads nothing: parent: %s",
		     attack_end_text(end));
	finish("reads nothing");
	live = silent;
	end = live_daemon_wait(&live, 40000);
	attack_check(!end.hung && end.signal == 0 && end.status == 1, "never READY: parent: %s",
		     attack_end_text(end));
	finish("never READY");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (!live_tree_make("hostile_netproc")) {
		attack_fail("no tree for the hostile daemon");
		return attack_end("parent");
	}
	every_type_and_size(false);
	every_type_and_size(true);
	junk();
	wrong_values();
	log_lines();
	log_flood(LOG_EVENT_REGISTERED, "flood of lines");
	log_flood(LOG_EVENT_MEMORY_PRESSURE, "flood of warnings");
	descriptors();
	lies();
	silences();
	live_tree_remove();
	return attack_end("parent");
}
