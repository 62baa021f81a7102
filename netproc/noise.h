/* SPDX-License-Identifier: MIT
 *
 * Noise_XX_25519_ChaChaPoly_SHA256 as responder, and the record layer behind it.
 * noiseprotocol.org revision 34; libp2p specs noise/README.md. Called by upgrade (starts it), loop (handshake
 * steps), yamux and upgrade (noise_send). The static key is keyproc's: the one Diffie-Hellman with it (es) is
 * asked for, and nothing here outlives the connection. Every byte that comes in is a stranger's.
 */
#ifndef NETPROC_NOISE_H
#define NETPROC_NOISE_H

#include <stddef.h>
#include <stdint.h>

#include "netproc/conn.h"
#include "netproc/noise_symmetric.h"
#include "netproc/selection.h"

#define NOISE_RECORD_MOST 16384 /* plaintext bytes of a record that we seal */

/* State of a connection until its muxer is agreed; then freed. */
struct handshake {
	uint8_t stage;		    /* enum noise_stage */
	struct selection selection; /* of the security protocol, then of the muxer */
	uint64_t sent_at;	    /* when message 2 left: times the round trip */
	struct noise_symmetric symmetric;
	uint8_t ephemeral_secret[32];
	uint8_t ephemeral[32];
	uint8_t remote_ephemeral[32];
	uint8_t remote_static[32];
	struct pool_buffer *message; /* message 3 while it waits for its step */
	void (*done)(struct conn *conn);
};

/* The layer that reads records once the peer is known. */
extern const struct conn_layer noise_records;
/* Of a connection in records or in the handshake: bytes of the whole message that begins so. */
size_t noise_needs(const uint8_t *bytes, size_t len);

/* Takes the connection over from security negotiation: from now on bytes are Noise messages. `done` is called
 * once the peer is known and records flow; it sets conn->upper. */
void noise_start(struct conn *conn, void (*done)(struct conn *conn));
/* One handshake step of a connection from the list of those that wait; the loop does few a turn. */
void noise_step(struct conn *conn);
/* Seals `len` bytes into the connection's output, in records of at most NOISE_RECORD_MOST. */
void noise_send(struct conn *conn, const uint8_t *bytes, size_t len);
/* Frees handshake state, wiping it. */
void noise_handshake_free(struct conn *conn);

#endif
