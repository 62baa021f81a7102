/* SPDX-License-Identifier: MIT
 *
 * proto/multiaddr.h. multiformats/multiaddr.
 */
#include "proto_vectors.h"

#include "proto/multiaddr.h"

#define LOCAL	"047f000001060fa1" /* /ip4/127.0.0.1/tcp/4001 */
#define P2P_K	"a50326" K_PEER_ID
#define CIRCUIT "a202"
/* Another peer id, of the sha2-256 kind. */
#define P2P_OTHER "a50322 1220" K_PUBLIC

static const struct {
	const char *text;
	const char *hex;
} pairs[] = {
    {"/ip4/127.0.0.1/tcp/4001", LOCAL},
    {"/ip4/127.0.0.1/tcp/4001/p2p/" K_BASE58, LOCAL P2P_K},
    {"/p2p-circuit/p2p/" K_BASE58, CIRCUIT P2P_K},
    {"/ip6/::1/tcp/0", "29 00000000000000000000000000000001 06 0000"},
    {"/ip6/2001:db8::8:800:200c:417a/udp/65535", "29 20010db80000000000080800200c417a 9102 ffff"},
    {"/dns/a/tcp/1", "350161060001"},
    {"/dns4/relay.duskchat.app/tcp/4001/p2p/" K_BASE58,
     "36 12 72656c61792e6475736b636861742e617070 06 0fa1" P2P_K},
    {"/dns6/a.b", "3703612e62"},
    {"/dnsaddr/bootstrap.libp2p.io", "3813626f6f7473747261702e6c69627032702e696f"},
    {"/dns/b\xc3\xbc"
     "cher.example/tcp/80",
     "350f62c3bc636865722e6578616d706c65060050"},
    {"/ip4/1.2.3.4/udp/1/quic", "0401020304 91020001 cc03"},
    {"/ip4/1.2.3.4/udp/1/quic-v1/webtransport", "0401020304 91020001 cd03 d103"},
    {"/ip4/1.2.3.4/udp/1/webrtc-direct", "0401020304 91020001 9802"},
    {"/ip4/1.2.3.4/tcp/443/tls/ws", "0401020304 0601bb c003 dd03"},
    {"/ip4/1.2.3.4/tcp/443/wss", "0401020304 0601bb de03"},
    {"/ip4/1.2.3.4/tcp/1/noise", "0401020304 060001 c603"},
    {"/certhash/uEgNtYXQ", "d20305 12036d6174"},
    {"/p2p/QmVMT29id3TUASyfZZ6k9hmNyc2nYabCo4uMSpDw4zrgDk", NULL},
};

static void texts_both_ways(void **state)
{
	char text[MULTIADDR_TEXT_MAX];
	struct multiaddr a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		if (multiaddr_from_text(&a, pairs[i].text) != 0)
			fail_msg("refused %s", pairs[i].text);
		if (pairs[i].hex != NULL)
			assert_bytes(a.bytes, a.len, pairs[i].hex);
		assert_int_equal(multiaddr_check(a.bytes, a.len), 0);
		assert_int_equal(multiaddr_to_text(a.bytes, a.len, text), 0);
		assert_string_equal(text, pairs[i].text);
	}
}

static void other_texts_of_one_address(void **state)
{
	struct multiaddr a;

	(void)state;
	assert_int_equal(multiaddr_from_text(&a, "/ipfs/" K_BASE58), 0);
	assert_bytes(a.bytes, a.len, P2P_K);
	assert_int_equal(
	    multiaddr_from_text(&a, "/p2p/bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6"),
	    0);
	assert_bytes(a.bytes, a.len, P2P_K);
	assert_int_equal(multiaddr_from_text(&a, "/ip6/2001:DB8:0:0:0::1/tcp/1"), 0);
	assert_bytes(a.bytes, a.len, "29 20010db8000000000000000000000001 060001");
}

static void texts_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "/",
	    "//",
	    "ip4/1.2.3.4",
	    "/ip4",
	    "/ip4/",
	    "/ip4/1.2.3",
	    "/ip4/1.2.3.4.5",
	    "/ip4/1.2.3.256",
	    "/ip4/01.2.3.4",
	    "/ip4/1.2.3.4/",
	    "/ip4/1.2.3.4//tcp/1",
	    "/ip4/1.2.3.4/tcp",
	    "/ip4/1.2.3.4/tcp/",
	    "/ip4/1.2.3.4/tcp/65536",
	    "/ip4/1.2.3.4/tcp/-1",
	    "/ip4/1.2.3.4/tcp/+1",
	    "/ip4/1.2.3.4/tcp/01",
	    "/ip4/1.2.3.4/tcp/1 ",
	    "/ip4/1.2.3.4/tcp/99999999999999999999",
	    "/ip4/::1/tcp/1",
	    "/ip6/1.2.3.4/tcp/1",
	    "/ip6/fe80::1%eth0/tcp/1",
	    "/ip6/::1::/tcp/1",
	    "/IP4/1.2.3.4",
	    "/dns4//tcp/1",
	    "/dns4/a b/tcp/1",
	    "/dns4/a\n/tcp/1",
	    "/dns4/a\x7f/tcp/1",
	    "/dns4/a\xc2\x9b/tcp/1", /* a control character of terminals */
	    "/dns4/\xff/tcp/1",
	    "/p2p/12D3KooW",
	    "/p2p/",
	    "/p2p",
	    "/p2p-circuit/",
	    "/sni/a",
	    "/unix/tmp",
	    "/webrtc",
	    "/certhash/u",
	    "/certhash/zEgNtYXQ",
	    "/certhash/uEgNtYX",
	};
	struct multiaddr a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (multiaddr_from_text(&a, bad[i]) == 0)
			fail_msg("accepted %s", bad[i]);
		assert_int_equal(a.len, 0);
	}
}

static bool accepts(const uint8_t *bytes, size_t len)
{
	return multiaddr_check(bytes, len) == 0;
}

static void bytes_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    LOCAL "9a02",	  /* 282: one code that rust clients cannot parse spoils their whole answer */
	    LOCAL "ac02",	  /* 300, the same */
	    LOCAL "9902",	  /* 281 webrtc */
	    LOCAL "2a0161",	  /* 42 ip6zone */
	    LOCAL "9003022f61",	  /* 400 unix */
	    LOCAL "c10303612e62", /* 449 sni */
	    LOCAL "ffffffffffffffffff01",
	    "00",
	    "8400 7f000001", /* code not minimal */
	    "047f0000",	     /* short value */
	    "060f",
	    "3500",	 /* empty name */
	    "350180",	 /* not UTF-8 */
	    "3502c3",	 /* longer than the rest */
	    "3502c328",	 /* not UTF-8 */
	    "35012f",	 /* slash */
	    "350100",	 /* NUL */
	    "350120",	 /* space */
	    "358100 61", /* length not minimal */
	    "35ffffffffffffffffff0161",
	    "a50300",			     /* no peer id */
	    "a50302 0000",		     /* no key in it */
	    "a50326 0024 08021220" K_PUBLIC, /* not a key */
	    "a50325" K_PEER_ID,		     /* length one less */
	    "a50327" K_PEER_ID "00",	     /* length one more */
	    "a5032212 1f" K_PUBLIC,
	    "d20300",		 /* empty certhash */
	    "d20302 1203",	 /* digest missing */
	    "d20305 12026d6174", /* digest too long */
	    "d20305 12046d6174", /* digest too short */
	    "d203 8001 c0c0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);
		uint8_t *copy = exact_copy(b.at, b.len);
		char text[MULTIADDR_TEXT_MAX];

		if (accepts(copy, b.len))
			fail_msg("accepted %s", bad[i]);
		assert_int_equal(multiaddr_to_text(copy, b.len, text), -1);
		assert_string_equal(text, "");
		free(copy);
	}
}

/* A prefix that ends between two components is an address too; no other is. */
static void bytes_truncated(void **state)
{
	struct bytes b = bytes_of_hex("35 02 6162 06 0fa1" P2P_K CIRCUIT);

	(void)state;
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *copy = exact_copy(b.at, len);

		assert_int_equal(accepts(copy, len), len == 4 || len == 7 || len == 48);
		free(copy);
	}
}

/* `digest` bytes of certhash, the only way to be long with few components. */
static struct bytes certhash(size_t digest)
{
	struct bytes b = {0};
	struct writer w = writer_of(b.at, sizeof(b.at));

	writer_varint(&w, MULTIADDR_CERTHASH);
	writer_varint(&w, 1 + varint_size(digest) + digest);
	writer_u8(&w, 0x12);
	writer_varint(&w, digest);
	b.len = writer_len(&w) + digest;
	return b;
}

static void sizes(void **state)
{
	struct bytes one = bytes_of_hex("060001"), many = {0}, name = {0};

	(void)state;
	for (unsigned count = 1; count <= 17; count++) {
		memcpy(many.at + many.len, one.at, one.len);
		many.len += one.len;
		assert_int_equal(accepts(many.at, many.len), count <= MULTIADDR_PARTS_MAX);
	}
	for (size_t len = 250; len <= 256; len++) {
		struct writer w = writer_of(name.at, sizeof(name.at));

		writer_varint(&w, MULTIADDR_DNS);
		writer_varint(&w, len);
		memset(w.at, 'a', len);
		assert_int_equal(accepts(name.at, writer_len(&w) + len), len <= 253);
	}
	many = certhash(64);
	assert_true(accepts(many.at, many.len));
	many = certhash(65);
	assert_false(accepts(many.at, many.len));
}

/* The longest text: as many long names as fit. */
static void longest_text(void **state)
{
	struct bytes b = {0};
	char text[MULTIADDR_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		size_t name = i < 3 ? 253 : MULTIADDR_MAX - 3 * 256 - 3;
		struct writer w = writer_of(b.at + b.len, sizeof(b.at) - b.len);

		writer_varint(&w, MULTIADDR_DNSADDR);
		writer_varint(&w, name);
		memset(w.at, 'a', name);
		b.len += writer_len(&w) + name;
	}
	assert_int_equal(b.len, MULTIADDR_MAX);
	assert_int_equal(multiaddr_to_text(b.at, b.len, text), 0);
	memset(b.at + b.len, 0, 16);
	assert_false(accepts(b.at, b.len + 1));
	b.len = 0;
	for (unsigned i = 0; i < 14; i++) {
		struct bytes hash = certhash(64);

		memcpy(b.at + b.len, hash.at, hash.len);
		b.len += hash.len;
	}
	assert_int_equal(multiaddr_to_text(b.at, b.len, text), 0);
	assert_true(strlen(text) < MULTIADDR_TEXT_MAX);
}

static void from_ip(void **state)
{
	struct bytes v4 = bytes_of_hex("c0000201"), v6 = bytes_of_hex("20010db8000000000000000000000001");
	struct bytes mapped = bytes_of_hex("00000000000000000000ffffc0000201");
	struct multiaddr a;

	(void)state;
	assert_int_equal(multiaddr_from_ip(&a, v4.at, 4, 4001), 0);
	assert_bytes(a.bytes, a.len, "04c0000201060fa1");
	assert_int_equal(multiaddr_from_ip(&a, v6.at, 16, 1), 0);
	assert_bytes(a.bytes, a.len, "2920010db8000000000000000000000001060001");
	assert_int_equal(multiaddr_from_ip(&a, mapped.at, 16, 4001), 0);
	assert_bytes(a.bytes, a.len, "04c0000201060fa1");
	assert_int_equal(multiaddr_from_ip(&a, v6.at, 5, 1), -1);
	assert_int_equal(a.len, 0);
}

static void appending(void **state)
{
	struct bytes k = bytes_of_hex(K_PEER_ID);
	struct peer_id id;
	struct multiaddr a;
	unsigned count = 0;

	(void)state;
	assert_int_equal(peer_id_parse(&id, k.at, k.len), 0);
	assert_int_equal(multiaddr_from_text(&a, "/ip4/127.0.0.1/tcp/4001"), 0);
	assert_int_equal(multiaddr_append_p2p(&a, &id), 0);
	assert_int_equal(multiaddr_append_circuit(&a), 0);
	assert_int_equal(multiaddr_append_p2p(&a, &id), 0);
	assert_bytes(a.bytes, a.len, LOCAL P2P_K CIRCUIT P2P_K);
	while (multiaddr_append_p2p(&a, &id) == 0)
		count++;
	assert_int_equal(count, (MULTIADDR_MAX - 92) / 41);
	while (multiaddr_append_circuit(&a) == 0)
		;
	assert_true(a.len <= MULTIADDR_MAX && a.len > MULTIADDR_MAX - 2);
}

static void circuits(void **state)
{
	static const struct {
		const char *hex;
		bool is;
	} rows[] = {
	    {LOCAL P2P_K CIRCUIT, true},
	    {LOCAL P2P_K CIRCUIT P2P_OTHER, true},
	    {P2P_K CIRCUIT, true},
	    {"36016106 0fa1" P2P_K CIRCUIT P2P_OTHER, true},
	    {LOCAL, false},
	    {LOCAL P2P_K, false},
	    {LOCAL P2P_OTHER, false},
	    {LOCAL CIRCUIT, false},	      /* through whom? */
	    {LOCAL P2P_OTHER CIRCUIT, false}, /* through another relay */
	    {LOCAL P2P_OTHER CIRCUIT P2P_OTHER, false},
	    {LOCAL P2P_K CIRCUIT P2P_K, false}, /* to another peer */
	    {LOCAL P2P_K CIRCUIT P2P_OTHER P2P_OTHER, false},
	    {LOCAL P2P_K CIRCUIT P2P_OTHER LOCAL, false}, /* the peer's own address behind it */
	    {LOCAL P2P_K CIRCUIT LOCAL, false},
	    {LOCAL P2P_K CIRCUIT LOCAL P2P_OTHER, false},
	    {LOCAL P2P_K CIRCUIT CIRCUIT, false},
	    {LOCAL P2P_K CIRCUIT P2P_OTHER CIRCUIT, false},
	    {LOCAL P2P_K LOCAL CIRCUIT, false},
	    {CIRCUIT P2P_OTHER, false},
	    {LOCAL P2P_K CIRCUIT "ff", false},
	    {"", false},
	};
	struct bytes k = bytes_of_hex(K_PEER_ID), other = bytes_of_hex("1220" K_PUBLIC);
	struct peer_id relay, owner;

	(void)state;
	assert_int_equal(peer_id_parse(&relay, k.at, k.len), 0);
	assert_int_equal(peer_id_parse(&owner, other.at, other.len), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bytes b = bytes_of_hex(rows[i].hex);

		if (multiaddr_is_circuit_of(b.at, b.len, &relay, &owner) != rows[i].is)
			fail_msg("wrong about %s", rows[i].hex);
	}
}

static const struct {
	const char *text;
	bool is;
} private_rows[] = {
    {"/ip4/0.0.0.0/tcp/1", true},
    {"/ip4/10.255.0.1/tcp/1", true},
    {"/ip4/100.63.255.255/tcp/1", false},
    {"/ip4/100.64.0.1/tcp/1", true},
    {"/ip4/100.127.255.255/tcp/1", true},
    {"/ip4/100.128.0.0/tcp/1", false},
    {"/ip4/127.1.2.3/tcp/1", true},
    {"/ip4/169.254.1.1/tcp/1", true},
    {"/ip4/172.15.0.1/tcp/1", false},
    {"/ip4/172.16.0.1/tcp/1", true},
    {"/ip4/172.31.255.255/tcp/1", true},
    {"/ip4/172.32.0.1/tcp/1", false},
    {"/ip4/192.0.2.1/tcp/1", true},
    {"/ip4/192.168.1.1/tcp/1", true},
    {"/ip4/192.169.1.1/tcp/1", false},
    {"/ip4/198.19.0.1/tcp/1", true},
    {"/ip4/198.51.100.7/tcp/1", true},
    {"/ip4/203.0.113.7/tcp/1", true},
    {"/ip4/224.0.0.1/tcp/1", true},
    {"/ip4/255.255.255.255/tcp/1", true},
    {"/ip4/8.8.8.8/tcp/1", false},
    {"/ip4/223.255.255.255/tcp/1", false},
    {"/ip6/::/tcp/1", true},
    {"/ip6/::1/tcp/1", true},
    {"/ip6/::ffff:10.0.0.1/tcp/1", true},
    {"/ip6/::ffff:8.8.8.8/tcp/1", false},
    {"/ip6/64:ff9b::10.0.0.1/tcp/1", true},
    {"/ip6/64:ff9b::8.8.8.8/tcp/1", false},
    {"/ip6/2002:a00:1::/tcp/1", true},
    {"/ip6/2002:808:808::/tcp/1", false},
    {"/ip6/fe80::1/tcp/1", true},
    {"/ip6/febf::1/tcp/1", true},
    {"/ip6/fc00::1/tcp/1", true},
    {"/ip6/fdff::1/tcp/1", true},
    {"/ip6/2001:db8::1/tcp/1", true},
    {"/ip6/2001:4860::1/tcp/1", false},
    {"/ip6/ff02::1/tcp/1", true},
    {"/ip6/3fff::1/tcp/1", true},
    {"/dns4/localhost/tcp/1", true},
    {"/dns/LocalHost/tcp/1", true},
    {"/dns/localhost./tcp/1", true},
    {"/dns/a.local/tcp/1", true},
    {"/dns/printer.LOCAL/tcp/1", true},
    {"/dns6/x.test/tcp/1", true},
    {"/dns6/x.invalid/tcp/1", true},
    {"/dns6/nas.home.arpa/tcp/1", true},
    {"/dns6/arpa/tcp/1", false},
    {"/dns/notlocal/tcp/1", false},
    {"/dns/local.example/tcp/1", false},
    {"/dns4/relay.duskchat.app/tcp/4001", false},
    {"/dns4/relay.example/tcp/1", false},
    {"/p2p/" K_BASE58, false},
};

static void private_addresses(void **state)
{
	struct multiaddr a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(private_rows); i++) {
		assert_int_equal(multiaddr_from_text(&a, private_rows[i].text), 0);
		if (multiaddr_is_private(a.bytes, a.len) != private_rows[i].is)
			fail_msg("wrong about %s", private_rows[i].text);
	}
	assert_false(multiaddr_is_private(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_both_ways),	 cmocka_unit_test(other_texts_of_one_address),
	    cmocka_unit_test(texts_refused),	 cmocka_unit_test(bytes_refused),
	    cmocka_unit_test(bytes_truncated),	 cmocka_unit_test(sizes),
	    cmocka_unit_test(longest_text),	 cmocka_unit_test(from_ip),
	    cmocka_unit_test(appending),	 cmocka_unit_test(circuits),
	    cmocka_unit_test(private_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
