/* SPDX-License-Identifier: MIT
 *
 * Whoever reaches the metrics page does to it what can be done over HTTP. The page is there again afterwards,
 * the relay never noticed, and no process has ended.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/fixture.h"
#include "tests/e2e/http.h"

#define FLOOD	    200
#define CROWD	    800 /* descriptors of ours that are sure to be had */
#define CROWDS	    5
#define MEMORY_MOST 65536 /* kilobytes */
#define UNDISTURBED 5000  /* milliseconds for ten pings and a reservation, on a busy machine too */
#define LIFE_MOST   30000 /* milliseconds: twice and more what a connection has */

static struct http_answer answer;
static uint16_t port;

static void expect_healthy(void)
{
	for (int waited = 0; waited < 2 * LIFE_MOST; waited += 100) {
		if (http_get(port, "/healthz", &answer) == 200)
			return;
		usleep(100000);
	}
	fixture_fail(__FILE__, __LINE__, "/healthz", answer.text);
}

static void expect_small(void)
{
	if (getenv("E2E_SANITIZED"))
		printf("left out, needs a build without sanitizers: metrics stays small\n");
	else
		EXPECT_TRUE(daemon_memory(&relay, "metrics") < MEMORY_MOST);
}

static void expect_relay_serves(void)
{
	struct client c;

	fixture_reserve(&c);
	client_free(&c);
}

static void test_garbage(void **state)
{
	static const char *const texts[] = {
	    "\r\n\r\n\r\n",
	    "GET\r\n\r\n",
	    "GET /metrics HTTP/9.9\r\n\r\n",
	    "GET /metrics HTTP/1.1\r\nHost here\r\n\r\n",
	    "GET http://[::1/metrics HTTP/1.1\r\n\r\n",
	    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	    "POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
	    "POST /metrics HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
	    "GET /metrics?%00%ff%zz=%&&&==; HTTP/1.1\r\nHost: h\r\n\r\n",
	    "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n",
	    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = http_connect(port);

		EXPECT_TRUE(fd >= 0);
		http_write(fd, texts[i], strlen(texts[i]));
		EXPECT_TRUE(http_is_closed(fd, LIFE_MOST));
		close(fd);
	}
	expect_healthy();
}

static void test_huge_head(void **state)
{
	char line[1100];

	(void)state;
	int fd = http_connect(port);

	EXPECT_TRUE(fd >= 0);
	http_write(fd, "GET /metrics HTTP/1.1\r\n", 23);
	snprintf(line, sizeof(line), "X-%01000d: a\r\n", 0);
	for (int i = 0; i < 2000 && http_write(fd, line, strlen(line)); i++)
		continue;
	EXPECT_TRUE(http_is_closed(fd, LIFE_MOST));
	close(fd);
	expect_healthy();
}

/* One request for a connection: what comes behind is not answered. */
static void test_pipelining(void **state)
{
	char requests[8192] = "";
	size_t answers = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(requests, "GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n");
	http_ask(port, requests, &answer);
	for (const char *at = answer.text; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++)
		answers++;
	EXPECT_TRUE(answers <= 1);
	expect_healthy();
}

static void test_body(void **state)
{
	static char body[65536];

	(void)state;
	int fd = http_connect(port);
	const char *head = "POST /metrics HTTP/1.1\r\nHost: here\r\nContent-Length: 1073741824\r\n\r\n";

	EXPECT_TRUE(fd >= 0);
	http_write(fd, head, strlen(head));
	for (int i = 0; i < 1000 && http_write(fd, body, sizeof(body)); i++)
		continue;
	EXPECT_TRUE(http_is_closed(fd, LIFE_MOST));
	close(fd);
	expect_healthy();
}

/* All places taken by connections that say one letter at a time: each has its time and no more. */
static void test_slow(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nX-Slow: ";
	int fds[40];
	int open = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		fds[i] = http_connect(port);
		EXPECT_TRUE(fds[i] >= 0);
		http_write(fds[i], request, strlen(request));
	}
	for (int waited = 0; waited < 2 * LIFE_MOST; waited += 1000) {
		open = 0;
		for (int i = 0; i < 40; i++) {
			struct pollfd ready = {.fd = fds[i], .events = POLLIN};

			if (fds[i] < 0)
				continue;
			if (poll(&ready, 1, 0) > 0 || !http_write(fds[i], "a", 1)) {
				close(fds[i]);
				fds[i] = -1;
				continue;
			}
			open++;
		}
		if (open == 0)
			break;
		usleep(1000000);
	}
	EXPECT_TRUE(open == 0);
	expect_healthy();
	expect_relay_serves();
}

/* More connections than there are places, some with half a request, some with none. */
static void test_flood(void **state)
{
	int fds[FLOOD];

	(void)state;
	for (int i = 0; i < FLOOD; i++) {
		fds[i] = http_connect(port);
		if (fds[i] >= 0 && i % 2 == 0)
			http_write(fds[i], "GET /met", 8);
	}
	expect_relay_serves();
	for (int i = 0; i < FLOOD; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	expect_healthy();
	EXPECT_TRUE(daemon_descriptors(&relay, "metrics") < 64);
}

/* A connection that is not waited for: most of them nobody will ever accept. */
static int connect_at_once(void)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		(void)!connect(fd, (struct sockaddr *)&to, sizeof(to));
	return fd;
}

/* Thousands of connections, as many at a time as this process may have; a client of the relay is with it
 * meanwhile and has its answers as always. */
static void test_thousands(void **state)
{
	static int fds[CROWD];
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (int round = 0; round < CROWDS; round++) {
		for (int i = 0; i < CROWD; i++) {
			fds[i] = connect_at_once();
			EXPECT_TRUE(fds[i] >= 0);
			if (i % 3 == round % 3)
				(void)!send(fds[i], "GET /metrics HTTP/1.1\r\nX: ", 26, MSG_NOSIGNAL);
		}
		int64_t asked = client_now();

		for (int i = 0; i < 10; i++)
			EXPECT(&c, ask_ping(&c, 1));
		expect_relay_serves();
		EXPECT_TRUE(client_now() - asked < UNDISTURBED);
		for (int i = 0; i < CROWD; i++)
			close(fds[i]);
	}
	client_free(&c);
	expect_healthy();
	EXPECT_TRUE(daemon_descriptors(&relay, "metrics") < 64);
	expect_small();
}

/* Asks for the page many times and reads none of it. */
static void test_unread(void **state)
{
	int fds[30];

	(void)state;
	for (int i = 0; i < 30; i++) {
		fds[i] = http_connect(port);
		EXPECT_TRUE(fds[i] >= 0);
		http_write(fds[i], "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n", 38);
	}
	expect_healthy();
	for (int i = 0; i < 30; i++)
		close(fds[i]);
	expect_small();
}

static int begin(void **state)
{
	static const char *const settings[] = {"DUSK_RELAY_METRICS=127.0.0.1:0", NULL};

	(void)state;
	if (fixture_begin(settings) != 0)
		return -1;
	port = http_port(&relay);
	return port != 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_garbage), E2E_TEST(test_huge_head), E2E_TEST(test_pipelining),
	    E2E_TEST(test_body),    E2E_TEST(test_slow),      E2E_TEST(test_flood),
	    E2E_TEST(test_unread),  E2E_TEST(test_thousands),
	};

	return cmocka_run_group_tests(tests, begin, fixture_group_end);
}
