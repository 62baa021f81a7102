/* SPDX-License-Identifier: MIT
 *
 * Death and stillness: each process killed at any moment, stopped, or the daemon's log left unread. All must
 * end together, say why, leave nobody behind, leave the key as it was; and a log that nobody reads must not
 * stop the relay.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/attack/daemon_state.h"

#define ROUNDS	    10 /* of each process; ATTACK_ROUNDS sets another number */
#define WATCHDOG_MS 60000
#define WAITING	    400u /* handshakes: three times IMSG_OUTSTANDING */

static struct live_daemon live;
static uint32_t state = 12345; /* the same moments in each run */

static uint32_t next(uint32_t below)
{
	state = state * 1664525 + 1013904223;
	return (state >> 8) % below;
}

static unsigned rounds(void)
{
	const char *text = getenv("ATTACK_ROUNDS");

	return text == NULL ? ROUNDS : (unsigned)strtoul(text, NULL, 10);
}

/* The key file's bytes; a hash would do, but they are 68. */
static size_t read_key(uint8_t key[100])
{
	char path[120];

	snprintf(path, sizeof(path), "%s/dusk-relay/keypair", live.folder);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, key, 100);

	if (fd >= 0)
		close(fd);
	return n < 0 ? 0 : (size_t)n;
}

/* Connections in the middle of whatever they are in. */
static void be_busy(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fds[i] = live_daemon_connect(&live);
		if (fds[i] >= 0 && write(fds[i], "\x13/multistream/1.0.0\n\x07/noise\n", 28) != 28)
			attack_fail("nothing can be sent");
	}
}

static void kill_one(bool root, int which, const char *name)
{
	const struct live_daemon_wish wish = {.root = root, .page = true};
	uint8_t before[100], after[100];
	int fds[4];

	if (live_daemon_start(&live, &wish) != 0) {
		attack_fail("the daemon does not start: %.600s", live.said);
		live_daemon_end(&live);
		return;
	}
	const pid_t all[] = {live.pid, live.keyproc, live.netproc, live.metrics};
	size_t len = read_key(before);

	be_busy(fds, 4);
	usleep(next(20000));
	kill(all[which], SIGKILL);
	struct attack_end end = live_daemon_wait(&live, 5000);

	if (which == 0)
		attack_check(end.signal == SIGKILL, "%s killed: parent: %s", name, attack_end_text(end));
	else {
		attack_check(!end.hung && end.signal == 0 && end.status == 1, "%s killed: parent: %s", name,
			     attack_end_text(end));
		attack_check(strstr(live.said, "was killed from outside") != NULL &&
				 strstr(live.said, name) != NULL,
			     "%s killed: the log does not say so: %.300s", name,
			     live.said_len > 300 ? live.said + live.said_len - 300 : live.said);
	}
	attack_check(live_daemon_left_nobody(&live), "%s killed: a process is left", name);
	attack_check(read_key(after) == len && memcmp(before, after, len) == 0,
		     "%s killed: the key has changed", name);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	live_daemon_end(&live);
}

/* While it starts: no half-made key, nobody left. */
static void kill_at_start(unsigned round)
{
	const struct live_daemon_wish wish = {.page = true};
	uint8_t key[100];

	if (live_daemon_spawn(&live, &wish) != 0)
		return;
	usleep(next(40000));
	kill(live.pid, SIGKILL);
	live_daemon_wait(&live, 5000);
	usleep(5000);
	size_t len = read_key(key);

	attack_check(len == 0 || len == 68, "killed at start, round %u: a key of %zu bytes", round, len);
	live_daemon_end(&live);
}

/* Stopped, not dead: only the watchdog can tell. */
struct stillness {
	const char *who;
	bool root;
	struct live_daemon live;
};

static pid_t process_of(const struct live_daemon *found, const char *who)
{
	if (strcmp(who, "keyproc") == 0)
		return found->keyproc;
	return strcmp(who, "netproc") == 0 ? found->netproc : found->metrics;
}

static void stop_one(struct stillness *still)
{
	const struct live_daemon_wish wish = {.root = still->root, .page = true};

	if (live_daemon_start(&still->live, &wish) != 0)
		attack_fail("%s stopped: the daemon does not start", still->who);
	else
		kill(process_of(&still->live, still->who), SIGSTOP);
}

static void ended_by_watchdog(struct stillness *still)
{
	struct attack_end end = live_daemon_wait(&still->live, WATCHDOG_MS);
	const char *mode = still->root ? ", root mode" : "";
	char line[80];

	snprintf(line, sizeof(line), "%s has not answered", still->who);
	attack_check(!end.hung && end.signal == 0 && end.status == 1, "%s stopped%s: parent: %s", still->who,
		     mode, attack_end_text(end));
	attack_check(strstr(still->live.said, line) != NULL, "%s stopped%s: the log does not say so: %.300s",
		     still->who, mode, still->live.said);
	/* A stopped child is killed all the same, by the end of its parent or of its namespace. keyproc of
	 * root mode, whose user nobody else has, is beyond anybody's signal but root's: continued, it ends at
	 * once.
	 */
	if (still->root && strcmp(still->who, "keyproc") == 0)
		kill(still->live.keyproc, SIGCONT);
	attack_check(live_daemon_left_nobody(&still->live), "%s stopped%s: a process is left", still->who,
		     mode);
	live_daemon_end(&still->live);
}

/* All at once: each takes its fifteen seconds. */
static void stopped(bool root)
{
	static struct stillness all[] = {{.who = "netproc"},
					 {.who = "keyproc"},
					 {.who = "metrics"},
					 {.who = "netproc", .root = true},
					 {.who = "keyproc", .root = true},
					 {.who = "metrics", .root = true}};
	size_t count = root ? 6 : 3;

	for (size_t i = 0; i < count; i++)
		stop_one(&all[i]);
	for (size_t i = 0; i < count; i++)
		ended_by_watchdog(&all[i]);
	if (!root)
		attack_skip("stopped in root mode: needs root");
}

/* A short stop is forgiven: the clock has gone on, nothing else. */
static void stopped_for_a_moment(void)
{
	const struct live_daemon_wish wish = {.page = true};

	if (live_daemon_start(&live, &wish) != 0) {
		attack_fail("the daemon does not start");
		live_daemon_end(&live);
		return;
	}
	const pid_t all[] = {live.pid, live.keyproc, live.netproc, live.metrics};

	for (int i = 0; i < 40; i++) {
		pid_t pid = all[i % 4];

		kill(pid, SIGSTOP);
		usleep(next(30000));
		kill(pid, SIGCONT);
		int fd = live_daemon_connect(&live);

		attack_check(fd >= 0, "round %d of stop and go: no connection", i);
		close(fd);
	}
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(end.signal == 0 && end.status == 0, "after stop and go: %s", attack_end_text(end));
	live_daemon_end(&live);
}

/* What a client says first: both multistream steps and the first message of Noise, with a point of its own.
 */
static bool begin_handshake(int fd, unsigned which)
{
	uint8_t bytes[28 + 2 + 32] = "\x13/multistream/1.0.0\n\x07/noise\n";

	bytes[28] = 0;
	bytes[29] = 32;
	memset(bytes + 30, 9, 32);
	bytes[30] = (uint8_t)which;
	bytes[31] = (uint8_t)(which >> 8);
	return write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes);
}

/* The answer of 230 bytes holds what only keyproc could make. */
static bool handshake_is_answered(int fd)
{
	uint8_t bytes[230];
	size_t got = 0;
	ssize_t n = 1;

	while (got < sizeof(bytes) && (n = read(fd, bytes + got, sizeof(bytes) - got)) > 0)
		got += (size_t)n;
	return got == sizeof(bytes);
}

/* keyproc stands still while more handshakes begin than may be open with it: none is lost, netproc goes on
 * meanwhile. */
static void keyproc_pauses(void)
{
	static int fds[WAITING];
	const struct live_daemon_wish wish = {0};
	unsigned begun = 0, answered = 0;

	if (live_daemon_start(&live, &wish) != 0) {
		attack_fail("the daemon does not start");
		live_daemon_end(&live);
		return;
	}
	kill(live.keyproc, SIGSTOP);
	for (unsigned i = 0; i < WAITING; i++) {
		fds[i] = live_daemon_connect(&live);
		begun += fds[i] >= 0 && begin_handshake(fds[i], i);
	}
	sleep(2);
	attack_check(begun == WAITING, "keyproc paused: only %u handshakes could begin", begun);
	kill(live.keyproc, SIGCONT);
	for (unsigned i = 0; i < WAITING; i++) {
		answered += fds[i] >= 0 && handshake_is_answered(fds[i]);
		close(fds[i]);
	}
	attack_check(answered == WAITING, "keyproc paused: %u of %u handshakes were answered afterwards",
		     answered, WAITING);
	kill(live.pid, SIGTERM);
	struct attack_end end = live_daemon_wait(&live, 10000);

	attack_check(end.signal == 0 && end.status == 0, "after keyproc's pause: %s", attack_end_text(end));
	live_daemon_end(&live);
}

/* Nobody reads the log, and there is much to log: connections are still taken, and SIGTERM still ends it. */
static void log_unread(void)
{
	const char *const settings[] = {"RUST_LOG=debug", NULL};
	const struct live_daemon_wish wish = {.settings = settings};
	int taken = 0;

	if (live_daemon_start(&live, &wish) != 0) {
		attack_fail("the daemon does not start");
		live_daemon_end(&live);
		return;
	}
	fcntl(live.out, F_SETPIPE_SZ, 4096);
	for (int i = 0; i < 3000; i++) {
		int fd = live_daemon_connect(&live);

		if (fd < 0)
			break;
		if (write(fd, "nonsense that is answered by a close\n", 37) == 37)
			taken++;
		close(fd);
		if (i % 100 == 0)
			usleep(20000);
	}
	attack_check(taken > 2500, "log unread: only %d connections", taken);
	int fd = live_daemon_connect(&live);
	char header[20];

	/* The greeting of multistream comes only from a netproc that is alive. */
	attack_check(fd >= 0 && write(fd, "\x13/multistream/1.0.0\n", 20) == 20 && read(fd, header, 20) == 20,
		     "log unread: no answer");
	close(fd);
	kill(live.pid, SIGTERM);
	const struct timespec pause = {.tv_nsec = 300000000};

	nanosleep(&pause, NULL);
	struct attack_end end = attack_wait(live.pid, 8000); /* without reading what it says */

	live.pid = 0;
	attack_check(!end.hung && end.signal == 0 && end.status == 0, "log unread: SIGTERM: %s",
		     attack_end_text(end));
	attack_check(live_daemon_left_nobody(&live), "log unread: a child is left");
	live_daemon_end(&live);
}

int main(void)
{
	static const char *const names[] = {"parent", "keyproc", "netproc", "metrics"};
	bool root = geteuid() == 0;

	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < rounds(); i++) {
		for (int which = 0; which < 4; which++)
			kill_one(root && i % 2 == 1, which, names[which]);
		kill_at_start(i);
	}
	stopped_for_a_moment();
	keyproc_pauses();
	log_unread();
	stopped(root);
	return attack_end("death");
}
