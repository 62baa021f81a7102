/* SPDX-License-Identifier: MIT
 *
 * netproc/message, ping, identify, protocols: the small ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/net_fake.h"

#include "netproc/identify.h"
#include "netproc/message.h"
#include "netproc/ping.h"
#include "netproc/protocol_list.h"
#include "netproc/protocols.h"
#include "netproc/relay.h"
#include "netproc/rendezvous.h"

const struct stream_protocol rendezvous_protocol = {.id = RENDEZVOUS_PROTOCOL};

/* --- message --- */

static size_t compose(uint8_t *out, size_t len)
{
	struct writer w = writer_of(out, len + VARINT_MAX);
	writer_varint(&w, len);
	for (size_t i = 0; i < len; i++)
		writer_u8(&w, (uint8_t)(i * 7));
	return writer_len(&w);
}

static void check_whole(struct span whole, size_t len)
{
	assert_int_equal(whole.len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(whole.bytes[i], (uint8_t)(i * 7));
}

static void messages_in_all_pieces(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 55, 56, 57, 127, 128, 300, 4096};
	struct net *net = fake_net();
	static uint8_t bytes[5000];
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t total = compose(bytes, sizes[s]);
		size_t step = total > 600 ? 13 : 1;
		memcpy(bytes + total, "behind", 6);
		for (size_t cut = 0; cut < total; cut += step) {
			struct message m = {0};
			struct span whole;
			size_t used;
			assert_int_equal(message_take(net, &m, 4096, bytes, cut, &used, &whole),
					 MESSAGE_MORE);
			assert_int_equal(used, cut);
			assert_int_equal(message_started(&m), cut > 0);
			assert_int_equal(
			    message_take(net, &m, 4096, bytes + cut, total + 6 - cut, &used, &whole),
			    MESSAGE_WHOLE);
			assert_int_equal(used, total - cut);
			check_whole(whole, sizes[s]);
			message_clear(net, &m);
		}
		struct message m = {0};
		struct span whole;
		size_t used;
		for (size_t i = 0; i + 1 < total; i++)
			assert_int_equal(message_take(net, &m, 4096, bytes + i, 1, &used, &whole),
					 MESSAGE_MORE);
		assert_int_equal(message_take(net, &m, 4096, bytes + total - 1, 1, &used, &whole),
				 MESSAGE_WHOLE);
		check_whole(whole, sizes[s]);
		message_clear(net, &m);
	}
	fake_net_end(net);
}

static enum message_result take_all(struct net *net, size_t most, const void *bytes, size_t len)
{
	struct message m = {0};
	struct span whole;
	size_t used;
	enum message_result result = message_take(net, &m, most, bytes, len, &used, &whole);
	message_clear(net, &m);
	return result;
}

static void messages_refused(void **state)
{
	(void)state;
	struct net *net = fake_net();
	assert_int_equal(take_all(net, 4096, "\x81\x20", 2), MESSAGE_TOO_LONG);
	assert_int_equal(take_all(net, 4096, "\x80\x20", 2), MESSAGE_MORE);
	assert_int_equal(take_all(net, 4096, "\xff\xff", 2), MESSAGE_TOO_LONG);
	assert_int_equal(take_all(net, 4096, "\x80\x80\x80\x80", 4), MESSAGE_TOO_LONG);
	assert_int_equal(take_all(net, 4096, "\x80\x00", 2), MESSAGE_MALFORMED);
	assert_int_equal(take_all(net, 4096, "\x85\x80\x00", 3), MESSAGE_MALFORMED);
	struct pool *large = net->pool;
	net->pool = pool_new(64);
	assert_int_equal(take_all(net, 4096, "\x80\x20x", 3), MESSAGE_NO_MEMORY);
	assert_int_equal(take_all(net, 4096, "\x02x", 2), MESSAGE_MORE);
	free(net->pool);
	net->pool = large;
	fake_net_end(net);
}

/* --- ping --- */

static void ping_in_all_pieces(void **state)
{
	(void)state;
	struct net *net = fake_net();
	struct conn *conn = fake_conn(net, 1, 1);
	uint8_t bytes[96];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		struct stream *stream = fake_stream(conn, &ping_protocol);
		struct stream_ref ref = stream_ref(stream);
		if (cut > 0)
			fake_data(stream, bytes, cut);
		assert_int_equal(fake_record(ref)->len, cut / 32 * 32);
		if (cut < sizeof(bytes))
			fake_data(stream, bytes + cut, sizeof(bytes) - cut);
		assert_int_equal(fake_record(ref)->len, sizeof(bytes));
		assert_memory_equal(fake_record(ref)->said, bytes, sizeof(bytes));
		assert_false(fake_record(ref)->finished);
		fake_finish(stream);
		assert_true(fake_record(ref)->finished && fake_record(ref)->closed &&
			    !fake_record(ref)->reset);
	}
	assert_int_equal(net->counter[NET_COUNT_PING_ECHOED], 97 * 3);
	fake_net_end(net);
}

static void ping_stays_and_is_bounded(void **state)
{
	(void)state;
	struct net *net = fake_net();
	struct conn *conn = fake_conn(net, 1, 1);
	uint8_t bytes[32] = {1};
	struct stream *stream = fake_stream(conn, &ping_protocol);
	struct stream_ref ref = stream_ref(stream);
	fake_pass(net, 3600000);
	fake_data(stream, bytes, 31);
	fake_pass(net, 3600000);
	fake_data(stream, bytes, 1);
	assert_int_equal(fake_record(ref)->len, 32);
	fake_data(stream, bytes, 5);
	fake_reset(stream); /* in the middle */
	stream = fake_stream(conn, &ping_protocol);
	ref = stream_ref(stream);
	fake_refuse_write(true); /* its queue is full of echoes that nobody reads */
	fake_data(stream, bytes, 32);
	fake_refuse_write(false);
	assert_int_equal(fake_record(ref)->reason, CLOSE_NOT_READING);
	fake_net_end(net);
}

/* --- identify --- */

static struct identify_message identified(struct conn *conn, struct stream_ref *ref)
{
	struct stream *stream = fake_stream(conn, &identify_protocol);
	struct identify_message m;
	*ref = stream_ref(stream);
	const struct fake_record *record = fake_record(*ref);
	struct reader r = reader_of(record->said, record->len);
	assert_true(record->len <= IDENTIFY_MESSAGE_MAX);
	assert_true(record->finished);
	struct span whole = reader_span(&r);
	assert_false(r.bad);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(identify_message_parse(whole.bytes, whole.len, &m), 0);
	return m;
}

static bool is(struct span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.bytes, text, span.len) == 0;
}

static void identify_says_all(void **state)
{
	(void)state;
	struct net *net = fake_net();
	struct conn *conn = fake_conn(net, 1, 0x08080404);
	struct stream_ref ref;
	uint8_t key[32];
	char text[MULTIADDR_TEXT_MAX];
	net->self.addr_count = 1;
	assert_int_equal(multiaddr_from_text(&net->self.addrs[0], "/dns4/relay.example.org/tcp/4001"), 0);
	net->self.record_len = 100;
	memset(net->self.record, 'r', 100);
	struct identify_message m = identified(conn, &ref);
	assert_int_equal(public_key_parse(m.public_key.bytes, m.public_key.len, key), 0);
	assert_memory_equal(key, net->self.key, 32);
	assert_true(is(m.protocol_version, "/dusk/relay/1.0.0"));
	assert_true(is(m.agent_version, "dusk-relay/" DUSK_VERSION));
	assert_int_equal(m.addr_count, 1);
	assert_int_equal(multiaddr_to_text(m.addrs[0].bytes, m.addrs[0].len, text), 0);
	assert_string_equal(text, "/dns4/relay.example.org/tcp/4001");
	assert_int_equal(multiaddr_to_text(m.observed.bytes, m.observed.len, text), 0);
	assert_string_equal(text, "/ip4/8.8.4.4/tcp/5555");
	assert_int_equal(m.signed_record.len, 100);
	assert_int_equal(m.protocol_count, 4);
	assert_true(is(m.protocol_spans[0], CIRCUIT_HOP_PROTOCOL));
	assert_true(is(m.protocol_spans[3], RENDEZVOUS_PROTOCOL));
	net->settings.rendezvous = 0;
	net->settings.observed_address = 0;
	m = identified(conn, &ref);
	assert_int_equal(m.protocol_count, 3);
	assert_int_equal(m.observed.len, 0);
	fake_pass(net, 11000); /* a client that never finishes */
	assert_true(fake_record(ref)->closed);
	fake_net_end(net);
}

static void identify_stays_small(void **state)
{
	(void)state;
	struct net *net = fake_net();
	struct conn *conn = fake_conn(net, 1, 0x08080404);
	struct stream_ref ref;
	net->self.addr_count = IMSG_ADDRS;
	for (size_t i = 0; i < IMSG_ADDRS; i++) {
		net->self.addrs[i].len = 250;
		memset(net->self.addrs[i].bytes, 'a', 250);
	}
	net->self.record_len = 3000;
	struct identify_message m = identified(conn, &ref);
	assert_int_equal(m.addr_count, IMSG_ADDRS);
	assert_int_equal(m.signed_record.len, 0);
	fake_refuse_write(true);
	struct stream *stream = fake_stream(conn, &identify_push_protocol);
	fake_refuse_write(false);
	struct stream_ref push = stream_ref(stream);
	assert_int_equal(fake_record(push)->len, 0);
	assert_true(fake_record(push)->finished);
	fake_finish(stream);
	assert_true(fake_record(push)->closed && !fake_record(push)->reset);
	fake_net_end(net);
}

static void identify_is_activity_and_counted(void **state)
{
	(void)state;
	struct net *net = fake_net();
	struct conn *conn = fake_conn(net, 1, 0x08080404);
	struct stream_ref ref;
	conn->active = 0;
	identified(conn, &ref);
	assert_int_equal(conn->active, net->now / 1000);
	assert_int_equal(net->counter[NET_COUNT_IDENTIFY_SERVED], 1);
	fake_refuse_write(true);
	assert_null(fake_stream(conn, &identify_protocol));
	fake_refuse_write(false);
	assert_int_equal(fake_any(fake_any_count() - 1)->reason, CLOSE_MEMORY);
	assert_int_equal(net->counter[NET_COUNT_IDENTIFY_SERVED], 1);
	fake_net_end(net);
}

/* --- protocols --- */

static const struct stream_protocol *find(const struct net *net, const char *id)
{
	return protocols_find(net, (struct span){(const uint8_t *)id, strlen(id)});
}

static void protocols_by_name(void **state)
{
	(void)state;
	struct net *net = fake_net();
	assert_ptr_equal(find(net, "/libp2p/circuit/relay/0.2.0/hop"), &hop_protocol);
	assert_ptr_equal(find(net, "/ipfs/id/1.0.0"), &identify_protocol);
	assert_ptr_equal(find(net, "/ipfs/id/push/1.0.0"), &identify_push_protocol);
	assert_ptr_equal(find(net, "/ipfs/ping/1.0.0"), &ping_protocol);
	assert_ptr_equal(find(net, "/rendezvous/1.0.0"), &rendezvous_protocol);
	static const char *const unknown[] = {"",
					      "/",
					      "/ipfs/ping/1.0.0/",
					      "/ipfs/ping/1.0.",
					      "/meshsub/1.1.0",
					      "/ipfs/kad/1.0.0",
					      "/libp2p/circuit/relay/0.2.0/stop",
					      "/dusk/gif/1.0.0"};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_null(find(net, unknown[i]));
	net->settings.rendezvous = 0;
	assert_null(find(net, "/rendezvous/1.0.0"));
	fake_net_end(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_in_all_pieces),
	    cmocka_unit_test(messages_refused),
	    cmocka_unit_test(ping_in_all_pieces),
	    cmocka_unit_test(ping_stays_and_is_bounded),
	    cmocka_unit_test(identify_says_all),
	    cmocka_unit_test(identify_stays_small),
	    cmocka_unit_test(identify_is_activity_and_counted),
	    cmocka_unit_test(protocols_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
