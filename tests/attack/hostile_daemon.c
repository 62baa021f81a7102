/* SPDX-License-Identifier: MIT */
#include "tests/attack/hostile_daemon.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/attack/live_tree.h"

void hostile_daemon_spawn(struct hostile_daemon *hostile)
{
	static const char *const settings[] = {"RUST_LOG=debug", NULL};
	const struct live_daemon_wish wish = {.build = live_tree_path(),
					      .settings = settings,
					      .page = hostile->process == IMSG_PROCESS_METRICS};
	char path[120];

	snprintf(path, sizeof(path), "%s/libexec/dusk-relay/" HOSTILE_SCRIPT, live_tree_path());
	/* A new file: one that has not read the last script yet still has it. */
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (fd < 0 ||
	    write(fd, &hostile->script, sizeof(hostile->script)) != (ssize_t)sizeof(hostile->script) ||
	    live_daemon_spawn(&hostile->live, &wish) != 0)
		attack_fail("the daemon cannot be started");
	close(fd);
}

/* Every line of the log is the parent's: it begins with its bracket, or is one of the two things printed on
 * stdout. */
static void lines_are_the_parents(const struct live_daemon *live, const char *what)
{
	for (const char *at = live->said; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t len = strcspn(at, "\n");

		if (len == 0 || at[0] == '[' || strncmp(at, "  relay address: ", 17) == 0 ||
		    strncmp(at, "  external address", 18) == 0)
			continue;
		attack_fail("%s: a line that is not the parent's: %.*s", what, (int)len, at);
		return;
	}
	for (const char *at = live->said; *at != '\0'; at++) {
		if (((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7f) {
			attack_fail("%s: a control character %02x reached the log", what, (unsigned char)*at);
			return;
		}
	}
	attack_pass();
}

void hostile_daemon_end(struct hostile_daemon *hostile, const char *what)
{
	lines_are_the_parents(&hostile->live, what);
	live_daemon_end(&hostile->live);
}

void hostile_daemon_breach(struct hostile_daemon *hostile, const char *what)
{
	struct live_daemon *live = &hostile->live;
	char line[80];

	snprintf(line, sizeof(line), "%s broke the rules of its channel", hostile->name);
	hostile_daemon_spawn(hostile);
	struct attack_end end = live_daemon_wait(live, 15000);

	attack_check(!end.hung && end.signal == 0 && end.status == 1, "%s: parent: %s", what,
		     attack_end_text(end));
	attack_check(strstr(live->said, line) != NULL, "%s: the log does not say so: %.400s", what,
		     live->said_len > 400 ? live->said + live->said_len - 400 : live->said);
	hostile_daemon_end(hostile, what);
}

void hostile_daemon_term(struct hostile_daemon *hostile, const char *what)
{
	kill(hostile->live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&hostile->live, 15000);

	attack_check(!end.hung && end.signal == 0 && end.status == 0, "%s: SIGTERM: %s", what,
		     attack_end_text(end));
	hostile_daemon_end(hostile, what);
}

static bool is_right(const struct hostile_daemon *hostile, const struct imsg_row *row, size_t size,
		     bool after_ready)
{
	if (row == NULL || row->receiver != IMSG_PROCESS_PARENT || row->sender != hostile->process ||
	    row->size != size)
		return false;
	return row->phase == IMSG_PHASE_ANY || (row->phase == IMSG_PHASE_RUN) == after_ready;
}

void hostile_daemon_types(struct hostile_daemon *hostile, bool after_ready)
{
	char what[120];

	for (unsigned type = 0; type <= IMSG_TYPE_COUNT; type++) {
		const struct imsg_row *row = imsg_row_of((uint16_t)type);
		size_t right = row == NULL ? 0 : row->size;
		const size_t sizes[] = {0, right > 0 ? right - 1 : 1, right, right + 1};

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			if (is_right(hostile, row, sizes[i], after_ready) ||
			    (i > 0 && sizes[i] == sizes[i - 1]))
				continue;
			hostile->script = (struct hostile_script){.act = HOSTILE_MESSAGE,
								  .after_ready = after_ready,
								  .type = type,
								  .size = (uint32_t)sizes[i]};
			snprintf(what, sizeof(what), "%s with %zu bytes %s READY",
				 imsg_type_name((uint16_t)type), sizes[i], after_ready ? "after" : "before");
			hostile_daemon_breach(hostile, what);
		}
	}
}

void hostile_daemon_junk(struct hostile_daemon *hostile)
{
	static const uint32_t sizes[] = {1, 15, 16, 17, 1000, 4095, 4096};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		hostile->script =
		    (struct hostile_script){.act = HOSTILE_RAW, .after_ready = 1, .size = sizes[i]};
		hostile_daemon_breach(hostile, "junk");
	}
}

void hostile_daemon_message(struct hostile_daemon *hostile, const char *what, bool after_ready,
			    enum imsg_type type, const void *payload)
{
	size_t size = imsg_row_of((uint16_t)type)->size;

	hostile->script = (struct hostile_script){
	    .act = HOSTILE_MESSAGE, .after_ready = after_ready, .type = type, .size = (uint32_t)size};
	memcpy(hostile->script.payload, payload, size);
	hostile_daemon_breach(hostile, what);
}

struct imsg_log hostile_daemon_line(const struct hostile_daemon *hostile, const char *text, size_t len)
{
	struct imsg_log line = {
	    .event = (uint16_t)hostile->event, .text_len = (uint16_t)len, .number = {HOSTILE_NUMBER}};

	memcpy(line.text, text, len);
	return line;
}

void hostile_daemon_log(struct hostile_daemon *hostile, const char *what, const struct imsg_log *line,
			bool breach)
{
	hostile->script = (struct hostile_script){.act = HOSTILE_LOG, .after_ready = 1};
	memcpy(hostile->script.payload, line, sizeof(*line));
	if (breach) {
		hostile_daemon_breach(hostile, what);
		return;
	}
	hostile_daemon_spawn(hostile);
	attack_check(live_daemon_says(&hostile->live, hostile->shown, 10000),
		     "%s: the line is missing: %.300s", what, hostile->live.said);
	hostile_daemon_term(hostile, what);
}

void hostile_daemon_log_flood(struct hostile_daemon *hostile, const char *what, enum log_event event)
{
	struct imsg_log line = hostile_daemon_line(hostile, HOSTILE_FORGED, strlen(HOSTILE_FORGED));

	line.event = (uint16_t)event;
	hostile->script = (struct hostile_script){.act = HOSTILE_LOG_FLOOD, .after_ready = 1, .size = 100};
	memcpy(hostile->script.payload, &line, sizeof(line));
	hostile_daemon_spawn(hostile);
	attack_check(live_daemon_says(&hostile->live, "confinement parent=", 10000), "%s: no start", what);
	/* Nobody reads for a while: the parent must not stand still for that. */
	usleep(500000);
	kill(hostile->live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&hostile->live, 15000);

	attack_check(!end.hung && end.signal == 0, "%s: SIGTERM: %s", what, attack_end_text(end));
	hostile_daemon_end(hostile, what);
}

static size_t descriptors_of(pid_t pid)
{
	char path[64];
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);

	while (folder != NULL && readdir(folder) != NULL)
		count++;
	if (folder != NULL)
		closedir(folder);
	return count < 2 ? 0 : count - 2;
}

void hostile_daemon_descriptors(struct hostile_daemon *hostile)
{
	struct imsg_log line = hostile_daemon_line(hostile, HOSTILE_FORGED, strlen(HOSTILE_FORGED));
	/* 0-2, signalfd, a channel to each child. */
	size_t wanted = hostile->process == IMSG_PROCESS_METRICS ? 7 : 6;

	hostile->script = (struct hostile_script){.act = HOSTILE_DESCRIPTOR, .after_ready = 1, .size = 20};
	memcpy(hostile->script.payload, &line, sizeof(line));
	hostile_daemon_spawn(hostile);
	attack_check(live_daemon_says(&hostile->live, hostile->shown, 10000),
		     "descriptors: the line is missing");
	usleep(100000);
	size_t held = descriptors_of(hostile->live.pid);

	/* Only CAP_SYS_PTRACE may count them. */
	attack_check(held == wanted || !attack_may_look_inside(),
		     "descriptors: the parent holds %zu, not %zu", held, wanted);
	hostile_daemon_term(hostile, "descriptors");
}

void hostile_daemon_lies(struct hostile_daemon *hostile)
{
	static const uint32_t weak =
	    HARDEN_NO_NEW_PRIVS | HARDEN_NOT_DUMPABLE | HARDEN_NO_CAPABILITIES | HARDEN_LANDLOCK;
	struct attack_end end;

	hostile->script = (struct hostile_script){.act = HOSTILE_WEAK};
	memcpy(hostile->script.payload, &weak, sizeof(weak));
	hostile_daemon_spawn(hostile);
	end = live_daemon_wait(&hostile->live, 10000);
	attack_check(end.status == 78, "no filter: parent: %s", attack_end_text(end));
	hostile_daemon_end(hostile, "no filter");
	hostile->script = (struct hostile_script){.act = HOSTILE_EXIT, .size = 78};
	hostile_daemon_spawn(hostile);
	end = live_daemon_wait(&hostile->live, 10000);
	attack_check(end.status == 78, "exit 78 before READY: parent: %s", attack_end_text(end));
	hostile_daemon_end(hostile, "exit before READY");
}
