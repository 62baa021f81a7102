/* SPDX-License-Identifier: MIT
 *
 * The identify message. libp2p specs identify/README.md. Called by netproc/identify.c and
 * probe. Hides protobuf-c as circuit_message.h does.
 */
#ifndef PROTO_IDENTIFY_MESSAGE_H
#define PROTO_IDENTIFY_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

#define IDENTIFY_MESSAGE_MAX   4096 /* rust-libp2p reads no more; with the prefix ours stays under it */
#define IDENTIFY_PROTOCOL      "/ipfs/id/1.0.0"
#define IDENTIFY_PUSH_PROTOCOL "/ipfs/id/push/1.0.0"
#define IDENTIFY_LIST_MAX      32

struct identify_message {
	struct span public_key; /* protobuf, 36 bytes for Ed25519 */
	size_t addr_count;
	struct span addrs[IDENTIFY_LIST_MAX]; /* binary */
	size_t protocol_count;
	const char *protocols[IDENTIFY_LIST_MAX]; /* written; on parse see protocol_spans */
	struct span protocol_spans[IDENTIFY_LIST_MAX];
	struct span observed; /* binary multiaddress, len 0: absent */
	struct span protocol_version;
	struct span agent_version;
	struct span signed_record; /* envelope, len 0: absent */
};

/* Reader for probe and tests: `bytes` without prefix; items beyond IDENTIFY_LIST_MAX are ignored. 0 or -1. */
int identify_message_parse(const uint8_t *bytes, size_t len, struct identify_message *m);
/* With varint prefix; w->bad when it does not fit. Uses `protocols`. */
void identify_message_write(struct writer *w, const struct identify_message *m);

#endif
