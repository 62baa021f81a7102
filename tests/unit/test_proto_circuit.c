/* SPDX-License-Identifier: MIT
 *
 * proto/circuit_message.h. Examples of what hostile messages cost.
 */
#include "proto_vectors.h"

#include "proto/circuit_message.h"
#include "proto/protobuf_arena.h"

#define DUSK_ADDR "36 12 72656c61792e6475736b636861742e617070 06 0fa1 a50326" K_PEER_ID

typedef int (*parse_fn)(const uint8_t *, size_t, struct circuit_message *);

static int parse_hex(parse_fn parse, const char *hex, struct circuit_message *m)
{
	struct bytes b = bytes_of_hex(hex);
	uint8_t *copy = exact_copy(b.at, b.len);
	int result = parse(copy, b.len, m);

	free(copy);
	return result;
}

static void assert_hop(const struct circuit_message *m, const char *hex)
{
	uint8_t out[CIRCUIT_MESSAGE_MAX];
	struct writer w = writer_of(out, sizeof(out));

	hop_message_write(&w, m);
	assert_written(&w, hex);
}

static void assert_stop(const struct circuit_message *m, const char *hex)
{
	uint8_t out[CIRCUIT_MESSAGE_MAX];
	struct writer w = writer_of(out, sizeof(out));

	stop_message_write(&w, m);
	assert_written(&w, hex);
}

static void examples_written(void **state)
{
	struct bytes k = bytes_of_hex(K_PEER_ID), addr = bytes_of_hex(DUSK_ADDR);
	struct circuit_message m = {.type = HOP_RESERVE};

	(void)state;
	assert_hop(&m, "02 0800");
	m = (struct circuit_message){
	    .type = HOP_STATUS, .has_status = true, .status = CIRCUIT_RESERVATION_REFUSED};
	assert_hop(&m, "05 0802 28c801");
	m.status = CIRCUIT_NO_RESERVATION;
	assert_hop(&m, "05 0802 28cc01");
	m.status = CIRCUIT_OK;
	assert_hop(&m, "04 0802 2864");
	m.limit = (struct circuit_limit){.present = true}; /* {0,0} would make go mark the connection */
	assert_hop(&m, "04 0802 2864");
	m.limit = (struct circuit_limit){.present = true, .duration = 120, .data = 131072};
	assert_hop(&m, "0c 0802 2206 0878 10808008 2864");
	m = (struct circuit_message){.type = STOP_CONNECT, .has_peer = true, .peer = {k.at, k.len}};
	assert_stop(&m, "2c 0800 1228 0a26" K_PEER_ID);
	m.limit = (struct circuit_limit){.present = true, .duration = 120};
	assert_stop(&m, "30 0800 1228 0a26" K_PEER_ID "1a02 0878");
	m = (struct circuit_message){.type = STOP_STATUS, .has_status = true, .status = CIRCUIT_OK};
	assert_stop(&m, "04 0801 2064");
	m = (struct circuit_message){.type = HOP_STATUS,
				     .has_status = true,
				     .status = CIRCUIT_OK,
				     .has_reservation = true,
				     .expire = 1700003600,
				     .addr_count = 1,
				     .addrs = {{addr.at, addr.len}}};
	assert_hop(&m, "4e 0802 1a48 0890fecfaa06 1240" DUSK_ADDR "2864");
}

static void examples_read(void **state)
{
	struct circuit_message m;
	struct bytes b;

	(void)state;
	assert_int_equal(parse_hex(hop_message_parse, "0800", &m), 0);
	assert_true(m.has_type && m.type == HOP_RESERVE && !m.has_peer && !m.has_status && !m.limit.present);
	assert_int_equal(parse_hex(hop_message_parse, "0802 28cc01", &m), 0);
	assert_true(m.type == HOP_STATUS && m.has_status && m.status == CIRCUIT_NO_RESERVATION);
	assert_int_equal(parse_hex(hop_message_parse, "0802 2206 0878 10808008 2864", &m), 0);
	assert_true(m.limit.present && m.limit.duration == 120 && m.limit.data == 131072);
	b = bytes_of_hex("0800 1228 0a26" K_PEER_ID);
	assert_int_equal(stop_message_parse(b.at, b.len, &m), 0);
	assert_true(m.has_type && m.type == STOP_CONNECT && m.has_peer);
	assert_span(m.peer, K_PEER_ID);
	assert_true(m.peer.bytes >= b.at && m.peer.bytes + m.peer.len <= b.at + b.len);
	b = bytes_of_hex("0802 1a4c 0890fecfaa06 1240" DUSK_ADDR "1a020102 2864");
	assert_int_equal(hop_message_parse(b.at, b.len, &m), 0);
	assert_true(m.has_reservation && m.expire == 1700003600 && m.addr_count == 1);
	assert_span(m.addrs[0], DUSK_ADDR);
	assert_span(m.voucher, "0102");
	assert_int_equal(parse_hex(stop_message_parse, "0801 2064", &m), 0);
	assert_true(m.type == STOP_STATUS && m.status == CIRCUIT_OK);
}

static void odd_but_parsed(void **state)
{
	struct circuit_message m;
	struct bytes b;

	(void)state;
	assert_int_equal(parse_hex(hop_message_parse, "", &m), 0); /* nothing at all: no type */
	assert_false(m.has_type);
	/* js names the destination's address too; unknown fields on both levels */
	b = bytes_of_hex("0801 1255 0a26" K_PEER_ID "1229 a50326" K_PEER_ID "1801 3a0161");
	assert_int_equal(hop_message_parse(b.at, b.len, &m), 0);
	assert_span(m.peer, K_PEER_ID);
	assert_int_equal(m.addr_count, 0);
	/* the last one wins */
	assert_int_equal(parse_hex(hop_message_parse, "0800 0802 0801", &m), 0);
	assert_int_equal(m.type, HOP_CONNECT);
	/* a peer without id; an empty id */
	assert_int_equal(parse_hex(hop_message_parse, "0801 1200", &m), 0);
	assert_true(m.has_peer && m.peer.len == 0);
	assert_int_equal(parse_hex(hop_message_parse, "0801 1202 0a00", &m), 0);
	assert_true(m.has_peer && m.peer.len == 0);
	/* numbers that do not fit do not become others: 2^32 + 100 is not OK */
	assert_int_equal(parse_hex(hop_message_parse, "0802 28e480808010", &m), 0);
	assert_true(m.has_status && m.status != CIRCUIT_OK && m.status > CIRCUIT_UNEXPECTED_MESSAGE);
	assert_int_equal(parse_hex(hop_message_parse, "08ffffffffffffffffff01", &m), 0);
	assert_true(m.type > HOP_STATUS);
	assert_int_equal(
	    parse_hex(hop_message_parse, "2216 08ffffffffffffffffff01 10ffffffffffffffffff01", &m), 0);
	assert_true(m.limit.duration == UINT32_MAX && m.limit.data == UINT64_MAX);
}

static void refused(void **state)
{
	static const char *const bad[] = {
	    "08",	    /* no value */
	    "0880",	    /* unfinished */
	    "0b0c",	    /* a group */
	    "0802 0b",	    /* the start of one */
	    "1205 0a26",    /* length past the end */
	    "1202 0a26",    /* inner length past the end */
	    "12ffffffff0f", /* 4 GiB */
	    "12ffffffffffffffffff01",
	    "1280808080808080808080808001", /* length of 13 bytes */
	    "0a00",			    /* the type is bytes */
	    "1001",			    /* the peer is a number */
	    "1202 0801",		    /* the peer id is a number */
	    "08ffffffffffffffffffff01",	    /* number of eleven bytes */
	};
	struct circuit_message m;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (parse_hex(hop_message_parse, bad[i], &m) == 0)
			fail_msg("hop accepted %s", bad[i]);
		if (parse_hex(stop_message_parse, bad[i], &m) == 0)
			fail_msg("stop accepted %s", bad[i]);
	}
}

/* Every prefix is either refused or has less in it; none reads past its end (exact copies, sanitizers). */
static void truncated(void **state)
{
	struct bytes b = bytes_of_hex("0802 1a48 0890fecfaa06 1240" DUSK_ADDR "2864");
	struct circuit_message m;

	(void)state;
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *copy = exact_copy(b.at, len);
		int result = hop_message_parse(copy, len, &m);

		assert_int_equal(result, len == 0 || len == 2 || len == b.len - 2 ? 0 : -1);
		free(copy);
	}
}

/* `unit` as often as it fits into `size` bytes. */
static struct bytes filled(const char *unit, size_t size)
{
	struct bytes u = bytes_of_hex(unit), b = {0};

	while (b.len + u.len <= size) {
		memcpy(b.at + b.len, u.at, u.len);
		b.len += u.len;
	}
	return b;
}

/* What protobuf-c would allocate much for is refused; nothing nests deeper than the messages themselves. */
static void hostile(void **state)
{
	static const char *const units[] = {
	    "0800",   /* 2048 times the type */
	    "7801",   /* 2048 unknown fields */
	    "7a00",   /* 2048 unknown empty fields */
	    "1200",   /* 2048 peers, to be merged */
	    "1a00",   /* 2048 reservations */
	    "0b",     /* 4096 nested groups */
	    "a3060b", /* groups of an unknown field */
	};
	struct circuit_message m;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		struct bytes b = filled(units[i], CIRCUIT_MESSAGE_MAX);

		if (hop_message_parse(b.at, b.len, &m) == 0 || stop_message_parse(b.at, b.len, &m) == 0)
			fail_msg("accepted %s", units[i]);
	}
	/* 2000 addresses of nothing inside one reservation, one peer */
	struct bytes b = filled("1200", 4000 + 3);

	memmove(b.at + 3, b.at, 4000);
	memcpy(b.at, "\x1a\xa0\x1f", 3);
	assert_int_equal(hop_message_parse(b.at, 4003, &m), -1);
	b.at[0] = 0x12;
	assert_int_equal(hop_message_parse(b.at, 4003, &m), -1);
}

static void deep_nesting_in_unknown_bytes_is_not_entered(void **state)
{
	struct bytes b = {0};
	struct circuit_message m;

	(void)state;
	/* From the inside out: each level is field 2 of the one around it, as a parser that recursed would
	 * see it. */
	for (unsigned level = 0; level < 2000; level++) {
		uint8_t head[4];
		struct writer w = writer_of(head, sizeof(head));

		writer_u8(&w, 0x12);
		writer_varint(&w, b.len);
		if (b.len + writer_len(&w) > CIRCUIT_MESSAGE_MAX)
			break;
		memmove(b.at + writer_len(&w), b.at, b.len);
		memcpy(b.at, head, writer_len(&w));
		b.len += writer_len(&w);
	}
	assert_true(b.len > CIRCUIT_MESSAGE_MAX - 4);
	assert_int_equal(hop_message_parse(b.at, b.len, &m), 0); /* peer.addrs[0], and no further */
	assert_true(m.has_peer && m.peer.len == 0);
}

/* The largest honest message: 16 addresses, voucher, limit; and 4096 bytes of anything else. */
static void largest(void **state)
{
	struct bytes addr = filled("aa", 220), voucher = filled("bb", 320);
	struct circuit_message m = {.type = HOP_STATUS,
				    .has_status = true,
				    .status = CIRCUIT_OK,
				    .limit = {true, 1, 1},
				    .has_reservation = true,
				    .expire = UINT64_MAX,
				    .addr_count = CIRCUIT_ADDRS_MAX,
				    .voucher = {voucher.at, voucher.len}};
	uint8_t out[CIRCUIT_MESSAGE_MAX];
	struct writer w = writer_of(out, sizeof(out));
	struct circuit_message back;

	(void)state;
	for (size_t i = 0; i < CIRCUIT_ADDRS_MAX; i++)
		m.addrs[i] = (struct span){addr.at, addr.len};
	hop_message_write(&w, &m);
	assert_false(w.bad);
	assert_int_equal(hop_message_parse(out + 2, writer_len(&w) - 2, &back), 0);
	assert_int_equal(back.addr_count, CIRCUIT_ADDRS_MAX);
	assert_int_equal(back.voucher.len, 320);
	assert_true(back.expire == UINT64_MAX);
	for (size_t i = 0; i < CIRCUIT_ADDRS_MAX; i++)
		assert_int_equal(back.addrs[i].len, 220);

	w = writer_of(out, writer_len(&w) - 1);
	hop_message_write(&w, &m);
	assert_true(w.bad);
	m.addrs[0].len = 1000; /* beyond what readers take */
	w = writer_of(out, sizeof(out));
	hop_message_write(&w, &m);
	assert_true(w.bad);

	struct bytes b = filled("7a020102", CIRCUIT_MESSAGE_MAX);

	memcpy(b.at, "\x7a\xfd\x1f", 3); /* one unknown field over all of it */
	assert_int_equal(hop_message_parse(b.at, CIRCUIT_MESSAGE_MAX, &back), 0);
	b.at[1]++; /* good as well, and a byte too long */
	assert_int_equal(hop_message_parse(b.at, CIRCUIT_MESSAGE_MAX + 1, &back), -1);
	assert_int_equal(stop_message_parse(b.at, CIRCUIT_MESSAGE_MAX + 1, &back), -1);
}

static void more_addresses_than_kept(void **state)
{
	struct bytes addrs = filled("12020101", 4 * 30), b = bytes_of_hex("0802 1a78");
	struct circuit_message m;

	(void)state;
	memcpy(b.at + b.len, addrs.at, addrs.len);
	assert_int_equal(hop_message_parse(b.at, b.len + addrs.len, &m), 0);
	assert_int_equal(m.addr_count, CIRCUIT_ADDRS_MAX);
}

/* Whatever is asked for, in whatever order, lies within the memory, aligned and apart. */
static void arena_keeps_within_its_memory(void **state)
{
	static const size_t sizes[] = {1, 24, 40, 7, 100, 16, 0, SIZE_MAX, SIZE_MAX - 15, 63};
	_Alignas(max_align_t) uint8_t memory[1000];
	struct protobuf_arena arena;
	const uint8_t *last_end = memory;

	(void)state;
	protobuf_arena_init(&arena, memory, sizeof(memory) - 3);
	for (size_t i = 0; i < 1000; i++) {
		size_t size = sizes[i % COUNT_OF(sizes)];
		uint8_t *got = arena.allocator.alloc(arena.allocator.allocator_data, size);

		if (got == NULL)
			continue;
		assert_true(got >= last_end && size <= (size_t)(memory + sizeof(memory) - 3 - got));
		assert_int_equal((size_t)(got - memory) % _Alignof(max_align_t), 0);
		last_end = got + size;
		memset(got, 0xee, size);
	}
	assert_true(last_end - memory > 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(examples_written),
	    cmocka_unit_test(examples_read),
	    cmocka_unit_test(odd_but_parsed),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(truncated),
	    cmocka_unit_test(hostile),
	    cmocka_unit_test(deep_nesting_in_unknown_bytes_is_not_entered),
	    cmocka_unit_test(largest),
	    cmocka_unit_test(more_addresses_than_kept),
	    cmocka_unit_test(arena_keeps_within_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
