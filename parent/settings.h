/* SPDX-License-Identifier: MIT
 *
 * All settings: the texts of the list below and the numbers of imsg/settings.h, from defaults, then the
 * environment, then flags of the same name. Called by main.c, which hands the result to everyone. Trusts
 * nothing: the environment may be hostile; every value is parsed whole or refused with the variable, the
 * value (escaped) and what is allowed.
 */
#ifndef PARENT_SETTINGS_H
#define PARENT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/catalogue.h"
#include "imsg/settings.h"
#include "parent/external.h"
#include "parent/listen.h"
#include "proto/peer_id.h"

/* X(field, variable, default, allowed, help). The parser of a row is settings_parse_<field>. Rows whose
 * variable does not begin with DUSK_ come from the environment alone, but for RUST_LOG. */
#define PARENT_SETTINGS(X)                                                                                   \
	X(port, "DUSK_RELAY_PORT", "4001", "a port, 0 to 65535", "TCP port; 0 takes a free one")             \
	X(listen, "DUSK_RELAY_LISTEN", "0.0.0.0,[::]",                                                       \
	  "IP addresses or multiaddrs with commas between, at most 16",                                      \
	  "addresses to listen on, each with a port of its own if it names one")                             \
	X(external, "DUSK_RELAY_EXTERNAL_ADDR", "",                                                          \
	  "multiaddrs, IP addresses or host names, each perhaps with a port, with commas between, at most "  \
	  "8",                                                                                               \
	  "addresses that clients reach the relay at from outside")                                          \
	X(profile, "DUSK_RELAY_PROFILE", "dusk", "dusk or libp2p", "which defaults the limits have")         \
	X(peer_id, "DUSK_RELAY_PEER_ID", "", "a peer id", "refuse to run with another identity than this")   \
	X(deny_peers, "DUSK_RELAY_DENY_PEERS", "", "peer ids with commas between, at most 1024",             \
	  "peers that are refused")                                                                          \
	X(rendezvous_kind, "DUSK_RENDEZVOUS_KIND", "auto", "auto, standard or legacy",                       \
	  "flavour of rendezvous records to serve; auto goes by the client")                                 \
	X(log_ids, "DUSK_RELAY_LOG_IDS", "full", "full, short or none", "how the log writes peer ids")       \
	X(rust_log, "RUST_LOG", "info", "levels, or targets with levels, with commas between",               \
	  "what to log: error, warn, info, debug, trace or off, or a filter of env_logger")                  \
	X(metrics, "DUSK_RELAY_METRICS", "", "an IP address with a port, or a port",                         \
	  "where to serve counters to Prometheus (a port alone means 127.0.0.1); unset: nowhere; a service " \
	  "takes it from dusk-relay-metrics.socket")                                                         \
	X(user, "DUSK_RELAY_USER", "61001",                                                                  \
	  "a user id from 1 on, or two with a colon between for user and group",                             \
	  "started as root: what the parent becomes")                                                        \
	X(key_user, "DUSK_RELAY_KEY_USER", "61002",                                                          \
	  "a user id from 1 on, or two with a colon between for user and group",                             \
	  "started as root: what keyproc becomes")                                                           \
	X(net_user, "DUSK_RELAY_NET_USER", "61003",                                                          \
	  "a user id from 1 on, or two with a colon between for user and group",                             \
	  "started as root: what netproc becomes")                                                           \
	X(metrics_user, "DUSK_RELAY_METRICS_USER", "61004",                                                  \
	  "a user id from 1 on, or two with a colon between for user and group",                             \
	  "started as root: what metrics becomes")                                                           \
	X(state_directory, "STATE_DIRECTORY", "", "an absolute path", "folder of the key (set by systemd)")  \
	X(data_home, "XDG_DATA_HOME", "", "an absolute path",                                                \
	  "without the above, the key is <this>/dusk-relay/keypair")                                         \
	X(home, "HOME", "", "an absolute path",                                                              \
	  "without both, the key is <this>/.local/share/dusk-relay/keypair")

enum parent_setting {
#define PARENT_SETTING_ENUM(field, variable, preset, allowed, help) PARENT_SETTING_##field,
	PARENT_SETTINGS(PARENT_SETTING_ENUM)
#undef PARENT_SETTING_ENUM
	    PARENT_SETTING_COUNT
};

#define SETTINGS_COUNT	   ((size_t)PARENT_SETTING_COUNT + (size_t)NET_SETTING_COUNT)
#define SETTINGS_NAME	   64  /* letters of a flag and the terminator */
#define SETTINGS_TEXT	   512 /* bytes of an error or a note */
#define SETTINGS_NOTES	   16
#define SETTINGS_DENY	   1024
#define SETTINGS_VALUE_MAX 65536 /* bytes of a value */

enum settings_ids { SETTINGS_IDS_FULL, SETTINGS_IDS_SHORT, SETTINGS_IDS_NONE };
enum settings_source { SETTINGS_DEFAULT, SETTINGS_ENVIRONMENT, SETTINGS_FLAG };

struct settings_user {
	uint32_t user;
	uint32_t group;
};

struct settings {
	struct net_settings net;
	uint16_t port;
	enum setting_profile profile;
	enum settings_ids log_ids;
	int log_level; /* enum log_level or FILTER_OFF */
	uint32_t rendezvous_kind;
	struct listen_wish listen;
	struct external_list external;
	struct peer_id peer_id; /* len 0: any */
	size_t deny_count;
	struct peer_id deny[SETTINGS_DENY];
	struct settings_user user;
	struct settings_user key_user;
	struct settings_user net_user;
	struct settings_user metrics_user;
	struct listen_wish metrics;  /* count 0: none */
	const char *state_directory; /* these three are "" when unset */
	const char *data_home;
	const char *home;
	const char *raw[SETTINGS_COUNT]; /* as given; NULL for a default */
	enum settings_source source[SETTINGS_COUNT];
	char notes[SETTINGS_NOTES][SETTINGS_TEXT]; /* warnings, to be logged */
	size_t note_count;
};

struct settings_error {
	int status; /* EXIT_USAGE or EXIT_SETTINGS */
	char text[SETTINGS_TEXT];
};

/* Reads everything. `arguments` are flags alone, NULL at the end. The settings keep pointers into both lists.
 * 0, or -1 and why. */
int settings_load(struct settings *settings, char *const *arguments, char *const *environment,
		  struct settings_error *error);

/* The lists as one: parent's rows first, then the numbers. */
const char *settings_variable(size_t index);
/* The flag of a row without its dashes; false for rows that have none. */
bool settings_flag(size_t index, char flag[SETTINGS_NAME]);
/* What a row allows, for people. */
void settings_allowed(size_t index, char text[SETTINGS_TEXT]);
const char *settings_help(size_t index);
/* The default as text, by profile. */
void settings_default(size_t index, enum setting_profile profile, char text[SETTINGS_TEXT]);

/* settings_value.c: a number of imsg/settings.h. 0, or -1 when it is not allowed. */
int settings_number(uint64_t *value, const struct net_setting_row *row, const char *text);
uint64_t *settings_net_field(struct net_settings *net, size_t index);
/* settings_value.c: one parser for each row of parent; 0 or -1. */
#define PARENT_SETTING_PARSER(field, variable, preset, allowed, help)                                        \
	int settings_parse_##field(struct settings *settings, const char *text);
PARENT_SETTINGS(PARENT_SETTING_PARSER)
#undef PARENT_SETTING_PARSER

#endif
