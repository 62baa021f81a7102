/* SPDX-License-Identifier: MIT
 *
 * Rendezvous answers, see rendezvous_message.h. By hand in both directions: we write them piece by piece, and
 * one of 1 MiB is not to be unpacked into an arena.
 */
#include "proto/rendezvous_message.h"

#include <limits.h>

#include "proto/protobuf_field.h"

enum { MESSAGE_TYPE = 1, MESSAGE_REGISTER_RESPONSE = 3, MESSAGE_DISCOVER_RESPONSE = 6 };
enum { REGISTERED_STATUS = 1, REGISTERED_TTL = 3 };
enum { DISCOVERED_REGISTRATION = 1, DISCOVERED_COOKIE = 2, DISCOVERED_STATUS = 3 };
enum { REGISTRATION_NS = 1, REGISTRATION_RECORD = 2, REGISTRATION_TTL = 3 };

/* ---- writing ---- */

/* Length of everything, type, and the head of the body, which must follow. */
static void answer_head_write(struct writer *w, enum rendezvous_type type, uint8_t field, size_t body)
{
	writer_varint(w, protobuf_varint_size(type) + protobuf_bytes_size(body));
	protobuf_write_varint(w, MESSAGE_TYPE, type);
	protobuf_write_head(w, field, body);
}

/* The status is always written, also OK: rust takes its absence for an error. */
void rendezvous_register_response_write(struct writer *w, enum rendezvous_status status, uint64_t ttl)
{
	size_t body = protobuf_varint_size(status);

	if (status == RENDEZVOUS_OK)
		body += protobuf_varint_size(ttl);
	answer_head_write(w, RENDEZVOUS_REGISTER_RESPONSE, MESSAGE_REGISTER_RESPONSE, body);
	protobuf_write_varint(w, REGISTERED_STATUS, status);
	if (status == RENDEZVOUS_OK)
		protobuf_write_varint(w, REGISTERED_TTL, ttl);
}

void rendezvous_discover_refusal_write(struct writer *w, enum rendezvous_status status)
{
	answer_head_write(w, RENDEZVOUS_DISCOVER_RESPONSE, MESSAGE_DISCOVER_RESPONSE,
			  protobuf_varint_size(status));
	protobuf_write_varint(w, DISCOVERED_STATUS, status);
}

static size_t registration_body_size(const struct rendezvous_registration *r)
{
	return protobuf_bytes_size(r->ns.len) + protobuf_bytes_size(r->record.len) +
	       protobuf_varint_size(r->ttl);
}

size_t rendezvous_registration_size(const struct rendezvous_registration *r)
{
	return protobuf_bytes_size(registration_body_size(r));
}

/* Bytes behind the registrations. */
static size_t discover_tail_size(size_t cookie_len)
{
	size_t cookie = cookie_len > 0 ? protobuf_bytes_size(cookie_len) : 0;

	return cookie + protobuf_varint_size(RENDEZVOUS_OK);
}

void rendezvous_discover_head_write(struct writer *w, size_t registrations, size_t cookie_len)
{
	answer_head_write(w, RENDEZVOUS_DISCOVER_RESPONSE, MESSAGE_DISCOVER_RESPONSE,
			  registrations + discover_tail_size(cookie_len));
}

/* Namespace and ttl are written even when empty or 0: rust and canvas refuse a whole answer without them. */
void rendezvous_registration_write(struct writer *w, const struct rendezvous_registration *r)
{
	protobuf_write_head(w, DISCOVERED_REGISTRATION, registration_body_size(r));
	protobuf_write_bytes(w, REGISTRATION_NS, r->ns.bytes, r->ns.len);
	protobuf_write_bytes(w, REGISTRATION_RECORD, r->record.bytes, r->record.len);
	protobuf_write_varint(w, REGISTRATION_TTL, r->ttl);
}

void rendezvous_discover_tail_write(struct writer *w, const uint8_t *cookie, size_t cookie_len)
{
	if (cookie_len > 0)
		protobuf_write_bytes(w, DISCOVERED_COOKIE, cookie, cookie_len);
	protobuf_write_varint(w, DISCOVERED_STATUS, RENDEZVOUS_OK);
}

/* ---- reading ---- */

/* One registration; spoils `answer` when it is malformed. What is absent is empty or 0. */
static void registration_read(struct reader *answer, const struct protobuf_field *field,
			      struct rendezvous_registration *registration)
{
	struct reader r = reader_of(field->bytes.bytes, field->bytes.len);
	struct protobuf_field f;
	bool has_ttl = false;

	*registration = (struct rendezvous_registration){0};
	while (protobuf_field_next(&r, &f)) {
		if (f.number == REGISTRATION_NS)
			protobuf_take_bytes(&r, &f, &registration->ns);
		else if (f.number == REGISTRATION_RECORD)
			protobuf_take_bytes(&r, &f, &registration->record);
		else if (f.number == REGISTRATION_TTL)
			protobuf_take_varint(&r, &f, &registration->ttl, &has_ttl);
	}
	if (r.bad || field->wire != PROTOBUF_BYTES)
		answer->bad = true;
}

static int status_of(uint64_t status)
{
	return status > INT_MAX ? INT_MAX : (int)status;
}

static int registered_read(struct rendezvous_answer *a, struct span body)
{
	struct reader r = reader_of(body.bytes, body.len);
	struct protobuf_field f;
	uint64_t status = RENDEZVOUS_OK;
	bool has_status = false, has_ttl = false;

	while (protobuf_field_next(&r, &f)) {
		if (f.number == REGISTERED_STATUS)
			protobuf_take_varint(&r, &f, &status, &has_status);
		else if (f.number == REGISTERED_TTL)
			protobuf_take_varint(&r, &f, &a->ttl, &has_ttl);
	}
	a->status = status_of(status);
	return r.bad ? -1 : 0;
}

static int discovered_read(struct rendezvous_answer *a, struct span body)
{
	struct reader r = reader_of(body.bytes, body.len);
	struct protobuf_field f;
	struct rendezvous_registration registration;
	uint64_t status = RENDEZVOUS_OK;
	bool has_status = false;

	a->registrations = r;
	while (protobuf_field_next(&r, &f)) {
		if (f.number == DISCOVERED_REGISTRATION) {
			registration_read(&r, &f, &registration);
			a->count++;
		} else if (f.number == DISCOVERED_COOKIE) {
			protobuf_take_bytes(&r, &f, &a->cookie);
		} else if (f.number == DISCOVERED_STATUS) {
			protobuf_take_varint(&r, &f, &status, &has_status);
		}
	}
	a->status = status_of(status);
	return r.bad ? -1 : 0;
}

int rendezvous_answer_parse(const uint8_t *bytes, size_t len, struct rendezvous_answer *a)
{
	struct reader r = reader_of(bytes, len);
	struct protobuf_field f;
	struct span registered = {0}, discovered = {0};
	uint64_t type = 0;
	bool has_type = false;

	*a = (struct rendezvous_answer){0};
	if (len > RENDEZVOUS_ANSWER_MAX)
		return -1;
	while (protobuf_field_next(&r, &f)) {
		if (f.number == MESSAGE_TYPE)
			protobuf_take_varint(&r, &f, &type, &has_type);
		else if (f.number == MESSAGE_REGISTER_RESPONSE)
			protobuf_take_bytes(&r, &f, &registered);
		else if (f.number == MESSAGE_DISCOVER_RESPONSE)
			protobuf_take_bytes(&r, &f, &discovered);
	}
	if (r.bad)
		return -1;
	if (type == RENDEZVOUS_REGISTER_RESPONSE && registered.bytes != NULL) {
		a->type = RENDEZVOUS_REGISTER_RESPONSE;
		return registered_read(a, registered);
	}
	if (type == RENDEZVOUS_DISCOVER_RESPONSE && discovered.bytes != NULL) {
		a->type = RENDEZVOUS_DISCOVER_RESPONSE;
		return discovered_read(a, discovered);
	}
	return -1;
}

bool rendezvous_answer_next(struct rendezvous_answer *a, struct rendezvous_registration *r)
{
	struct protobuf_field f;

	while (protobuf_field_next(&a->registrations, &f)) {
		if (f.number != DISCOVERED_REGISTRATION)
			continue;
		registration_read(&a->registrations, &f, r);
		return !a->registrations.bad;
	}
	return false;
}
