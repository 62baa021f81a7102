/* SPDX-License-Identifier: MIT
 *
 * proto/identify_message.h. libp2p specs, identify/README.md.
 */
#include "proto_vectors.h"

#include "proto/identify_message.h"

#define LOCAL "047f000001060fa1"

static struct span text_span(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static void written(void **state)
{
	struct bytes key = bytes_of_hex(K_ENCODED), addr = bytes_of_hex(LOCAL),
		     envelope = bytes_of_hex("aabbcc");
	struct identify_message m = {.public_key = {key.at, key.len},
				     .addr_count = 2,
				     .addrs = {{addr.at, addr.len}, {addr.at, addr.len}},
				     .protocol_count = 2,
				     .protocols = {"/a", "/b/1"},
				     .observed = {addr.at, addr.len},
				     .protocol_version = text_span("/dusk/relay/1.0.0"),
				     .agent_version = text_span("dusk-relay/0"),
				     .signed_record = {envelope.at, envelope.len}};
	uint8_t out[256];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	identify_message_write(&w, &m);
	assert_written(&w,
		       "74 0a24" K_ENCODED "1208" LOCAL "1208" LOCAL "1a022f61 1a042f622f31 2208" LOCAL
		       "2a11 2f6475736b2f72656c61792f312e302e30 320c 6475736b2d72656c61792f30 4203aabbcc");
}

static void comes_back(void **state)
{
	static const char *const names[] = {"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/rendezvous/1.0.0",
					    "/libp2p/circuit/relay/0.2.0/hop"};
	struct bytes key = bytes_of_hex(K_ENCODED), addr = bytes_of_hex(LOCAL);
	struct identify_message m = {.public_key = {key.at, key.len}}, back;
	uint8_t out[IDENTIFY_MESSAGE_MAX];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	while (m.addr_count < IDENTIFY_LIST_MAX)
		m.addrs[m.addr_count++] = (struct span){addr.at, addr.len};
	for (; m.protocol_count < IDENTIFY_LIST_MAX; m.protocol_count++)
		m.protocols[m.protocol_count] = names[m.protocol_count % COUNT_OF(names)];
	m.agent_version = text_span("dusk-relay/1.2.3");
	identify_message_write(&w, &m);
	assert_false(w.bad);
	assert_int_equal(identify_message_parse(out + 2, writer_len(&w) - 2, &back), 0);
	assert_span(back.public_key, K_ENCODED);
	assert_int_equal(back.addr_count, IDENTIFY_LIST_MAX);
	assert_int_equal(back.protocol_count, IDENTIFY_LIST_MAX);
	for (size_t i = 0; i < IDENTIFY_LIST_MAX; i++) {
		const char *name = names[i % COUNT_OF(names)];

		assert_span(back.addrs[i], LOCAL);
		assert_int_equal(back.protocol_spans[i].len, strlen(name));
		assert_memory_equal(back.protocol_spans[i].bytes, name, strlen(name));
	}
	assert_int_equal(back.agent_version.len, 16);
	assert_int_equal(back.observed.len, 0);
	assert_int_equal(back.signed_record.len, 0);
}

static void items_beyond_the_list_are_ignored(void **state)
{
	struct bytes b = {0};
	struct identify_message m;

	(void)state;
	for (unsigned i = 0; i < 45; i++) {
		memcpy(b.at + b.len, "\x1a\x02/a\x12\x03\x06\x00\x01", 9);
		b.len += 9;
	}
	assert_int_equal(identify_message_parse(b.at, b.len, &m), 0);
	assert_int_equal(m.addr_count, IDENTIFY_LIST_MAX);
	assert_int_equal(m.protocol_count, IDENTIFY_LIST_MAX);
}

static void does_not_fit(void **state)
{
	static uint8_t record[IDENTIFY_MESSAGE_MAX];
	struct identify_message m = {.signed_record = {record, IDENTIFY_MESSAGE_MAX - 2 - 3}};
	uint8_t out[2 * IDENTIFY_MESSAGE_MAX];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	identify_message_write(&w, &m);
	assert_false(w.bad);
	assert_int_equal(writer_len(&w), IDENTIFY_MESSAGE_MAX); /* the prefix included: rust reads no more */
	m.signed_record.len++;
	w = writer_of(out, sizeof(out));
	identify_message_write(&w, &m);
	assert_true(w.bad);
	m.signed_record.len = 100;
	w = writer_of(out, 50);
	identify_message_write(&w, &m);
	assert_true(w.bad);
	m.addr_count = IDENTIFY_LIST_MAX + 1;
	w = writer_of(out, sizeof(out));
	identify_message_write(&w, &m);
	assert_true(w.bad);
}

static void refused(void **state)
{
	static const char *const bad[] = {"0a", "0a05 01", "0801", "1affffffff0f", "0b0c", "2280", "00"};
	struct identify_message m;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);
		uint8_t *copy = exact_copy(b.at, b.len);

		if (identify_message_parse(copy, b.len, &m) == 0)
			fail_msg("accepted %s", bad[i]);
		free(copy);
	}
	struct bytes b = {.len = IDENTIFY_MESSAGE_MAX};

	for (size_t i = 0; i < b.len; i += 2) /* 2048 protocols of nothing */
		memcpy(b.at + i, "\x1a\x00", 2);
	assert_int_equal(identify_message_parse(b.at, b.len, &m), -1);
	assert_int_equal(identify_message_parse(b.at, b.len + 1, &m), -1);
}

/* A NUL inside a protocol name does not shorten it. */
static void names_are_bytes(void **state)
{
	struct bytes b = bytes_of_hex("1a05 2f61002f62");
	struct identify_message m;

	(void)state;
	assert_int_equal(identify_message_parse(b.at, b.len, &m), 0);
	assert_span(m.protocol_spans[0], "2f61002f62");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(written),
	    cmocka_unit_test(comes_back),
	    cmocka_unit_test(items_beyond_the_list_are_ignored),
	    cmocka_unit_test(does_not_fit),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(names_are_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
