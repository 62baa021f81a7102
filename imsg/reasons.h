/* SPDX-License-Identifier: MIT
 *
 * Why a connection, a stream or a circuit ended: one list. Log lines, counters, metrics, tests and
 * SECURITY.md are made from it. Used by netproc (sets them), parent (prints them), metrics (labels) and
 * tests. Adding one is one line.
 */
#ifndef IMSG_REASONS_H
#define IMSG_REASONS_H

/* X(name, text): `text` is the word in logs and the metric's label. */
#define CLOSE_REASONS(X)                                                                                     \
	X(NONE, "none")                                                                                      \
	X(REMOTE_CLOSED, "remote_closed")                                                                    \
	X(REMOTE_RESET, "remote_reset")                                                                      \
	X(REMOTE_GO_AWAY, "remote_go_away")                                                                  \
	X(DRAIN, "drain")                                                                                    \
	X(LIMIT_CONNECTIONS, "limit_connections")                                                            \
	X(LIMIT_CONNECTIONS_PER_IP, "limit_connections_per_ip")                                              \
	X(LIMIT_HANDSHAKES_PER_IP, "limit_handshakes_per_ip")                                                \
	X(LIMIT_HALF_OPEN, "limit_half_open")                                                                \
	X(HANDSHAKE_TIMEOUT, "handshake_timeout")                                                            \
	X(MULTISTREAM_HEADER, "multistream_header")                                                          \
	X(MULTISTREAM_MALFORMED, "multistream_malformed")                                                    \
	X(MULTISTREAM_ROUNDS, "multistream_rounds")                                                          \
	X(NOISE_SIZE, "noise_size")                                                                          \
	X(NOISE_POINT, "noise_point")                                                                        \
	X(NOISE_DECRYPT, "noise_decrypt")                                                                    \
	X(NOISE_PAYLOAD, "noise_payload")                                                                    \
	X(NOISE_KEY_UNSUPPORTED, "noise_key_unsupported")                                                    \
	X(NOISE_SIGNATURE, "noise_signature")                                                                \
	X(NOISE_NONCE, "noise_nonce")                                                                        \
	X(RECORD_TIMEOUT, "record_timeout")                                                                  \
	X(YAMUX_VERSION, "yamux_version")                                                                    \
	X(YAMUX_TYPE, "yamux_type")                                                                          \
	X(YAMUX_FLAGS, "yamux_flags")                                                                        \
	X(YAMUX_STREAM_ID, "yamux_stream_id")                                                                \
	X(YAMUX_STREAM_DUPLICATE, "yamux_stream_duplicate")                                                  \
	X(YAMUX_WINDOW_OVERRUN, "yamux_window_overrun")                                                      \
	X(YAMUX_WINDOW_OVERFLOW, "yamux_window_overflow")                                                    \
	X(YAMUX_PING_FLOOD, "yamux_ping_flood")                                                              \
	X(YAMUX_STREAM_FLOOD, "yamux_stream_flood")                                                          \
	X(YAMUX_FRAME_FLOOD, "yamux_frame_flood")                                                            \
	X(NOT_READING, "not_reading")                                                                        \
	X(IDLE, "idle")                                                                                      \
	X(DEAD, "dead")                                                                                      \
	X(MEMORY, "memory")                                                                                  \
	X(SOCKET_ERROR, "socket_error")                                                                      \
	X(NEGOTIATION_TIMEOUT, "negotiation_timeout")                                                        \
	X(STREAM_LIMIT, "stream_limit")                                                                      \
	X(MESSAGE_TOO_LONG, "message_too_long")                                                              \
	X(MESSAGE_MALFORMED, "message_malformed")                                                            \
	X(MESSAGE_UNEXPECTED, "message_unexpected")                                                          \
	X(MESSAGE_TIMEOUT, "message_timeout")                                                                \
	X(STOP_TIMEOUT, "stop_timeout")                                                                      \
	X(STOP_REFUSED, "stop_refused")                                                                      \
	X(CIRCUIT_RESET, "circuit_reset")                                                                    \
	X(CIRCUIT_PEER_GONE, "circuit_peer_gone")                                                            \
	X(CIRCUIT_LIMIT_BYTES, "circuit_limit_bytes")                                                        \
	X(CIRCUIT_LIMIT_TIME, "circuit_limit_time")                                                          \
	X(CIRCUIT_HALF_CLOSED, "circuit_half_closed")

enum close_reason {
#define CLOSE_REASON_ENUM(name, text) CLOSE_##name,
	CLOSE_REASONS(CLOSE_REASON_ENUM)
#undef CLOSE_REASON_ENUM
	    CLOSE_REASON_COUNT
};

/* The word of a reason, "unknown" beyond the list. */
const char *close_reason_text(enum close_reason reason);

#endif
