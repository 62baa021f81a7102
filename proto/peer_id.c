/* SPDX-License-Identifier: MIT
 *
 * Peer ids and the public keys inside them, see peer_id.h. libp2p specs, peer-ids/peer-ids.md. Contains no
 * crypto: the parent links it, and an Ed25519 id holds its key unhashed.
 */
#include "proto/peer_id.h"

#include <string.h>

#include "proto/base_text.h"

#define MULTIHASH_IDENTITY     0x00
#define MULTIHASH_SHA2_256     0x12
#define MULTIHASH_DIGEST_256   32
#define PEER_ID_HEAD	       2 /* multihash code and length, a byte each */
#define PEER_ID_SHA2_256       (PEER_ID_HEAD + MULTIHASH_DIGEST_256)
#define PEER_ID_TEXT_INPUT_MAX 80

#define CID_VERSION    0x01
#define CID_LIBP2P_KEY 0x72
#define CID_HEAD       2

/* Public key protobuf: f1 type, f2 data, in this order and minimal, since its bytes are hashed or compared.
 */
#define KEY_HEAD	  4
#define SECP256K1_ENCODED 37
static const uint8_t key_ed25519_head[KEY_HEAD] = {0x08, 0x01, 0x12, 0x20};
static const uint8_t key_secp256k1_head[KEY_HEAD] = {0x08, 0x02, 0x12, 0x21};

static bool starts_with(const uint8_t *bytes, size_t len, const uint8_t head[KEY_HEAD], size_t whole)
{
	return len == whole && memcmp(bytes, head, KEY_HEAD) == 0;
}

void public_key_write(uint8_t out[PUBLIC_KEY_ED25519], const uint8_t public_key[32])
{
	memcpy(out, key_ed25519_head, KEY_HEAD);
	memcpy(out + KEY_HEAD, public_key, 32);
}

int public_key_parse(const uint8_t *bytes, size_t len, uint8_t public_key[32])
{
	if (!starts_with(bytes, len, key_ed25519_head, PUBLIC_KEY_ED25519))
		return -1;
	memcpy(public_key, bytes + KEY_HEAD, 32);
	return 0;
}

/* Keys short enough to stand unhashed in an id are Ed25519 and compressed secp256k1; no valid RSA or ECDSA
 * key is. */
static bool public_key_fits_inline(const uint8_t *bytes, size_t len)
{
	if (starts_with(bytes, len, key_ed25519_head, PUBLIC_KEY_ED25519))
		return true;
	return starts_with(bytes, len, key_secp256k1_head, SECP256K1_ENCODED) &&
	       (bytes[KEY_HEAD] == 0x02 || bytes[KEY_HEAD] == 0x03);
}

void peer_id_from_ed25519(struct peer_id *id, const uint8_t public_key[32])
{
	memset(id, 0, sizeof(*id));
	id->len = PEER_ID_ED25519;
	id->bytes[0] = MULTIHASH_IDENTITY;
	id->bytes[1] = PUBLIC_KEY_ED25519;
	public_key_write(id->bytes + PEER_ID_HEAD, public_key);
}

const uint8_t *peer_id_ed25519(const struct peer_id *id)
{
	if (id->len != PEER_ID_ED25519 || id->bytes[0] != MULTIHASH_IDENTITY ||
	    id->bytes[1] != PUBLIC_KEY_ED25519 ||
	    memcmp(id->bytes + PEER_ID_HEAD, key_ed25519_head, KEY_HEAD) != 0)
		return NULL;
	return id->bytes + PEER_ID_HEAD + KEY_HEAD;
}

static bool peer_id_valid(const uint8_t *bytes, size_t len)
{
	if (len < PEER_ID_HEAD || len > PEER_ID_MAX || bytes[1] != len - PEER_ID_HEAD)
		return false;
	if (bytes[0] == MULTIHASH_SHA2_256)
		return len == PEER_ID_SHA2_256;
	return bytes[0] == MULTIHASH_IDENTITY &&
	       public_key_fits_inline(bytes + PEER_ID_HEAD, len - PEER_ID_HEAD);
}

int peer_id_parse(struct peer_id *id, const uint8_t *bytes, size_t len)
{
	memset(id, 0, sizeof(*id));
	if (!peer_id_valid(bytes, len))
		return -1;
	id->len = (uint8_t)len;
	memcpy(id->bytes, bytes, len);
	return 0;
}

bool peer_id_equal(const struct peer_id *a, const struct peer_id *b)
{
	return a->len == b->len && a->len <= PEER_ID_MAX && memcmp(a->bytes, b->bytes, a->len) == 0;
}

size_t peer_id_to_text(const struct peer_id *id, char text[PEER_ID_TEXT_MAX])
{
	size_t bytes = id->len <= PEER_ID_MAX ? id->len : 0;
	size_t len = base_number_encode(BASE58_ALPHABET, id->bytes, bytes, text, PEER_ID_TEXT_MAX - 1);

	text[len] = '\0';
	return len;
}

/* Multibase prefix `b` or `k`, then version, codec and the multihash. libp2p specs, peer-ids/peer-ids.md. */
static int peer_id_from_cid(struct peer_id *id, const char *text, size_t len)
{
	uint8_t cid[CID_HEAD + PEER_ID_MAX];
	size_t cid_len = text[0] == 'b'
			     ? base_bits_decode(BASE32_ALPHABET, text + 1, len - 1, cid, sizeof(cid))
			     : base_number_decode(BASE36_ALPHABET, text + 1, len - 1, cid, sizeof(cid));

	if (cid_len < CID_HEAD || cid[0] != CID_VERSION || cid[1] != CID_LIBP2P_KEY)
		return -1;
	return peer_id_parse(id, cid + CID_HEAD, cid_len - CID_HEAD);
}

int peer_id_from_text(struct peer_id *id, const char *text, size_t len)
{
	uint8_t bytes[PEER_ID_MAX];

	memset(id, 0, sizeof(*id));
	if (len == 0 || len > PEER_ID_TEXT_INPUT_MAX)
		return -1;
	if (text[0] == 'b' || text[0] == 'k')
		return peer_id_from_cid(id, text, len);
	if (text[0] != '1' && !(len > 1 && text[0] == 'Q' && text[1] == 'm'))
		return -1;
	return peer_id_parse(id, bytes, base_number_decode(BASE58_ALPHABET, text, len, bytes, sizeof(bytes)));
}
