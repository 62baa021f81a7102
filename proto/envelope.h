/* SPDX-License-Identifier: MIT
 *
 * Signed envelopes, peer records and vouchers: hand codecs without protobuf-c, since keyproc builds them and
 * netproc and probe check them. libp2p specs RFC 0002 and 0003. Trusts nothing;
 * copies nothing (spans point into the caller's bytes).
 */
#ifndef PROTO_ENVELOPE_H
#define PROTO_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/peer_id.h"

#define ENVELOPE_MAX	     8192 /* bytes accepted in a REGISTER */
#define VOUCHER_ENVELOPE_MAX 320

enum envelope_kind {
	ENVELOPE_RECORD,	/* domain libp2p-peer-record, type 03 01: go, js, nim */
	ENVELOPE_RECORD_LEGACY, /* domain libp2p-routing-state, type /libp2p/routing-state-record: rust */
	ENVELOPE_VOUCHER,	/* domain libp2p-relay-rsvp, type 03 02 */
	ENVELOPE_KINDS
};

enum envelope_result {
	ENVELOPE_OK,
	ENVELOPE_MALFORMED,	  /* does not parse, or a field is missing or repeated */
	ENVELOPE_KEY_UNSUPPORTED, /* not a canonical Ed25519 public key */
	ENVELOPE_TYPE_UNKNOWN,	  /* payload type is not one of the expected kinds */
	ENVELOPE_SIGNATURE_BAD,
	ENVELOPE_PEER_MISMATCH /* the payload names another peer than the key that signed */
};

struct envelope {
	uint8_t public_key[32];
	struct span type;
	struct span payload;
	struct span signature;
};

struct peer_record {
	struct peer_id peer;
	uint64_t seq;
	struct reader addrs; /* walked by peer_record_next */
};

struct voucher {
	struct peer_id relay;
	struct peer_id peer;
	uint64_t expiration; /* unix seconds */
};

/* Splits and checks form and key; the signature is not looked at. */
enum envelope_result envelope_parse(const uint8_t *bytes, size_t len, struct envelope *e);
/* Which kind by payload type; ENVELOPE_KINDS when none. */
enum envelope_kind envelope_kind(const struct envelope *e);
/* Verifies the signature under the domain of `kind` (strict Ed25519). */
enum envelope_result envelope_verify(const struct envelope *e, enum envelope_kind kind);
/* The bytes that are signed: uvarint-prefixed domain, type, payload. */
void envelope_write_signed_part(struct writer *w, enum envelope_kind kind, const uint8_t *payload,
				size_t len);
void envelope_write(struct writer *w, enum envelope_kind kind, const uint8_t public_key[32],
		    const uint8_t *payload, size_t len, const uint8_t signature[64]);

/* PeerRecord payload: peer id, seq, addresses. `addrs` are binary multiaddresses. */
void peer_record_write(struct writer *w, const struct peer_id *peer, uint64_t seq, const struct span *addrs,
		       size_t count);
/* 0 or -1; on 0 each address is walked by peer_record_next. */
int peer_record_parse(const uint8_t *payload, size_t len, struct peer_record *record);
/* The next address of the record; false at the end and when malformed (then record->addrs.bad). */
bool peer_record_next(struct peer_record *record, struct span *addr);
/* Everything a client would check before it believes a record: form, key, type (either flavour), signature,
 * peer id equal to the key's, every address by multiaddr_check. Fills all outputs on ENVELOPE_OK.
 * rust-libp2p signs in a way of its own. */
enum envelope_result peer_record_open(const uint8_t *bytes, size_t len, struct envelope *e,
				      enum envelope_kind *kind, struct peer_record *record);

void voucher_write(struct writer *w, const struct peer_id *relay, const struct peer_id *peer,
		   uint64_t expiration);
int voucher_parse(const uint8_t *payload, size_t len, struct voucher *v);

#endif
