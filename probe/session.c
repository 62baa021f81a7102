/* SPDX-License-Identifier: MIT */
#include "probe/session.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proto/multistream.h"
#include "proto/noise_wire.h"

#define SESSION_NOISE_PROTOCOL "/noise"
#define SESSION_YAMUX_PROTOCOL "/yamux/1.0.0"
#define SESSION_READ	       65536

const char *session_phase_name(enum session_phase phase)
{
	static const char *const names[] = {
	    [SESSION_SECURITY_HEADER] = "multistream",
	    [SESSION_SECURITY_PROTOCOL] = "multistream",
	    [SESSION_NOISE] = "noise",
	    [SESSION_MUXER_HEADER] = "muxer",
	    [SESSION_MUXER_PROTOCOL] = "muxer",
	    [SESSION_OPEN] = "session",
	    [SESSION_FAILED] = "session",
	};

	return names[phase];
}

static void session_enter(struct session *s, enum session_phase phase)
{
	s->phase = phase;
	if (s->changed)
		s->changed(s);
}

void session_end(struct session *s, const char *why)
{
	if (s->phase == SESSION_FAILED)
		return;
	s->failure = why;
	s->failed_in = s->phase;
	mux_stop(&s->mux, why);
	session_enter(s, SESSION_FAILED);
}

static void session_line(struct bytes *to, const char *text)
{
	uint8_t line[64];
	struct writer w = writer_of(line, sizeof(line));

	multistream_write_text(&w, text);
	bytes_append(to, line, writer_len(&w));
}

/* --- the handshake --- */

static void session_send_handshake(struct session *s, const uint8_t *message, size_t len)
{
	uint8_t length[2] = {(uint8_t)(len >> 8), (uint8_t)len};

	bytes_append(&s->out, length, 2);
	bytes_append(&s->out, message, len);
}

void session_send_message1(struct session *s, const uint8_t *message, size_t len)
{
	session_send_handshake(s, message, len);
}

void session_send_message3(struct session *s, const uint8_t *payload, size_t len)
{
	uint8_t message[INITIATOR_MESSAGE3_ROOM];
	bool early = s->options.muxers && s->relay_lists_muxers;
	size_t written = initiator_finish(s->noise, payload, len, message, sizeof(message));

	session_send_handshake(s, message, written);
	initiator_split(s->noise, &s->sending, &s->receiving);
	free(s->noise);
	s->noise = NULL;
	if (early) {
		session_enter(s, SESSION_OPEN);
		return;
	}
	session_line(&s->plain, MULTISTREAM_HEADER);
	session_line(&s->plain, SESSION_YAMUX_PROTOCOL);
	session_enter(s, SESSION_MUXER_HEADER);
}

static void session_message2(struct session *s, const uint8_t *message, size_t len)
{
	uint8_t payload[NOISE_PAYLOAD_MAX];
	struct initiator_peer peer = {0};
	const char *wrong = initiator_read(s->noise, message, len, &peer);

	if (wrong) {
		session_end(s, wrong);
		return;
	}
	s->relay = peer.id;
	s->relay_lists_muxers = peer.has_muxers;
	if (s->options.expected && !peer_id_equal(s->options.expected, &peer.id)) {
		session_end(s, "another peer answered than the address names");
		return;
	}
	if (s->options.hold_handshake) {
		if (s->changed)
			s->changed(s);
		return;
	}
	len = initiator_payload(s->noise, s->options.identity, s->options.muxers, payload, sizeof(payload));
	session_send_message3(s, payload, len);
}

/* --- multistream-select --- */

static void session_security_accepted(struct session *s)
{
	if (s->options.patient && !s->options.hold_handshake)
		session_send_message1(s, s->noise->ephemeral_public, INITIATOR_MESSAGE1);
	session_enter(s, SESSION_NOISE);
}

/* One whole line; what the phase wants to see is `wanted`. */
static void session_take_line(struct session *s, struct span line)
{
	bool security = s->phase == SESSION_SECURITY_HEADER || s->phase == SESSION_SECURITY_PROTOCOL;
	bool header = s->phase == SESSION_SECURITY_HEADER || s->phase == SESSION_MUXER_HEADER;
	const char *protocol = security ? SESSION_NOISE_PROTOCOL : SESSION_YAMUX_PROTOCOL;

	if (!header && !security && s->options.hold_handshake && multistream_is(line, MULTISTREAM_NA))
		s->refusals++;
	else if (!header && multistream_is(line, MULTISTREAM_NA))
		session_end(s, security ? "the relay does not offer /noise"
					: "the relay does not offer /yamux/1.0.0");
	else if (!multistream_is(line, header ? MULTISTREAM_HEADER : protocol))
		session_end(s, "an unexpected multistream-select line");
	else if (header)
		session_enter(s, s->phase + 1);
	else if (security)
		session_security_accepted(s);
	else
		session_enter(s, SESSION_OPEN);
}

/* 0 when no whole line is there. */
static size_t session_input_line(struct session *s, const uint8_t *bytes, size_t len)
{
	struct span line;
	size_t used = 0;

	switch (multistream_next(bytes, len, &line, &used)) {
	case MULTISTREAM_LINE:
		session_take_line(s, line);
		return used;
	case MULTISTREAM_BAD:
		session_end(s, "not a multistream-select line");
		break;
	case MULTISTREAM_MORE:
		break;
	}
	return 0;
}

/* --- bytes --- */

static void session_input_plain(struct session *s, const uint8_t *bytes, size_t len)
{
	size_t used;

	if (s->phase < SESSION_OPEN) {
		bytes_append(&s->lines, bytes, len);
		do {
			used = session_input_line(s, bytes_at(&s->lines), bytes_len(&s->lines));
			bytes_consume(&s->lines, used);
		} while (used > 0 && s->phase < SESSION_OPEN);
		if (s->phase != SESSION_OPEN)
			return;
		bytes = bytes_at(&s->lines);
		len = bytes_len(&s->lines);
	}
	mux_input(&s->mux, bytes, len);
	bytes_free(&s->lines);
	if (s->mux.failure)
		session_end(s, s->mux.failure);
}

static size_t session_input_record(struct session *s, uint8_t *bytes, size_t len)
{
	size_t record;
	long plain;

	if (len < 2)
		return 0;
	record = (size_t)(bytes[0] << 8 | bytes[1]);
	if (len < 2 + record)
		return 0;
	if (s->phase == SESSION_NOISE) {
		session_message2(s, bytes + 2, record);
		return 2 + record;
	}
	plain = secure_open(&s->receiving, bytes + 2, record);
	if (plain < 0)
		session_end(s, "a record does not decrypt");
	else
		session_input_plain(s, bytes + 2, (size_t)plain);
	return 2 + record;
}

static size_t session_consume(struct session *s, uint8_t *bytes, size_t len)
{
	size_t total = 0;
	size_t used = 1;

	while (used > 0 && total < len && s->phase != SESSION_FAILED) {
		if (s->phase < SESSION_NOISE)
			used = session_input_line(s, bytes + total, len - total);
		else
			used = session_input_record(s, bytes + total, len - total);
		total += used;
	}
	return total;
}

void session_input(struct session *s, uint8_t *bytes, size_t len)
{
	size_t used;

	if (bytes_len(&s->in) > 0) {
		bytes_append(&s->in, bytes, len);
		used = session_consume(s, bytes_at(&s->in), bytes_len(&s->in));
		bytes_consume(&s->in, used);
		return;
	}
	used = session_consume(s, bytes, len);
	bytes_append(&s->in, bytes + used, len - used);
}

size_t session_pending(struct session *s)
{
	size_t len = bytes_len(&s->plain);

	if (len > 0 && !s->noise) {
		secure_seal_all(&s->sending, &s->out, bytes_at(&s->plain), len, s->record_max);
		bytes_consume(&s->plain, len);
	}
	return bytes_len(&s->out);
}

long session_read(struct session *s, int fd)
{
	static _Thread_local uint8_t scratch[SESSION_READ];
	ssize_t got = read(fd, scratch, sizeof(scratch));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		session_end(s, got == 0 ? "the relay closed the connection" : strerror(errno));
		return -1;
	}
	session_input(s, scratch, (size_t)got);
	return got;
}

long session_write(struct session *s, int fd)
{
	while (session_pending(s) > 0) {
		ssize_t put = write(fd, bytes_at(&s->out), bytes_len(&s->out));

		if (put < 0 && errno == EAGAIN)
			break;
		if (put < 0 && errno != EINTR) {
			session_end(s, strerror(errno));
			return -1;
		}
		if (put > 0)
			bytes_consume(&s->out, (size_t)put);
	}
	return (long)bytes_len(&s->out);
}

void session_start(struct session *s, const struct session_options *options, const struct mux_events *events,
		   void *owner)
{
	memset(s, 0, sizeof(*s));
	s->options = *options;
	s->record_max = SESSION_RECORD_PLAIN;
	s->noise = malloc(sizeof(*s->noise));
	if (!s->noise)
		abort();
	initiator_start(s->noise);
	mux_start(&s->mux, &s->plain, events, owner);
	session_line(&s->out, MULTISTREAM_HEADER);
	session_line(&s->out, SESSION_NOISE_PROTOCOL);
	if (!options->patient && !options->hold_handshake)
		session_send_message1(s, s->noise->ephemeral_public, INITIATOR_MESSAGE1);
}

void session_free(struct session *s)
{
	mux_free(&s->mux);
	free(s->noise);
	bytes_free(&s->in);
	bytes_free(&s->out);
	bytes_free(&s->lines);
	bytes_free(&s->plain);
	sodium_memzero(s, sizeof(*s));
}
