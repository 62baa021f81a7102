/* SPDX-License-Identifier: MIT
 *
 * The life of a live, confined keyproc beside a netproc that breaks no rule and means no good: what strangers
 * may cause is answered; floods keep neither it nor the parent from their work; answers left unread,
 * descriptors sent, stops, signals and the ends of the other processes are survived or ended on as designed.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/attack/attack.h"
#include "tests/attack/live_keyproc.h"

#define END_MS 3000 /* for a busy machine */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What strangers choose: answered, and keyproc goes on. */
static void strangers_values(void)
{
	struct imsg_noise_dh dh = {.count = IMSG_DH_BATCH};
	struct imsg_voucher voucher = {.lifetime = UINT32_MAX, .peer_len = 3};
	struct live_keyproc live;

	live_keyproc_must_start(&live, "keyproc_life");
	live_keyproc_send(live.net, IMSG_KEY_NOISE_DH, &dh);
	attack_check(live_keyproc_receive(&live, live.net, END_MS) == IMSG_NET_NOISE_DH,
		     "no answer to bad points");
	const struct imsg_noise_dh_answer *points = (const void *)(live.in + 16);

	for (int i = 0; i < IMSG_DH_BATCH; i++)
		attack_check(points->answer[i].status == IMSG_DH_POINT, "a point of low order got status %u",
			     points->answer[i].status);
	live_keyproc_send(live.net, IMSG_KEY_VOUCHER, &voucher);
	attack_check(live_keyproc_receive(&live, live.net, END_MS) == IMSG_NET_VOUCHER,
		     "no answer to a bad peer");
	const struct imsg_voucher_answer *answer = (const void *)(live.in + 16);

	attack_check(answer->status == IMSG_VOUCHER_PEER && answer->len == 0, "a bad peer got a voucher");
	live_keyproc_send(live.parent, IMSG_KEY_PING, NULL);
	attack_check(live_keyproc_receive(&live, live.parent, END_MS) == IMSG_KEY_PONG, "no PONG afterwards");
	live_keyproc_end(&live);
}

/* As fast as it goes, for a second: all answered, the alarm raised when above the line, and the parent's PING
 * answered in between. */
static void flood(enum imsg_type type, const void *payload, const char *name)
{
	struct live_keyproc live;
	uint64_t sent = 0, answered = 0, alarms = 0;
	double worst = 0;
	bool ponged = true;

	live_keyproc_must_start(&live, "keyproc_life");
	for (double end = seconds() + 1.5; seconds() < end;) {
		for (int i = 0; i < 32 && live_keyproc_send(live.net, type, payload) == 0; i++)
			sent++;
		double asked = seconds();
		int got;

		live_keyproc_send(live.parent, IMSG_KEY_PING, NULL);
		while ((got = live_keyproc_receive(&live, live.parent, END_MS)) == IMSG_KEY_LOG)
			alarms++;
		ponged = ponged && got == IMSG_KEY_PONG;
		worst = seconds() - asked > worst ? seconds() - asked : worst;
		answered += live_keyproc_drain(&live, live.net);
	}
	while (answered < sent && live_keyproc_receive(&live, live.net, END_MS) > 0)
		answered++;
	attack_check(ponged, "%s flood: no PONG", name);
	attack_check(answered == sent, "%s flood: %lu of %lu answered", name, (unsigned long)answered,
		     (unsigned long)sent);
	attack_check(worst < 2, "%s flood: the parent waited %.3f s", name, worst);
	attack_check(alarms <= 3, "%s flood: %lu alarms in two seconds", name, (unsigned long)alarms);
	printf("  %s flood: %.0f messages a second, PONG after at most %.1f ms, %lu alarms\n", name,
	       (double)sent / 1.5, worst * 1000, (unsigned long)alarms);
	live_keyproc_end(&live);
}

static void floods(void)
{
	struct imsg_noise_dh dh = {.count = IMSG_DH_BATCH};
	static const uint8_t peer[] = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20, 0x1e, 0xd1, 0xe8, 0xfa,
				       0xe2, 0xc4, 0xa1, 0x44, 0xb8, 0xbe, 0x8f, 0xd4, 0xb4, 0x7b,
				       0xf3, 0xd3, 0xb3, 0x4b, 0x87, 0x1c, 0x3c, 0xac, 0xf6, 0x01,
				       0x0f, 0x0e, 0x42, 0xd4, 0x74, 0xfc, 0xe2, 0x7e};
	struct imsg_voucher voucher = {.lifetime = 60, .peer_len = sizeof(peer)};

	for (int i = 0; i < IMSG_DH_BATCH; i++)
		dh.request[i].ephemeral[0] = 9;
	memcpy(voucher.peer, peer, sizeof(peer));
	flood(IMSG_KEY_NOISE_DH, &dh, "NOISE_DH");
	flood(IMSG_KEY_VOUCHER, &voucher, "VOUCHER");
}

/* Requests and no reading: as many answers as its channel holds, then the end. keyproc never waits. */
static void unread(void)
{
	struct imsg_noise_dh dh = {.count = 1};
	struct live_keyproc live;
	int sent = 0;

	live_keyproc_must_start(&live, "keyproc_life");
	for (double end = seconds() + 5; seconds() < end && sent < 5000;) {
		if (live_keyproc_send(live.net, IMSG_KEY_NOISE_DH, &dh) == 0)
			sent++;
		else if (live_keyproc_receive(&live, live.parent, 1) >= 0)
			break;
	}
	struct attack_end end = attack_wait(live.pid, END_MS);

	live.pid = 0;
	attack_check(!end.hung && end.signal == 0 && end.status == 1, "answers left unread: keyproc: %s",
		     attack_end_text(end));
	size_t held = live_keyproc_drain(&live, live.net);

	attack_check(held >= IMSG_OUTSTANDING, "only %zu answers fitted", held);
	live_keyproc_end(&live);
}

/* netproc is gone: keyproc goes on for the parent's last question, and ends with it. */
static void ends(void)
{
	struct live_keyproc live;
	struct attack_end end;

	live_keyproc_must_start(&live, "keyproc_life");
	close(live.net);
	live_keyproc_send(live.parent, IMSG_KEY_STATS, NULL);
	attack_check(live_keyproc_receive(&live, live.parent, END_MS) == IMSG_KEY_STATS_ANSWER,
		     "no counters after netproc's end");
	close(live.parent);
	end = attack_wait(live.pid, END_MS);
	live.pid = 0;
	attack_check(!end.hung && end.signal == 0 && end.status == 0, "after the parent's end: %s",
		     attack_end_text(end));
	live_keyproc_end(&live);
}

/* Stopped and continued in the middle of its wait: no call that it may not make. */
static void stopped(void)
{
	struct live_keyproc live;

	live_keyproc_must_start(&live, "keyproc_life");
	for (int i = 0; i < 20; i++) {
		kill(live.pid, SIGSTOP);
		live_keyproc_send(live.net, IMSG_KEY_NOISE_DH, &(struct imsg_noise_dh){.count = 1});
		kill(live.pid, SIGCONT);
		attack_check(live_keyproc_receive(&live, live.net, END_MS) == IMSG_NET_NOISE_DH,
			     "no answer after SIGCONT");
	}
	for (int number = 1; number < 32; number++) {
		if (number != SIGKILL && number != SIGSTOP && number != SIGSEGV && number != SIGBUS &&
		    number != SIGILL && number != SIGFPE && number != SIGABRT && number != SIGTRAP &&
		    number != SIGSYS)
			kill(live.pid, number);
	}
	live_keyproc_send(live.parent, IMSG_KEY_PING, NULL);
	attack_check(live_keyproc_receive(&live, live.parent, END_MS) == IMSG_KEY_PONG,
		     "a signal ended keyproc");
	live_keyproc_end(&live);
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
	return count;
}

/* A descriptor with a request: the request is answered, the descriptor goes nowhere, and the sender's end
 * learns that nobody holds it. */
static void descriptor_sent(void)
{
	struct imsg_noise_dh dh = {.count = 1};
	uint8_t datagram[IMSG_MAX];
	struct live_keyproc live;
	int ends[2];
	char byte;

	live_keyproc_must_start(&live, "keyproc_life");
	size_t before = descriptors_of(live.pid),
	       len = imsg_compose(datagram, IMSG_KEY_NOISE_DH, 1, &dh, sizeof(dh));
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec part = {datagram, len};
	struct msghdr message = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	for (int i = 0; i < 20; i++) {
		if (pipe(ends) != 0)
			break;
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &ends[1], sizeof(int));
		attack_check(sendmsg(live.net, &message, MSG_NOSIGNAL) == (ssize_t)len,
			     "a descriptor cannot be sent");
		close(ends[1]);
		attack_check(live_keyproc_receive(&live, live.net, END_MS) == IMSG_NET_NOISE_DH,
			     "no answer beside a descriptor");
		attack_check(read(ends[0], &byte, 1) == 0, "keyproc holds a descriptor that netproc sent");
		close(ends[0]);
	}
	attack_check(descriptors_of(live.pid) == before, "keyproc has more descriptors than before");
	live_keyproc_end(&live);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	strangers_values();
	floods();
	unread();
	ends();
	stopped();
	descriptor_sent();
	return attack_end("keyproc_life");
}
