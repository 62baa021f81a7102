/* SPDX-License-Identifier: MIT
 *
 * External addresses and listening addresses: every form, and what is none; sockets that are passed. */
#include <errno.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "parent/external.h"
#include "parent/inherited.h"
#include "parent/listen.h"

#define PEER  "12D3KooWGQkCkACcibJPKzus7Q6U1aYngfTuS4gwYwmJkJJtrSaw"
#define PEER2 "12D3KooWPE6CuRVJcd8UgmXuYyKSPV2K7SfatWfmkThBs9CMGirR"

static const struct {
	const char *text;
	const char *multiaddr; /* of the first address; NULL: refused */
} external_cases[] = {
    {"203.0.113.7", "/ip4/203.0.113.7/tcp/4001"},
    {"203.0.113.7:99", "/ip4/203.0.113.7/tcp/99"},
    {"2001:db8::1", "/ip6/2001:db8::1/tcp/4001"},
    {"[2001:db8::1]", "/ip6/2001:db8::1/tcp/4001"},
    {"[2001:db8::1]:99", "/ip6/2001:db8::1/tcp/99"},
    {"relay.example.org", "/dns4/relay.example.org/tcp/4001"},
    {"relay.example.org:99", "/dns4/relay.example.org/tcp/99"},
    {"relay", "/dns4/relay/tcp/4001"},
    {"3com.example", "/dns4/3com.example/tcp/4001"},
    {" relay.example.org , 203.0.113.7", "/dns4/relay.example.org/tcp/4001"},
    {"/ip4/203.0.113.7/tcp/99", "/ip4/203.0.113.7/tcp/99"},
    {"/ip6/2001:db8::1/tcp/99", "/ip6/2001:db8::1/tcp/99"},
    {"/dns/relay.example.org/tcp/99", "/dns/relay.example.org/tcp/99"},
    {"/dns4/relay.example.org/tcp/99/p2p/" PEER, "/dns4/relay.example.org/tcp/99"},
    {"/dns6/relay.example.org/tcp/99", "/dns6/relay.example.org/tcp/99"},
    {"/dns4/relay.example.org/tcp/443/wss", "/dns4/relay.example.org/tcp/443/wss"},
    {"/ip4/203.0.113.7", NULL},
    {"/ip4/203.0.113.7/tcp/0", NULL},
    {"/ip4/0.0.0.0/tcp/4001", NULL},
    {"/ip6/::/tcp/4001", NULL},
    {"0.0.0.0", NULL},
    {"::", NULL},
    {"/ip4/203.0.113.7/udp/99", NULL},
    {"/ip4/203.0.113.7/udp/99/quic-v1", NULL},
    {"/tcp/99", NULL},
    {"/p2p/" PEER, NULL},
    {"/ip4/203.0.113.7/tcp/99/p2p/" PEER "/p2p-circuit", NULL},
    {"/ip4/203.0.113.7/tcp/99/p2p/" PEER "/tcp/1", NULL},
    {"/ip4/203.0.113.7/tcp/99/p2p/" PEER ",/ip4/203.0.113.8/tcp/99/p2p/" PEER2, NULL},
    {"/ip4/203.0.113.7/ip4/203.0.113.7/tcp/1", NULL},
    {"/ip4/300.0.0.1/tcp/1", NULL},
    {"/", NULL},
    {"203.0.113", NULL},
    {"203.0.113.7.1", NULL},
    {"203.0.113.256", NULL},
    {"203.0.113.7:0", NULL},
    {"203.0.113.7:65536", NULL},
    {"203.0.113.7:", NULL},
    {"203.0.113.7:9a", NULL},
    {"[2001:db8::1", NULL},
    {"[2001:db8::1]x", NULL},
    {"[203.0.113.7]", NULL},
    {"relay..example.org", NULL},
    {"-relay.example.org", NULL},
    {"relay-.example.org", NULL},
    {"relay.example.org.", NULL},
    {"relay_x.example.org", NULL},
    {"rel ay.example.org", NULL},
    {"http://relay.example.org", NULL},
    {"relay.example.org/tcp/1", NULL},
    {"\x1b[31m", NULL},
    {"1,2,3", NULL},
};

static void test_external_forms(void **state)
{
	struct external_list list;
	char text[MULTIADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(external_cases) / sizeof(external_cases[0]); i++) {
		int result = external_parse(&list, external_cases[i].text, 4001);

		if ((result == 0) != (external_cases[i].multiaddr != NULL))
			fail_msg("%s gave %d", external_cases[i].text, result);
		if (result != 0)
			continue;
		assert_int_equal(multiaddr_to_text(list.address[0].bytes, list.address[0].len, text), 0);
		assert_string_equal(text, external_cases[i].multiaddr);
		assert_int_equal(list.address[0].index, 0);
	}
}

static void test_external_lists(void **state)
{
	struct external_list list;

	(void)state;
	assert_int_equal(external_parse(&list, "", 4001), 0);
	assert_int_equal(list.count, 0);
	assert_int_equal(external_parse(&list, "1.2.3.4,1.2.3.4:4001,/ip4/1.2.3.4/tcp/4001/p2p/" PEER, 4001),
			 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.owner.len, PEER_ID_ED25519);
	assert_int_equal(
	    external_parse(&list, "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,", 1), 0);
	assert_int_equal(list.count, 8);
	assert_int_equal(list.address[7].index, 7);
	assert_int_equal(
	    external_parse(&list, "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9",
			   1),
	    -1);
}

static void test_external_private(void **state)
{
	struct external_list list;

	(void)state;
	assert_int_equal(external_parse(&list, "192.168.1.1,10.0.0.1", 4001), 0);
	assert_true(external_is_private(&list));
	assert_int_equal(external_parse(&list, "192.168.1.1,relay.example.org", 4001), 0);
	assert_false(external_is_private(&list));
}

static void test_external_long(void **state)
{
	struct external_list list;
	char text[1024];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(external_parse(&list, text, 1), -1);
	text[300] = '\0';
	assert_int_equal(external_parse(&list, text, 1), -1);
	text[63] = '\0';
	assert_int_equal(external_parse(&list, text, 1), 0);
}

static const struct {
	const char *text;
	size_t count; /* 0: refused */
	int family;
	uint16_t port;
	bool port_named;
} listen_cases[] = {
    {"0.0.0.0", 1, AF_INET, 0, false},
    {"0.0.0.0:4002", 1, AF_INET, 4002, true},
    {"0.0.0.0:0", 1, AF_INET, 0, true},
    {"::", 1, AF_INET6, 0, false},
    {"[::]", 1, AF_INET6, 0, false},
    {"[::1]:99", 1, AF_INET6, 99, true},
    {"/ip4/127.0.0.1", 1, AF_INET, 0, false},
    {"/ip4/127.0.0.1/tcp/99", 1, AF_INET, 99, true},
    {"/ip6/::1/tcp/99", 1, AF_INET6, 99, true},
    {"0.0.0.0, [::]", 2, AF_INET, 0, false},
    {"0.0.0.0,", 1, AF_INET, 0, false},
    {"", 0, 0, 0, false},
    {"localhost", 0, 0, 0, false},
    {"0.0.0.0:65536", 0, 0, 0, false},
    {"0.0.0.0:", 0, 0, 0, false},
    {"[::]99", 0, 0, 0, false},
    {"[::", 0, 0, 0, false},
    {"/dns4/x/tcp/1", 0, 0, 0, false},
    {"/ip4/127.0.0.1/udp/99", 0, 0, 0, false},
    {"/ip4/127.0.0.1/tcp/99/ws", 0, 0, 0, false},
    {"1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1."
     "1,1.1.1.1,1.1.1.1,"
     "1.1.1.1,1.1.1.1",
     0, 0, 0, false},
};

static void test_listen_forms(void **state)
{
	struct listen_wish wish;

	(void)state;
	for (size_t i = 0; i < sizeof(listen_cases) / sizeof(listen_cases[0]); i++) {
		int result = listen_parse(&wish, listen_cases[i].text);

		if ((result == 0) != (listen_cases[i].count > 0))
			fail_msg("%s gave %d", listen_cases[i].text, result);
		if (result != 0)
			continue;
		assert_int_equal(wish.count, listen_cases[i].count);
		assert_int_equal(wish.item[0].address.any.sa_family, listen_cases[i].family);
		assert_int_equal(listen_port(&wish.item[0].address), listen_cases[i].port);
		assert_int_equal(wish.item[0].port_named, listen_cases[i].port_named);
	}
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

#define TCP_OPTION_NODELAY	 1
#define TCP_OPTION_USER_TIMEOUT	 18
#define TCP_OPTION_NOTSENT_LOWAT 25

static void test_listen_open(void **state)
{
	struct listen_wish wish;
	struct listen_set set;
	struct listen_set second;

	(void)state;
	assert_int_equal(listen_parse(&wish, "127.0.0.1,127.0.0.2"), 0);
	assert_int_equal(listen_open(&set, &wish, 0, "DUSK_RELAY_LISTEN"), 0);
	assert_int_equal(set.count, 2);
	assert_int_not_equal(listen_port(&set.address[0]), 0);
	assert_int_equal(listen_port(&set.address[0]), listen_port(&set.address[1]));
	assert_int_equal(option(set.fd[0], SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(option(set.fd[0], SOL_SOCKET, SO_REUSEADDR), 1);
	assert_int_equal(option(set.fd[0], SOL_SOCKET, SO_REUSEPORT), 0);
	assert_int_equal(option(set.fd[0], SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(set.fd[0], IPPROTO_TCP, TCP_OPTION_NODELAY), 1);
	assert_int_equal(option(set.fd[0], IPPROTO_TCP, TCP_OPTION_USER_TIMEOUT), 75000);
	assert_int_equal(option(set.fd[0], IPPROTO_TCP, TCP_OPTION_NOTSENT_LOWAT), 32768);
	assert_int_equal(listen_open(&second, &wish, listen_port(&set.address[0]), "DUSK_RELAY_LISTEN"), -1);
	assert_non_null(strstr(second.error, "DUSK_RELAY_PORT"));
	listen_close(&set);
}

/* A port that was named with its address is not that of DUSK_RELAY_PORT: the advice must not say so. */
static void test_listen_advice(void **state)
{
	struct listen_wish wish;
	struct listen_set set;
	struct listen_set second;
	char text[40];

	(void)state;
	assert_int_equal(listen_parse(&wish, "127.0.0.1:0"), 0);
	assert_int_equal(listen_open(&set, &wish, 0, "DUSK_RELAY_LISTEN"), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", listen_port(&set.address[0]));
	assert_int_equal(listen_parse(&wish, text), 0);
	assert_int_equal(listen_open(&second, &wish, 0, "DUSK_RELAY_LISTEN"), -1);
	assert_non_null(strstr(second.error, "name another"));
	assert_null(strstr(second.error, "DUSK_RELAY_"));
	assert_int_equal(listen_parse(&wish, "192.0.2.1:1"), 0);
	assert_int_equal(listen_open(&second, &wish, 0, "DUSK_RELAY_LISTEN"), -1);
	assert_null(strstr(second.error, "DUSK_RELAY_"));
	listen_close(&set);
}

/* Descriptors of a service manager are not taken on trust. */
static void test_listen_inherit(void **state)
{
	struct listen_wish wish;
	struct listen_set set;
	struct listen_set inherited = {0};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(listen_inherit(&inherited, pair[0]), -1);
	int plain = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(listen_inherit(&inherited, plain), -1);
	assert_non_null(strstr(inherited.error, "does not listen"));
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(listen_inherit(&inherited, udp), -1);
	assert_int_equal(inherited.count, 0);
	assert_int_equal(listen_parse(&wish, "127.0.0.1"), 0);
	assert_int_equal(listen_open(&set, &wish, 0, "DUSK_RELAY_LISTEN"), 0);
	for (size_t i = 0; i < IMSG_LISTENERS; i++)
		assert_int_equal(listen_inherit(&inherited, set.fd[0]), 0);
	assert_int_equal(listen_port(&inherited.address[0]), listen_port(&set.address[0]));
	assert_int_equal(listen_inherit(&inherited, set.fd[0]), -1);
	assert_non_null(strstr(inherited.error, "one too many"));
	listen_close(&set);
	close(pair[0]);
	close(pair[1]);
	close(plain);
	close(udp);
}

/* --- whose they are --- */

static struct listen_set for_relay;
static struct listen_set for_page;
static char inherited_error[LISTEN_TEXT];

/* Where the first of the sockets from descriptor 3 on listens: each on 127.0.0.1 and a port of its own. */
static uint16_t pass_sockets(size_t count)
{
	uint16_t first = 0;

	for (size_t i = 0; i < count; i++) {
		struct listen_wish wish;
		struct listen_set set;

		assert_int_equal(listen_parse(&wish, "127.0.0.1"), 0);
		assert_int_equal(listen_open(&set, &wish, 0, "DUSK_RELAY_LISTEN"), 0);
		dup2(set.fd[0], LISTEN_FIRST_INHERITED + (int)i);
		first = i == 0 ? listen_port(&set.address[0]) : first;
		if (set.fd[0] >= LISTEN_FIRST_INHERITED + (int)count)
			listen_close(&set);
	}
	return first;
}

static int take(size_t count, const char *names, const char *port, const char *metrics)
{
	struct notify notify = {.inherited = count, .names = names};
	static struct settings settings;

	memset(&for_relay, 0, sizeof(for_relay));
	memset(&for_page, 0, sizeof(for_page));
	memset(&settings, 0, sizeof(settings));
	settings.raw[PARENT_SETTING_port] = port;
	if (port != NULL)
		assert_int_equal(settings_parse_port(&settings, port), 0);
	assert_int_equal(settings_parse_metrics(&settings, metrics), 0);
	return inherited_take(&for_relay, &for_page, &notify, &settings, inherited_error);
}

static void assert_refused(int result, const char *words)
{
	assert_int_equal(result, -1);
	if (strstr(inherited_error, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, inherited_error);
}

static void test_inherited_names(void **state)
{
	static const char *const relays[] = {"", "relay", "unknown", "dusk-relay.socket", "other.socket"};

	(void)state;
	pass_sockets(2);
	for (size_t i = 0; i < sizeof(relays) / sizeof(relays[0]); i++) {
		assert_int_equal(take(1, relays[i], NULL, ""), 0);
		assert_int_equal(for_relay.count, 1);
		assert_int_equal(for_page.count, 0);
	}
	assert_int_equal(take(2, "metrics:relay", NULL, "0"), 0);
	assert_int_equal(for_relay.count, 1);
	assert_int_equal(for_relay.fd[0], LISTEN_FIRST_INHERITED + 1);
	assert_int_equal(for_page.fd[0], LISTEN_FIRST_INHERITED);
	/* The relay's own sockets beside a page that is passed. */
	assert_int_equal(take(1, "metrics", NULL, "0"), 0);
	assert_int_equal(for_relay.count, 0);
	/* Fewer names than sockets: the rest have none. */
	assert_int_equal(take(2, "metrics", NULL, "0"), 0);
	assert_int_equal(for_relay.count, 1);
	assert_refused(take(2, "relay:metric", NULL, ""),
		       "descriptor 4 from the service manager is named \"metric\"");
	assert_refused(take(1, ".socket", NULL, ""), "FileDescriptorName=");
	assert_refused(take(2, "metrics:metrics", NULL, "0"), "second one");
}

static void test_inherited_addresses(void **state)
{
	uint16_t port;
	char same[32];
	char other[32];

	(void)state;
	port = pass_sockets(2);
	snprintf(same, sizeof(same), "%u", port);
	snprintf(other, sizeof(other), "%u", port == 1 ? 2 : port - 1);
	assert_int_equal(take(1, "relay", same, ""), 0);
	assert_int_equal(take(1, "relay", "0", ""), 0);
	assert_refused(take(1, "relay", other, ""), "edit ListenStream= of dusk-relay.socket");
	assert_int_equal(take(2, "metrics:relay", NULL, same), 0);
	assert_refused(take(2, "metrics:relay", NULL, other),
		       "edit its ListenStream=, or DUSK_RELAY_METRICS");
	snprintf(other, sizeof(other), "127.0.0.2:%u", port);
	assert_refused(take(2, "metrics:relay", NULL, other), "DUSK_RELAY_METRICS says 127.0.0.2:");
	snprintf(other, sizeof(other), "[::1]:%u", port);
	assert_refused(take(2, "metrics:relay", NULL, other), "DUSK_RELAY_METRICS says [::1]:");
	assert_refused(take(2, "metrics:relay", NULL, ""), "set DUSK_RELAY_METRICS=127.0.0.1:");
	assert_refused(take(1, "relay", NULL, "0"), "start dusk-relay-metrics.socket");
}

/* In a process that the kernel gives no IPv6, as it is where the machine has none. */
static void test_listen_without_six(void **state)
{
	struct listen_wish wish;
	struct listen_set set;
	int status = -1;

	(void)state;
	assert_int_equal(listen_parse(&wish, "[::1]:0"), 0);
	pid_t pid = fork();
	if (pid == 0) {
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, AF_INET6)) != 0 ||
		    seccomp_load(filter) != 0)
			_exit(3);
		if (listen_open(&set, &wish, 0, "DUSK_RELAY_METRICS") != -1)
			_exit(2);
		_exit(strstr(set.error, "see DUSK_RELAY_METRICS") != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_external_forms),     cmocka_unit_test(test_external_lists),
	    cmocka_unit_test(test_external_private),   cmocka_unit_test(test_external_long),
	    cmocka_unit_test(test_listen_forms),       cmocka_unit_test(test_listen_open),
	    cmocka_unit_test(test_listen_advice),      cmocka_unit_test(test_listen_inherit),
	    cmocka_unit_test(test_inherited_names),    cmocka_unit_test(test_inherited_addresses),
	    cmocka_unit_test(test_listen_without_six),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
