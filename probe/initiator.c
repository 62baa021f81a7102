/* SPDX-License-Identifier: MIT */
#include "probe/initiator.h"

#include <sodium.h>
#include <string.h>

#include "proto/noise_wire.h"

static void initiator_mix_hash(struct initiator *n, const uint8_t *bytes, size_t len)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, n->hash, sizeof(n->hash));
	crypto_hash_sha256_update(&state, bytes, len);
	crypto_hash_sha256_final(&state, n->hash);
}

/* HKDF of the Noise specification with two outputs. */
static void initiator_hkdf(const uint8_t chain[32], const uint8_t *input, size_t len, uint8_t first[32],
			   uint8_t second[32])
{
	uint8_t key[32];
	uint8_t block[33];
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, chain, 32);
	crypto_auth_hmacsha256_update(&state, input, len);
	crypto_auth_hmacsha256_final(&state, key);
	block[0] = 1;
	crypto_auth_hmacsha256(block, block, 1, key);
	memcpy(first, block, 32);
	block[32] = 2;
	crypto_auth_hmacsha256(second, block, sizeof(block), key);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(block, sizeof(block));
}

static void initiator_mix_key(struct initiator *n, const uint8_t *input, size_t len)
{
	uint8_t chain[32];

	initiator_hkdf(n->chain, input, len, chain, n->key.key);
	memcpy(n->chain, chain, sizeof(chain));
	n->key.nonce = 0;
}

static void initiator_encrypt_and_hash(struct initiator *n, const uint8_t *plain, size_t len, uint8_t *out)
{
	uint8_t nonce[12];

	secure_nonce(nonce, n->key.nonce++);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, n->hash, sizeof(n->hash), NULL,
						  nonce, n->key.key);
	initiator_mix_hash(n, out, len + SECURE_TAG);
}

static int initiator_decrypt_and_hash(struct initiator *n, const uint8_t *cipher, size_t len, uint8_t *out)
{
	uint8_t nonce[12];

	secure_nonce(nonce, n->key.nonce++);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, cipher, len, n->hash, sizeof(n->hash),
						      nonce, n->key.key) != 0)
		return -1;
	initiator_mix_hash(n, cipher, len);
	return 0;
}

static int initiator_mix_dh(struct initiator *n, const uint8_t secret[32], const uint8_t public_key[32])
{
	uint8_t shared[32];
	int result = crypto_scalarmult_curve25519(shared, secret, public_key);

	initiator_mix_key(n, shared, sizeof(shared));
	sodium_memzero(shared, sizeof(shared));
	return result;
}

void initiator_start(struct initiator *n)
{
	memset(n, 0, sizeof(*n));
	memcpy(n->hash, "Noise_XX_25519_ChaChaPoly_SHA256", 32);
	memcpy(n->chain, n->hash, 32);
	randombytes_buf(n->ephemeral_secret, 32);
	randombytes_buf(n->static_secret, 32);
	crypto_scalarmult_curve25519_base(n->ephemeral_public, n->ephemeral_secret);
	crypto_scalarmult_curve25519_base(n->static_public, n->static_secret);
	initiator_mix_hash(n, NULL, 0); /* the empty prologue */
	initiator_mix_hash(n, n->ephemeral_public, 32);
	initiator_mix_hash(n, NULL, 0); /* the empty payload of message 1 */
}

static const char *initiator_open_payload(struct initiator *n, const uint8_t *cipher, size_t len,
					  struct initiator_peer *peer)
{
	uint8_t plain[NOISE_PAYLOAD_MAX];
	struct noise_payload payload;

	if (len > sizeof(plain) + SECURE_TAG)
		return "the payload of Noise message 2 is too long";
	if (initiator_decrypt_and_hash(n, cipher, len, plain) != 0)
		return "the payload of Noise message 2 does not decrypt";
	switch (noise_payload_open(plain, len - SECURE_TAG, n->remote_static, &payload)) {
	case NOISE_PAYLOAD_OK:
		peer_id_from_ed25519(&peer->id, payload.identity);
		peer->has_muxers = payload.has_muxers;
		return NULL;
	case NOISE_PAYLOAD_KEY_UNSUPPORTED:
		return "the responder's identity key is not Ed25519";
	case NOISE_PAYLOAD_SIGNATURE_BAD:
		return "the responder's identity did not sign its Noise key";
	case NOISE_PAYLOAD_MALFORMED:
		break;
	}
	return "the payload of Noise message 2 is malformed";
}

const char *initiator_read(struct initiator *n, const uint8_t *message, size_t len,
			   struct initiator_peer *peer)
{
	if (len < INITIATOR_MESSAGE2_MIN)
		return "Noise message 2 is too short";
	memcpy(n->remote_ephemeral, message, 32);
	initiator_mix_hash(n, n->remote_ephemeral, 32);
	if (initiator_mix_dh(n, n->ephemeral_secret, n->remote_ephemeral) != 0)
		return "the responder's ephemeral key has low order";
	if (initiator_decrypt_and_hash(n, message + 32, 48, n->remote_static) != 0)
		return "the static key in Noise message 2 does not decrypt";
	if (initiator_mix_dh(n, n->ephemeral_secret, n->remote_static) != 0)
		return "the responder's static key has low order";
	return initiator_open_payload(n, message + 80, len - 80, peer);
}

size_t initiator_payload(const struct initiator *n, const struct identity *me, bool muxers, uint8_t *out,
			 size_t capacity)
{
	static const uint8_t list[] = "\x22\x0e\x12\x0c/yamux/1.0.0"; /* extensions { stream_muxers } */
	uint8_t signed_part[NOISE_SIGNED_MAX];
	uint8_t signature[64];
	struct writer w = writer_of(out, capacity);

	noise_signed_part(signed_part, n->static_public);
	identity_sign(me, signed_part, sizeof(signed_part), signature);
	noise_payload_write(&w, me->public_key, signature);
	if (muxers)
		writer_bytes(&w, list, sizeof(list) - 1);
	return w.bad ? 0 : writer_len(&w);
}

size_t initiator_finish(struct initiator *n, const uint8_t *payload, size_t len, uint8_t *out,
			size_t capacity)
{
	size_t needed = 48 + len + SECURE_TAG;

	if (capacity < needed)
		return 0;
	initiator_encrypt_and_hash(n, n->static_public, 32, out);
	initiator_mix_dh(n, n->static_secret, n->remote_ephemeral);
	initiator_encrypt_and_hash(n, payload, len, out + 48);
	return needed;
}

void initiator_split(struct initiator *n, struct secure_key *sending, struct secure_key *receiving)
{
	initiator_hkdf(n->chain, NULL, 0, sending->key, receiving->key);
	sending->nonce = 0;
	receiving->nonce = 0;
	sodium_memzero(n, sizeof(*n));
}
