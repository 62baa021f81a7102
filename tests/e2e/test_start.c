/* SPDX-License-Identifier: MIT
 *
 * How the daemon starts: what it prints, its key, and what it refuses to start with.
 */
#include "tests/e2e/fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A start that must fail with this code, saying each of the texts. */
static void refuses(const char *const *settings, int code, const char *const *texts)
{
	EXPECT_STATUS(-1, daemon_start(&relay, settings));
	EXPECT_STATUS(code, relay.exit_code);
	for (; *texts; texts++)
		EXPECT(&relay, daemon_expect(&relay, *texts, 1000));
	EXPECT_TRUE(!daemon_said(&relay, "dusk relay server starting"));
}

static void key_path(char path[200])
{
	snprintf(path, 200, "%s/dusk-relay/keypair", relay.directory);
}

static size_t read_key(uint8_t key[100])
{
	char path[200];
	ssize_t got;
	int fd;

	key_path(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT_TRUE(fd >= 0);
	got = read(fd, key, 100);
	close(fd);
	return got > 0 ? (size_t)got : 0;
}

static void write_key(const uint8_t *key, size_t len, mode_t mode)
{
	struct stat about;
	char path[200];
	int fd;

	key_path(path);
	EXPECT_STATUS(0, stat(path, &about));
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	EXPECT_TRUE(fd >= 0);
	EXPECT_TRUE(write(fd, key, len) == (ssize_t)len);
	EXPECT_STATUS(0, fchmod(fd, mode));
	close(fd);
}

static void test_prints_its_address_and_logs_as_the_rust_relay(void **state)
{
	char wanted[300];
	char id[PEER_ID_TEXT_MAX];

	(void)state;
	if (daemon_is_left_out("socket", "the printed address", "it is the socket unit's, [::]"))
		return;
	fixture_start(NULL);
	peer_id_to_text(&relay.id, id);
	snprintf(wanted, sizeof(wanted), "/ip4/0.0.0.0/tcp/%u/p2p/%s", relay.port, id);
	assert_string_equal(relay.address, wanted);
	EXPECT(&relay, daemon_expect(&relay, "saved new keypair to ", 1000));
	EXPECT(&relay, daemon_expect(&relay, "dusk relay server starting", 1000));
	snprintf(wanted, sizeof(wanted), "peer id: %s", id);
	EXPECT(&relay, daemon_expect(&relay, wanted, 1000));
	EXPECT(&relay, daemon_expect(&relay, "Z INFO  dusk_relay] ", 1000));
	fixture_stop();
}

static void test_key_is_the_rust_relays_file(void **state)
{
	uint8_t key[100];
	struct stat about;
	struct peer_id id;
	char path[200];

	(void)state;
	fixture_start(NULL);
	EXPECT_STATUS(68, (int)read_key(key));
	assert_memory_equal(key, "\x08\x01\x12\x40", 4);
	peer_id_from_ed25519(&id, key + 36);
	EXPECT_TRUE(peer_id_equal(&id, &relay.id));
	key_path(path);
	EXPECT_STATUS(0, stat(path, &about));
	EXPECT_STATUS(0600, (int)(about.st_mode & 07777));
	fixture_stop();
}

static void test_same_identity_after_a_restart(void **state)
{
	struct peer_id before = relay.id;

	(void)state;
	fixture_start(NULL);
	EXPECT_TRUE(before.len == 0 || peer_id_equal(&before, &relay.id));
	before = relay.id;
	fixture_stop();
	fixture_start(NULL);
	EXPECT(&relay, daemon_expect(&relay, "loaded existing keypair from ", 1000));
	EXPECT_TRUE(peer_id_equal(&before, &relay.id));
	fixture_stop();
}

static void test_old_key_of_the_rust_relay(void **state)
{
	/* libp2p specs, peer-ids.md */
	static const char hex[] = "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1e"
				  "d1e8fae2c4a144b8be8fd4b4"
				  "7bf3d3b34b871c3cacf6010f0e42d474fce27e";
	uint8_t before[100];
	uint8_t key[68];
	char id[PEER_ID_TEXT_MAX];

	(void)state;
	EXPECT_STATUS(0, sodium_hex2bin(key, sizeof(key), hex, sizeof(hex) - 1, NULL, NULL, NULL));
	EXPECT_STATUS(68, (int)read_key(before));
	write_key(key, sizeof(key), 0644); /* the mode that it had then */
	fixture_start(NULL);
	peer_id_to_text(&relay.id, id);
	assert_string_equal(id, "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq");
	EXPECT(&relay, daemon_expect(&relay, "mode tightened", 1000));
	fixture_stop();
	write_key(before, 68, 0600);
}

static void test_damaged_key_is_refused_and_kept(void **state)
{
	static const char *const texts[] = {"keypair", NULL};
	uint8_t good[100];
	uint8_t bad[100];
	uint8_t after[100];

	(void)state;
	EXPECT_STATUS(68, (int)read_key(good));
	for (int i = 0; i < 4; i++) {
		size_t len = i == 0 ? 67 : i == 1 ? 69 : i == 2 ? 1 : 68;

		memset(bad, 0, sizeof(bad));
		memcpy(bad, good, 68);
		if (i == 3)
			bad[67] ^= 1; /* the public half belongs to another seed */
		write_key(bad, len, 0600);
		refuses(NULL, 78, texts);
		EXPECT_STATUS((int)len, (int)read_key(after));
		assert_memory_equal(after, bad, len);
	}
	write_key(good, 68, 0600);
}

static void test_another_identity_than_demanded(void **state)
{
	static const char *const settings[] = {
	    "DUSK_RELAY_PEER_ID=12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq", NULL};
	static const char *const texts[] = {"DUSK_RELAY_PEER_ID", NULL};

	(void)state;
	refuses(settings, 78, texts);
}

static void bad_setting(const char *variable, const char *value)
{
	char setting[200];
	const char *settings[] = {setting, NULL};
	const char *texts[] = {variable, value, "allowed", NULL};

	snprintf(setting, sizeof(setting), "%s=%s", variable, value);
	refuses(settings, 78, texts);
}

static void test_bad_settings_are_named(void **state)
{
	(void)state;
	bad_setting("DUSK_RELAY_PORT", "abc");
	bad_setting("DUSK_RELAY_PORT", "70000");
	bad_setting("DUSK_RELAY_PORT", "-1");
	bad_setting("DUSK_RELAY_PROFILE", "fast");
	bad_setting("DUSK_MAX_CONNECTIONS", "0");
	bad_setting("DUSK_MAX_CONNECTIONS", "10 000");
	bad_setting("DUSK_MAX_WINDOW", "1k");
	bad_setting("DUSK_CIRCUIT_BYTES", "128q");
	bad_setting("DUSK_RELAY_DRAIN", "61");
	bad_setting("DUSK_PRIVACY_GUARD", "maybe");
	bad_setting("DUSK_RELAY_EXTERNAL_ADDR", "/dns4/relay.example.org");
	bad_setting("DUSK_RELAY_DENY_PEERS", "nobody");
}

/* An external address that ends in another relay's id would send clients astray. */
static void test_external_address_of_another_relay(void **state)
{
	static const char *const settings[] = {"DUSK_RELAY_EXTERNAL_ADDR=/ip4/1.2.3.4/tcp/4001/p2p/"
					       "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
					       NULL};
	static const char *const texts[] = {"DUSK_RELAY_EXTERNAL_ADDR",
					    "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq", NULL};

	(void)state;
	refuses(settings, 78, texts);
}

static void test_empty_setting_is_an_unset_one(void **state)
{
	static const char *const settings[] = {
	    "DUSK_MAX_CONNECTIONS=", "DUSK_RELAY_EXTERNAL_ADDR=", "DUSK_RELAY_PROFILE=", NULL};

	(void)state;
	fixture_start(settings);
	fixture_stop();
}

static void test_unknown_setting_is_a_warning(void **state)
{
	static const char *const settings[] = {"DUSK_MAX_CONECTIONS=5", NULL};

	(void)state;
	fixture_start(settings);
	EXPECT(&relay, daemon_expect(&relay, "DUSK_MAX_CONECTIONS", 1000));
	EXPECT(&relay, daemon_expect(&relay, "DUSK_MAX_CONNECTIONS", 1000));
	fixture_stop();
}

static void test_port_taken(void **state)
{
	static const char *const texts[] = {"ERROR", NULL};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(relay.port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	EXPECT_STATUS(0, bind(fd, (struct sockaddr *)&in, sizeof(in)));
	EXPECT_STATUS(0, listen(fd, 1));
	refuses(NULL, 1, texts);
	close(fd);
}

static void test_wrong_command_line(void **state)
{
	static const char *const words[] = {"fly", NULL};

	(void)state;
	EXPECT_STATUS(64, daemon_run(&relay, words, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    E2E_BARE_TEST(test_prints_its_address_and_logs_as_the_rust_relay),
	    E2E_BARE_TEST(test_key_is_the_rust_relays_file),
	    E2E_BARE_TEST(test_same_identity_after_a_restart),
	    E2E_BARE_TEST(test_old_key_of_the_rust_relay),
	    E2E_BARE_TEST(test_damaged_key_is_refused_and_kept),
	    E2E_BARE_TEST(test_another_identity_than_demanded),
	    E2E_BARE_TEST(test_bad_settings_are_named),
	    E2E_BARE_TEST(test_external_address_of_another_relay),
	    E2E_BARE_TEST(test_empty_setting_is_an_unset_one),
	    E2E_BARE_TEST(test_unknown_setting_is_a_warning),
	    E2E_BARE_TEST(test_port_taken),
	    E2E_BARE_TEST(test_wrong_command_line),
	};

	return cmocka_run_group_tests(tests, fixture_bare_begin, fixture_bare_end);
}
