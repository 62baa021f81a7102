/* SPDX-License-Identifier: MIT */
#include "tests/bench/load_wire.h"

#include <sodium.h>
#include <string.h>

#include "tests/bench/load_seal.h"

#define WIRE_CHECKED 64 /* one record in so many is opened */
#define WIRE_BLOCK   64 /* of ChaCha20 */

bool load_wire_begin(struct load_wire *w, struct session *s, struct mux_stream *stream, uint32_t window)
{
	if (s->mux.header_len != 0 || s->mux.payload_left != 0)
		return false;
	memset(w, 0, sizeof(*w));
	w->active = true;
	w->stream = stream->id;
	w->window = window;
	w->send_window = stream->send_window;
	if (window > stream->receive_window)
		mux_frame(&s->mux, YAMUX_WINDOW_UPDATE, 0, w->stream, window - stream->receive_window, NULL,
			  0);
	return true;
}

/* --- in
 * ------------------------------------------------------------------------------------------------------------------
 */

static void wire_frame(struct load_wire *w, struct session *s)
{
	struct yamux_frame f = yamux_frame_read(w->header);
	bool ours = f.stream == w->stream;

	w->header_len = 0;
	switch (f.type) {
	case YAMUX_DATA:
		w->payload_left = f.length;
		w->payload_ours = ours;
		break;
	case YAMUX_WINDOW_UPDATE:
		if (ours)
			w->send_window += f.length;
		break;
	case YAMUX_PING:
		if (f.flags & YAMUX_SYN)
			mux_frame(&s->mux, YAMUX_PING, YAMUX_ACK, 0, f.length, NULL, 0);
		return;
	case YAMUX_GO_AWAY:
		session_end(s, "the relay said GoAway");
		return;
	default:
		session_end(s, "a frame of an unknown type");
		return;
	}
	if (ours && (f.flags & (YAMUX_FIN | YAMUX_RST)))
		session_end(s, "the relay ended a circuit");
	else if (!ours && (f.flags & YAMUX_SYN)) /* identify and the like: not now */
		mux_frame(&s->mux, YAMUX_WINDOW_UPDATE, YAMUX_RST, f.stream, 0, NULL, 0);
}

static void wire_credit(struct load_wire *w, struct session *s)
{
	if (w->due < w->window / 2)
		return;
	mux_frame(&s->mux, YAMUX_WINDOW_UPDATE, 0, w->stream, (uint32_t)w->due, NULL, 0);
	w->due = 0;
}

static size_t wire_payload(struct load_wire *w, struct session *s, size_t left)
{
	size_t part = left < w->payload_left ? left : w->payload_left;

	w->payload_left -= (uint32_t)part;
	if (w->payload_ours) {
		w->received += part;
		w->due += part;
		wire_credit(w, s);
	}
	return part;
}

/* The plain bytes at `at` of a record, at most one header of them. */
static void wire_peek(struct session *s, const uint8_t *nonce, const uint8_t *cipher, size_t at, size_t len,
		      uint8_t *out)
{
	uint8_t plain[2 * WIRE_BLOCK];
	size_t base = at - at % WIRE_BLOCK;

	crypto_stream_chacha20_ietf_xor_ic(plain, cipher + base, at + len - base, nonce,
					   (uint32_t)(1 + base / WIRE_BLOCK), s->receiving.key);
	memcpy(out, plain + (at - base), len);
}

/* `nonce` is NULL when the record is plain already. */
static void wire_record(struct load_wire *w, struct session *s, const uint8_t *nonce, const uint8_t *bytes,
			size_t len)
{
	size_t at = 0;

	while (at < len && s->phase != SESSION_FAILED) {
		size_t part = (size_t)YAMUX_HEADER - w->header_len;

		if (w->payload_left > 0) {
			at += wire_payload(w, s, len - at);
			continue;
		}
		part = len - at < part ? len - at : part;
		if (nonce)
			wire_peek(s, nonce, bytes, at, part, w->header + w->header_len);
		else
			memcpy(w->header + w->header_len, bytes + at, part);
		w->header_len = (uint8_t)(w->header_len + part);
		at += part;
		if (w->header_len == YAMUX_HEADER)
			wire_frame(w, s);
	}
}

static void wire_open(struct load_wire *w, struct session *s, uint8_t *cipher, size_t len)
{
	uint8_t nonce[12];

	if (len < SECURE_TAG) {
		session_end(s, "a record is too short");
		return;
	}
	if (w->records++ % WIRE_CHECKED == 0) {
		if (load_open(&s->receiving, cipher, cipher, len) != 0)
			session_end(s, "a record does not decrypt");
		else
			wire_record(w, s, NULL, cipher, len - SECURE_TAG);
		return;
	}
	secure_nonce(nonce, s->receiving.nonce++);
	wire_record(w, s, nonce, cipher, len - SECURE_TAG);
}

static size_t wire_consume(struct load_wire *w, struct session *s, uint8_t *bytes, size_t len)
{
	size_t total = 0;

	while (len - total >= 2 && s->phase != SESSION_FAILED) {
		size_t record = (size_t)(bytes[total] << 8 | bytes[total + 1]);

		if (len - total < 2 + record)
			break;
		wire_open(w, s, bytes + total + 2, record);
		total += 2 + record;
	}
	return total;
}

void load_wire_input(struct load_wire *w, struct session *s, uint8_t *bytes, size_t len)
{
	size_t used = 0;

	/* Completes the record that was begun, then takes the rest where it is. */
	while (bytes_len(&s->in) > 0 && used < len && s->phase != SESSION_FAILED) {
		size_t have = bytes_len(&s->in);
		const uint8_t *at = bytes_at(&s->in);
		size_t whole = have < 2 ? 2 : 2 + (size_t)(at[0] << 8 | at[1]);
		size_t part = len - used < whole - have ? len - used : whole - have;

		bytes_append(&s->in, bytes + used, part);
		used += part;
		bytes_consume(&s->in, wire_consume(w, s, bytes_at(&s->in), bytes_len(&s->in)));
	}
	if (used < len && s->phase != SESSION_FAILED) {
		used += wire_consume(w, s, bytes + used, len - used);
		bytes_append(&s->in, bytes + used, len - used);
	}
}

/* --- out
 * ----------------------------------------------------------------------------------------------------------------
 */

bool load_wire_send(struct load_wire *w, struct session *s, size_t len)
{
	static uint8_t plain[SECURE_PLAIN_MAX];
	uint8_t *to;

	if (w->send_window < len)
		return false;
	session_pending(s); /* control that waits goes first: records are numbered */
	to = bytes_room(&s->out, 2 + YAMUX_HEADER + len + SECURE_TAG);
	yamux_frame_write(plain, YAMUX_DATA, 0, w->stream, (uint32_t)len);
	load_seal(&s->sending, to, plain, YAMUX_HEADER + len);
	bytes_added(&s->out, 2 + YAMUX_HEADER + len + SECURE_TAG);
	w->send_window -= len;
	w->sent += len;
	return true;
}
