/* SPDX-License-Identifier: MIT
 *
 * Composes and signs. Called by messages.c (netproc's requests) and main.c (the peer record).
 * libp2p specs, noise/README.md.
 */
#include "keyproc/sign.h"

#include <string.h>

#include "keyproc/secret.h"
#include "proto/envelope.h"
#include "proto/noise_wire.h"
#include "proto/peer_id.h"

#define CLOCK_FLOOR  UINT64_C(1700000000) /* November 2023: before this was written */
#define CLOCK_CEIL   UINT64_C(253402300799)
#define SIGNED_MAX   (IMSG_RECORD_MAX + 64) /* a payload, its type and its domain */
#define VOUCHER_BODY 128		    /* two peer ids, a number, their keys and lengths */

_Static_assert(IMSG_PEER_MAX == PEER_ID_MAX, "a peer id fits its message");
_Static_assert(IMSG_VOUCHER_MAX == VOUCHER_ENVELOPE_MAX, "a voucher fits its message");

void key_sign_hello(struct imsg_hello *hello)
{
	uint8_t text[NOISE_SIGNED_MAX];

	memcpy(hello->static_key, key_secret_noise(), sizeof(hello->static_key));
	noise_signed_part(text, hello->static_key);
	key_secret_sign(hello->signature, text, sizeof(text));
}

uint32_t key_sign_exchange(const struct imsg_noise_dh *ask, struct imsg_noise_dh_answer *answer)
{
	uint32_t refused = 0;

	memset(answer, 0, sizeof(*answer));
	answer->count = ask->count;
	for (uint32_t i = 0; i < ask->count; i++) {
		answer->answer[i].id = ask->request[i].id;
		answer->answer[i].status = IMSG_DH_OK;
		if (key_secret_exchange(answer->answer[i].shared, ask->request[i].ephemeral) == 0)
			continue;
		memset(answer->answer[i].shared, 0, sizeof(answer->answer[i].shared));
		answer->answer[i].status = IMSG_DH_POINT;
		refused++;
	}
	return refused;
}

/* Signs a payload of ours under the domain of its kind and writes the envelope. Bytes written, 0 when they do
 * not fit. */
static size_t seal_envelope(enum envelope_kind kind, const struct writer *payload, uint8_t *out,
			    size_t capacity)
{
	uint8_t text[SIGNED_MAX], signature[64];
	struct writer to_sign = writer_of(text, sizeof(text)), envelope = writer_of(out, capacity);

	envelope_write_signed_part(&to_sign, kind, payload->start, writer_len(payload));
	if (payload->bad || to_sign.bad)
		return 0;
	key_secret_sign(signature, text, writer_len(&to_sign));
	envelope_write(&envelope, kind, key_secret_identity(), payload->start, writer_len(payload),
		       signature);
	return envelope.bad ? 0 : writer_len(&envelope);
}

bool key_sign_clock_is_set(uint64_t now)
{
	return now >= CLOCK_FLOOR && now <= CLOCK_CEIL;
}

enum imsg_voucher_status key_sign_voucher(const struct imsg_voucher *ask, uint64_t now, uint32_t lifetime_max,
					  struct imsg_voucher_answer *answer)
{
	uint8_t body[VOUCHER_BODY];
	struct writer payload = writer_of(body, sizeof(body));
	struct peer_id relay, peer;

	memset(answer, 0, sizeof(*answer));
	answer->id = ask->id;
	if (peer_id_parse(&peer, ask->peer, ask->peer_len) != 0)
		return answer->status = IMSG_VOUCHER_PEER;
	if (ask->lifetime == 0 || ask->lifetime > lifetime_max)
		return answer->status = IMSG_VOUCHER_LIFETIME;
	if (!key_sign_clock_is_set(now))
		return answer->status = IMSG_VOUCHER_CLOCK;
	peer_id_from_ed25519(&relay, key_secret_identity());
	voucher_write(&payload, &relay, &peer, now + ask->lifetime);
	answer->len =
	    (uint32_t)seal_envelope(ENVELOPE_VOUCHER, &payload, answer->envelope, sizeof(answer->envelope));
	answer->expire = now + ask->lifetime;
	return answer->status = answer->len > 0 ? IMSG_VOUCHER_OK : IMSG_VOUCHER_PEER;
}

size_t key_sign_record(const struct span *addrs, size_t count, uint64_t sequence, uint8_t *out,
		       size_t capacity)
{
	uint8_t body[IMSG_RECORD_MAX];
	struct writer payload = writer_of(body, sizeof(body));
	struct peer_id self;

	peer_id_from_ed25519(&self, key_secret_identity());
	peer_record_write(&payload, &self, sequence, addrs, count);
	return seal_envelope(ENVELOPE_RECORD, &payload, out, capacity);
}
