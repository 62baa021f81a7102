/* SPDX-License-Identifier: MIT
 *
 * Peer ids: bytes (a multihash of the public key), text (base58btc, or CIDv1 on input).
 * Called by every program. Trusts nothing it is given. libp2p specs, peer-ids/peer-ids.md.
 */
#ifndef PROTO_PEER_ID_H
#define PROTO_PEER_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_ID_MAX	   44 /* bytes: identity multihash of a key of at most 42 bytes */
#define PEER_ID_ED25519	   38 /* bytes of the id of an Ed25519 key */
#define PEER_ID_TEXT_MAX   72 /* characters and the terminator of any text written here */
#define PUBLIC_KEY_ED25519 36 /* bytes of the protobuf of an Ed25519 public key */

struct peer_id {
	uint8_t len; /* 0: none */
	uint8_t bytes[PEER_ID_MAX];
};

/* The id of an Ed25519 public key of 32 bytes. */
void peer_id_from_ed25519(struct peer_id *id, const uint8_t public_key[32]);
/* The Ed25519 key that the id holds, inside `id`; NULL when it holds another kind or a hash. */
const uint8_t *peer_id_ed25519(const struct peer_id *id);
/* Binary form: identity multihash (`00`, at most 42 bytes that parse as a public key) or sha2-256 (`12 20`).
 * 0, or -1 for anything else. */
int peer_id_parse(struct peer_id *id, const uint8_t *bytes, size_t len);
bool peer_id_equal(const struct peer_id *a, const struct peer_id *b);
/* Base58btc; returns the length without the terminator. */
size_t peer_id_to_text(const struct peer_id *id, char text[PEER_ID_TEXT_MAX]);
/* Base58btc (`1...`, `Qm...`) or CIDv1 base32 or base36 with codec libp2p-key; at most 80 characters. 0 or
 * -1. */
int peer_id_from_text(struct peer_id *id, const char *text, size_t len);

/* The protobuf of an Ed25519 public key: `08 01 12 20` and 32 bytes. */
void public_key_write(uint8_t out[PUBLIC_KEY_ED25519], const uint8_t public_key[32]);
/* Accepts only the canonical encoding of an Ed25519 key; copies out the 32 bytes. 0 or -1. */
int public_key_parse(const uint8_t *bytes, size_t len, uint8_t public_key[32]);

#endif
