/* SPDX-License-Identifier: MIT
 *
 * Every counter and gauge: one list for netproc, one for keyproc. The SIGUSR1 report, the metrics page, docs
 * and tests are made from it. Names are those of go-libp2p where it has one. No peer id,
 * address or namespace stands in a label. Adding one is one line.
 */
#ifndef IMSG_COUNTERS_H
#define IMSG_COUNTERS_H

#include <stdint.h>

#include "imsg/reasons.h"

/* X(name, type, metric, labels, help): type is COUNTER or GAUGE; `labels` is empty or key="value" pairs. */
#define NET_COUNTERS(X)                                                                                      \
	X(RELAY_STATUS, GAUGE, "libp2p_relaysvc_status", "", "1 while the relay serves")                     \
	X(RESERVATIONS_OPENED, COUNTER, "libp2p_relaysvc_reservations_total", "type=\"opened\"",             \
	  "Reservations made")                                                                               \
	X(RESERVATIONS_RENEWED, COUNTER, "libp2p_relaysvc_reservations_total", "type=\"renewed\"", "")       \
	X(RESERVATIONS_CLOSED, COUNTER, "libp2p_relaysvc_reservations_total", "type=\"closed\"", "")         \
	X(RESERVE_OK, COUNTER, "libp2p_relaysvc_reservation_request_response_status_total", "status=\"ok\"", \
	  "Answers to RESERVE")                                                                              \
	X(RESERVE_REJECTED, COUNTER, "libp2p_relaysvc_reservation_request_response_status_total",            \
	  "status=\"rejected\"", "")                                                                         \
	X(RESERVE_ERROR, COUNTER, "libp2p_relaysvc_reservation_request_response_status_total",               \
	  "status=\"error\"", "")                                                                            \
	X(RESERVE_REFUSED_IP, COUNTER, "libp2p_relaysvc_reservation_rejections_total",                       \
	  "reason=\"ip constraint violation\"", "Refused RESERVE by reason")                                 \
	X(RESERVE_REFUSED_LIMIT, COUNTER, "libp2p_relaysvc_reservation_rejections_total",                    \
	  "reason=\"resource limit exceeded\"", "")                                                          \
	X(RESERVE_REFUSED_DENIED, COUNTER, "libp2p_relaysvc_reservation_rejections_total",                   \
	  "reason=\"permission denied\"", "")                                                                \
	X(RESERVE_REFUSED_MALFORMED, COUNTER, "libp2p_relaysvc_reservation_rejections_total",                \
	  "reason=\"malformed message\"", "")                                                                \
	X(CIRCUITS_OPENED, COUNTER, "libp2p_relaysvc_connections_total", "type=\"opened\"", "Circuits")      \
	X(CIRCUITS_CLOSED, COUNTER, "libp2p_relaysvc_connections_total", "type=\"closed\"", "")              \
	X(CONNECT_OK, COUNTER, "libp2p_relaysvc_connection_request_response_status_total", "status=\"ok\"",  \
	  "Answers to CONNECT")                                                                              \
	X(CONNECT_REJECTED, COUNTER, "libp2p_relaysvc_connection_request_response_status_total",             \
	  "status=\"rejected\"", "")                                                                         \
	X(CONNECT_ERROR, COUNTER, "libp2p_relaysvc_connection_request_response_status_total",                \
	  "status=\"error\"", "")                                                                            \
	X(CONNECT_REFUSED_LIMIT, COUNTER, "libp2p_relaysvc_connection_rejections_total",                     \
	  "reason=\"resource limit exceeded\"", "Refused CONNECT by reason")                                 \
	X(CONNECT_REFUSED_DENIED, COUNTER, "libp2p_relaysvc_connection_rejections_total",                    \
	  "reason=\"permission denied\"", "")                                                                \
	X(CONNECT_REFUSED_NO_RESERVATION, COUNTER, "libp2p_relaysvc_connection_rejections_total",            \
	  "reason=\"no reservation\"", "")                                                                   \
	X(CONNECT_REFUSED_MALFORMED, COUNTER, "libp2p_relaysvc_connection_rejections_total",                 \
	  "reason=\"malformed message\"", "")                                                                \
	X(CONNECT_REFUSED_STOP, COUNTER, "libp2p_relaysvc_connection_rejections_total",                      \
	  "reason=\"connection failed\"", "")                                                                \
	X(CIRCUIT_SECONDS_1, COUNTER, "libp2p_relaysvc_connection_duration_seconds_bucket", "le=\"1\"",      \
	  "Life of ended circuits")                                                                          \
	X(CIRCUIT_SECONDS_10, COUNTER, "libp2p_relaysvc_connection_duration_seconds_bucket", "le=\"10\"",    \
	  "")                                                                                                \
	X(CIRCUIT_SECONDS_60, COUNTER, "libp2p_relaysvc_connection_duration_seconds_bucket", "le=\"60\"",    \
	  "")                                                                                                \
	X(CIRCUIT_SECONDS_120, COUNTER, "libp2p_relaysvc_connection_duration_seconds_bucket", "le=\"120\"",  \
	  "")                                                                                                \
	X(CIRCUIT_SECONDS_600, COUNTER, "libp2p_relaysvc_connection_duration_seconds_bucket", "le=\"600\"",  \
	  "")                                                                                                \
	X(CIRCUIT_SECONDS_3600, COUNTER, "libp2p_relaysvc_connection_duration_seconds_bucket",               \
	  "le=\"3600\"", "")                                                                                 \
	X(CIRCUIT_SECONDS_INF, COUNTER, "libp2p_relaysvc_connection_duration_seconds_bucket", "le=\"+Inf\"", \
	  "")                                                                                                \
	X(CIRCUIT_SECONDS_SUM, COUNTER, "libp2p_relaysvc_connection_duration_seconds_sum", "", "")           \
	X(CIRCUIT_SECONDS_COUNT, COUNTER, "libp2p_relaysvc_connection_duration_seconds_count", "", "")       \
	X(RELAYED_BYTES, COUNTER, "libp2p_relaysvc_data_transferred_bytes_total", "",                        \
	  "Bytes relayed, each counted once")                                                                \
	X(RENDEZVOUS_REGISTERED, GAUGE, "libp2p_rendezvous_registered", "", "Live registrations")            \
	X(RENDEZVOUS_NAMESPACES, GAUGE, "libp2p_rendezvous_namespaces", "",                                  \
	  "Namespaces with a registration")                                                                  \
	X(RENDEZVOUS_RECORD_BYTES, GAUGE, "libp2p_rendezvous_record_bytes", "", "Bytes of stored records")   \
	X(REGISTER_OK, COUNTER, "libp2p_rendezvous_register_total", "result=\"ok\"", "REGISTER by result")   \
	X(REGISTER_REFRESHED, COUNTER, "libp2p_rendezvous_register_total", "result=\"refreshed\"", "")       \
	X(REGISTER_INVALID_NAMESPACE, COUNTER, "libp2p_rendezvous_register_total",                           \
	  "result=\"invalid_namespace\"", "")                                                                \
	X(REGISTER_INVALID_RECORD, COUNTER, "libp2p_rendezvous_register_total", "result=\"invalid_record\"", \
	  "")                                                                                                \
	X(REGISTER_INVALID_TTL, COUNTER, "libp2p_rendezvous_register_total", "result=\"invalid_ttl\"", "")   \
	X(REGISTER_NOT_AUTHORIZED, COUNTER, "libp2p_rendezvous_register_total", "result=\"not_authorized\"", \
	  "")                                                                                                \
	X(REGISTER_UNAVAILABLE, COUNTER, "libp2p_rendezvous_register_total", "result=\"unavailable\"", "")   \
	X(REGISTER_SHARE, COUNTER, "libp2p_rendezvous_register_total", "result=\"address_share\"", "")       \
	X(REGISTER_GUARD, COUNTER, "libp2p_rendezvous_register_total", "result=\"privacy_guard\"", "")       \
	X(UNREGISTER, COUNTER, "libp2p_rendezvous_unregister_total", "", "UNREGISTER requests")              \
	X(DISCOVER_OK, COUNTER, "libp2p_rendezvous_discover_total", "result=\"ok\"", "DISCOVER by result")   \
	X(DISCOVER_INVALID_NAMESPACE, COUNTER, "libp2p_rendezvous_discover_total",                           \
	  "result=\"invalid_namespace\"", "")                                                                \
	X(DISCOVER_INVALID_COOKIE, COUNTER, "libp2p_rendezvous_discover_total", "result=\"invalid_cookie\"", \
	  "")                                                                                                \
	X(DISCOVER_NOT_AUTHORIZED, COUNTER, "libp2p_rendezvous_discover_total", "result=\"not_authorized\"", \
	  "")                                                                                                \
	X(DISCOVER_UNAVAILABLE, COUNTER, "libp2p_rendezvous_discover_total", "result=\"unavailable\"", "")   \
	X(DISCOVER_SERVED, COUNTER, "libp2p_rendezvous_served_total", "", "Registrations served")            \
	X(RENDEZVOUS_EXPIRED, COUNTER, "libp2p_rendezvous_expired_total", "",                                \
	  "Registrations that ended by time")                                                                \
	X(CONNECTIONS_ACCEPTED, COUNTER, "dusk_relay_connections_accepted_total", "",                        \
	  "Connections accepted")                                                                            \
	X(CONNECTIONS, GAUGE, "dusk_relay_connections", "", "Connections open")                              \
	X(CONNECTIONS_READY, GAUGE, "dusk_relay_connections_established", "",                                \
	  "Connections past the handshake")                                                                  \
	X(RESERVATIONS, GAUGE, "dusk_relay_reservations", "", "Reservations live")                           \
	X(CIRCUITS, GAUGE, "dusk_relay_circuits", "", "Circuits open")                                       \
	X(CIRCUITS_PENDING, GAUGE, "dusk_relay_circuits_pending", "", "CONNECTs that wait for a STOP")       \
	X(STREAMS, GAUGE, "dusk_relay_streams", "", "Streams open")                                          \
	X(HANDSHAKES_STARTED, COUNTER, "dusk_relay_handshakes_started_total", "",                            \
	  "Noise handshakes started")                                                                        \
	X(HANDSHAKES_OK, COUNTER, "dusk_relay_handshakes_total", "", "Handshakes finished")                  \
	X(IDENTIFY_SERVED, COUNTER, "dusk_relay_identify_total", "", "identify answers")                     \
	X(PING_ECHOED, COUNTER, "dusk_relay_ping_total", "", "ping echoes")                                  \
	X(YAMUX_PINGS, COUNTER, "dusk_relay_yamux_pings_total", "", "yamux pings answered")                  \
	X(PROTOCOL_REFUSED, COUNTER, "dusk_relay_protocol_refused_total", "", "Proposals answered na")       \
	X(STREAM_DRAINED_BYTES, COUNTER, "dusk_relay_drained_bytes_total", "",                               \
	  "Bytes for streams that had ended")                                                                \
	X(POOL_BYTES, GAUGE, "dusk_relay_pool_bytes", "", "Bytes of the buffer pool in use")                 \
	X(POOL_KEPT, GAUGE, "dusk_relay_pool_kept_bytes", "",                                                \
	  "Bytes of buffers kept for the next taker, beside those in use")                                   \
	X(POOL_CAP, GAUGE, "dusk_relay_pool_cap_bytes", "", "Bytes the buffer pool may use")                 \
	X(POOL_REFUSED, COUNTER, "dusk_relay_pool_refused_total", "", "Allocations the pool refused")        \
	X(ACCEPT_PAUSED, COUNTER, "dusk_relay_accept_paused_total", "",                                      \
	  "Times accepting paused for want of descriptors")                                                  \
	X(EXTERNAL_ADDRESSES, GAUGE, "dusk_relay_external_addresses", "", "Configured external addresses")   \
	X(LOG_DROPPED, COUNTER, "dusk_relay_log_dropped_total", "", "Log events dropped before the parent")  \
	X(KEY_REQUESTS, COUNTER, "dusk_relay_key_requests_total", "", "Requests sent to keyproc")            \
	X(VOUCHER_RATE, COUNTER, "dusk_relay_vouchers_left_out_total", "reason=\"rate\"",                    \
	  "Reservations answered without a voucher")                                                         \
	X(VOUCHER_KEYPROC, COUNTER, "dusk_relay_vouchers_left_out_total", "reason=\"keyproc\"", "")          \
	X(LOOP_NAPS, COUNTER, "dusk_relay_loop_naps_total", "", "Short sleeps that gather bulk")             \
	X(LOOP_TURNS, COUNTER, "dusk_relay_loop_turns_total", "", "Turns of the loop")                       \
	X(READ_CALLS, COUNTER, "dusk_relay_read_calls_total", "", "read calls on connections")               \
	X(READ_BYTES, COUNTER, "dusk_relay_read_bytes_total", "", "Bytes read from connections")             \
	X(WRITE_CALLS, COUNTER, "dusk_relay_write_calls_total", "", "write calls on connections")            \
	X(WRITE_BYTES, COUNTER, "dusk_relay_write_bytes_total", "", "Bytes written to connections")          \
	X(REGISTER_RATE, COUNTER, "libp2p_rendezvous_register_total", "result=\"rate\"", "")                 \
	X(DISCOVER_RATE, COUNTER, "libp2p_rendezvous_discover_total", "result=\"rate\"", "")

#define KEY_COUNTERS(X)                                                                                      \
	X(HELLO, COUNTER, "dusk_relay_key_operations_total", "operation=\"hello\"", "Operations of keyproc") \
	X(NOISE_DH, COUNTER, "dusk_relay_key_operations_total", "operation=\"noise_dh\"", "")                \
	X(NOISE_DH_REFUSED, COUNTER, "dusk_relay_key_operations_total", "operation=\"noise_dh_refused\"",    \
	  "")                                                                                                \
	X(VOUCHER, COUNTER, "dusk_relay_key_operations_total", "operation=\"voucher\"", "")                  \
	X(VOUCHER_REFUSED, COUNTER, "dusk_relay_key_operations_total", "operation=\"voucher_refused\"", "")  \
	X(RATE_EXCEEDED, COUNTER, "dusk_relay_key_operations_total", "operation=\"rate_exceeded\"", "")      \
	X(RECORD, COUNTER, "dusk_relay_key_operations_total", "operation=\"record\"", "")

enum net_counter {
#define NET_COUNTER_ENUM(name, type, metric, labels, help) NET_COUNT_##name,
	NET_COUNTERS(NET_COUNTER_ENUM)
#undef NET_COUNTER_ENUM
	    NET_COUNTER_COUNT
};

enum key_counter {
#define KEY_COUNTER_ENUM(name, type, metric, labels, help) KEY_COUNT_##name,
	KEY_COUNTERS(KEY_COUNTER_ENUM)
#undef KEY_COUNTER_ENUM
	    KEY_COUNTER_COUNT
};

enum counter_type { COUNTER_TYPE_COUNTER, COUNTER_TYPE_GAUGE };

struct counter_row {
	enum counter_type type;
	const char *metric;
	const char *labels;
	const char *help;
};

extern const struct counter_row net_counter_rows[NET_COUNTER_COUNT];
extern const struct counter_row key_counter_rows[KEY_COUNTER_COUNT];

#endif
