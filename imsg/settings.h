/* SPDX-License-Identifier: MIT
 *
 * Every number of the daemon that can be set: one list. The parser, --help, README's table, the man page, the
 * environment file and the limits that netproc receives are made from it. Used by parent (parses), netproc
 * and keyproc (receive), tests, docs. Strings (addresses, filters, peer ids) are parent's own and stand in
 * parent/settings.h.
 */
#ifndef IMSG_SETTINGS_H
#define IMSG_SETTINGS_H

#include <stdint.h>

/* X(field, variable, unit, min, max, default dusk, default libp2p, help)
 * unit: NUMBER, SECONDS, BYTES (suffixes k, m, g of 1024), BOOLEAN (0 or 1, also no, yes, off, on). In
 * NUMBER, SECONDS and BYTES rows with min 0, 0 means no such limit, unless the help says otherwise. */
#define NET_SETTINGS(X)                                                                                      \
	X(max_connections, "DUSK_MAX_CONNECTIONS", NUMBER, 1, 1000000, 10000, 10000, "connections at once")  \
	X(max_connections_per_ip, "DUSK_MAX_CONNECTIONS_PER_IP", NUMBER, 0, 1000000, 512, 512,               \
	  "connections of one IPv4 address or IPv6 /64")                                                     \
	X(max_half_open, "DUSK_MAX_HALF_OPEN", NUMBER, 1, 100000, 2048, 2048,                                \
	  "connections in the handshake at once; more wait to be accepted")                                  \
	X(max_handshakes_per_ip, "DUSK_MAX_HANDSHAKES_PER_IP", NUMBER, 0, 100000, 50, 50,                    \
	  "handshakes a second of one IP key, with a burst of eight times that")                             \
	X(max_half_open_per_ip, "DUSK_MAX_HALF_OPEN_PER_IP", NUMBER, 0, 100000, 256, 256,                    \
	  "connections of one IP key in the handshake at once")                                              \
	X(limit_private_ips, "DUSK_LIMIT_PRIVATE_IPS", BOOLEAN, 0, 1, 0, 0,                                  \
	  "count private source addresses against the limits of one IP")                                     \
	X(max_streams, "DUSK_MAX_STREAMS", NUMBER, 8, 100000, 512, 512, "streams of one connection")         \
	X(max_reservations, "DUSK_MAX_RESERVATIONS", NUMBER, 0, 1000000, 16384, 128,                         \
	  "peers with a reservation")                                                                        \
	X(max_reservations_per_ip, "DUSK_MAX_RESERVATIONS_PER_IP", NUMBER, 0, 1000000, 512, 0,               \
	  "reservations of one IP key")                                                                      \
	X(max_reservations_per_peer, "DUSK_MAX_RESERVATIONS_PER_PEER", NUMBER, 1, 1024, 8, 5,                \
	  "connections of one peer that hold its reservation")                                               \
	X(reservation_ttl, "DUSK_RESERVATION_TTL", SECONDS, 60, 86400, 3600, 3600,                           \
	  "life of a reservation as told to clients; a quarter of it is added, 15 minutes at most")          \
	X(max_circuits, "DUSK_MAX_CIRCUITS", NUMBER, 0, 1000000, 16384, 16, "circuits at once")              \
	X(max_circuits_per_peer, "DUSK_MAX_CIRCUITS_PER_PEER", NUMBER, 0, 1000000, 512, 5,                   \
	  "circuits of one peer as source or as destination")                                                \
	X(max_circuits_per_pair, "DUSK_MAX_CIRCUITS_PER_PAIR", NUMBER, 0, 100000, 4, 0,                      \
	  "circuits between the same two connections")                                                       \
	X(max_circuits_per_source_ip, "DUSK_MAX_CIRCUITS_PER_SOURCE_IP", NUMBER, 0, 100000, 64, 0,           \
	  "circuits to one destination from one IP key")                                                     \
	X(circuit_duration, "DUSK_CIRCUIT_DURATION", SECONDS, 0, 31536000, 0, 120, "life of a circuit")      \
	X(circuit_bytes, "DUSK_CIRCUIT_BYTES", BYTES, 0, 1099511627776, 0, 131072,                           \
	  "bytes of a circuit, both ways together")                                                          \
	X(reserve_rate_per_peer, "DUSK_RESERVE_RATE_PER_PEER", NUMBER, 0, 100000, 0, 30,                     \
	  "RESERVEs of a peer at once; one more every 2 minutes")                                            \
	X(reserve_rate_per_ip, "DUSK_RESERVE_RATE_PER_IP", NUMBER, 0, 100000, 0, 60,                         \
	  "RESERVEs of an IP key at once; one more every minute")                                            \
	X(connect_rate_per_peer, "DUSK_CONNECT_RATE_PER_PEER", NUMBER, 0, 100000, 0, 30,                     \
	  "CONNECTs of a peer at once; one more every 2 minutes")                                            \
	X(connect_rate_per_ip, "DUSK_CONNECT_RATE_PER_IP", NUMBER, 0, 100000, 0, 60,                         \
	  "CONNECTs of an IP key at once; one more every minute")                                            \
	X(max_pending_stops, "DUSK_MAX_PENDING_STOPS", NUMBER, 1, 128, 8, 8,                                 \
	  "CONNECTs that wait for one destination at once")                                                  \
	X(stop_timeout, "DUSK_STOP_TIMEOUT", SECONDS, 1, 60, 10, 10, "wait for a destination's answer")      \
	X(handshake_timeout, "DUSK_HANDSHAKE_TIMEOUT", SECONDS, 1, 60, 10, 10, "from accept to the muxer")   \
	X(idle_timeout, "DUSK_IDLE_TIMEOUT", SECONDS, 10, 86400, 300, 300,                                   \
	  "life of a connection without reservation, circuit or request")                                    \
	X(max_window, "DUSK_MAX_WINDOW", BYTES, 262144, 67108864, 67108864, 67108864,                        \
	  "what a circuit's window may grow to; at most a 32nd of the memory budget for each circuit")       \
	X(max_memory, "DUSK_MAX_MEMORY", BYTES, 0, 1099511627776, 0, 0,                                      \
	  "memory budget; 0 takes three quarters of the control group's limit, or of the machine's memory")  \
	X(max_bandwidth, "DUSK_MAX_BANDWIDTH", BYTES, 0, 1099511627776, 0, 0,                                \
	  "bytes a second relayed in all; 8 seconds ahead of it no circuit is opened")                       \
	X(max_bandwidth_per_peer, "DUSK_MAX_BANDWIDTH_PER_PEER", BYTES, 0, 1099511627776, 0, 0,              \
	  "bytes a second relayed from one peer; 8 seconds ahead of it the peer opens no circuit")           \
	X(privacy_guard, "DUSK_PRIVACY_GUARD", BOOLEAN, 0, 1, 1, 0,                                          \
	  "refuse records with an address that is not a circuit through this relay, and DISCOVER of all "    \
	  "namespaces")                                                                                      \
	X(rendezvous, "DUSK_RENDEZVOUS", BOOLEAN, 0, 1, 1, 1, "serve rendezvous")                            \
	X(max_registrations, "DUSK_MAX_REGISTRATIONS", NUMBER, 1, 100000000, 1000000, 1000000,               \
	  "registrations in all")                                                                            \
	X(max_registrations_per_peer, "DUSK_MAX_REGISTRATIONS_PER_PEER", NUMBER, 1, 1000000, 1000, 1000,     \
	  "registrations of one peer")                                                                       \
	X(max_registrations_per_namespace, "DUSK_MAX_REGISTRATIONS_PER_NAMESPACE", NUMBER, 1, 100000000,     \
	  100000, 100000, "registrations in one namespace")                                                  \
	X(max_registration_bytes, "DUSK_MAX_REGISTRATION_BYTES", BYTES, 65536, 1099511627776, 536870912,     \
	  536870912, "bytes of stored records; never more than a quarter of the memory budget")              \
	X(min_registration_ttl, "DUSK_MIN_REGISTRATION_TTL", SECONDS, 1, 259200, 60, 7200,                   \
	  "shortest ttl accepted")                                                                           \
	X(rendezvous_rate, "DUSK_RENDEZVOUS_RATE", NUMBER, 0, 1000000, 20, 20,                               \
	  "rendezvous requests a second of one peer, with a burst of fifty times that")                      \
	X(rendezvous_answer_rate, "DUSK_RENDEZVOUS_ANSWER_RATE", BYTES, 0, 1099511627776, 4194304, 4194304,  \
	  "bytes of answers a second for one peer, with a burst of sixteen times that")                      \
	X(voucher, "DUSK_VOUCHER", BOOLEAN, 0, 1, 1, 1, "sign a voucher for each reservation")               \
	X(observed_address, "DUSK_OBSERVED_ADDRESS", BOOLEAN, 0, 1, 1, 1,                                    \
	  "tell a client in identify the address seen")                                                      \
	X(drain, "DUSK_RELAY_DRAIN", SECONDS, 0, 60, 2, 2,                                                   \
	  "time for connections to end at SIGTERM; 0 is at once")

enum net_setting {
#define NET_SETTING_ENUM(field, variable, unit, min, max, dusk, libp2p, help) NET_SETTING_##field,
	NET_SETTINGS(NET_SETTING_ENUM)
#undef NET_SETTING_ENUM
	    NET_SETTING_COUNT
};

/* What netproc runs by; each field within the range of its row. */
struct net_settings {
#define NET_SETTING_FIELD(field, variable, unit, min, max, dusk, libp2p, help) uint64_t field;
	NET_SETTINGS(NET_SETTING_FIELD)
#undef NET_SETTING_FIELD
};

enum setting_unit { SETTING_NUMBER, SETTING_SECONDS, SETTING_BYTES, SETTING_BOOLEAN };
enum setting_profile { SETTING_PROFILE_DUSK, SETTING_PROFILE_LIBP2P, SETTING_PROFILE_COUNT };

struct net_setting_row {
	const char *variable;
	enum setting_unit unit;
	uint64_t min;
	uint64_t max;
	uint64_t preset[SETTING_PROFILE_COUNT];
	const char *help;
};

extern const struct net_setting_row net_setting_rows[NET_SETTING_COUNT];

/* The field of a setting, for code that walks the rows. */
uint64_t *net_setting_at(struct net_settings *settings, enum net_setting setting);
/* 0 when every field is inside its row's range; else the index of the first that is not, plus 1. */
int net_settings_check(const struct net_settings *settings);

#endif
