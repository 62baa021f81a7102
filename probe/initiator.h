/* SPDX-License-Identifier: MIT
 *
 * Noise_XX_25519_ChaChaPoly_SHA256, the initiator's side, as libp2p uses it. noiseprotocol.org
 * revision 34. Called by the session; tests call the steps one by one to send wrong messages. Messages are
 * without their two-byte length. Trusts nothing of the responder: tag, payload, key, signature and an
 * expected peer id are checked.
 */
#ifndef PROBE_INITIATOR_H
#define PROBE_INITIATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/identity.h"
#include "probe/secure.h"

#define INITIATOR_MESSAGE1	32
#define INITIATOR_MESSAGE2_MIN	(32 + 48 + 16)
#define INITIATOR_MESSAGE3_ROOM 16384 /* for payloads of tests too */

struct initiator {
	uint8_t chain[32];
	uint8_t hash[32];
	struct secure_key key; /* of the handshake itself */
	uint8_t ephemeral_secret[32];
	uint8_t ephemeral_public[32];
	uint8_t static_secret[32];
	uint8_t static_public[32];
	uint8_t remote_ephemeral[32];
	uint8_t remote_static[32];
};

struct initiator_peer {
	struct peer_id id;
	bool has_muxers;
};

/* Fresh keys, and the hash of message 1 taken: its bytes are ephemeral_public. */
void initiator_start(struct initiator *n);
/* Reads message 2 and says who answered. NULL, or what is wrong with it. */
const char *initiator_read(struct initiator *n, const uint8_t *message, size_t len,
			   struct initiator_peer *peer);
/* The payload of `me` over our static key; `muxers` adds the list that go and js send. Returns its length. */
size_t initiator_payload(const struct initiator *n, const struct identity *me, bool muxers, uint8_t *out,
			 size_t capacity);
/* Writes message 3 around any payload; 0 when `capacity` is too small. */
size_t initiator_finish(struct initiator *n, const uint8_t *payload, size_t len, uint8_t *out,
			size_t capacity);
/* The two keys of the record layer; wipes the handshake. */
void initiator_split(struct initiator *n, struct secure_key *sending, struct secure_key *receiving);

#endif
