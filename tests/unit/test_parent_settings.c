/* SPDX-License-Identifier: MIT
 *
 * Settings: every row at its edges and beyond, sources and their order, empty, twice, unknown, hostile
 * values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parent/exit.h"
#include "parent/filter.h"
#include "parent/settings.h"

#define PEER "12D3KooWGQkCkACcibJPKzus7Q6U1aYngfTuS4gwYwmJkJJtrSaw"

static struct settings settings;
static struct settings_error error;
static char *const none[] = {NULL};

static int load_environment(const char *variable)
{
	char *const environment[] = {(char *)variable, NULL};

	return settings_load(&settings, none, environment, &error);
}

static int load_value(const char *variable, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), "%s=%s", variable, value);
	return load_environment(text);
}

static int load_number(const char *variable, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return load_value(variable, text);
}

static void expect_refused(const char *variable, const char *value)
{
	assert_int_equal(load_value(variable, value), -1);
	assert_int_equal(error.status, EXIT_SETTINGS);
	assert_non_null(strstr(error.text, variable));
	assert_non_null(strstr(error.text, "allowed"));
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(settings_load(&settings, none, none, &error), 0);
	for (size_t i = 0; i < NET_SETTING_COUNT; i++)
		assert_int_equal(*settings_net_field(&settings.net, i),
				 net_setting_rows[i].preset[SETTING_PROFILE_DUSK]);
	assert_int_equal(settings.port, 4001);
	assert_int_equal(settings.listen.count, 2);
	assert_int_equal(settings.external.count, 0);
	assert_int_equal(settings.log_level, LOG_LEVEL_INFO);
	assert_int_equal(settings.note_count, 0);
	assert_int_equal(net_settings_check(&settings.net), 0);
	assert_int_equal(load_value("DUSK_RELAY_PROFILE", "libp2p"), 0);
	for (size_t i = 0; i < NET_SETTING_COUNT; i++)
		assert_int_equal(*settings_net_field(&settings.net, i),
				 net_setting_rows[i].preset[SETTING_PROFILE_LIBP2P]);
	assert_int_equal(net_settings_check(&settings.net), 0);
}

static void test_every_number_at_its_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < NET_SETTING_COUNT; i++) {
		const struct net_setting_row *row = &net_setting_rows[i];

		assert_int_equal(load_number(row->variable, row->min), 0);
		assert_int_equal(*settings_net_field(&settings.net, i), row->min);
		assert_int_equal(load_number(row->variable, row->max), 0);
		assert_int_equal(*settings_net_field(&settings.net, i), row->max);
		if (row->min > 0) {
			assert_int_equal(load_number(row->variable, row->min - 1), -1);
			assert_int_equal(error.status, EXIT_SETTINGS);
		}
		assert_int_equal(load_number(row->variable, row->max + 1), -1);
		assert_non_null(strstr(error.text, row->variable));
		expect_refused(row->variable, "-1");
		expect_refused(row->variable, "1x");
		expect_refused(row->variable, " 1");
		expect_refused(row->variable, "0x10");
		expect_refused(row->variable, "99999999999999999999999999");
		assert_int_equal(load_value(row->variable, ""), 0);
		assert_int_equal(*settings_net_field(&settings.net, i), row->preset[SETTING_PROFILE_DUSK]);
	}
}

static void test_units(void **state)
{
	(void)state;
	assert_int_equal(load_value("DUSK_MAX_MEMORY", "512m"), 0);
	assert_int_equal(settings.net.max_memory, 512ULL << 20);
	assert_int_equal(load_value("DUSK_MAX_MEMORY", "2G"), 0);
	assert_int_equal(settings.net.max_memory, 2ULL << 30);
	assert_int_equal(load_value("DUSK_MAX_BANDWIDTH", "64k"), 0);
	assert_int_equal(settings.net.max_bandwidth, 65536);
	expect_refused("DUSK_MAX_MEMORY", "k");
	expect_refused("DUSK_MAX_MEMORY", "1kk");
	expect_refused("DUSK_MAX_MEMORY", "18446744073709551615g");
	expect_refused("DUSK_MAX_MEMORY", "9999999999999999999g");
	expect_refused("DUSK_MAX_CONNECTIONS", "1k");
	assert_int_equal(load_value("DUSK_PRIVACY_GUARD", "off"), 0);
	assert_int_equal(settings.net.privacy_guard, 0);
	assert_int_equal(load_value("DUSK_PRIVACY_GUARD", "Yes"), 0);
	assert_int_equal(settings.net.privacy_guard, 1);
	expect_refused("DUSK_PRIVACY_GUARD", "2");
}

struct text_case {
	const char *variable;
	const char *value;
	int result;
};

static const struct text_case text_cases[] = {
    {"DUSK_RELAY_PORT", "0", 0},
    {"DUSK_RELAY_PORT", "65535", 0},
    {"DUSK_RELAY_PORT", "65536", -1},
    {"DUSK_RELAY_PORT", "-1", -1},
    {"DUSK_RELAY_PORT", "70000", -1},
    {"DUSK_RELAY_PORT", "4001 ", -1},
    {"DUSK_RELAY_LISTEN", "127.0.0.1", 0},
    {"DUSK_RELAY_LISTEN", "localhost", -1},
    {"DUSK_RELAY_LISTEN", ",", -1},
    {"DUSK_RELAY_PROFILE", "dusk", 0},
    {"DUSK_RELAY_PROFILE", "Dusk", -1},
    {"DUSK_RELAY_PEER_ID", PEER, 0},
    {"DUSK_RELAY_PEER_ID", "12D3KooWGQ", -1},
    {"DUSK_RELAY_DENY_PEERS", PEER "," PEER, 0},
    {"DUSK_RELAY_DENY_PEERS", " " PEER " , ", 0},
    {"DUSK_RELAY_DENY_PEERS", PEER ";" PEER, -1},
    {"DUSK_RENDEZVOUS_KIND", "auto", 0},
    {"DUSK_RENDEZVOUS_KIND", "legacy", 0},
    {"DUSK_RENDEZVOUS_KIND", "new", -1},
    {"DUSK_RELAY_LOG_IDS", "full", 0},
    {"DUSK_RELAY_LOG_IDS", "short", 0},
    {"DUSK_RELAY_LOG_IDS", "none", 0},
    {"DUSK_RELAY_LOG_IDS", "some", -1},
    {"DUSK_RELAY_METRICS", "127.0.0.1:9100", 0},
    {"DUSK_RELAY_METRICS", "[::1]:9100", 0},
    {"DUSK_RELAY_METRICS", "127.0.0.1", -1},
    {"DUSK_RELAY_METRICS", "127.0.0.1:9100,127.0.0.1:9101", -1},
    {"DUSK_RELAY_USER", "1", 0},
    {"DUSK_RELAY_USER", "1000:1001", 0},
    {"DUSK_RELAY_USER", "0", -1},
    {"DUSK_RELAY_USER", "1000:0", -1},
    {"DUSK_RELAY_USER", "4294967295", -1},
    {"DUSK_RELAY_USER", "nobody", -1},
    {"DUSK_RELAY_KEY_USER", "1000:", -1},
    {"DUSK_RELAY_NET_USER", "11111111111111111", -1},
    {"STATE_DIRECTORY", "/var/lib/dusk-relay", 0},
    {"STATE_DIRECTORY", "var/lib", -1},
    {"XDG_DATA_HOME", "relative", 0},
    {"HOME", "relative", 0},
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
		int result = load_value(text_cases[i].variable, text_cases[i].value);

		if (result != text_cases[i].result)
			fail_msg("%s=%s gave %d", text_cases[i].variable, text_cases[i].value, result);
		if (result != 0)
			assert_int_equal(error.status, EXIT_SETTINGS);
	}
}

/* Compose passes empty values: they are unset ones, for every row. */
static void test_empty_is_unset(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		assert_int_equal(load_value(settings_variable(i), ""), 0);
		assert_null(settings.raw[i]);
		assert_int_equal(settings.note_count, 0);
	}
}

static void test_twice_is_an_error(void **state)
{
	char *const environment[] = {"DUSK_RELAY_PORT=1", "DUSK_RELAY_PORT=2", NULL};
	char *const flags[] = {"--relay-port", "1", "--relay-port=2", NULL};

	(void)state;
	assert_int_equal(settings_load(&settings, none, environment, &error), -1);
	assert_int_equal(error.status, EXIT_SETTINGS);
	assert_int_equal(settings_load(&settings, flags, none, &error), -1);
	assert_int_equal(error.status, EXIT_USAGE);
}

static void test_flags_win(void **state)
{
	char *const environment[] = {"DUSK_RELAY_PORT=1", "DUSK_MAX_CIRCUITS=5", "RUST_LOG=debug", NULL};
	char *const flags[] = {"--relay-port", "2", "--max-circuits=6", "--rust-log=off", NULL};

	(void)state;
	assert_int_equal(settings_load(&settings, flags, environment, &error), 0);
	assert_int_equal(settings.port, 2);
	assert_int_equal(settings.net.max_circuits, 6);
	assert_int_equal(settings.log_level, FILTER_OFF);
	assert_int_equal(settings.source[PARENT_SETTING_port], SETTINGS_FLAG);
}

/* A row's own value beats the profile's, whichever comes first. */
static void test_profile_is_a_default(void **state)
{
	char *const environment[] = {"DUSK_MAX_CIRCUITS=5", "DUSK_RELAY_PROFILE=libp2p", NULL};

	(void)state;
	assert_int_equal(settings_load(&settings, none, environment, &error), 0);
	assert_int_equal(settings.net.max_circuits, 5);
	assert_int_equal(settings.net.max_reservations, 128);
}

static void test_every_row_has_its_flag(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		char flag[SETTINGS_NAME];
		char argument[SETTINGS_NAME + 4];
		char preset[SETTINGS_TEXT];
		char *const flags[] = {argument, preset, NULL};

		if (!settings_flag(i, flag))
			continue;
		snprintf(argument, sizeof(argument), "--%s", flag);
		settings_default(i, SETTING_PROFILE_DUSK, preset);
		assert_int_equal(settings_load(&settings, flags, none, &error), 0);
	}
}

static void test_wrong_flags(void **state)
{
	char *const unknown[] = {"--relay-prot", "1", NULL};
	char *const unfinished[] = {"--relay-port", NULL};
	char *const stray[] = {"4001", NULL};
	char *const environment_only[] = {"--home", "/", NULL};

	(void)state;
	assert_int_equal(settings_load(&settings, unknown, none, &error), -1);
	assert_int_equal(error.status, EXIT_USAGE);
	assert_non_null(strstr(error.text, "--relay-port"));
	assert_int_equal(settings_load(&settings, unfinished, none, &error), -1);
	assert_int_equal(error.status, EXIT_USAGE);
	assert_int_equal(settings_load(&settings, stray, none, &error), -1);
	assert_int_equal(error.status, EXIT_USAGE);
	assert_int_equal(settings_load(&settings, environment_only, none, &error), -1);
	assert_int_equal(error.status, EXIT_USAGE);
}

static void expect_note(const char *variable, const char *word)
{
	assert_int_equal(load_environment(variable), 0);
	assert_int_equal(settings.note_count, 1);
	assert_non_null(strstr(settings.notes[0], word));
}

static void test_unknown_and_gone(void **state)
{
	(void)state;
	expect_note("DUSK_RELAY_PROT=1", "DUSK_RELAY_PORT");
	expect_note("DUSK_MAX_CONECTIONS=1", "DUSK_MAX_CONNECTIONS");
	expect_note("DUSK_ZZZZZZZZZZZZZZZZZZZZZ=1", "is no setting");
	expect_note("DUSK_PEER_RELAYS=x", "is gone");
	expect_note("DUSK_TURN_SECRET=x", "is gone");
	expect_note("KLIPY_API_KEY=x", "is gone");
	expect_note("DUSK_RELAY_ADDR=x", "clients");
	assert_int_equal(load_environment("DUSK_PEER_RELAYS="), 0);
	assert_int_equal(settings.note_count, 0);
	assert_int_equal(load_environment("PATH=/bin"), 0);
	assert_int_equal(settings.note_count, 0);
}

static void test_hostile_environment(void **state)
{
	static char big[SETTINGS_VALUE_MAX + 64] = "DUSK_RELAY_EXTERNAL_ADDR=";
	char *many[200];

	(void)state;
	assert_int_equal(load_environment("DUSK_RELAY_PROFILE=\x1b[2Jx\r\ny"), -1);
	assert_null(strchr(error.text, 0x1b));
	assert_null(strchr(error.text, '\n'));
	assert_int_equal(load_environment("DUSK_\x1b[31m=1"), 0);
	assert_null(strchr(settings.notes[0], 0x1b));
	memset(big + strlen(big), 'a', sizeof(big) - strlen(big) - 1);
	assert_int_equal(load_environment(big), -1);
	assert_int_equal(load_environment("=="), 0);
	assert_int_equal(load_environment("novalue"), 0);
	for (size_t i = 0; i < 199; i++)
		many[i] = "DUSK_UNKNOWN_THING=1";
	many[199] = NULL;
	assert_int_equal(settings_load(&settings, none, many, &error), 0);
	assert_int_equal(settings.note_count, SETTINGS_NOTES);
}

static void test_ids_must_agree(void **state)
{
	char *const environment[] = {"DUSK_RELAY_PEER_ID=" PEER,
				     "DUSK_RELAY_EXTERNAL_ADDR=/ip4/203.0.113.7/tcp/1/p2p/"
				     "12D3KooWPE6CuRVJcd8UgmXuYyKSPV2K7SfatWfmkThBs9CMGirR",
				     NULL};

	(void)state;
	assert_int_equal(settings_load(&settings, none, environment, &error), -1);
	assert_int_equal(error.status, EXIT_SETTINGS);
}

static void test_users_differ(void **state)
{
	(void)state;
	assert_int_equal(load_environment("DUSK_RELAY_NET_USER=61002"), -1);
	assert_int_equal(error.status, EXIT_SETTINGS);
	assert_int_equal(load_environment("DUSK_RELAY_USER=61003:1"), -1);
	assert_int_equal(load_environment("DUSK_RELAY_USER=61004:61002"), 0);
}

/* A name that two lists had would be set by neither for certain. */
static void test_names_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		for (size_t j = i + 1; j < SETTINGS_COUNT; j++)
			assert_string_not_equal(settings_variable(i), settings_variable(j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_every_number_at_its_edges),
	    cmocka_unit_test(test_units),
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_empty_is_unset),
	    cmocka_unit_test(test_twice_is_an_error),
	    cmocka_unit_test(test_flags_win),
	    cmocka_unit_test(test_profile_is_a_default),
	    cmocka_unit_test(test_wrong_flags),
	    cmocka_unit_test(test_every_row_has_its_flag),
	    cmocka_unit_test(test_unknown_and_gone),
	    cmocka_unit_test(test_hostile_environment),
	    cmocka_unit_test(test_ids_must_agree),
	    cmocka_unit_test(test_names_are_unique),
	    cmocka_unit_test(test_users_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
