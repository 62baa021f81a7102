/* SPDX-License-Identifier: MIT
 *
 * protobuf-c without malloc: messages are unpacked into an arena on the caller's stack. Inside proto only.
 *
 * What a hostile message can cost: protobuf-c keeps 40 bytes for every field beyond the 16th of a message, 24
 * more and a copy for an unknown one, and nests only as deep as our .proto files (three messages). Whatever
 * would not fit into the arena is refused, so each codec sizes its own for the largest honest message: its
 * bytes once more, and a bookkeeping share. A 4 KiB message of two-byte fields would want 80 KiB and more,
 * and gets none of it.
 */
#ifndef PROTO_PROTOBUF_ARENA_H
#define PROTO_PROTOBUF_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

struct protobuf_arena {
	ProtobufCAllocator allocator;
	uint8_t *at;
	uint8_t *end;
};

/* `memory` must be aligned for every type and outlive what is unpacked into it. Not to be copied once set up.
 */
void protobuf_arena_init(struct protobuf_arena *a, void *memory, size_t size);
/* The message, valid as long as the arena's memory; NULL when it does not parse or does not fit. Nothing to
 * free. */
void *protobuf_unpack(struct protobuf_arena *a, const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
		      size_t len);

/* protobuf-c copies every bytes field; our structs point into the caller's message instead. Any place where
 * the same bytes stand will do, and is looked for from where the last one was found: fields come in order. */
struct protobuf_origin {
	struct span message;
	size_t last;
};
struct span protobuf_origin_of(struct protobuf_origin *o, const ProtobufCBinaryData *copy);

/* A span as a field to be written. */
ProtobufCBinaryData protobuf_bytes(struct span s);
/* Varint length and message; w->bad when together they do not fit or are more than `max`. */
void protobuf_message_write(struct writer *w, const ProtobufCMessage *message, size_t max);

#endif
