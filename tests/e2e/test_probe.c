/* SPDX-License-Identifier: MIT
 *
 * `dusk-relay probe` and `dusk-relay health` against the daemon, and against things that are no relay.
 */
#include "tests/e2e/fixture.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct daemon
    runner; /* another instance of the fixture, to run the sub-commands with the daemon's settings */

static int probe(const char *address, const char *option)
{
	const char *words[] = {"probe", "--timeout", "2", address, option, NULL};
	int code = daemon_run(&runner, words, NULL);

	if (code < 0)
		fixture_fail(__FILE__, __LINE__, "dusk-relay probe", runner.error);
	return code;
}

static void says(const char *text)
{
	if (!strstr((const char *)bytes_at(&runner.printed), text))
		fixture_fail(__FILE__, __LINE__, text, (const char *)bytes_at(&runner.printed));
}

static void test_probe_goes_through_all_steps(void **state)
{
	static const char *const steps[] = {
	    "ok  resolve: ",  "ok  connect: ", "ok  multistream: ", "ok  noise: ", "ok  muxer: ",
	    "ok  identify: ", "ok  reserve: ", "ok  discover: ",    "ok  ping: "};
	char address[200];
	char id[PEER_ID_TEXT_MAX];

	(void)state;
	peer_id_to_text(&relay.id, id);
	snprintf(address, sizeof(address), "/ip4/127.0.0.1/tcp/%u/p2p/%s", relay.port, id);
	EXPECT_STATUS(0, probe(address, NULL));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		says(steps[i]);
	says("address: /ip4/127.0.0.1/tcp/");
	says("expires: ");
	says("limits: none");
}

static void test_probe_without_a_peer_id_and_by_name(void **state)
{
	char address[200];

	(void)state;
	if (!gethostbyname("localhost")) { /* a bare system without /etc/hosts */
		printf("left out, needs a machine that knows the name localhost: probe by name\n");
		return;
	}
	snprintf(address, sizeof(address), "/dns4/localhost/tcp/%u", relay.port);
	EXPECT_STATUS(0, probe(address, NULL));
	says("ok  ping: ");
}

static void test_probe_of_another_peer(void **state)
{
	char address[200];

	(void)state;
	snprintf(address, sizeof(address),
		 "/ip4/127.0.0.1/tcp/%u/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
		 relay.port);
	EXPECT_STATUS(1, probe(address, NULL));
	says("FAILED noise: ");
}

static void test_probe_of_a_closed_port(void **state)
{
	char address[200];

	(void)state;
	snprintf(address, sizeof(address), "/ip4/127.0.0.1/tcp/%u", daemon_free_port());
	EXPECT_STATUS(1, probe(address, NULL));
	says("FAILED connect: ");
}

static void test_probe_of_a_silent_server(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	char address[200];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT_STATUS(0, bind(fd, (struct sockaddr *)&in, sizeof(in)));
	EXPECT_STATUS(0, listen(fd, 1));
	EXPECT_STATUS(0, getsockname(fd, (struct sockaddr *)&in, &len));
	snprintf(address, sizeof(address), "/ip4/127.0.0.1/tcp/%u", ntohs(in.sin_port));
	EXPECT_STATUS(1, probe(address, NULL));
	says("FAILED multistream: ");
	close(fd);
}

static void test_probe_of_a_name_that_does_not_exist(void **state)
{
	(void)state;
	EXPECT_STATUS(1, probe("/dns4/nowhere.invalid/tcp/4001", NULL));
	says("FAILED resolve: ");
}

static void test_probe_with_wrong_words(void **state)
{
	(void)state;
	EXPECT_STATUS(64, probe("/ip4/127.0.0.1/udp/4001", NULL));
	EXPECT_STATUS(64, probe("nonsense", NULL));
	EXPECT_STATUS(64, probe("/ip4/127.0.0.1/tcp/4001", "--unheard-of"));
}

static void test_health(void **state)
{
	static const char *const words[] = {"health", NULL};

	(void)state;
	runner.port = relay.port;
	EXPECT_STATUS(0, daemon_run(&runner, words, NULL));
	says("ok  health: ");
	runner.port = daemon_free_port();
	EXPECT_STATUS(1, daemon_run(&runner, words, NULL));
	says("FAILED connect: ");
}

static int group_begin(void **state)
{
	(void)state;
	return daemon_prepare(&runner) == 0 ? fixture_begin(NULL) : -1;
}

static int group_end(void **state)
{
	daemon_remove(&runner);
	return fixture_group_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_probe_goes_through_all_steps), E2E_TEST(test_probe_without_a_peer_id_and_by_name),
	    E2E_TEST(test_probe_of_another_peer),	 E2E_TEST(test_probe_of_a_closed_port),
	    E2E_TEST(test_probe_of_a_silent_server),	 E2E_TEST(test_probe_of_a_name_that_does_not_exist),
	    E2E_TEST(test_probe_with_wrong_words),	 E2E_TEST(test_health),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
