/* SPDX-License-Identifier: MIT
 *
 * Binary multiaddresses, see multiaddr.h. multiformats/multiaddr.
 */
#include "proto/multiaddr.h"

#include <string.h>

#include "proto/multiaddr_protocols.h"
#include "proto/utf8.h"

#define NAME_MAX_BYTES	    253 /* RFC 1035 2.3.4, as text */
#define CERTHASH_DIGEST_MAX 64

static const struct multiaddr_protocol multiaddr_protocols[] = {
#define PROTOCOL_ROW(code_, name_, value_) {.code = (code_), .value = (value_), .name = (name_)},
    MULTIADDR_PROTOCOLS(PROTOCOL_ROW)
#undef PROTOCOL_ROW
};

#define PROTOCOL_COUNT (sizeof(multiaddr_protocols) / sizeof(multiaddr_protocols[0]))

const struct multiaddr_protocol *multiaddr_protocol_by_code(uint64_t code)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (multiaddr_protocols[i].code == code)
			return &multiaddr_protocols[i];
	return NULL;
}

const struct multiaddr_protocol *multiaddr_protocol_by_name(const char *name, size_t len)
{
	if (len == 4 && memcmp(name, "ipfs", 4) == 0)
		return multiaddr_protocol_by_code(MULTIADDR_P2P);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		const struct multiaddr_protocol *p = &multiaddr_protocols[i];

		if (strlen(p->name) == len && memcmp(p->name, name, len) == 0)
			return p;
	}
	return NULL;
}

static bool multiaddr_value_has_length(enum multiaddr_value shape)
{
	return shape == VALUE_NAME || shape == VALUE_PEER_ID || shape == VALUE_CERTHASH;
}

/* Bytes of a value without length prefix. */
static size_t multiaddr_value_size(enum multiaddr_value shape)
{
	switch (shape) {
	case VALUE_IP4:
		return 4;
	case VALUE_IP6:
		return 16;
	case VALUE_PORT:
		return 2;
	default:
		return 0;
	}
}

/* A name that text can carry: UTF-8, no slash (it would start another component), no space and no control
 * character (it would reach terminals). Whether it can be resolved is not ours to say. */
static bool name_valid(struct span name)
{
	if (name.len == 0 || name.len > NAME_MAX_BYTES || !utf8_valid(name.bytes, name.len))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.bytes[i];

		if (c <= ' ' || c == '/' || c == 0x7f)
			return false;
		if (c == 0xc2 && name.bytes[i + 1] < 0xa0) /* U+0080 to U+009F; UTF-8, so a byte follows */
			return false;
	}
	return true;
}

/* Any multihash with a digest of at most 64 bytes, as rust-multiaddr takes it. */
static bool certhash_valid(struct span value)
{
	struct reader r = reader_of(value.bytes, value.len);

	reader_varint(&r);
	uint64_t digest = reader_varint(&r);

	return !r.bad && digest <= CERTHASH_DIGEST_MAX && digest == reader_left(&r);
}

/* True when the value of a component is one that every client accepts. */
static bool multiaddr_value_valid(enum multiaddr_value shape, struct span value)
{
	struct peer_id id;

	switch (shape) {
	case VALUE_NAME:
		return name_valid(value);
	case VALUE_PEER_ID:
		return peer_id_parse(&id, value.bytes, value.len) == 0;
	case VALUE_CERTHASH:
		return certhash_valid(value);
	default:
		return value.len == multiaddr_value_size(shape);
	}
}

const struct multiaddr_protocol *multiaddr_read(struct reader *r, struct multiaddr_part *part)
{
	*part = (struct multiaddr_part){0};
	if (reader_left(r) == 0)
		return NULL;

	const struct multiaddr_protocol *protocol = multiaddr_protocol_by_code(reader_varint(r));

	if (protocol == NULL) { /* the length of its value is not known, so nothing after it can be read */
		r->bad = true;
		return NULL;
	}
	part->code = protocol->code;
	if (multiaddr_value_has_length(protocol->value)) {
		part->value = reader_span(r);
	} else {
		part->value.len = multiaddr_value_size(protocol->value);
		part->value.bytes = reader_bytes(r, part->value.len);
	}
	return r->bad ? NULL : protocol;
}

bool multiaddr_next(struct reader *r, struct multiaddr_part *part)
{
	return multiaddr_read(r, part) != NULL;
}

int multiaddr_check(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	const struct multiaddr_protocol *protocol;
	struct multiaddr_part part;
	unsigned count = 0;

	if (len == 0 || len > MULTIADDR_MAX)
		return -1;
	while ((protocol = multiaddr_read(&r, &part)) != NULL) {
		if (++count > MULTIADDR_PARTS_MAX || !multiaddr_value_valid(protocol->value, part.value))
			return -1;
	}
	return r.bad ? -1 : 0;
}

/* IPv4-mapped IPv6 is the IPv4 address that it means: one form of every address. RFC 4291 2.5.5.2. */
static bool ip_is_mapped(const uint8_t *ip, size_t ip_len)
{
	static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	return ip_len == 16 && memcmp(ip, prefix, sizeof(prefix)) == 0;
}

int multiaddr_from_ip(struct multiaddr *a, const uint8_t *ip, size_t ip_len, uint16_t port)
{
	struct writer w = writer_of(a->bytes, sizeof(a->bytes));

	a->len = 0;
	if (ip_is_mapped(ip, ip_len)) {
		ip += 12;
		ip_len = 4;
	}
	if (ip_len != 4 && ip_len != 16)
		return -1;
	writer_varint(&w, ip_len == 4 ? MULTIADDR_IP4 : MULTIADDR_IP6);
	writer_bytes(&w, ip, ip_len);
	writer_varint(&w, MULTIADDR_TCP);
	writer_u16(&w, port);
	a->len = (uint16_t)writer_len(&w);
	return 0;
}

/* A cursor behind what `a` holds. */
static struct writer multiaddr_end(struct multiaddr *a)
{
	struct writer w = writer_of(a->bytes, sizeof(a->bytes));

	w.at += a->len <= MULTIADDR_MAX ? a->len : MULTIADDR_MAX;
	return w;
}

static int multiaddr_grow(struct multiaddr *a, const struct writer *w)
{
	if (w->bad)
		return -1;
	a->len = (uint16_t)writer_len(w);
	return 0;
}

int multiaddr_append_p2p(struct multiaddr *a, const struct peer_id *id)
{
	struct writer w = multiaddr_end(a);

	writer_varint(&w, MULTIADDR_P2P);
	writer_span(&w, id->bytes, id->len);
	return multiaddr_grow(a, &w);
}

int multiaddr_append_circuit(struct multiaddr *a)
{
	struct writer w = multiaddr_end(a);

	writer_varint(&w, MULTIADDR_P2P_CIRCUIT);
	return multiaddr_grow(a, &w);
}

static bool part_is_peer(const struct multiaddr_part *part, const struct peer_id *id)
{
	return part->code == MULTIADDR_P2P && id->len > 0 && part->value.len == id->len &&
	       memcmp(part->value.bytes, id->bytes, id->len) == 0;
}

bool multiaddr_is_circuit_of(const uint8_t *bytes, size_t len, const struct peer_id *relay,
			     const struct peer_id *owner)
{
	struct reader r = reader_of(bytes, len);
	struct multiaddr_part part, before = {0};
	bool relay_seen = false, circuit = false;

	/* `circuit` is true while the address so far ends as wanted. */
	while (multiaddr_next(&r, &part)) {
		bool owner_follows =
		    circuit && before.code == MULTIADDR_P2P_CIRCUIT && part_is_peer(&part, owner);

		circuit = owner_follows || (part.code == MULTIADDR_P2P_CIRCUIT && relay_seen);
		relay_seen = part_is_peer(&part, relay);
		before = part;
	}
	return !r.bad && circuit;
}
