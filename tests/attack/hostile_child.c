/* SPDX-License-Identifier: MIT
 *
 * A netproc or metrics that has been taken over, as the parent sees it: started in its place with its
 * descriptors, not confined at all. It starts as the real one would and then does what its script says.
 * Started by the daemon under attack_parent and attack_parent_metrics only.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "imsg/harden.h"
#include "imsg/imsg.h"
#include "tests/attack/hostile.h"

/* What it must say and hear to pass for the real one. */
static const struct role {
	const char *name;
	int listener;
	enum imsg_type start, ready, ping, pong, log;
} roles[] = {
    {"netproc", IMSG_FD_LISTEN, IMSG_NET_START, IMSG_NET_READY, IMSG_NET_PING, IMSG_NET_PONG, IMSG_NET_LOG},
    {"metrics", IMSG_FD_HTTP, IMSG_METRICS_START, IMSG_METRICS_READY, IMSG_METRICS_PING, IMSG_METRICS_PONG,
     IMSG_METRICS_LOG},
};

static const struct role *role;
static struct hostile_script script;
static uint8_t in[2 * IMSG_MAX] __attribute__((aligned(8)));

static int read_script(void)
{
	char path[300];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 40);

	if (n <= 0)
		return -1;
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, HOSTILE_SCRIPT);
	int fd = open(path, O_RDONLY);

	return fd >= 0 && read(fd, &script, sizeof(script)) == (ssize_t)sizeof(script) ? 0 : -1;
}

static void wait_for(short events)
{
	struct pollfd ready = {.fd = IMSG_FD_PARENT, .events = events};

	poll(&ready, 1, 1000);
}

/* The type of the next message of the parent; 0 at its end. */
static uint16_t next_message(void)
{
	ssize_t n;

	do {
		wait_for(POLLIN);
		n = read(IMSG_FD_PARENT, in, sizeof(in));
	} while (n < 0 && errno == EAGAIN);
	return n < 16 ? 0 : (uint16_t)(in[2] | in[3] << 8);
}

static void send_bytes(const void *bytes, size_t len)
{
	while (write(IMSG_FD_PARENT, bytes, len) < 0 && errno == EAGAIN)
		wait_for(POLLOUT);
}

static void send_message(enum imsg_type type, const void *payload, size_t size)
{
	uint8_t datagram[IMSG_MAX];

	send_bytes(datagram, imsg_compose(datagram, type, 1, payload, size));
}

static void send_descriptor(void)
{
	uint8_t datagram[IMSG_MAX];
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec part = {datagram,
			     imsg_compose(datagram, role->log, 1, script.payload, sizeof(struct imsg_log))};
	struct msghdr message = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &role->listener, sizeof(int));
	sendmsg(IMSG_FD_PARENT, &message, MSG_NOSIGNAL);
}

static void act(void)
{
	switch ((enum hostile_act)script.act) {
	case HOSTILE_MESSAGE:
		send_message((enum imsg_type)script.type, script.payload, script.size);
		break;
	case HOSTILE_RAW:
		send_bytes(&script, script.size);
		break;
	case HOSTILE_LOG:
		send_message(role->log, script.payload, sizeof(struct imsg_log));
		break;
	case HOSTILE_LOG_FLOOD:
		for (uint32_t i = 0; i < script.size * 1000; i++)
			send_message(role->log, script.payload, sizeof(struct imsg_log));
		break;
	case HOSTILE_DESCRIPTOR:
		for (uint32_t i = 0; i < script.size; i++)
			send_descriptor();
		break;
	case HOSTILE_EXIT:
		_exit((int)script.size);
	default:
		break;
	}
}

static void say_ready(uint32_t listeners)
{
	struct imsg_net_ready ready = {.layers = HARDEN_NO_NEW_PRIVS | HARDEN_NOT_DUMPABLE |
						 HARDEN_NO_CAPABILITIES | HARDEN_SECCOMP | HARDEN_LANDLOCK |
						 HARDEN_OWN_USER | HARDEN_LIMITS,
				       .listeners = listeners};

	/* metrics' READY has a zero where netproc's has its listeners. */
	_Static_assert(sizeof(ready) == sizeof(struct imsg_metrics_ready), "one READY for both");
	if (script.act == HOSTILE_WEAK)
		memcpy(&ready.layers, script.payload, sizeof(ready.layers));
	send_message(role->ready, &ready, sizeof(ready));
}

/* Answers PINGs by the clock, without reading one: the parent's messages pile up in the channel. */
static void answer_unread(void)
{
	for (struct imsg_ping ping = {.sequence = 1};; ping.sequence++) {
		usleep(script.size * 1000);
		send_message(role->pong, &ping, sizeof(ping));
	}
}

/* Behaves from here on, so that what happens is the act's doing. */
static void serve(void)
{
	uint16_t type;

	while ((type = next_message()) != 0) {
		for (int i = 0; type == role->ping && i < (script.act == HOSTILE_TWICE ? 2 : 1); i++)
			send_message(role->pong, in + 16, sizeof(struct imsg_ping));
		if (type == IMSG_NET_DRAIN) {
			send_message(IMSG_NET_DRAINED, NULL, 0);
			_exit(0);
		}
	}
}

int main(int argc, char **argv)
{
	uint32_t listeners = 0;
	uint16_t type;

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		role = argc > 0 && strcmp(argv[0], roles[i].name) == 0 ? &roles[i] : role;
	if (role == NULL || read_script() != 0)
		return 3;
	while ((type = next_message()) != 0 && type != role->start) {
		if (type == IMSG_NET_CONF)
			listeners = ((const struct imsg_net_conf *)(const void *)(in + 16))->listeners;
	}
	if (script.after_ready == 0)
		act();
	if (script.act == HOSTILE_SILENT)
		serve();
	say_ready(listeners);
	if (script.after_ready != 0)
		act();
	while (script.act == HOSTILE_DEAF)
		pause();
	if (script.act == HOSTILE_BLIND)
		answer_unread();
	serve();
	return 0;
}
