/* SPDX-License-Identifier: MIT
 *
 * What clients do with addresses and clocks: circuits over IPv6, a public name as external address from the
 * reservation to a discovered record, clocks that are off by ten minutes, and requests that follow each other
 * on one hop stream.
 */
#include "tests/e2e/pair.h"
#include "tests/e2e/rendezvous_peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NAME	    "/dns4/relay.example.org/tcp/4001"
#define MINUTES_TEN 600

static const char *const settings[] = {"DUSK_RELAY_EXTERNAL_ADDR=" NAME, NULL};

/* --- IPv6 --- */

static bool host_has_ip6(void)
{
	struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;

	if (fd >= 0)
		close(fd);
	if (!has)
		printf("left out, no IPv6 on this machine: circuits over ::1\n");
	return has;
}

static void connect_by_ip6(struct client *c)
{
	struct dial_target target;
	char address[64];

	snprintf(address, sizeof(address), "/ip6/::1/tcp/%u", relay.port);
	EXPECT_TRUE(dial_parse(&target, address) == NULL && dial_resolve(&target) == NULL);
	client_init(c, PEER_TIMEOUT_MS);
	EXPECT(c, client_connect(c, &target.addresses[0]));
}

static void reserve(struct client *c)
{
	struct relay_answer answer;

	EXPECT(c, ask_reserve(c, true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
}

static void speak(struct pair *p)
{
	p->both[0] = &p->a;
	p->both[1] = &p->b;
	p->y = fixture_circuit(&p->a, &p->b, &p->x);
	exchange_write(&p->x, "there", 5);
	pair_read(p, p->y, "there", 5);
	exchange_write(p->y, "back", 4);
	pair_read(p, &p->x, "back", 4);
	pair_close(p);
}

/* Both ends over IPv6, and one of each: the relay joins what never could meet. */
static void test_circuits_over_ip6(void **state)
{
	struct pair p;

	(void)state;
	if (!host_has_ip6())
		return;
	connect_by_ip6(&p.a);
	connect_by_ip6(&p.b);
	reserve(&p.b);
	speak(&p);
	fixture_connect(&p.a);
	connect_by_ip6(&p.b);
	reserve(&p.b);
	speak(&p);
}

/* --- a public name --- */

static void expect_name(struct span got, bool with_id)
{
	char id[PEER_ID_TEXT_MAX];
	char wanted[MULTIADDR_TEXT_MAX];
	char text[MULTIADDR_TEXT_MAX];

	peer_id_to_text(&relay.id, id);
	snprintf(wanted, sizeof(wanted), with_id ? NAME "/p2p/%s" : NAME, id);
	EXPECT_STATUS(0, multiaddr_to_text(got.bytes, got.len, text));
	assert_string_equal(text, wanted);
}

/* The circuit address that a client makes of its reservation. */
static void circuit_record(struct record *r, const struct client *c, const struct multiaddr *reserved)
{
	char text[MULTIADDR_TEXT_MAX];
	char id[PEER_ID_TEXT_MAX];
	char whole[2 * MULTIADDR_TEXT_MAX];
	struct multiaddr addr;
	struct span span;

	peer_id_to_text(&c->identity.id, id);
	EXPECT_STATUS(0, multiaddr_to_text(reserved->bytes, reserved->len, text));
	snprintf(whole, sizeof(whole), "%s/p2p-circuit/p2p/%s", text, id);
	EXPECT_STATUS(0, multiaddr_from_text(&addr, whole));
	span = (struct span){addr.bytes, addr.len};
	rendezvous_record_of(r, c, ENVELOPE_RECORD, &span, 1);
}

/* Identify, the reservation and the record of a client say the same name, and the record is taken. */
static void test_a_name_from_reservation_to_record(void **state)
{
	static struct identify_answer said;
	struct rendezvous_result result;
	struct relay_answer answer;
	struct record r;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, ask_identify(&c, &said));
	EXPECT_STATUS(1, (int)said.message.addr_count);
	expect_name(said.message.addrs[0], false);
	EXPECT(&c, ask_reserve(&c, true, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	EXPECT_STATUS(1, (int)answer.addr_count);
	expect_name((struct span){answer.addrs[0].bytes, answer.addrs[0].len}, true);
	circuit_record(&r, &c, &answer.addrs[0]);
	EXPECT_STATUS(RENDEZVOUS_OK, rendezvous_register(&c, "named", &r, 0));
	rendezvous_discover(&c, "named", &result);
	EXPECT_STATUS(1, (int)rendezvous_count_of(&result, &c));
	rendezvous_result_free(&result);
	EXPECT(&c, ask_unregister(&c, "named"));
	client_free(&c);
}

/* --- clocks --- */

/* A client whose clock is ten minutes ahead or behind takes the reservation. It renews at three quarters of
 * what it believes is left: before the end that it was told, by the relay's clock. */
static void test_clocks_that_are_off_by_ten_minutes(void **state)
{
	static const int off[] = {0, MINUTES_TEN, -MINUTES_TEN};
	struct relay_answer answer;
	struct client c;

	(void)state;
	fixture_connect(&c);
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		int64_t theirs = (int64_t)time(NULL) + off[i];

		EXPECT(&c, ask_reserve(&c, true, &answer));
		EXPECT_STATUS(CIRCUIT_OK, answer.status);
		EXPECT_TRUE(ask_relay_check(&answer, &relay.id, &c.identity.id, (uint64_t)theirs) == NULL);
		int64_t renews = ((int64_t)answer.expire - theirs) * 3 / 4;

		EXPECT_TRUE(renews > 0 && time(NULL) + renews < (int64_t)answer.expire);
	}
	client_free(&c);
}

/* --- one hop stream --- */

/* A hop stream carries one request: what follows is not answered, and hurts neither the answer nor the
 * connection. */
static void test_several_requests_on_one_hop_stream(void **state)
{
	struct relay_answer answer;
	struct span message;
	struct exchange x;
	struct client c;

	(void)state;
	fixture_connect(&c);
	EXPECT(&c, client_open(&c, &x, CIRCUIT_HOP_PROTOCOL));
	for (int i = 0; i < 3; i++)
		ask_relay_send_reserve(&x);
	EXPECT(&c, client_message(&c, &x, CIRCUIT_MESSAGE_MAX, &message, "the answer"));
	EXPECT_TRUE(ask_relay_read(&x, &answer) > 0);
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	EXPECT(&c, client_wait_over(&c, &x, "the end of the hop stream"));
	EXPECT_TRUE(x.finished && !x.reset && bytes_len(&x.inbox) == 0);
	exchange_close(&x);
	for (int i = 0; i < 3; i++)
		reserve(&c);
	client_free(&c);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_circuits_over_ip6),
	    E2E_TEST(test_a_name_from_reservation_to_record),
	    E2E_TEST(test_clocks_that_are_off_by_ten_minutes),
	    E2E_TEST(test_several_requests_on_one_hop_stream),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
