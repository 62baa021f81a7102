/* SPDX-License-Identifier: MIT
 *
 * The identify message, see identify_message.h.
 */
#include "proto/identify_message.h"

#include <stdalign.h>
#include <string.h>

#include "identify.pb-c.h"
#include "proto/protobuf_arena.h"

/* A copy of the message, bookkeeping for 112 fields (go lists about 30 of each kind at most), and the lists.
 */
#define IDENTIFY_ARENA (IDENTIFY_MESSAGE_MAX + 8192)

static size_t list_read(struct protobuf_origin *origin, const ProtobufCBinaryData *items, size_t count,
			struct span spans[IDENTIFY_LIST_MAX])
{
	size_t kept = count < IDENTIFY_LIST_MAX ? count : IDENTIFY_LIST_MAX;

	for (size_t i = 0; i < kept; i++)
		spans[i] = protobuf_origin_of(origin, &items[i]);
	return kept;
}

int identify_message_parse(const uint8_t *bytes, size_t len, struct identify_message *m)
{
	alignas(max_align_t) uint8_t memory[IDENTIFY_ARENA];
	struct protobuf_origin origin = {.message = {.bytes = bytes, .len = len}};
	struct protobuf_arena arena;
	const IdentifyPb__Identify *pb;

	*m = (struct identify_message){0};
	if (len > IDENTIFY_MESSAGE_MAX)
		return -1;
	protobuf_arena_init(&arena, memory, sizeof(memory));
	pb = protobuf_unpack(&arena, &identify_pb__identify__descriptor, bytes, len);
	if (pb == NULL)
		return -1;
	m->public_key = protobuf_origin_of(&origin, &pb->public_key);
	m->addr_count = list_read(&origin, pb->listen_addrs, pb->n_listen_addrs, m->addrs);
	m->protocol_count = list_read(&origin, pb->protocols, pb->n_protocols, m->protocol_spans);
	m->observed = protobuf_origin_of(&origin, &pb->observed_addr);
	m->protocol_version = protobuf_origin_of(&origin, &pb->protocol_version);
	m->agent_version = protobuf_origin_of(&origin, &pb->agent_version);
	m->signed_record = protobuf_origin_of(&origin, &pb->signed_peer_record);
	return 0;
}

/* Sets an optional field; an empty one is left out. */
static void field_set(protobuf_c_boolean *has, ProtobufCBinaryData *field, struct span value)
{
	*has = value.len > 0;
	*field = protobuf_bytes(value);
}

void identify_message_write(struct writer *w, const struct identify_message *m)
{
	ProtobufCBinaryData addrs[IDENTIFY_LIST_MAX], protocols[IDENTIFY_LIST_MAX];
	IdentifyPb__Identify pb = IDENTIFY_PB__IDENTIFY__INIT;

	if (m->addr_count > IDENTIFY_LIST_MAX || m->protocol_count > IDENTIFY_LIST_MAX) {
		w->bad = true;
		return;
	}
	for (size_t i = 0; i < m->addr_count; i++)
		addrs[i] = protobuf_bytes(m->addrs[i]);
	for (size_t i = 0; i < m->protocol_count; i++) {
		const char *text = m->protocols[i];

		protocols[i] = protobuf_bytes((struct span){(const uint8_t *)text, strlen(text)});
	}
	pb.n_listen_addrs = m->addr_count;
	pb.listen_addrs = addrs;
	pb.n_protocols = m->protocol_count;
	pb.protocols = protocols;
	field_set(&pb.has_public_key, &pb.public_key, m->public_key);
	field_set(&pb.has_observed_addr, &pb.observed_addr, m->observed);
	field_set(&pb.has_protocol_version, &pb.protocol_version, m->protocol_version);
	field_set(&pb.has_agent_version, &pb.agent_version, m->agent_version);
	field_set(&pb.has_signed_peer_record, &pb.signed_peer_record, m->signed_record);
	protobuf_message_write(w, &pb.base, IDENTIFY_MESSAGE_MAX);
}
