/* SPDX-License-Identifier: MIT
 *
 * New connections: taken from the inherited listeners, asked of limits, handed to upgrade. Out of descriptors
 * it pauses.
 */
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netproc/conn.h"
#include "netproc/limits.h"
#include "netproc/process.h"
#include "netproc/upgrade.h"

#define ACCEPT_A_TURN 64u
#define ACCEPT_PAUSE  1000u /* milliseconds */

static void accept_event(evutil_socket_t fd, short what, void *argument)
{
	struct process *process = argument;

	(void)what;
	process->accept_ready[fd - IMSG_FD_LISTEN] = true;
}

static void accept_again(struct net *net, struct wheel_timer *timer)
{
	struct process *process = (struct process *)((char *)timer - offsetof(struct process, accept_timer));
	uint32_t i;

	(void)net;
	process->accepting = true;
	for (i = 0; i < process->conf.listeners; i++)
		process->accept_ready[i] = true;
}

/* What the parent promised: a listening TCP socket. Before the lock only. */
static int accept_check(int fd)
{
	int listening = 0, type = 0, protocol = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) != 0)
		return -1;
	return listening == 1 && type == SOCK_STREAM && protocol == IPPROTO_TCP ? 0 : -1;
}

int accept_init(struct process *process)
{
	uint32_t i;

	for (i = 0; i < process->conf.listeners; i++) {
		int fd = IMSG_FD_LISTEN + (int)i;

		if (accept_check(fd) != 0 ||
		    event_assign(&process->listener_event[i], process->net.base, fd,
				 EV_READ | EV_ET | EV_PERSIST, accept_event, process) != 0 ||
		    event_add(&process->listener_event[i], NULL) != 0)
			return -1;
	}
	process->accept_timer.fire = accept_again;
	process->accepting = true;
	return 0;
}

void accept_stop(struct process *process)
{
	uint32_t i;

	process->accepting = false;
	wheel_cancel(&process->accept_timer);
	for (i = 0; i < process->conf.listeners; i++) {
		event_del(&process->listener_event[i]);
		close(IMSG_FD_LISTEN + (int)i);
		process->accept_ready[i] = false;
	}
}

static void accept_pause(struct process *process)
{
	struct net *net = &process->net;

	process->accepting = false;
	net_count(net, NET_COUNT_ACCEPT_PAUSED);
	log_event(&net->log, LOG_EVENT_ACCEPT_PAUSED, NULL, NULL, net->counter[NET_COUNT_CONNECTIONS], 0, 0,
		  NULL, 0);
	wheel_arm(net, &process->accept_timer, ACCEPT_PAUSE);
}

/* The table of half-open connections is full: the oldest of the IP key that holds most gives way. */
static void accept_make_room(struct net *net)
{
	struct ip_key holder = {0};
	struct list *at;

	if (!limits_half_open_full(net, &holder))
		return;
	for (at = net->conns->opening.next; at != &net->conns->opening; at = at->next) {
		struct conn *conn = (struct conn *)((char *)at - offsetof(struct conn, opening));

		if (ip_key_equal(&conn->ip, &holder)) {
			conn_close(conn, CLOSE_LIMIT_HALF_OPEN);
			return;
		}
	}
}

/* IPv4 in its mapped form, so that one kind of address goes through all that follows. */
static struct sockaddr_in6 accept_from(const struct sockaddr_storage *from)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};
	const struct sockaddr_in *ip4 = (const struct sockaddr_in *)from;

	if (from->ss_family != AF_INET)
		return *(const struct sockaddr_in6 *)from;
	address.sin6_port = ip4->sin_port;
	address.sin6_addr.s6_addr[10] = 0xff;
	address.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&address.sin6_addr.s6_addr[12], &ip4->sin_addr, 4);
	return address;
}

static void accept_one(struct process *process, int fd, const struct sockaddr_storage *storage, uint16_t port)
{
	struct net *net = &process->net;
	struct sockaddr_in6 from = accept_from(storage);
	struct ip_key ip = ip_key_of(from.sin6_addr.s6_addr, net->settings.limit_private_ips != 0);
	enum close_reason reason;

	accept_make_room(net);
	reason = limits_accept(net, &ip);
	if (reason == CLOSE_NONE && conn_new(net, fd, &from, port, &upgrade_security) != NULL)
		return;
	if (reason == CLOSE_NONE) {
		limits_half_open_end(net, &ip);
		limits_closed(net, &ip);
		reason = CLOSE_MEMORY;
	}
	net->closed[reason]++;
	close(fd);
}

/* Errors of a single connection that was gone before it was taken; accept(2) names them. */
static bool accept_was_gone(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO || error == ENETDOWN ||
	       error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN || error == ENOPROTOOPT ||
	       error == ENONET || error == EOPNOTSUPP;
}

static unsigned accept_listener(struct process *process, uint32_t index, unsigned most)
{
	struct sockaddr_storage from = {0};

	while (most > 0 && process->accepting) {
		socklen_t len = sizeof(from);
		int fd = accept4(IMSG_FD_LISTEN + (int)index, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			accept_one(process, fd, &from, process->conf.port[index]);
			most--;
		} else if (errno == EAGAIN) {
			process->accept_ready[index] = false;
			break;
		} else if (!accept_was_gone(errno)) {
			accept_pause(process);
		}
	}
	return most;
}

void accept_turn(struct process *process)
{
	unsigned most = ACCEPT_A_TURN;
	uint32_t i;

	for (i = 0; i < process->conf.listeners; i++)
		if (process->accept_ready[i])
			most = accept_listener(process, i, most);
}

bool accept_pending(const struct process *process)
{
	uint32_t i;

	for (i = 0; process->accepting && i < process->conf.listeners; i++)
		if (process->accept_ready[i])
			return true;
	return false;
}
