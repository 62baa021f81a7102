/* SPDX-License-Identifier: MIT
 *
 * What signed envelopes carry: peer records (RFC 0003) and reservation vouchers (circuit-v2.md). See
 * envelope.h.
 */
#include "proto/envelope.h"

#include "proto/multiaddr.h"
#include "proto/protobuf_field.h"

enum { RECORD_PEER = 1, RECORD_SEQ = 2, RECORD_ADDRESS = 3 };
enum { ADDRESS_MULTIADDR = 1 };
enum { VOUCHER_RELAY = 1, VOUCHER_PEER = 2, VOUCHER_EXPIRATION = 3 };

void peer_record_write(struct writer *w, const struct peer_id *peer, uint64_t seq, const struct span *addrs,
		       size_t count)
{
	protobuf_write_bytes(w, RECORD_PEER, peer->bytes, peer->len);
	protobuf_write_varint(w, RECORD_SEQ, seq);
	for (size_t i = 0; i < count; i++) {
		protobuf_write_head(w, RECORD_ADDRESS, protobuf_bytes_size(addrs[i].len));
		protobuf_write_bytes(w, ADDRESS_MULTIADDR, addrs[i].bytes, addrs[i].len);
	}
}

/* The multiaddress inside one AddressInfo; spoils `record` when there is not exactly one. */
static void address_info_read(struct reader *record, const struct protobuf_field *info, struct span *addr)
{
	struct reader r = reader_of(info->bytes.bytes, info->bytes.len);
	struct protobuf_field f;

	*addr = (struct span){0};
	while (protobuf_field_next(&r, &f))
		if (f.number == ADDRESS_MULTIADDR)
			protobuf_take_bytes(&r, &f, addr);
	if (r.bad || info->wire != PROTOBUF_BYTES || addr->bytes == NULL)
		record->bad = true;
}

int peer_record_parse(const uint8_t *payload, size_t len, struct peer_record *record)
{
	struct reader r = reader_of(payload, len);
	struct protobuf_field f;
	struct span peer = {0}, addr;
	bool has_seq = false; /* absent is 0: proto3 writers leave zeros out */

	*record = (struct peer_record){.addrs = r};
	while (protobuf_field_next(&r, &f)) {
		if (f.number == RECORD_PEER)
			protobuf_take_bytes(&r, &f, &peer);
		else if (f.number == RECORD_SEQ)
			protobuf_take_varint(&r, &f, &record->seq, &has_seq);
		else if (f.number == RECORD_ADDRESS)
			address_info_read(&r, &f, &addr);
	}
	if (r.bad || peer.bytes == NULL)
		return -1;
	return peer_id_parse(&record->peer, peer.bytes, peer.len);
}

bool peer_record_next(struct peer_record *record, struct span *addr)
{
	struct protobuf_field f;

	while (protobuf_field_next(&record->addrs, &f)) {
		if (f.number != RECORD_ADDRESS)
			continue;
		address_info_read(&record->addrs, &f, addr);
		return !record->addrs.bad;
	}
	return false;
}

/* Every address can be parsed by every client: one that cannot makes rust clients drop a whole answer. */
static bool peer_record_addresses_good(struct peer_record record)
{
	struct span addr;

	while (peer_record_next(&record, &addr))
		if (multiaddr_check(addr.bytes, addr.len) != 0)
			return false;
	return !record.addrs.bad;
}

/* The signature, which costs most, comes last. */
enum envelope_result peer_record_open(const uint8_t *bytes, size_t len, struct envelope *e,
				      enum envelope_kind *kind, struct peer_record *record)
{
	struct peer_id signer;
	enum envelope_result result = envelope_parse(bytes, len, e);

	*record = (struct peer_record){0};
	*kind = ENVELOPE_KINDS;
	if (result != ENVELOPE_OK)
		return result;
	*kind = envelope_kind(e);
	if (*kind != ENVELOPE_RECORD && *kind != ENVELOPE_RECORD_LEGACY)
		return ENVELOPE_TYPE_UNKNOWN;
	if (peer_record_parse(e->payload.bytes, e->payload.len, record) != 0)
		return ENVELOPE_MALFORMED;
	peer_id_from_ed25519(&signer, e->public_key);
	if (!peer_id_equal(&signer, &record->peer))
		return ENVELOPE_PEER_MISMATCH;
	if (!peer_record_addresses_good(*record))
		return ENVELOPE_MALFORMED;
	return envelope_verify(e, *kind);
}

void voucher_write(struct writer *w, const struct peer_id *relay, const struct peer_id *peer,
		   uint64_t expiration)
{
	protobuf_write_bytes(w, VOUCHER_RELAY, relay->bytes, relay->len);
	protobuf_write_bytes(w, VOUCHER_PEER, peer->bytes, peer->len);
	protobuf_write_varint(w, VOUCHER_EXPIRATION, expiration);
}

int voucher_parse(const uint8_t *payload, size_t len, struct voucher *v)
{
	struct reader r = reader_of(payload, len);
	struct protobuf_field f;
	struct span relay = {0}, peer = {0};
	bool has_expiration = false;

	*v = (struct voucher){0};
	while (protobuf_field_next(&r, &f)) {
		if (f.number == VOUCHER_RELAY)
			protobuf_take_bytes(&r, &f, &relay);
		else if (f.number == VOUCHER_PEER)
			protobuf_take_bytes(&r, &f, &peer);
		else if (f.number == VOUCHER_EXPIRATION)
			protobuf_take_varint(&r, &f, &v->expiration, &has_expiration);
	}
	if (r.bad || relay.bytes == NULL || peer.bytes == NULL || !has_expiration)
		return -1;
	if (peer_id_parse(&v->relay, relay.bytes, relay.len) != 0)
		return -1;
	return peer_id_parse(&v->peer, peer.bytes, peer.len);
}
