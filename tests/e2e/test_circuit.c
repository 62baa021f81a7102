/* SPDX-License-Identifier: MIT
 *
 * Circuits: bytes both ways in every size, ends of every kind, bytes that come early.
 */
#include "tests/e2e/pair.h"

#include <sodium.h>
#include <string.h>

static void test_bytes_go_both_ways(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	exchange_write(&p.x, "hello", 5);
	pair_read(&p, p.y, "hello", 5);
	exchange_write(p.y, "good day", 8);
	pair_read(&p, &p.x, "good day", 8);
	EXPECT(&relay, daemon_expect(&relay, "circuit opened: ", 2000));
	pair_close(&p);
	EXPECT(&relay, daemon_expect(&relay, "circuit closed: ", 2000));
}

struct load {
	struct exchange *from;
	struct exchange *to;
	size_t left;
	size_t block_at;
	crypto_hash_sha256_state sent;
	crypto_hash_sha256_state received;
	size_t received_len;
};

static uint8_t load_block[1 << 18];

static void load_data(struct exchange *x, const uint8_t *bytes, size_t len)
{
	struct load *l = x->user;

	crypto_hash_sha256_update(&l->received, bytes, len);
	l->received_len += len;
}

static void load_begin(struct load *l, struct exchange *from, struct exchange *to, size_t len)
{
	memset(l, 0, sizeof(*l));
	l->from = from;
	l->to = to;
	l->left = len;
	crypto_hash_sha256_init(&l->sent);
	crypto_hash_sha256_init(&l->received);
	to->user = l;
	to->data = load_data;
}

/* Writes as much as goes while less than a window waits in the session. */
static void load_push(struct load *l, struct client *c)
{
	while (l->left > 0 && session_pending(&c->session) < YAMUX_WINDOW) {
		size_t len = sizeof(load_block) - l->block_at;

		if (len > l->left)
			len = l->left;
		if (len > 60000)
			len = 60000;
		len = exchange_write(l->from, load_block + l->block_at, len);
		if (len == 0)
			return;
		crypto_hash_sha256_update(&l->sent, load_block + l->block_at, len);
		l->block_at = (l->block_at + len) % sizeof(load_block);
		l->left -= len;
		client_flush(c);
	}
	if (l->left == 0)
		exchange_finish(l->from);
}

static void load_check(struct load *l, size_t len)
{
	uint8_t sent[32];
	uint8_t received[32];

	EXPECT_TRUE(l->received_len == len);
	crypto_hash_sha256_final(&l->sent, sent);
	crypto_hash_sha256_final(&l->received, received);
	assert_memory_equal(sent, received, 32);
}

struct both_loads {
	struct pair *p;
	struct load there;
	struct load back;
};

static bool loads_done(void *argument)
{
	struct both_loads *l = argument;

	load_push(&l->there, &l->p->a);
	load_push(&l->back, &l->p->b);
	return l->p->x.finished && l->p->y->finished;
}

/* Megabytes both ways at once, whatever the sizes of frames and records; the ends are passed on. */
static void megabytes(size_t len, uint32_t frame_max, size_t record_max)
{
	static struct both_loads l;
	struct pair p;

	pair_open(&p);
	p.a.session.mux.frame_max = p.b.session.mux.frame_max = frame_max;
	p.a.session.record_max = p.b.session.record_max = record_max;
	randombytes_buf(load_block, sizeof(load_block));
	l.p = &p;
	load_begin(&l.there, &p.x, p.y, len);
	load_begin(&l.back, p.y, &p.x, len);
	EXPECT(&p.a, client_wait_all(p.both, 2, loads_done, &l, 60000, "megabytes both ways"));
	load_check(&l.there, len);
	load_check(&l.back, len);
	pair_close(&p);
}

static void test_megabytes_both_ways(void **state)
{
	(void)state;
	megabytes(32u << 20, 16384, 16384);
}

static void test_megabytes_in_large_frames(void **state)
{
	(void)state;
	megabytes(16u << 20, YAMUX_WINDOW, SECURE_PLAIN_MAX);
}

static void test_megabytes_in_odd_pieces(void **state)
{
	(void)state;
	megabytes(2u << 20, 997, 1453);
	megabytes(1u << 16, 3, 7);
}

static void test_half_close_is_passed_on(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	exchange_write(&p.x, "last words", 10);
	exchange_finish(&p.x);
	pair_wait_over(&p, p.y);
	pair_read(&p, p.y, "last words", 10);
	EXPECT_TRUE(p.y->finished && !p.y->reset);
	exchange_write(p.y, "still here", 10);
	pair_read(&p, &p.x, "still here", 10);
	exchange_finish(p.y);
	pair_wait_over(&p, &p.x);
	EXPECT_TRUE(p.x.finished && !p.x.reset);
	pair_close(&p);
}

static void test_reset_is_passed_on(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	exchange_reset(&p.x);
	pair_wait_over(&p, p.y);
	EXPECT_TRUE(p.y->reset);
	pair_close(&p);
	pair_open(&p);
	exchange_reset(p.y);
	pair_wait_over(&p, &p.x);
	EXPECT_TRUE(p.x.reset);
	EXPECT_STREAM_CLOSED("circuit_reset");
	pair_close(&p);
}

static void test_a_lost_connection_ends_its_circuits(void **state)
{
	struct pair p;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct client *leaves = i % 2 ? &p.a : &p.b;
		struct client *stays = i % 2 ? &p.b : &p.a;
		struct exchange *end;

		pair_open(&p);
		end = i % 2 ? p.y : &p.x;
		client_drop(leaves, i / 2);
		EXPECT(stays, client_wait(stays, pair_is_over, end, "the end of the circuit"));
		EXPECT_TRUE(end->reset);
		pair_close(&p);
	}
	EXPECT_STREAM_CLOSED("circuit_peer_gone");
	fixture_expect_connections(1);
	EXPECT_STATUS(0, (int)daemon_counter(&relay, "dusk_relay_circuits"));
}

/* The destination speaks in the same frame as its STATUS OK; the source right behind its CONNECT. */
static void test_bytes_that_come_early(void **state)
{
	static const uint8_t ok_and_more[] = "\x04\x08\x01\x20\x64"
					     "early from b";
	struct stop_request request;
	struct relay_answer answer;
	struct pair p = {.both = {&p.a, &p.b}};

	(void)state;
	fixture_connect(&p.a);
	fixture_reserve(&p.b);
	EXPECT_STATUS(0, exchange_open(&p.x, &p.a.session.mux, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&p.x, &p.b.identity.id);
	exchange_write(&p.x, "early from a", 12);
	p.y = accept_stop(&p.b, p.both, 2, &request);
	EXPECT_TRUE(p.y != NULL);
	EXPECT_TRUE(peer_id_equal(&request.source, &p.a.identity.id));
	EXPECT_TRUE(!request.limit.present);
	exchange_write(p.y, ok_and_more, sizeof(ok_and_more) - 1);
	pair_read(&p, p.y, "early from a", 12);
	EXPECT(&p.a, client_read(&p.a, &p.x, 5 + 12, "the status and early bytes"));
	EXPECT_TRUE(ask_relay_read(&p.x, &answer) > 0);
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	pair_read(&p, &p.x, "early from b", 12);
	pair_close(&p);
}

static void test_source_finishes_before_the_answer(void **state)
{
	struct stop_request request;
	struct pair p = {.both = {&p.a, &p.b}};

	(void)state;
	fixture_connect(&p.a);
	fixture_reserve(&p.b);
	EXPECT_STATUS(0, exchange_open(&p.x, &p.a.session.mux, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&p.x, &p.b.identity.id);
	exchange_write(&p.x, "all of it", 9);
	exchange_finish(&p.x);
	p.y = accept_stop(&p.b, p.both, 2, &request);
	EXPECT_TRUE(p.y != NULL);
	accept_stop_answer(p.y, CIRCUIT_OK);
	pair_wait_over(&p, p.y);
	pair_read(&p, p.y, "all of it", 9);
	EXPECT_TRUE(p.y->finished);
	exchange_finish(p.y);
	pair_wait_over(&p, &p.x);
	pair_close(&p);
}

static void test_both_dial_each_other(void **state)
{
	struct relay_answer answer;
	struct exchange back;
	struct exchange *back_end;
	struct pair p;

	(void)state;
	pair_open(&p);
	EXPECT(&p.a, ask_reserve(&p.a, true, &answer));
	back_end = fixture_circuit(&p.b, &p.a, &back);
	exchange_write(&back, "back", 4);
	pair_read(&p, back_end, "back", 4);
	exchange_write(&p.x, "there", 5);
	pair_read(&p, p.y, "there", 5);
	fixture_end_circuit(&back, back_end);
	pair_close(&p);
}

/* --- bulk in small pieces of several circuits is gathered by a short sleep --- */

#define PIECES_CIRCUITS 8

struct pieces {
	struct pair pair[PIECES_CIRCUITS];
	struct client *clients[2 * PIECES_CIRCUITS];
	unsigned rounds;
};

static void pieces_data(struct exchange *x, const uint8_t *bytes, size_t len)
{
	(void)x;
	(void)bytes;
	(void)len;
}

static bool pieces_napped(void *argument)
{
	struct pieces *p = argument;

	for (int i = 0; i < PIECES_CIRCUITS; i++) {
		struct client *a = &p->pair[i].a;

		if (session_pending(&a->session) > 0)
			continue;
		exchange_write(&p->pair[i].x, load_block, 1000);
		client_flush(a);
	}
	return ++p->rounds % 1000 == 0 && daemon_counter(&relay, "dusk_relay_loop_naps_total") > 0;
}

static void test_small_pieces_are_gathered(void **state)
{
	static struct pieces p;

	(void)state;
	for (int i = 0; i < PIECES_CIRCUITS; i++) {
		pair_open(&p.pair[i]);
		p.pair[i].y->data = pieces_data;
		p.clients[2 * i] = &p.pair[i].a;
		p.clients[2 * i + 1] = &p.pair[i].b;
	}
	EXPECT(p.clients[0], client_wait_all(p.clients, sizeof(p.clients) / sizeof(p.clients[0]),
					     pieces_napped, &p, 60000, "a nap of the loop"));
	for (int i = 0; i < PIECES_CIRCUITS; i++)
		pair_close(&p.pair[i]);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_bytes_go_both_ways),	      E2E_TEST(test_megabytes_both_ways),
	    E2E_TEST(test_megabytes_in_large_frames), E2E_TEST(test_megabytes_in_odd_pieces),
	    E2E_TEST(test_small_pieces_are_gathered), E2E_TEST(test_half_close_is_passed_on),
	    E2E_TEST(test_reset_is_passed_on),	      E2E_TEST(test_a_lost_connection_ends_its_circuits),
	    E2E_TEST(test_bytes_that_come_early),     E2E_TEST(test_source_finishes_before_the_answer),
	    E2E_TEST(test_both_dial_each_other),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
