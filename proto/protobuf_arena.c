/* SPDX-License-Identifier: MIT
 *
 * protobuf-c over fixed memory, see protobuf_arena.h.
 */
#include "proto/protobuf_arena.h"

#include <string.h>

static void *arena_alloc(void *data, size_t size)
{
	struct protobuf_arena *a = data;
	const size_t align = _Alignof(max_align_t);
	size_t left = (size_t)(a->end - a->at);

	if (size > left) /* before rounding up, which could overflow */
		return NULL;
	size = (size + align - 1) / align * align;
	if (size > left)
		return NULL;

	void *memory = a->at;

	a->at += size;
	return memory;
}

/* All of it goes at once, with the stack frame. */
static void arena_free(void *data, void *memory)
{
	(void)data;
	(void)memory;
}

void protobuf_arena_init(struct protobuf_arena *a, void *memory, size_t size)
{
	a->allocator = (ProtobufCAllocator){.alloc = arena_alloc, .free = arena_free, .allocator_data = a};
	a->at = memory;
	a->end = a->at + size;
}

void *protobuf_unpack(struct protobuf_arena *a, const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
		      size_t len)
{
	return protobuf_c_message_unpack(type, &a->allocator, len, bytes);
}

/* memmem, but a long needle is first looked for by its beginning: preparing a search for all of a record took
 * most of the time of a REGISTER. What follows a hit in vain is the plain search, which no message can make
 * slow. */
static const uint8_t *bytes_find(const uint8_t *start, size_t len, const uint8_t *needle, size_t needle_len)
{
	const size_t beginning = 32;
	const uint8_t *at;

	if (needle_len > len)
		return NULL;
	if (needle_len > beginning) {
		at = memmem(start, len, needle, beginning);
		if (at == NULL)
			return NULL;
		if (needle_len <= len - (size_t)(at - start) && memcmp(at, needle, needle_len) == 0)
			return at;
	}
	return memmem(start, len, needle, needle_len);
}

struct span protobuf_origin_of(struct protobuf_origin *o, const ProtobufCBinaryData *copy)
{
	const uint8_t *start = o->message.bytes, *at;

	if (copy->len == 0)
		return (struct span){.bytes = start, .len = 0};
	at = bytes_find(start + o->last, o->message.len - o->last, copy->data, copy->len);
	if (at == NULL)
		at = bytes_find(start, o->message.len, copy->data, copy->len);
	if (at == NULL) /* cannot be: every copy was made from the message */
		return (struct span){.bytes = start, .len = 0};
	o->last = (size_t)(at - start) + copy->len;
	return (struct span){.bytes = at, .len = copy->len};
}

ProtobufCBinaryData protobuf_bytes(struct span s)
{
	/* protobuf-c has one type for reading and writing; it does not write through this pointer. */
	return (ProtobufCBinaryData){.len = s.len, .data = (uint8_t *)(uintptr_t)s.bytes};
}

void protobuf_message_write(struct writer *w, const ProtobufCMessage *message, size_t max)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	if (len > max || varint_size(len) + len > max) {
		w->bad = true;
		return;
	}
	writer_varint(w, len);
	if (w->bad || len > (size_t)(w->end - w->at)) {
		w->bad = true;
		return;
	}
	w->at += protobuf_c_message_pack(message, w->at);
}
