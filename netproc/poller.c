/* SPDX-License-Identifier: MIT */
#include "netproc/poller.h"

#include <limits.h>
#include <sys/epoll.h>

#include "netproc/net.h"

#define POLLER_EVENTS 256 /* told by one wait; the rest waits for the next */

int poller_init(struct net *net)
{
	net->poller = epoll_create1(EPOLL_CLOEXEC);
	return net->poller >= 0 ? 0 : -1;
}

static int poller_control(struct net *net, int fd, uint32_t events, struct poller_watch *watch)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return epoll_ctl(net->poller, EPOLL_CTL_ADD, fd, &event);
}

int poller_add(struct net *net, int fd, struct poller_watch *watch)
{
	return poller_control(net, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, watch);
}

static void poller_flag_set(struct poller_watch *watch, unsigned what)
{
	if (what & (POLLER_READ | POLLER_END))
		container_of(watch, struct poller_flag, watch)->set = true;
}

int poller_add_flag(struct net *net, int fd, struct poller_flag *flag)
{
	flag->watch.ready = poller_flag_set;
	return poller_control(net, fd, EPOLLIN, &flag->watch);
}

int poller_add_flag_edge(struct net *net, int fd, struct poller_flag *flag)
{
	flag->watch.ready = poller_flag_set;
	return poller_control(net, fd, EPOLLIN | EPOLLET, &flag->watch);
}

void poller_remove(struct net *net, int fd)
{
	epoll_ctl(net->poller, EPOLL_CTL_DEL, fd, NULL);
}

static unsigned poller_what(uint32_t events)
{
	unsigned what = 0;

	if (events & EPOLLIN)
		what |= POLLER_READ;
	if (events & EPOLLOUT)
		what |= POLLER_WRITE;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		what |= POLLER_END;
	return what;
}

void poller_wait(struct net *net, uint64_t milliseconds)
{
	struct epoll_event events[POLLER_EVENTS];
	int most = milliseconds > INT_MAX ? INT_MAX : (int)milliseconds, i;
	/* Interrupted is nothing ready: the caller's turn comes back here. */
	int count = epoll_wait(net->poller, events, POLLER_EVENTS, most);

	for (i = 0; i < count; i++) {
		struct poller_watch *watch = events[i].data.ptr;

		watch->ready(watch, poller_what(events[i].events));
	}
}
