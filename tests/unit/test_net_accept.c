/* SPDX-License-Identifier: MIT
 *
 * Accepting, on real listeners: shares of a turn, a crowd that waits in the kernel's queue, who gives way.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "netproc/limits.h"
#include "netproc/process.h"
#include "netproc/table.h"
#include "netproc/upgrade.h"
#include "tests/unit/net_fake.h"

#define LISTENERS 3
#define WAITING	  150

static struct process process;
static uint16_t accepted[LISTENERS]; /* by listener */
static uint16_t ports[LISTENERS];
static int clients[LISTENERS * WAITING];
static size_t client_count;

const struct conn_layer upgrade_security;

struct conn *conn_new(struct net *net, int fd, const struct sockaddr_in6 *from, uint16_t local_port,
		      const struct conn_layer *layer)
{
	uint32_t address;
	struct conn *conn;

	assert_ptr_equal(layer, &upgrade_security);
	memcpy(&address, &from->sin6_addr.s6_addr[12], sizeof(address));
	conn = fake_conn(net, 1, ntohl(address));
	conn->state = CONN_HANDSHAKE;
	conn->progress = (uint32_t)net->now;
	list_append(&net->conns->opening, &conn->opening);
	accepted[local_port]++;
	close(fd);
	return conn;
}

static void closed(struct net *net, struct conn *conn)
{
	list_remove(&conn->opening);
	limits_half_open_end(net, &conn->ip);
	limits_closed(net, &conn->ip);
}

static void listener(uint32_t index)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, WAITING * 2), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	ports[index] = ntohs(address.sin_port);
	assert_int_equal(dup2(fd, IMSG_FD_LISTEN + (int)index), IMSG_FD_LISTEN + (int)index);
	close(fd);
}

/* From 127.0.0.`last` to a listener; waits in its queue from then on. */
static void come(uint32_t index, uint8_t last)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(ports[index]),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u | last)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	process.listener[index].set = true;
	clients[client_count++] = fd;
}

static struct net *world(struct net **fake)
{
	static struct conn_table table;
	struct net *net = &process.net;

	memset(&process, 0, sizeof(process));
	memset(accepted, 0, sizeof(accepted));
	*fake = fake_net();
	assert_int_equal(limits_init(*fake), 0);
	*net = **fake;
	list_init(&table.opening);
	net->conns = &table;
	for (uint16_t i = 0; i < LISTENERS; i++) { /* before anything else takes their descriptors */
		listener(i);
		process.conf.port[i] = i;
	}
	assert_int_equal(poller_init(net), 0);
	net->hooks.conn_closed = closed;
	net->settings.limit_private_ips = 1;
	process.conf.listeners = LISTENERS;
	assert_int_equal(accept_init(&process), 0);
	return net;
}

static void world_end(struct net *fake)
{
	accept_stop(&process);
	while (client_count > 0)
		close(clients[--client_count]);
	process.net.hooks.conn_closed = closed;
	for (struct list *at; (at = process.net.conns->opening.next) != &process.net.conns->opening;)
		fake_conn_close(container_of(at, struct conn, opening));
	close(process.net.poller);
	fake_pass(&process.net, 60000);
	fake_net_end(fake);
}

static struct conn *oldest(struct net *net)
{
	return container_of(net->conns->opening.next, struct conn, opening);
}

static void each_listener_has_its_share(void **state)
{
	struct net *fake, *net = world(&fake);

	(void)state, (void)net;
	for (uint32_t i = 0; i < WAITING; i++)
		for (uint32_t at = 0; at < 2; at++)
			come(at, (uint8_t)(2 + i));
	come(2, 200);
	accept_turn(&process);
	assert_int_equal(accepted[2], 1);
	assert_in_range(accepted[0], 21, 42);
	assert_in_range(accepted[1], 21, 42);
	assert_true(accept_pending(&process));
	for (int turn = 0; turn < 8; turn++)
		accept_turn(&process);
	assert_int_equal(accepted[0] + accepted[1], 2 * WAITING);
	assert_false(accept_pending(&process));
	world_end(fake);
}

static void a_crowd_waits(void **state)
{
	struct net *fake, *net = world(&fake);

	(void)state;
	net->settings.max_half_open = 32;
	for (uint8_t i = 0; i < 40; i++)
		come(0, (uint8_t)(2 + i));
	accept_turn(&process);
	assert_int_equal(accepted[0], 32);
	assert_int_equal(net->closed[CLOSE_LIMIT_HALF_OPEN], 0);
	assert_false(accept_pending(&process)); /* else the loop would spin */
	assert_true(wheel_armed(&process.accept_timer));
	fake_conn_close(oldest(net));
	assert_true(accept_pending(&process));
	accept_turn(&process);
	assert_int_equal(accepted[0], 33);
	net->now += 2900;
	oldest(net)->waiting = true; /* for this relay: not its fault */
	accept_turn(&process);
	assert_int_equal(accepted[0], 33);
	fake_pass(net, 200);
	assert_true(process.listener[0].set);
	struct conn *first = oldest(net), *second = container_of(first->opening.next, struct conn, opening);
	for (uint32_t i = 0; i < 2; i++)
		accept_turn(&process);
	assert_int_equal(accepted[0], 40); /* those that did not get on gave way to all that waited */
	assert_int_equal(first->state, CONN_HANDSHAKE);
	assert_int_equal(second->state, CONN_CLOSED);
	world_end(fake);
}

static void one_address_gives_way(void **state)
{
	struct net *fake, *net = world(&fake);

	(void)state;
	net->settings.max_half_open = 64;
	for (uint8_t i = 0; i < 60; i++)
		come(0, (uint8_t)(20 + i));
	for (int i = 0; i < 4; i++)
		come(0, 2);
	accept_turn(&process);
	assert_int_equal(accepted[0], 64);
	accept_turn(&process); /* nobody comes: nobody goes */
	assert_true(limits_half_open_full(net));
	struct conn *first = oldest(net);
	come(0, 200);
	accept_turn(&process);
	assert_int_equal(accepted[0], 65);
	assert_int_equal(first->state, CONN_HANDSHAKE);
	come(0, 201); /* three of one address are less than a sixteenth */
	accept_turn(&process);
	assert_int_equal(accepted[0], 65);
	world_end(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_listener_has_its_share),
	    cmocka_unit_test(a_crowd_waits),
	    cmocka_unit_test(one_address_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
