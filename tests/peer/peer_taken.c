/* SPDX-License-Identifier: MIT
 *
 * Has the program at the other end of a loopback connection read everything? The kernel says so of any socket
 * by its addresses.
 */
#include "tests/peer/peer.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

struct peer_question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 request;
};

/* The question about the other end of `fd`: our peer's address is its own one. */
static int peer_question_about(struct peer_question *q, int fd)
{
	struct sockaddr_in own = {0};
	struct sockaddr_in ours = {0};
	socklen_t own_len = sizeof(own);
	socklen_t ours_len = sizeof(ours);

	if (getpeername(fd, (struct sockaddr *)&own, &own_len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&ours, &ours_len) != 0)
		return -1;
	memset(q, 0, sizeof(*q));
	q->header.nlmsg_len = sizeof(*q);
	q->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q->header.nlmsg_flags = NLM_F_REQUEST;
	q->request.sdiag_family = AF_INET;
	q->request.sdiag_protocol = IPPROTO_TCP;
	q->request.idiag_states = ~0u;
	q->request.id.idiag_sport = own.sin_port;
	q->request.id.idiag_dport = ours.sin_port;
	q->request.id.idiag_src[0] = own.sin_addr.s_addr;
	q->request.id.idiag_dst[0] = ours.sin_addr.s_addr;
	q->request.id.idiag_cookie[0] = q->request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return 0;
}

/* Bytes in its receive queue; 0 when there is no such socket any more, -1 when the kernel does not say. */
static long peer_receive_queue(int diag, const struct peer_question *q)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[1024];
	} answer;
	const struct inet_diag_msg *about = NLMSG_DATA(&answer.header);
	ssize_t got;

	if (write(diag, q, sizeof(*q)) != (ssize_t)sizeof(*q))
		return -1;
	got = read(diag, &answer, sizeof(answer));
	if (got < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -1;
	if (answer.header.nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(&answer.header))->error == -ENOENT ? 0 : -1;
	return got >= (ssize_t)NLMSG_LENGTH(sizeof(*about)) ? (long)about->idiag_rqueue : -1;
}

int peer_wait_taken(int fd, int timeout_ms)
{
	int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int64_t end = client_now() + timeout_ms;
	struct peer_question q;
	long queue = -1;

	if (diag >= 0 && peer_question_about(&q, fd) == 0) {
		while ((queue = peer_receive_queue(diag, &q)) > 0 && client_now() < end)
			sched_yield();
	}
	if (diag >= 0)
		close(diag);
	return queue == 0 ? 0 : -1;
}
