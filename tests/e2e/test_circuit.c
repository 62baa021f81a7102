/* SPDX-License-Identifier: MIT
 *
 * CONNECT, STOP and the circuit itself: bytes both ways, ends of every kind, destinations that refuse, vanish
 * or say nothing.
 */
#include "tests/e2e/fixture.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char *const settings[] = {"DUSK_STOP_TIMEOUT=3", NULL};

struct pair {
	struct client a;
	struct client b;
	struct client *both[2];
	struct exchange x;  /* at a */
	struct exchange *y; /* at b */
};

static void pair_open(struct pair *p)
{
	fixture_connect(&p->a);
	fixture_reserve(&p->b);
	p->both[0] = &p->a;
	p->both[1] = &p->b;
	p->y = fixture_circuit(&p->a, &p->b, &p->x);
}

static void pair_close(struct pair *p)
{
	fixture_end_circuit(&p->x, p->y);
	client_free(&p->a);
	client_free(&p->b);
}

/* --- waiting on both
 * ----------------------------------------------------------------------------------------------------- */

struct wait_bytes {
	struct exchange *x;
	size_t len;
};

static bool has_bytes(void *argument)
{
	struct wait_bytes *w = argument;

	return bytes_len(&w->x->inbox) >= w->len;
}

static bool is_over(void *argument)
{
	return exchange_over(argument);
}

static void pair_read(struct pair *p, struct exchange *at, const void *wanted, size_t len)
{
	struct wait_bytes w = {.x = at, .len = len};

	EXPECT(&p->a,
	       client_wait_all(p->both, 2, has_bytes, &w, PEER_TIMEOUT_MS, "bytes through the circuit"));
	assert_memory_equal(bytes_at(&at->inbox), wanted, len);
	bytes_consume(&at->inbox, len);
}

static void pair_wait_over(struct pair *p, struct exchange *at)
{
	EXPECT(&p->a, client_wait_all(p->both, 2, is_over, at, PEER_TIMEOUT_MS, "the end of the circuit"));
}

/* --- good circuits
 * ------------------------------------------------------------------------------------------------------- */

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
		EXPECT(stays, client_wait(stays, is_over, end, "the end of the circuit"));
		EXPECT_TRUE(end->reset);
		pair_close(&p);
	}
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

/* --- refusals
 * ------------------------------------------------------------------------------------------------------------
 */

static int connect_status(struct client *c, const struct peer_id *to)
{
	struct relay_answer answer;
	struct exchange x;

	EXPECT(c, ask_connect(c, &x, to, NULL, 0, &answer));
	EXPECT(c, client_wait_over(c, &x, "the end of the refused stream"));
	EXPECT_TRUE(x.finished && !x.reset);
	exchange_close(&x);
	return answer.status;
}

static void test_connect_to_nobody(void **state)
{
	struct identity stranger;
	struct client a;
	struct client unreserved;

	(void)state;
	identity_new(&stranger);
	fixture_connect(&a);
	fixture_connect(&unreserved);
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&a, &stranger.id));
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&a, &unreserved.identity.id));
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&a, &relay.id));
	client_free(&unreserved);
	client_free(&a);
}

static void test_connect_to_oneself(void **state)
{
	struct client a;

	(void)state;
	fixture_reserve(&a);
	EXPECT_STATUS(CIRCUIT_NO_RESERVATION, connect_status(&a, &a.identity.id));
	EXPECT_STATUS(0, (int)a.stop_count);
	client_free(&a);
}

struct refusal {
	struct client *b;
	struct exchange *x;
	void (*answer)(struct exchange *y);
	struct relay_answer got;
	int found;
};

static bool refusal_done(void *argument)
{
	struct refusal *r = argument;
	struct stop_request request;
	struct exchange *y = accept_stop_ready(r->b, &request);

	if (y) {
		r->answer(y);
		exchange_close(y);
		free(y);
	}
	if (r->found == 0)
		r->found = ask_relay_read(r->x, &r->got);
	return r->found != 0;
}

/* A CONNECT whose destination does `answer` with the STOP. */
static int stop_answered_by(void (*answer)(struct exchange *y), int timeout_ms)
{
	struct exchange x;
	struct client a;
	struct client b;
	struct client *both[] = {&a, &b};
	struct refusal r = {.b = &b, .x = &x, .answer = answer};

	fixture_connect(&a);
	fixture_reserve(&b);
	EXPECT(&a, client_open(&a, &x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&x, &b.identity.id);
	EXPECT(&a, client_wait_all(both, 2, refusal_done, &r, timeout_ms, "the answer to CONNECT"));
	EXPECT_TRUE(r.found > 0);
	EXPECT(&a, client_wait_over(&a, &x, "the end of the refused stream"));
	exchange_close(&x);
	EXPECT(&b, ask_ping(&b, 1));
	client_free(&a);
	client_free(&b);
	return r.got.status;
}

static void answer_refused(struct exchange *y)
{
	accept_stop_answer(y, CIRCUIT_PERMISSION_DENIED);
	exchange_finish(y);
}

static void answer_nonsense(struct exchange *y)
{
	exchange_write(y, "\x03\xff\xff\xff", 4);
}

static void answer_connect(struct exchange *y)
{
	exchange_write(y, "\x02\x08\x00", 3);
}

static void answer_too_long(struct exchange *y)
{
	exchange_write(y, "\xff\xff\x7f", 3);
}

static void answer_reset(struct exchange *y)
{
	exchange_reset(y);
}

static void answer_finish(struct exchange *y)
{
	exchange_finish(y);
}

static void test_destinations_that_refuse(void **state)
{
	(void)state;
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_refused, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_nonsense, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_connect, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_too_long, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_reset, PEER_TIMEOUT_MS));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, stop_answered_by(answer_finish, PEER_TIMEOUT_MS));
}

static void test_destination_without_the_stop_protocol(void **state)
{
	struct relay_answer answer;
	struct exchange x;
	struct client a;
	struct client b;
	struct client *others[] = {&b};

	(void)state;
	fixture_connect(&a);
	fixture_reserve(&b);
	b.refuse_streams = true;
	EXPECT(&a, ask_connect(&a, &x, &b.identity.id, others, 1, &answer));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, answer.status);
	exchange_close(&x);
	client_free(&a);
	client_free(&b);
}

/* 203 when the time is over, and neither side loses its reservation. */
static void test_destination_that_never_answers(void **state)
{
	struct relay_answer answer;
	struct exchange x;
	struct exchange later;
	struct exchange *later_end;
	struct client a;
	struct client b;
	struct client caller;
	int64_t start;

	(void)state;
	fixture_reserve(&a);
	fixture_reserve(&b);
	fixture_connect(&caller);
	start = client_now();
	EXPECT(&a, ask_connect(&a, &x, &b.identity.id, NULL, 0, &answer));
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, answer.status);
	EXPECT_TRUE(client_now() - start >= 2900 && client_now() - start < 4500);
	exchange_close(&x);
	later_end = fixture_circuit(&caller, &a, &later); /* the source's own reservation lives */
	fixture_end_circuit(&later, later_end);
	client_turn((struct client *[]){&b}, 1, 100);
	while (b.stop_count > 0) { /* what b never looked at */
		exchange_close(b.stops[--b.stop_count]);
		free(b.stops[b.stop_count]);
	}
	later_end = fixture_circuit(&caller, &b, &later); /* and the destination's */
	fixture_end_circuit(&later, later_end);
	client_free(&caller);
	client_free(&a);
	client_free(&b);
}

static void test_source_leaves_while_the_stop_waits(void **state)
{
	struct client a;
	struct client b;

	(void)state;
	fixture_reserve(&b);
	for (int i = 0; i < 3; i++) {
		struct client *both[] = {&b};
		struct stop_request request;
		struct exchange *y;
		struct exchange x;

		fixture_connect(&a);
		EXPECT(&a, client_open(&a, &x, CIRCUIT_HOP_PROTOCOL));
		ask_relay_send_connect(&x, &b.identity.id);
		client_flush(&a);
		y = accept_stop(&b, both, 1, &request);
		EXPECT_TRUE(y != NULL);
		if (i == 0)
			exchange_reset(&x);
		client_flush(&a);
		if (i > 0)
			client_drop(&a, i == 1);
		EXPECT(&b, client_wait_over(&b, y, "the reset of a STOP whose source left"));
		exchange_close(&x);
		exchange_close(y);
		free(y);
		client_free(&a);
	}
	EXPECT(&b, ask_ping(&b, 1));
	client_free(&b);
	fixture_expect_connections(1);
}

static void test_destination_leaves_while_the_stop_waits(void **state)
{
	struct relay_answer answer;
	struct stop_request request;
	struct pair p = {.both = {&p.a, &p.b}};
	struct span message;

	(void)state;
	fixture_connect(&p.a);
	fixture_reserve(&p.b);
	EXPECT(&p.a, client_open(&p.a, &p.x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&p.x, &p.b.identity.id);
	p.y = accept_stop(&p.b, p.both, 2, &request);
	EXPECT_TRUE(p.y != NULL);
	client_drop(&p.b, true);
	EXPECT(&p.a, client_message(&p.a, &p.x, CIRCUIT_MESSAGE_MAX, &message, "the answer"));
	EXPECT_TRUE(ask_relay_read(&p.x, &answer) > 0);
	EXPECT_STATUS(CIRCUIT_CONNECTION_FAILED, answer.status);
	pair_close(&p);
}

/* js makes a RESERVE before it answers a STOP: it must be served meanwhile. */
static void test_reserve_while_a_stop_waits(void **state)
{
	struct relay_answer answer;
	struct stop_request request;
	struct pair p = {.both = {&p.a, &p.b}};

	(void)state;
	fixture_connect(&p.a);
	fixture_reserve(&p.b);
	EXPECT(&p.a, client_open(&p.a, &p.x, CIRCUIT_HOP_PROTOCOL));
	ask_relay_send_connect(&p.x, &p.b.identity.id);
	p.y = accept_stop(&p.b, p.both, 2, &request);
	EXPECT_TRUE(p.y != NULL);
	EXPECT(&p.b, ask_reserve(&p.b, false, &answer));
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	accept_stop_answer(p.y, CIRCUIT_OK);
	exchange_write(p.y, "x", 1);
	EXPECT(&p.a, client_wait_all(p.both, 2, has_bytes, &(struct wait_bytes){&p.x, 6}, PEER_TIMEOUT_MS,
				     "status and x"));
	EXPECT_TRUE(ask_relay_read(&p.x, &answer) > 0);
	EXPECT_STATUS(CIRCUIT_OK, answer.status);
	pair_close(&p);
}

static int group_begin(void **state)
{
	(void)state;
	return fixture_begin(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_TEST(test_bytes_go_both_ways),
	    E2E_TEST(test_megabytes_both_ways),
	    E2E_TEST(test_megabytes_in_large_frames),
	    E2E_TEST(test_megabytes_in_odd_pieces),
	    E2E_TEST(test_half_close_is_passed_on),
	    E2E_TEST(test_reset_is_passed_on),
	    E2E_TEST(test_a_lost_connection_ends_its_circuits),
	    E2E_TEST(test_bytes_that_come_early),
	    E2E_TEST(test_source_finishes_before_the_answer),
	    E2E_TEST(test_both_dial_each_other),
	    E2E_TEST(test_connect_to_nobody),
	    E2E_TEST(test_connect_to_oneself),
	    E2E_TEST(test_destinations_that_refuse),
	    E2E_TEST(test_destination_without_the_stop_protocol),
	    E2E_TEST(test_destination_that_never_answers),
	    E2E_TEST(test_source_leaves_while_the_stop_waits),
	    E2E_TEST(test_destination_leaves_while_the_stop_waits),
	    E2E_TEST(test_reserve_while_a_stop_waits),
	};

	return cmocka_run_group_tests(tests, group_begin, fixture_group_end);
}
