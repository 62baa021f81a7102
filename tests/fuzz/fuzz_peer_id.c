/* SPDX-License-Identifier: MIT
 *
 * Peer ids from bytes and from text; an id that is accepted survives the way through text.
 */
#include "fuzz.h"

#include "proto/peer_id.h"

static void round_trip(const struct peer_id *id)
{
	char text[PEER_ID_TEXT_MAX];
	struct peer_id again;
	size_t len = peer_id_to_text(id, text);

	FUZZ_ASSERT(len > 0 && len < sizeof(text) && text[len] == '\0' && strlen(text) == len);
	FUZZ_ASSERT(peer_id_from_text(&again, text, len) == 0);
	FUZZ_ASSERT(peer_id_equal(id, &again));
	if (peer_id_ed25519(id) != NULL) {
		peer_id_from_ed25519(&again, peer_id_ed25519(id));
		FUZZ_ASSERT(peer_id_equal(id, &again));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[32], encoded[PUBLIC_KEY_ED25519];
	struct peer_id id;

	if (peer_id_parse(&id, data, size) == 0) {
		FUZZ_ASSERT(id.len == size);
		round_trip(&id);
	}
	if (peer_id_from_text(&id, (const char *)data, size) == 0)
		round_trip(&id);
	else
		FUZZ_ASSERT(id.len == 0);
	if (public_key_parse(data, size, key) == 0) {
		public_key_write(encoded, key);
		FUZZ_ASSERT(size == sizeof(encoded) && memcmp(encoded, data, size) == 0);
	}
	return 0;
}
