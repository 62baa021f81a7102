/* SPDX-License-Identifier: MIT
 *
 * One connection to a relay as a pure state machine: bytes of the socket in, bytes for the socket out. It
 * goes through multistream-select, Noise, multistream-select and yamux; then `mux` is there for use.
 * Called by client.c (blocking), by tests and by load generators (many of them under one
 * epoll). Trusts nothing of the relay. No descriptor, clock or thread in here.
 */
#ifndef PROBE_SESSION_H
#define PROBE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/bytes.h"
#include "probe/identity.h"
#include "probe/initiator.h"
#include "probe/mux.h"
#include "probe/secure.h"

#define SESSION_RECORD_PLAIN 16384 /* plain bytes of one record that we seal, unless told otherwise */

enum session_phase {
	SESSION_SECURITY_HEADER, /* multistream-select on the bare connection */
	SESSION_SECURITY_PROTOCOL,
	SESSION_NOISE,
	SESSION_MUXER_HEADER, /* multistream-select inside Noise */
	SESSION_MUXER_PROTOCOL,
	SESSION_OPEN,
	SESSION_FAILED
};

struct session_options {
	const struct identity *identity; /* must outlive the session */
	const struct peer_id *expected;	 /* who must answer; NULL: anybody */
	bool patient;	     /* wait for each answer; else everything goes in as few bursts as rust sends */
	bool muxers;	     /* list /yamux/1.0.0 in the handshake, as go and js do */
	bool hold_handshake; /* tests: send neither Noise message by itself */
};

struct session {
	enum session_phase phase;
	enum session_phase failed_in; /* with SESSION_FAILED: the phase it was in */
	const char *failure;
	struct session_options options;
	struct bytes in;	 /* of the socket, not whole yet */
	struct bytes out;	 /* for the socket */
	struct bytes lines;	 /* plain bytes of the muxer's negotiation */
	struct bytes plain;	 /* frames not sealed yet */
	struct initiator *noise; /* while shaking hands */
	struct secure_key sending;
	struct secure_key receiving;
	struct peer_id relay;
	bool relay_lists_muxers;
	unsigned refusals; /* `na` in the muxer's negotiation, with hold_handshake */
	size_t record_max;
	struct mux mux;
	void (*changed)(struct session *s); /* phase; may be NULL */
	void *user;
};

void session_start(struct session *s, const struct session_options *options, const struct mux_events *events,
		   void *owner);
/* `bytes` are decrypted where they are. */
void session_input(struct session *s, uint8_t *bytes, size_t len);
/* The other side closed or the socket broke: streams hear `reset`. */
void session_end(struct session *s, const char *why);
/* Seals what waits and says how many bytes `out` holds for the socket. */
size_t session_pending(struct session *s);
/* Reads once from a non-blocking descriptor into the session: bytes, 0 when none are there now, -1 when it
 * ended. */
long session_read(struct session *s, int fd);
/* Writes what is pending: bytes left over, or -1 when the descriptor broke. */
long session_write(struct session *s, int fd);
void session_free(struct session *s);
const char *session_phase_name(enum session_phase phase);

/* Steps that a test takes itself after hold_handshake. */
void session_send_message1(struct session *s, const uint8_t *message, size_t len);
void session_send_message3(struct session *s, const uint8_t *payload, size_t len);

#endif
