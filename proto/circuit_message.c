/* SPDX-License-Identifier: MIT
 *
 * HopMessage and StopMessage, see circuit_message.h.
 */
#include "proto/circuit_message.h"

#include <limits.h>
#include <stdalign.h>

#include "circuit.pb-c.h"
#include "proto/protobuf_arena.h"

/* A copy of the message, two lists of 48 fields, and the structs. */
#define CIRCUIT_ARENA (CIRCUIT_MESSAGE_MAX + 8192)

static int number_or_unknown(uint64_t v)
{
	return v > INT_MAX ? INT_MAX : (int)v;
}

static void peer_read(struct circuit_message *m, struct protobuf_origin *origin, const CircuitPb__Peer *peer)
{
	m->has_peer = peer != NULL;
	if (peer != NULL)
		m->peer = protobuf_origin_of(origin, &peer->id);
}

static void limit_read(struct circuit_message *m, const CircuitPb__Limit *limit)
{
	m->limit.present = limit != NULL;
	if (limit == NULL)
		return;
	m->limit.duration = limit->duration > UINT32_MAX ? UINT32_MAX : (uint32_t)limit->duration;
	m->limit.data = limit->data;
}

static void reservation_read(struct circuit_message *m, struct protobuf_origin *origin,
			     const CircuitPb__Reservation *reservation)
{
	m->has_reservation = reservation != NULL;
	if (reservation == NULL)
		return;
	m->expire = reservation->expire;
	for (size_t i = 0; i < reservation->n_addrs && i < CIRCUIT_ADDRS_MAX; i++)
		m->addrs[m->addr_count++] = protobuf_origin_of(origin, &reservation->addrs[i]);
	m->voucher = protobuf_origin_of(origin, &reservation->voucher);
}

int hop_message_parse(const uint8_t *bytes, size_t len, struct circuit_message *m)
{
	alignas(max_align_t) uint8_t memory[CIRCUIT_ARENA];
	struct protobuf_origin origin = {.message = {.bytes = bytes, .len = len}};
	struct protobuf_arena arena;
	const CircuitPb__HopMessage *hop;

	*m = (struct circuit_message){0};
	if (len > CIRCUIT_MESSAGE_MAX)
		return -1;
	protobuf_arena_init(&arena, memory, sizeof(memory));
	hop = protobuf_unpack(&arena, &circuit_pb__hop_message__descriptor, bytes, len);
	if (hop == NULL)
		return -1;
	m->has_type = hop->has_type != 0;
	m->type = number_or_unknown(hop->type);
	m->has_status = hop->has_status != 0;
	m->status = number_or_unknown(hop->status);
	peer_read(m, &origin, hop->peer);
	reservation_read(m, &origin, hop->reservation);
	limit_read(m, hop->limit);
	return 0;
}

int stop_message_parse(const uint8_t *bytes, size_t len, struct circuit_message *m)
{
	alignas(max_align_t) uint8_t memory[CIRCUIT_ARENA];
	struct protobuf_origin origin = {.message = {.bytes = bytes, .len = len}};
	struct protobuf_arena arena;
	const CircuitPb__StopMessage *stop;

	*m = (struct circuit_message){0};
	if (len > CIRCUIT_MESSAGE_MAX)
		return -1;
	protobuf_arena_init(&arena, memory, sizeof(memory));
	stop = protobuf_unpack(&arena, &circuit_pb__stop_message__descriptor, bytes, len);
	if (stop == NULL)
		return -1;
	m->has_type = stop->has_type != 0;
	m->type = number_or_unknown(stop->type);
	m->has_status = stop->has_status != 0;
	m->status = number_or_unknown(stop->status);
	peer_read(m, &origin, stop->peer);
	limit_read(m, stop->limit);
	return 0;
}

/* The parts that a written message may point to. */
struct circuit_parts {
	CircuitPb__Peer peer;
	CircuitPb__Limit limit;
	CircuitPb__Reservation reservation;
	ProtobufCBinaryData addrs[CIRCUIT_ADDRS_MAX];
};

static CircuitPb__Peer *peer_part(struct circuit_parts *p, const struct circuit_message *m)
{
	circuit_pb__peer__init(&p->peer);
	p->peer.has_id = 1;
	p->peer.id = protobuf_bytes(m->peer);
	return m->has_peer ? &p->peer : NULL;
}

/* A limit of nothing is no limit, and go would mark the connection as limited for it: left out. */
static CircuitPb__Limit *limit_part(struct circuit_parts *p, const struct circuit_message *m)
{
	circuit_pb__limit__init(&p->limit);
	p->limit.has_duration = m->limit.duration > 0;
	p->limit.duration = m->limit.duration;
	p->limit.has_data = m->limit.data > 0;
	p->limit.data = m->limit.data;
	return m->limit.present && (p->limit.has_duration || p->limit.has_data) ? &p->limit : NULL;
}

static CircuitPb__Reservation *reservation_part(struct circuit_parts *p, const struct circuit_message *m)
{
	circuit_pb__reservation__init(&p->reservation);
	p->reservation.has_expire = 1;
	p->reservation.expire = m->expire;
	p->reservation.n_addrs = m->addr_count < CIRCUIT_ADDRS_MAX ? m->addr_count : CIRCUIT_ADDRS_MAX;
	p->reservation.addrs = p->addrs;
	for (size_t i = 0; i < p->reservation.n_addrs; i++)
		p->addrs[i] = protobuf_bytes(m->addrs[i]);
	p->reservation.has_voucher = m->voucher.len > 0;
	p->reservation.voucher = protobuf_bytes(m->voucher);
	return m->has_reservation ? &p->reservation : NULL;
}

void hop_message_write(struct writer *w, const struct circuit_message *m)
{
	struct circuit_parts parts;
	CircuitPb__HopMessage hop = CIRCUIT_PB__HOP_MESSAGE__INIT;

	hop.has_type = 1; /* also when 0: js takes its absence for an error */
	hop.type = (uint64_t)m->type;
	hop.peer = peer_part(&parts, m);
	hop.reservation = reservation_part(&parts, m);
	hop.limit = limit_part(&parts, m);
	hop.has_status = m->has_status;
	hop.status = (uint64_t)m->status;
	protobuf_message_write(w, &hop.base, CIRCUIT_MESSAGE_MAX);
}

void stop_message_write(struct writer *w, const struct circuit_message *m)
{
	struct circuit_parts parts;
	CircuitPb__StopMessage stop = CIRCUIT_PB__STOP_MESSAGE__INIT;

	stop.has_type = 1;
	stop.type = (uint64_t)m->type;
	stop.peer = peer_part(&parts, m);
	stop.limit = limit_part(&parts, m);
	stop.has_status = m->has_status;
	stop.status = (uint64_t)m->status;
	protobuf_message_write(w, &stop.base, CIRCUIT_MESSAGE_MAX);
}
