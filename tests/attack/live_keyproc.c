/* SPDX-License-Identifier: MIT */
#include "tests/attack/live_keyproc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/attack/attack.h"

#define ABOVE 64 /* out of the way of the fixed numbers */

static void exec_keyproc(int parent, int net, int folder)
{
	const char *build = getenv("ATTACK_BUILD");
	char program[200];
	char *arguments[] = {program, NULL}, *environment[] = {NULL};
	const int fds[] = {open("/dev/null", O_RDWR), 0, 0, parent, net, folder};
	int moved[6];

	snprintf(program, sizeof(program), "%s/libexec/dusk-relay/keyproc", build == NULL ? "build" : build);
	for (int i = 0; i < 6; i++)
		moved[i] = fcntl(i < 3 ? fds[0] : fds[i], F_DUPFD, ABOVE);
	int image = open(program, O_PATH | O_CLOEXEC);

	for (int i = 0; i < 6; i++)
		dup2(moved[i], i);
	image = fcntl(image, F_DUPFD_CLOEXEC, ABOVE + 6);
	if (attack_become_user() == 0)
		syscall(SYS_execveat, image, "", arguments, environment, AT_EMPTY_PATH);
	_exit(127);
}

int live_keyproc_spawn(struct live_keyproc *live)
{
	int p[2], n[2];

	memset(live, 0, sizeof(*live));
	strcpy(live->folder, "/tmp/attack-key-XXXXXX");
	if (mkdtemp(live->folder) == NULL ||
	    (geteuid() == 0 && chown(live->folder, ATTACK_NOBODY, ATTACK_NOBODY) != 0))
		return -1;
	int folder = open(live->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, n) != 0)
		return -1;
	fflush(stdout);
	live->pid = fork();
	if (live->pid == 0)
		exec_keyproc(p[1], n[1], folder);
	close(p[1]);
	close(n[1]);
	close(folder);
	live->parent = p[0];
	live->net = n[0];
	return live->pid > 0 ? 0 : -1;
}

int live_keyproc_send_raw(int end, const void *bytes, size_t len)
{
	return send(end, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len ? 0 : -1;
}

int live_keyproc_send(int end, enum imsg_type type, const void *payload)
{
	static const uint8_t zero[IMSG_PAYLOAD_MAX];
	uint8_t datagram[IMSG_MAX];
	size_t len = imsg_compose(datagram, type, 1, payload == NULL ? zero : payload,
				  imsg_row_of((uint16_t)type)->size);

	return live_keyproc_send_raw(end, datagram, len);
}

int live_keyproc_receive(struct live_keyproc *live, int end, int milliseconds)
{
	struct pollfd ready = {.fd = end, .events = POLLIN};

	if (poll(&ready, 1, milliseconds) <= 0)
		return -1;
	ssize_t n;

	/* Said once by an end with messages unread, before its last words. */
	do
		n = recv(end, live->in, sizeof(live->in), MSG_DONTWAIT);
	while (n < 0 && errno == ECONNRESET);
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? -1 : 0;
	return live->in[2] | live->in[3] << 8;
}

size_t live_keyproc_drain(struct live_keyproc *live, int end)
{
	size_t count = 0;

	while (live_keyproc_receive(live, end, 0) > 0)
		count++;
	return count;
}

void live_keyproc_configure(struct live_keyproc *live)
{
	const struct imsg_key_conf conf = {
	    .place = IMSG_KEY_IN_FOLDER, .voucher_ttl_max = 3600, .log_level = LOG_LEVEL_INFO};

	live_keyproc_send(live->parent, IMSG_KEY_CONF, &conf);
	live_keyproc_send(live->parent, IMSG_KEY_START, NULL);
}

int live_keyproc_start(struct live_keyproc *live)
{
	int type;

	if (live_keyproc_spawn(live) != 0)
		return -1;
	live_keyproc_configure(live);
	do
		type = live_keyproc_receive(live, live->parent, 5000);
	while (type == IMSG_KEY_LOG);
	if (type != IMSG_KEY_READY)
		return -1;
	memcpy(&live->ready, live->in + 16, sizeof(live->ready));
	return 0;
}

void live_keyproc_must_start(struct live_keyproc *live, const char *test)
{
	if (live_keyproc_start(live) == 0)
		return;
	attack_fail("keyproc does not start");
	live_keyproc_end(live);
	exit(attack_end(test));
}

void live_keyproc_end(struct live_keyproc *live)
{
	char file[100];

	close(live->parent);
	close(live->net);
	if (live->pid > 0) {
		kill(live->pid, SIGKILL);
		waitpid(live->pid, NULL, 0);
	}
	snprintf(file, sizeof(file), "%s/keypair", live->folder);
	unlink(file);
	rmdir(live->folder);
}
