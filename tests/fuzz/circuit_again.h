/* SPDX-License-Identifier: MIT
 *
 * Shared by fuzz_hop.c and fuzz_stop.c: a circuit message that parses, written and parsed again, is the same.
 */
#ifndef TESTS_FUZZ_CIRCUIT_AGAIN_H
#define TESTS_FUZZ_CIRCUIT_AGAIN_H

#include "fuzz.h"

#include "proto/circuit_message.h"

static inline void circuit_spans_inside(const struct circuit_message *m, const uint8_t *data, size_t size)
{
	fuzz_span_inside(m->peer, data, size);
	fuzz_span_inside(m->voucher, data, size);
	FUZZ_ASSERT(m->addr_count <= CIRCUIT_ADDRS_MAX);
	for (size_t i = 0; i < m->addr_count; i++)
		fuzz_span_inside(m->addrs[i], data, size);
}

static inline void circuit_same(const struct circuit_message *a, const struct circuit_message *b)
{
	FUZZ_ASSERT(a->type == b->type && a->has_status == b->has_status && a->status == b->status);
	FUZZ_ASSERT(a->has_peer == b->has_peer && fuzz_span_equal(a->peer, b->peer));
	FUZZ_ASSERT(a->limit.duration == b->limit.duration && a->limit.data == b->limit.data);
	FUZZ_ASSERT(a->has_reservation == b->has_reservation && a->expire == b->expire);
	FUZZ_ASSERT(fuzz_span_equal(a->voucher, b->voucher) && a->addr_count == b->addr_count);
	for (size_t i = 0; i < a->addr_count; i++)
		FUZZ_ASSERT(fuzz_span_equal(a->addrs[i], b->addrs[i]));
}

static inline int circuit_again(const uint8_t *data, size_t size,
				int (*parse)(const uint8_t *, size_t, struct circuit_message *),
				void (*write)(struct writer *, const struct circuit_message *))
{
	uint8_t out[CIRCUIT_MESSAGE_MAX + 16];
	struct writer w = writer_of(out, sizeof(out));
	struct circuit_message m, again;

	if (parse(data, size, &m) != 0)
		return 0;
	FUZZ_ASSERT(size <= CIRCUIT_MESSAGE_MAX);
	circuit_spans_inside(&m, data, size);
	write(&w, &m);
	if (w.bad) /* the prefix no longer fits below the maximum */
		return 0;

	struct reader r = reader_of(out, writer_len(&w));
	struct span message = reader_span(&r);

	FUZZ_ASSERT(reader_left(&r) == 0 && !r.bad);
	FUZZ_ASSERT(parse(message.bytes, message.len, &again) == 0);
	circuit_same(&m, &again);
	return 0;
}

#endif
