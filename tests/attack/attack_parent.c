/* SPDX-License-Identifier: MIT
 *
 * A hostile netproc against the live parent: the real daemon, with another program in netproc's place. Every
 * type and size before and after READY, repetitions, junk, forged and flooding log lines, a lie about its
 * confinement, silence. A breach ends the daemon with status 1 and a line that says so; no text of netproc's
 * makes a line of its own; nobody is left behind.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/attack/hostile_daemon.h"
#include "tests/attack/live_tree.h"

static struct hostile_daemon hostile = {.process = IMSG_PROCESS_NETPROC,
					.name = "netproc",
					.event = LOG_EVENT_REGISTERED,
					.shown = HOSTILE_FORGED};

/* Right messages that answer nothing, come again, or say the impossible. */
static void wrong_values(void)
{
	const struct imsg_net_stats stats = {0};
	const struct imsg_ping none = {0}, ping = {.sequence = 1000};
	const struct imsg_failed failed = {.status = 0, .reason = START_FAILURE_COUNT};
	const struct imsg_net_ready ready = {.listeners = 99};

	hostile_daemon_message(&hostile, "a PONG that was not asked for", true, IMSG_NET_PONG, &none);
	hostile_daemon_message(&hostile, "a PONG from the future", true, IMSG_NET_PONG, &ping);
	hostile_daemon_message(&hostile, "counters that were not asked for", true, IMSG_NET_STATS_ANSWER,
			       &stats);
	hostile_daemon_message(&hostile, "DRAINED without a drain", true, IMSG_NET_DRAINED, &none);
	hostile_daemon_message(&hostile, "a failure that does not exist", false, IMSG_NET_FAILED, &failed);
	hostile_daemon_message(&hostile, "READY with other listeners", false, IMSG_NET_READY, &ready);
	hostile_daemon_message(&hostile, "READY again", true, IMSG_NET_READY, &ready);
	hostile.script = (struct hostile_script){.act = HOSTILE_TWICE};
	hostile_daemon_breach(&hostile, "each PING answered twice");
}

static void log_texts(void)
{
	static const char feed[] =
	    HOSTILE_FORGED "\n[2026-01-01T00:00:00Z ERROR dusk_relay] keyproc was taken "
			   "over";
	static const char escape[] = HOSTILE_FORGED "\x1b[2J\x1b]0;title\x07\r\b\x7f\x9b"
						    "31m";
	static const char unicode[] = HOSTILE_FORGED "\xc2\x85\xe2\x80\xae\xff\xfe\xc0\x80";
	static const char format[] = HOSTILE_FORGED "%s%n%x {peer} {n} {setting} {reason}";
	static const struct {
		const char *what;
		const char *text;
		size_t len;
	} texts[] = {{"a line feed in a namespace", feed, sizeof(feed)},
		     {"terminal escapes", escape, sizeof(escape)},
		     {"odd UTF-8", unicode, sizeof(unicode)},
		     {"formats and words of the list", format, sizeof(format)}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct imsg_log line = hostile_daemon_line(&hostile, texts[i].text, texts[i].len);

		hostile_daemon_log(&hostile, texts[i].what, &line, false);
	}
}

static void log_fields(void)
{
	const struct imsg_log right = hostile_daemon_line(&hostile, HOSTILE_FORGED, 6);
	struct imsg_log line = right;

	line.event = LOG_EVENT_KEY_MLOCK;
	hostile_daemon_log(&hostile, "a line of keyproc's", &line, true);
	line.event = LOG_EVENT_METRICS_CUT;
	hostile_daemon_log(&hostile, "a line of metrics's", &line, true);
	line.event = LOG_EVENT_COUNT;
	hostile_daemon_log(&hostile, "an event beyond the list", &line, true);
	line.event = UINT16_MAX;
	hostile_daemon_log(&hostile, "an event far beyond the list", &line, true);
	line = right;
	line.text_len = IMSG_TEXT_MAX + 1;
	hostile_daemon_log(&hostile, "a text longer than its field", &line, true);
	line.text_len = UINT16_MAX;
	hostile_daemon_log(&hostile, "a text far longer than its field", &line, true);
	line = right;
	line.peer_len[1] = IMSG_PEER_MAX + 1;
	hostile_daemon_log(&hostile, "a peer id longer than its field", &line, true);
	line = right;
	line.event = LOG_EVENT_CONNECTION_CLOSED;
	line.number[0] = CLOSE_REASON_COUNT;
	hostile_daemon_log(&hostile, "a reason beyond the list", &line, true);
	line.event = LOG_EVENT_RESERVATION_REFUSED;
	line.number[1] = UINT64_MAX;
	hostile_daemon_log(&hostile, "a setting beyond the list", &line, true);
}

/* Silence before READY and after it, at once: each takes the parent's patience. */
static void silences(void)
{
	static struct live_daemon silent;
	struct attack_end end;

	hostile.script = (struct hostile_script){.act = HOSTILE_SILENT};
	hostile_daemon_spawn(&hostile);
	/* It has read its script when it has said nothing for so long. */
	live_daemon_says(&hostile.live, "nothing", 2000);
	silent = hostile.live;
	hostile.script = (struct hostile_script){.act = HOSTILE_DEAF, .after_ready = 1};
	hostile_daemon_spawn(&hostile);
	end = live_daemon_wait(&hostile.live, 40000);
	attack_check(!end.hung && end.signal == 0 && end.status == 1, "reads nothing: parent: %s",
		     attack_end_text(end));
	attack_check(strstr(hostile.live.said, "netproc has not answered") != NULL,
		     "reads nothing: the log does not say so");
	hostile_daemon_end(&hostile, "reads nothing");
	hostile.live = silent;
	end = live_daemon_wait(&hostile.live, 40000);
	attack_check(!end.hung && end.signal == 0 && end.status == 1, "never READY: parent: %s",
		     attack_end_text(end));
	attack_check(strstr(hostile.live.said, "netproc was not ready") != NULL,
		     "never READY: the log does not say so");
	hostile_daemon_end(&hostile, "never READY");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (!live_tree_make("netproc", "hostile_child")) {
		attack_fail("no tree for the hostile daemon");
		return attack_end("parent");
	}
	hostile_daemon_types(&hostile, false);
	hostile_daemon_types(&hostile, true);
	hostile_daemon_junk(&hostile);
	wrong_values();
	log_texts();
	log_fields();
	hostile_daemon_log_flood(&hostile, "flood of lines", LOG_EVENT_REGISTERED);
	hostile_daemon_log_flood(&hostile, "flood of warnings", LOG_EVENT_MEMORY_PRESSURE);
	hostile_daemon_descriptors(&hostile);
	hostile_daemon_lies(&hostile);
	silences();
	live_tree_remove();
	return attack_end("parent");
}
