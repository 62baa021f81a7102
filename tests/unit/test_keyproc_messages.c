/* SPDX-License-Identifier: MIT
 *
 * keyproc's handlers over real channels, the process itself left out: every field of every message at and
 * beyond its limits. A breach sends nothing; what a stranger may choose gets a status.
 */
#include "proto_vectors.h"

#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keyproc/keyproc.h"
#include "keyproc/secret.h"
#include "keyproc/sign.h"

static struct keyproc k;
static struct imsg_channel parent, net; /* the other ends */

/* The last datagram that came out at an end. */
static _Alignas(8) uint8_t out[IMSG_MAX];

static int set_up(void **state)
{
	struct bytes file = bytes_of_hex("08011240" K_SEED K_PUBLIC);
	int a[2], b[2];

	(void)state;
	memset(&k, 0, sizeof(k));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b), 0);
	assert_int_equal(imsg_channel_open(&k.parent, a[0], IMSG_PROCESS_PARENT), 0);
	assert_int_equal(imsg_channel_open(&parent, a[1], IMSG_PROCESS_KEYPROC), 0);
	assert_int_equal(imsg_channel_open(&k.net, b[0], IMSG_PROCESS_NETPROC), 0);
	assert_int_equal(imsg_channel_open(&net, b[1], IMSG_PROCESS_KEYPROC), 0);
	k.table = (struct imsg_table){
	    .rows = key_rows, .count = key_row_count, .context = &k, .phase = IMSG_PHASE_START};
	log_init(&k.log, &k.parent, IMSG_KEY_LOG, LOG_LEVEL_INFO);
	k.conf.voucher_ttl_max = 3600;
	assert_int_equal(key_secret_reserve(), 0);
	memcpy(key_secret_file(), file.at, KEY_FILE_SIZE);
	assert_int_equal(key_secret_accept(), KEY_FORM_OK);
	return key_secret_seal();
}

static int tear_down(void **state)
{
	(void)state;
	close(k.parent.fd);
	close(parent.fd);
	close(k.net.fd);
	close(net.fd);
	key_secret_forget();
	return 0;
}

static enum imsg_result from(struct imsg_channel *sender, enum imsg_type type, const void *payload,
			     size_t size)
{
	uint8_t datagram[IMSG_MAX];
	size_t len = imsg_compose(datagram, type, 5, payload, size);

	assert_int_equal(write(sender->fd, datagram, len), len);
	return imsg_receive(sender == &parent ? &k.parent : &k.net, &k.table);
}

/* The payload of the one message waiting at an end, which must be of this type; NULL when there is none. */
static const void *answer_at(struct imsg_channel *end, enum imsg_type type)
{
	ssize_t n = read(end->fd, out, sizeof(out));

	if (n < 0)
		return NULL;
	assert_int_equal(out[2] | out[3] << 8, type);
	assert_int_equal(n, 16 + imsg_row_of((uint16_t)type)->size);
	return out + 16;
}

static void silent(void)
{
	assert_null(answer_at(&net, IMSG_NONE));
	assert_null(answer_at(&parent, IMSG_NONE));
}

static struct imsg_key_conf good_conf(void)
{
	return (struct imsg_key_conf){
	    .place = IMSG_KEY_IN_CWD, .voucher_ttl_max = 86400, .log_level = LOG_LEVEL_TRACE};
}

static void conf_is(struct imsg_key_conf conf, enum imsg_result result)
{
	memset(k.table.seen, 0, sizeof(k.table.seen));
	assert_int_equal(from(&parent, IMSG_KEY_CONF, &conf, sizeof(conf)), result);
	silent();
}

static void test_conf(void **state)
{
	struct bytes id = bytes_of_hex(K_PEER_ID);
	struct imsg_key_conf conf = good_conf();

	(void)state;
	conf_is(conf, IMSG_OK);
	conf.expected_len = (uint32_t)id.len;
	memcpy(conf.expected, id.at, id.len);
	conf_is(conf, IMSG_OK);
	conf.expected[IMSG_PEER_MAX - 1] = 1;
	conf_is(conf, IMSG_BREACH);
	conf = good_conf();
	conf.expected_len = IMSG_PEER_MAX + 1;
	conf_is(conf, IMSG_BREACH);
	conf.expected_len = UINT32_MAX;
	conf_is(conf, IMSG_BREACH);
	conf.expected_len = 2;
	conf_is(conf, IMSG_BREACH);
	conf = good_conf();
	conf.place = 2;
	conf_is(conf, IMSG_BREACH);
	conf = good_conf();
	conf.voucher_ttl_max = 0;
	conf_is(conf, IMSG_BREACH);
	conf.voucher_ttl_max = 86401;
	conf_is(conf, IMSG_BREACH);
	conf = good_conf();
	conf.show_only = 2;
	conf_is(conf, IMSG_BREACH);
	conf = good_conf();
	conf.log_level = LOG_LEVEL_TRACE + 1;
	conf_is(conf, IMSG_BREACH);
}

static enum imsg_result give_addr(uint16_t index, const char *hex, uint16_t len)
{
	struct bytes bytes = bytes_of_hex(hex);
	struct imsg_addr addr = {.index = index, .len = len};

	memcpy(addr.bytes, bytes.at, bytes.len);
	return from(&parent, IMSG_KEY_ADDR, &addr, sizeof(addr));
}

static void test_addresses(void **state)
{
	(void)state;
	assert_int_equal(give_addr(1, "047f000001060fa1", 8), IMSG_BREACH); /* not the first */
	for (uint16_t i = 0; i < IMSG_ADDRS; i++)
		assert_int_equal(give_addr(i, "047f000001060fa1", 8), IMSG_OK);
	assert_int_equal(give_addr(IMSG_ADDRS, "047f000001060fa1", 8), IMSG_BREACH);
	k.addr_count = 0;
	assert_int_equal(give_addr(0, "047f000001060fa1", 0), IMSG_BREACH);
	assert_int_equal(give_addr(0, "047f000001060fa1", IMSG_ADDR_MAX + 1), IMSG_BREACH);
	assert_int_equal(give_addr(0, "047f000001060fa1", UINT16_MAX), IMSG_BREACH);
	assert_int_equal(give_addr(0, "047f000001060fa1", 7), IMSG_BREACH);
	assert_int_equal(give_addr(0, "047f000001060fa1 01", 8), IMSG_BREACH); /* padding */
	assert_int_equal(give_addr(0, "ff7f000001060fa1", 8), IMSG_BREACH);
	silent();
}

static void test_start_needs_conf(void **state)
{
	struct imsg_key_conf conf = good_conf();

	(void)state;
	assert_int_equal(from(&parent, IMSG_KEY_START, NULL, 0), IMSG_BREACH);
	memset(k.table.seen, 0, sizeof(k.table.seen));
	conf_is(conf, IMSG_OK);
	assert_int_equal(from(&parent, IMSG_KEY_START, NULL, 0), IMSG_OK);
	assert_true(k.started);
}

/* Before READY netproc does not exist; whoever speaks on its channel is refused. */
static void test_nothing_before_ready(void **state)
{
	struct imsg_noise_dh ask = {.count = 1};

	(void)state;
	assert_int_equal(from(&net, IMSG_KEY_HELLO, NULL, 0), IMSG_BREACH);
	assert_int_equal(from(&net, IMSG_KEY_NOISE_DH, &ask, sizeof(ask)), IMSG_BREACH);
	silent();
}

static void test_ping_and_stats(void **state)
{
	struct imsg_ping ping = {.sequence = 99};

	(void)state;
	k.table.phase = IMSG_PHASE_RUN;
	assert_int_equal(from(&parent, IMSG_KEY_PING, &ping, sizeof(ping)), IMSG_OK);
	assert_memory_equal(answer_at(&parent, IMSG_KEY_PONG), &ping, sizeof(ping));
	assert_int_equal(from(&net, IMSG_KEY_HELLO, NULL, 0), IMSG_OK);
	assert_non_null(answer_at(&net, IMSG_NET_HELLO));
	assert_int_equal(from(&parent, IMSG_KEY_STATS, NULL, 0), IMSG_OK);
	const struct imsg_key_stats *stats = answer_at(&parent, IMSG_KEY_STATS_ANSWER);

	assert_int_equal(stats->counter[KEY_COUNT_HELLO], 1);
	/* A second HELLO is one too many. */
	assert_int_equal(from(&net, IMSG_KEY_HELLO, NULL, 0), IMSG_BREACH);
	silent();
}

static enum imsg_result exchange(const struct imsg_noise_dh *ask)
{
	return from(&net, IMSG_KEY_NOISE_DH, ask, sizeof(*ask));
}

static void test_exchange(void **state)
{
	struct imsg_noise_dh ask = {0};

	(void)state;
	k.table.phase = IMSG_PHASE_RUN;
	assert_int_equal(exchange(&ask), IMSG_BREACH); /* count 0 */
	ask.count = IMSG_DH_BATCH + 1;
	assert_int_equal(exchange(&ask), IMSG_BREACH);
	ask.count = UINT32_MAX;
	assert_int_equal(exchange(&ask), IMSG_BREACH);
	ask.count = 1;
	ask.zero = 1;
	assert_int_equal(exchange(&ask), IMSG_BREACH);
	ask.zero = 0;
	ask.request[1].id = 1;
	assert_int_equal(exchange(&ask), IMSG_BREACH);
	ask.request[1].id = 0;
	ask.request[IMSG_DH_BATCH - 1].ephemeral[31] = 1;
	assert_int_equal(exchange(&ask), IMSG_BREACH);
	ask.request[IMSG_DH_BATCH - 1].ephemeral[31] = 0;
	silent();
	/* A stranger's bad point. */
	assert_int_equal(exchange(&ask), IMSG_OK);
	const struct imsg_noise_dh_answer *answer = answer_at(&net, IMSG_NET_NOISE_DH);

	assert_int_equal(answer->answer[0].status, IMSG_DH_POINT);
	assert_int_equal(k.stats.counter[KEY_COUNT_NOISE_DH], 1);
	assert_int_equal(k.stats.counter[KEY_COUNT_NOISE_DH_REFUSED], 1);
}

static void test_voucher(void **state)
{
	struct bytes id = bytes_of_hex(K_PEER_ID);
	struct imsg_voucher ask = {.id = 8, .lifetime = 3600, .peer_len = (uint8_t)id.len};

	(void)state;
	k.table.phase = IMSG_PHASE_RUN;
	memcpy(ask.peer, id.at, id.len);
	ask.zero[6] = 1;
	assert_int_equal(from(&net, IMSG_KEY_VOUCHER, &ask, sizeof(ask)), IMSG_BREACH);
	ask.zero[6] = 0;
	ask.peer[IMSG_PEER_MAX - 1] = 1;
	assert_int_equal(from(&net, IMSG_KEY_VOUCHER, &ask, sizeof(ask)), IMSG_BREACH);
	ask.peer[IMSG_PEER_MAX - 1] = 0;
	ask.peer_len = IMSG_PEER_MAX + 1;
	assert_int_equal(from(&net, IMSG_KEY_VOUCHER, &ask, sizeof(ask)), IMSG_BREACH);
	ask.peer_len = UINT8_MAX;
	assert_int_equal(from(&net, IMSG_KEY_VOUCHER, &ask, sizeof(ask)), IMSG_BREACH);
	silent();
	ask.peer_len = (uint8_t)id.len;
	assert_int_equal(from(&net, IMSG_KEY_VOUCHER, &ask, sizeof(ask)), IMSG_OK);
	const struct imsg_voucher_answer *answer = answer_at(&net, IMSG_NET_VOUCHER);

	assert_int_equal(answer->status, IMSG_VOUCHER_OK);
	assert_int_equal(answer->id, 8);
	ask.lifetime = 3601;
	assert_int_equal(from(&net, IMSG_KEY_VOUCHER, &ask, sizeof(ask)), IMSG_OK);
	assert_int_equal(((const struct imsg_voucher_answer *)answer_at(&net, IMSG_NET_VOUCHER))->status,
			 IMSG_VOUCHER_LIFETIME);
	assert_int_equal(k.stats.counter[KEY_COUNT_VOUCHER], 2);
	assert_int_equal(k.stats.counter[KEY_COUNT_VOUCHER_REFUSED], 1);
}

/* A netproc that does not read its answers is the breach, not a reason to wait or to keep them. */
static void test_unread_answers(void **state)
{
	struct imsg_noise_dh ask = {.count = 1};
	int answered = 0;

	(void)state;
	k.table.phase = IMSG_PHASE_RUN;
	while (exchange(&ask) == IMSG_OK)
		answered++;
	assert_in_range(answered, IMSG_OUTSTANDING, 10000);
	assert_string_equal(k.net.breach, imsg_breach_text(IMSG_BREACH_UNREAD));
}

/* The alarm: once in a second that is too busy, and nothing refused. */
static void test_rate_alarm(void **state)
{
	struct imsg_noise_dh ask = {.count = IMSG_DH_BATCH};
	int messages = KEY_RATE_ALARM / IMSG_DH_BATCH;

	(void)state;
	k.table.phase = IMSG_PHASE_RUN;
	for (int second = 1; second <= 2; second++) {
		key_tick(&k, (uint64_t)second);
		for (int i = 0; i < messages + 10; i++) {
			assert_int_equal(exchange(&ask), IMSG_OK);
			assert_non_null(answer_at(&net, IMSG_NET_NOISE_DH));
			key_tick(&k, (uint64_t)second);
			if (i == messages - 1)
				assert_int_equal(k.stats.counter[KEY_COUNT_RATE_EXCEEDED], second - 1);
		}
		assert_int_equal(k.stats.counter[KEY_COUNT_RATE_EXCEEDED], second);
		const struct imsg_log *line = answer_at(&parent, IMSG_KEY_LOG);

		assert_int_equal(line->event, LOG_EVENT_KEY_RATE);
		assert_int_equal(line->number[0], KEY_RATE_ALARM);
		silent();
	}
}

static void test_rows_name_their_handlers(void **state)
{
	(void)state;
	for (size_t i = 0; i < key_row_count; i++) {
		assert_int_equal(key_rows[i].receiver, IMSG_PROCESS_KEYPROC);
		assert_non_null(key_rows[i].handle);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_conf),
	    TEST(test_addresses),
	    TEST(test_start_needs_conf),
	    TEST(test_nothing_before_ready),
	    TEST(test_ping_and_stats),
	    TEST(test_exchange),
	    TEST(test_voucher),
	    TEST(test_unread_answers),
	    TEST(test_rate_alarm),
	    TEST(test_rows_name_their_handlers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
