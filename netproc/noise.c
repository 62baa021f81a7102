/* SPDX-License-Identifier: MIT */
#include "netproc/noise.h"

#include <sodium.h>
#include <string.h>

#include "netproc/key.h"
#include "netproc/net.h"
#include "proto/noise_wire.h"

#define NOISE_NAME	      "Noise_XX_25519_ChaChaPoly_SHA256"
#define NOISE_MESSAGE_1	      32u
#define NOISE_MESSAGE_3_LEAST (48u + AEAD_TAG)
#define NOISE_MESSAGE_3_MOST  (48u + NOISE_PAYLOAD_MAX + AEAD_TAG)

/* Waiting stages set conn->waiting: nothing is read, what came early is held. */
enum noise_stage { NOISE_AWAIT_1, NOISE_STEP_1, NOISE_AWAIT_KEY, NOISE_AWAIT_3, NOISE_STEP_3 };

/* --- the steps --- */

static void noise_wait_step(struct conn *conn, enum noise_stage stage)
{
	conn->handshake->stage = (uint8_t)stage;
	conn->waiting = true;
	list_remove(&conn->ready);
	list_append(&conn->net->conns->steps, &conn->ready);
}

/* Message 2: e, ee, s, es, payload. `shared` is es, made by keyproc. */
static void noise_message_2(struct conn *conn, enum imsg_dh_status status, const uint8_t shared[32])
{
	struct handshake *hs = conn->handshake;
	struct net *net = conn->net;
	uint8_t ee[32], plain[NOISE_PAYLOAD_OURS];
	struct writer payload = writer_of(plain, sizeof(plain));
	size_t len = 32 + 48 + NOISE_PAYLOAD_OURS + AEAD_TAG;
	uint8_t *out;

	if (hs == NULL || hs->stage != NOISE_AWAIT_KEY)
		return;
	if (status != IMSG_DH_OK || crypto_scalarmult(ee, hs->ephemeral_secret, hs->remote_ephemeral) != 0) {
		conn_close(conn, CLOSE_NOISE_POINT);
		return;
	}
	out = conn_out_room(conn, 2 + len);
	if (out == NULL)
		return;
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	memcpy(out + 2, hs->ephemeral, 32);
	noise_mix_hash(&hs->symmetric, hs->ephemeral, 32);
	noise_mix_key(&hs->symmetric, ee);
	noise_encrypt_and_hash(&hs->symmetric, out + 34, net->self.noise_key, 32);
	noise_mix_key(&hs->symmetric, shared);
	noise_payload_write(&payload, net->self.key, net->self.noise_signature);
	noise_encrypt_and_hash(&hs->symmetric, out + 82, plain, writer_len(&payload));
	conn_out_add(conn, 2 + len);
	sodium_memzero(ee, sizeof(ee));
	hs->stage = NOISE_AWAIT_3;
	hs->sent_at = net_microseconds(net);
	conn->waiting = false;
	conn_resume(conn);
}

/* Message 1 was an ephemeral key: make ours, ask keyproc for es. */
static void noise_step_1(struct conn *conn)
{
	struct handshake *hs = conn->handshake;

	noise_symmetric_init(&hs->symmetric, NOISE_NAME);
	noise_mix_hash(&hs->symmetric, hs->symmetric.hash, 0); /* empty prologue */
	noise_mix_hash(&hs->symmetric, hs->remote_ephemeral, 32);
	noise_mix_hash(&hs->symmetric, hs->symmetric.hash, 0); /* empty payload of message 1 */
	randombytes_buf(hs->ephemeral_secret, 32);
	crypto_scalarmult_base(hs->ephemeral, hs->ephemeral_secret);
	hs->stage = NOISE_AWAIT_KEY;
	net_count(conn->net, NET_COUNT_HANDSHAKES_STARTED);
	key_noise_dh(conn->net, conn_ref(conn), hs->remote_ephemeral, noise_message_2);
}

static enum close_reason noise_payload_reason(enum noise_payload_result result)
{
	switch (result) {
	case NOISE_PAYLOAD_OK:
		return CLOSE_NONE;
	case NOISE_PAYLOAD_KEY_UNSUPPORTED:
		return CLOSE_NOISE_KEY_UNSUPPORTED;
	case NOISE_PAYLOAD_SIGNATURE_BAD:
		return CLOSE_NOISE_SIGNATURE;
	case NOISE_PAYLOAD_MALFORMED:
		break;
	}
	return CLOSE_NOISE_PAYLOAD;
}

/* Message 3: s, se, payload. Learns who the peer is. */
static enum close_reason noise_message_3(struct conn *conn, const uint8_t *message, size_t len)
{
	struct handshake *hs = conn->handshake;
	uint8_t se[32], plain[NOISE_PAYLOAD_MAX + AEAD_TAG];
	size_t sealed = len - 48;
	struct noise_payload payload;
	enum close_reason reason;

	if (noise_decrypt_and_hash(&hs->symmetric, hs->remote_static, message, 48) != 0)
		return CLOSE_NOISE_DECRYPT;
	if (crypto_scalarmult(se, hs->ephemeral_secret, hs->remote_static) != 0)
		return CLOSE_NOISE_POINT;
	noise_mix_key(&hs->symmetric, se);
	sodium_memzero(se, sizeof(se));
	if (noise_decrypt_and_hash(&hs->symmetric, plain, message + 48, sealed) != 0)
		return CLOSE_NOISE_DECRYPT;
	reason =
	    noise_payload_reason(noise_payload_open(plain, sealed - AEAD_TAG, hs->remote_static, &payload));
	if (reason != CLOSE_NONE)
		return reason;
	memcpy(conn->peer, payload.identity, sizeof(conn->peer));
	conn->has_muxers = payload.has_muxers;
	return CLOSE_NONE;
}

/* Split (section 5.2): the first key is the initiator's. */
static void noise_established(struct conn *conn)
{
	struct handshake *hs = conn->handshake;

	noise_hkdf(hs->symmetric.chaining_key, hs->symmetric.key, 0, conn->receive.key, conn->send.key);
	conn->receive.nonce = 0;
	conn->send.nonce = 0;
	conn_timed(conn, net_microseconds(conn->net) - hs->sent_at);
	conn->layer = &noise_records;
	conn->waiting = false;
	hs->done(conn);
	conn_resume(conn);
}

static void noise_step_3(struct conn *conn)
{
	struct handshake *hs = conn->handshake;
	struct pool_buffer *message = hs->message;
	enum close_reason reason;

	hs->message = NULL;
	reason = noise_message_3(conn, message->bytes, message->end);
	pool_give(conn->net, message);
	if (reason != CLOSE_NONE)
		conn_close(conn, reason);
	else
		noise_established(conn);
}

void noise_step(struct conn *conn)
{
	if (conn->handshake->stage == NOISE_STEP_1)
		noise_step_1(conn);
	else
		noise_step_3(conn);
}

static void noise_keep_3(struct conn *conn, const uint8_t *message, size_t len)
{
	struct pool_buffer *keep = pool_take(conn->net, len);

	if (keep == NULL) {
		conn_close(conn, CLOSE_MEMORY);
		return;
	}
	memcpy(keep->bytes, message, len);
	keep->end = (uint32_t)len;
	conn->handshake->message = keep;
	noise_wait_step(conn, NOISE_STEP_3);
}

static size_t noise_handshake_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	struct handshake *hs = conn->handshake;
	size_t size;

	if (len < 2)
		return 0;
	size = (size_t)bytes[0] << 8 | bytes[1];
	if (hs->stage == NOISE_AWAIT_1 ? size != NOISE_MESSAGE_1
				       : size < NOISE_MESSAGE_3_LEAST || size > NOISE_MESSAGE_3_MOST) {
		conn_close(conn, CLOSE_NOISE_SIZE);
		return 0;
	}
	if (len < 2 + size)
		return 0;
	if (hs->stage == NOISE_AWAIT_1) {
		memcpy(hs->remote_ephemeral, bytes + 2, 32);
		noise_wait_step(conn, NOISE_STEP_1);
	} else {
		noise_keep_3(conn, bytes + 2, size);
	}
	return 2 + size;
}

void noise_handshake_free(struct conn *conn)
{
	struct handshake *hs = conn->handshake;

	if (hs == NULL)
		return;
	conn->handshake = NULL;
	pool_give(conn->net, hs->message);
	selection_free(conn->net, &hs->selection);
	sodium_memzero(hs, sizeof(*hs));
	pool_free(conn->net, hs, sizeof(*hs));
}

static void noise_handshake_closed(struct conn *conn, enum close_reason reason)
{
	(void)reason;
	noise_handshake_free(conn);
}

static const struct conn_layer noise_handshake = {
    .input = noise_handshake_input,
    .needs = noise_needs,
    .closed = noise_handshake_closed,
};

void noise_start(struct conn *conn, void (*done)(struct conn *conn))
{
	conn->handshake->stage = NOISE_AWAIT_1;
	conn->handshake->done = done;
	conn->layer = &noise_handshake;
}
