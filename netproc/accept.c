/* SPDX-License-Identifier: MIT
 *
 * New connections: taken from the inherited listeners, asked of limits, handed to upgrade. Out of descriptors
 * it pauses. A crowd that comes at once waits in the kernel's queue while as many as may be are in the
 * handshake; only who holds a large part of those, or does not get on, gives way.
 */
#include <errno.h>
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
#define ACCEPT_WAIT   100u  /* milliseconds after which a crowd that waits is looked at again */
#define ACCEPT_YOUNG  3000u /* milliseconds that a peer in the handshake has for its next answer */
#define ACCEPT_LOOK   16u   /* of the oldest, among which one is looked for that does not get on */

static void accept_again(struct net *net, struct wheel_timer *timer)
{
	struct process *process = container_of(timer, struct process, accept_timer);
	uint32_t i;

	(void)net;
	process->accepting = true;
	for (i = 0; i < process->conf.listeners; i++)
		process->listener[i].set = true;
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
		    poller_add_flag_edge(&process->net, fd, &process->listener[i]) != 0)
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
		poller_remove(&process->net, IMSG_FD_LISTEN + (int)i);
		close(IMSG_FD_LISTEN + (int)i);
		process->listener[i].set = false;
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

/* What this relay itself has still to do is not the peer's fault. */
static bool accept_is_stuck(const struct conn *conn)
{
	return !conn->waiting && (uint32_t)conn->net->now - conn->progress >= ACCEPT_YOUNG;
}

/* As many as may be are in the handshake: the oldest of an IP key that holds a large part of them gives way
 * to whoever comes, else one of the oldest that does not get on. NULL: all are getting on. */
static struct conn *accept_gives_way(const struct net *net)
{
	const struct list *opening = &net->conns->opening, *at;
	struct ip_key holder = {0};
	bool held = limits_half_open_holder(net, &holder);
	unsigned look = ACCEPT_LOOK;

	for (at = opening->next; at != opening && (held || look-- > 0); at = at->next) {
		struct conn *conn = container_of(at, struct conn, opening);

		if (held ? ip_key_equal(&conn->ip, &holder) : accept_is_stuck(conn))
			return conn;
	}
	return NULL;
}

static void accept_wait(struct process *process)
{
	process->accept_waits = true;
	if (!wheel_armed(&process->accept_timer))
		wheel_arm(&process->net, &process->accept_timer, ACCEPT_WAIT);
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

/* One connection that waits at a listener. Who gives way is known before and goes only when there is one. */
static void accept_next(struct process *process, uint32_t index)
{
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);
	struct conn *oldest = NULL;
	int fd;

	if (limits_half_open_full(&process->net)) {
		oldest = accept_gives_way(&process->net);
		if (oldest == NULL) {
			accept_wait(process);
			return;
		}
	}
	fd = accept4(IMSG_FD_LISTEN + (int)index, (struct sockaddr *)&from, &len,
		     SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		if (oldest != NULL)
			conn_close(oldest, CLOSE_LIMIT_HALF_OPEN);
		accept_one(process, fd, &from, process->conf.port[index]);
	} else if (errno == EAGAIN) {
		process->listener[index].set = false;
	} else if (!accept_was_gone(errno)) {
		accept_pause(process);
	}
}

static unsigned accept_listener(struct process *process, uint32_t index, unsigned most)
{
	unsigned left = most;

	for (; left > 0 && process->accepting && !process->accept_waits && process->listener[index].set;
	     left--)
		accept_next(process, index);
	return most - left;
}

/* Each listener at which somebody waits has an equal share of a turn, and what those before it left; another
 * is first each turn. */
void accept_turn(struct process *process)
{
	uint32_t count = process->conf.listeners, ready = 0, i;
	unsigned left = ACCEPT_A_TURN;

	process->accept_waits = false;
	for (i = 0; i < count; i++)
		ready += process->listener[i].set ? 1 : 0;
	for (i = 0; i < count; i++) {
		uint32_t index = (process->accept_first + i) % count;

		if (!process->listener[index].set)
			continue;
		left -= accept_listener(process, index, ready > 1 ? left / ready : left);
		ready -= ready > 0 ? 1 : 0;
	}
	process->accept_first++;
}

bool accept_pending(const struct process *process)
{
	uint32_t i;

	if (process->accept_waits && limits_half_open_full(&process->net))
		return false;
	for (i = 0; process->accepting && i < process->conf.listeners; i++)
		if (process->listener[i].set)
			return true;
	return false;
}
