/* SPDX-License-Identifier: MIT
 *
 * proto/rendezvous_message.h. Examples of what real clients leave out.
 */
#include "proto_vectors.h"

#include "proto/rendezvous_message.h"

static int parse_hex(const char *hex, struct rendezvous_request *q)
{
	struct bytes b = bytes_of_hex(hex);
	uint8_t *copy = exact_copy(b.at, b.len);
	int result = rendezvous_request_parse(copy, b.len, q);

	free(copy); /* the spans are not looked at by the callers of this one */
	return result;
}

static struct span text_span(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static void assert_request(const struct rendezvous_request *q, const char *hex)
{
	uint8_t out[512];
	struct writer w = writer_of(out, sizeof(out));

	rendezvous_request_write(&w, q);
	assert_written(&w, hex);
}

static void requests_written(void **state)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_DISCOVER, .has_ns = true, .ns = text_span("chat")};

	(void)state;
	assert_request(&q, "0a 0803 2a06 0a04 63686174");
	q.type = RENDEZVOUS_UNREGISTER;
	assert_request(&q, "0a 0802 2206 0a04 63686174");
	q = (struct rendezvous_request){.type = RENDEZVOUS_DISCOVER};
	assert_request(&q, "04 0803 2a00");
	q.limit = 10;
	q.cookie = text_span("abcdefgh");
	assert_request(&q, "10 0803 2a0c 100a 1a08 6162636465666768");
	q = (struct rendezvous_request){
	    .type = RENDEZVOUS_REGISTER, .has_ns = true, .ns = text_span("n"), .record = text_span("rec")};
	assert_request(&q, "0c 0800 1208 0a016e 1203726563");
	q.has_ttl = true;
	q.ttl = 7200;
	assert_request(&q, "0f 0800 120b 0a016e 1203726563 18a038");
}

static void requests_read(void **state)
{
	struct bytes b = bytes_of_hex("0803 2a14 0a04 63686174 100a 1a0a 00010203040506070809");
	struct rendezvous_request q;

	(void)state;
	assert_int_equal(rendezvous_request_parse(b.at, b.len, &q), 0);
	assert_true(q.type == RENDEZVOUS_DISCOVER && q.has_ns && q.limit == 10 && !q.has_ttl);
	assert_span(q.ns, "63686174");
	assert_span(q.cookie, "00010203040506070809");
	b = bytes_of_hex("0800 120b 0a016e 1203726563 18a038");
	assert_int_equal(rendezvous_request_parse(b.at, b.len, &q), 0);
	assert_true(q.type == RENDEZVOUS_REGISTER && q.has_ttl && q.ttl == 7200);
	assert_span(q.record, "726563");
	b = bytes_of_hex("0802 220a 0a04 63686174 1202 aabb"); /* with the deprecated id */
	assert_int_equal(rendezvous_request_parse(b.at, b.len, &q), 0);
	assert_true(q.type == RENDEZVOUS_UNREGISTER && q.ns.len == 4);
}

static void what_clients_leave_out(void **state)
{
	struct rendezvous_request q;

	(void)state;
	assert_int_equal(parse_hex("1208 0a016e 1203726563", &q), 0); /* canvas: no type is REGISTER */
	assert_true(q.type == RENDEZVOUS_REGISTER && q.has_ns && q.ns.len == 1 && !q.has_ttl);
	assert_int_equal(parse_hex("0800 1202 1800", &q), 0); /* ttl 0 asks for the default */
	assert_true(!q.has_ttl && q.ttl == 0 && !q.has_ns && q.record.len == 0);
	assert_int_equal(parse_hex("0803 2a00", &q), 0);
	assert_true(!q.has_ns && q.limit == 0 && q.cookie.len == 0);
	assert_int_equal(parse_hex("0803 2a02 0a00", &q), 0); /* the empty namespace is one */
	assert_true(q.has_ns && q.ns.len == 0);
	assert_int_equal(parse_hex("0803 2a02 1a00", &q), 0); /* an empty cookie is none */
	assert_int_equal(q.cookie.len, 0);
}

static void any_namespace_bytes(void **state)
{
	struct bytes b = bytes_of_hex("0803 2a07 0a05 6100ff0a80");
	struct rendezvous_request q;

	(void)state;
	assert_int_equal(rendezvous_request_parse(b.at, b.len, &q), 0);
	assert_span(q.ns, "6100ff0a80");
}

/* A record is found in its message also when its beginning stands somewhere else before it, or all of it
 * does. */
static void records_that_look_alike(void **state)
{
	static const uint8_t many[60] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	uint8_t out[256], record[50];
	struct rendezvous_request q = {.type = RENDEZVOUS_REGISTER,
				       .has_ns = true,
				       .ns = {many, sizeof(many)},
				       .record = {record, sizeof(record)}};
	struct rendezvous_request back;

	(void)state;
	for (size_t odd = 0; odd <= sizeof(record); odd++) {
		struct writer w = writer_of(out, sizeof(out));

		memset(record, 'a', sizeof(record));
		if (odd < sizeof(record))
			record[odd] = 'b';
		rendezvous_request_write(&w, &q);
		assert_int_equal(rendezvous_request_parse(out + 1, writer_len(&w) - 1, &back), 0);
		assert_int_equal(back.ns.len, sizeof(many));
		assert_memory_equal(back.ns.bytes, many, sizeof(many));
		assert_int_equal(back.record.len, sizeof(record));
		assert_memory_equal(back.record.bytes, record, sizeof(record));
		assert_true(back.record.bytes > out &&
			    back.record.bytes + sizeof(record) <= out + writer_len(&w));
	}
}

/* The search for the record starts behind the namespace, where only its beginning stands, at the very end. */
static void beginning_of_a_record_at_the_end(void **state)
{
	struct bytes record = {.len = 50}, b = bytes_of_hex("0800 1279 1232");
	struct rendezvous_request q;
	uint8_t *copy;

	(void)state;
	for (size_t i = 0; i < record.len; i++)
		record.at[i] = (uint8_t)(i + 'A');
	memcpy(b.at + b.len, record.at, record.len);
	b.len += record.len;
	memcpy(b.at + b.len, "\x0a\x01\xff\x7a\x40", 5);
	memcpy(b.at + b.len + 5 + 32, record.at, 32); /* behind 32 zeros */
	b.len += 5 + 64;
	copy = exact_copy(b.at, b.len);
	assert_int_equal(rendezvous_request_parse(copy, b.len, &q), 0);
	assert_ptr_equal(q.record.bytes, copy + 6);
	assert_int_equal(q.record.len, record.len);
	free(copy);
}

static void requests_refused(void **state)
{
	static const char *const bad[] = {
	    "",			   /* REGISTER without body */
	    "0800",		   /* the same */
	    "0802",		   /* UNREGISTER without body */
	    "0803",		   /* DISCOVER without body */
	    "0803 1200",	   /* DISCOVER with the body of REGISTER */
	    "0801 1a00",	   /* an answer */
	    "0804 3200",	   /* an answer */
	    "0805 1200 2a00",	   /* unknown type */
	    "0864 1200 2a00",	   /* berty's DISCOVER_SUBSCRIBE */
	    "08808080801012 1200", /* 2^32 */
	    "0803 2a",		   /* cut off */
	    "0803 2a01",	   /* cut off */
	    "0803 2a020a01",	   /* cut off inside */
	    "0803 2affffffffffffffffff01",
	    "0803 2a020a05 6162", /* inner length past its message */
	    "0b0c",
	    "0803 2a00 2b",
	    "1801 00",
	};
	struct rendezvous_request q;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (parse_hex(bad[i], &q) == 0)
			fail_msg("accepted %s", bad[i]);
}

static bool accepts(const uint8_t *bytes, size_t len)
{
	struct rendezvous_request q;

	return rendezvous_request_parse(bytes, len, &q) == 0;
}

static void requests_truncated(void **state)
{
	struct bytes b = bytes_of_hex("0800 120b 0a016e 1203726563 18a038");

	(void)state;
	assert_no_prefix(&b, accepts, true);
}

static void request_sizes(void **state)
{
	struct bytes b = {0};
	struct writer w = writer_of(b.at, sizeof(b.at));
	struct rendezvous_request q;

	(void)state;
	/* 12 lp(Register { f2 lp(record) }), exactly 8192 bytes */
	writer_u8(&w, 0x12);
	writer_varint(&w, RENDEZVOUS_REQUEST_MAX - 3);
	writer_u8(&w, 0x12);
	writer_varint(&w, RENDEZVOUS_REQUEST_MAX - 6);
	assert_int_equal(rendezvous_request_parse(b.at, RENDEZVOUS_REQUEST_MAX, &q), 0);
	assert_int_equal(q.record.len, RENDEZVOUS_REQUEST_MAX - 6);
	assert_ptr_equal(q.record.bytes, b.at + 6);
	w = writer_of(b.at, sizeof(b.at));
	writer_u8(&w, 0x12);
	writer_varint(&w, RENDEZVOUS_REQUEST_MAX - 2);
	writer_u8(&w, 0x12);
	writer_varint(&w, RENDEZVOUS_REQUEST_MAX - 5);
	assert_int_equal(rendezvous_request_parse(b.at, RENDEZVOUS_REQUEST_MAX + 1, &q), -1);
	for (size_t i = 0; i < RENDEZVOUS_REQUEST_MAX; i += 2)
		memcpy(b.at + i, "\x78\x01", 2); /* 4096 unknown fields */
	assert_int_equal(rendezvous_request_parse(b.at, RENDEZVOUS_REQUEST_MAX, &q), -1);
	for (size_t i = 0; i < RENDEZVOUS_REQUEST_MAX; i += 2)
		memcpy(b.at + i, "\x12\x00", 2); /* 4096 bodies to merge */
	assert_int_equal(rendezvous_request_parse(b.at, RENDEZVOUS_REQUEST_MAX, &q), -1);
}

static void answers_written(void **state)
{
	uint8_t out[64];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	rendezvous_register_response_write(&w, RENDEZVOUS_OK, 7200);
	assert_written(&w, "09 0801 1a05 0800 18a038");
	w = writer_of(out, sizeof(out));
	rendezvous_register_response_write(&w, RENDEZVOUS_INVALID_TTL, 7200);
	assert_written(&w, "06 0801 1a02 0866");
	w = writer_of(out, sizeof(out));
	rendezvous_register_response_write(&w, RENDEZVOUS_UNAVAILABLE, 0);
	assert_written(&w, "07 0801 1a03 089003");
	w = writer_of(out, sizeof(out));
	rendezvous_discover_refusal_write(&w, RENDEZVOUS_INVALID_COOKIE);
	assert_written(&w, "06 0804 3202 1867");
	w = writer_of(out, sizeof(out));
	rendezvous_discover_head_write(&w, 0, 0);
	rendezvous_discover_tail_write(&w, NULL, 0);
	assert_written(&w, "06 0804 3202 1800");
	w = writer_of(out, sizeof(out));
	rendezvous_discover_head_write(&w, 0, 12);
	rendezvous_discover_tail_write(&w, (const uint8_t *)"\0\0\0\0\0\0\0\1chat", 12);
	assert_written(&w, "14 0804 3210 120c 0000000000000001 63686174 1800");
}

/* Pieces make one message whose length the head foretold, and come back as they went in. */
static void answers_in_pieces(void **state)
{
	static uint8_t out[RENDEZVOUS_ANSWER_MAX], record[1500], cookie[RENDEZVOUS_COOKIE_MAX];
	static const size_t counts[] = {0, 1, 2, 100, 400};
	char ns[RENDEZVOUS_NAMESPACE_MAX];

	(void)state;
	memset(ns, 'n', sizeof(ns));
	memset(record, 'r', sizeof(record));
	memset(cookie, 'c', sizeof(cookie));
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		size_t total = 0, cookie_len = i % 2 == 0 ? sizeof(cookie) : 8, number = 0;
		struct writer w = writer_of(out, sizeof(out));
		struct rendezvous_registration r, got;
		struct rendezvous_answer a;

#define REGISTRATION(n)                                                                                      \
	(struct rendezvous_registration)                                                                     \
	{                                                                                                    \
		.ns = {(const uint8_t *)ns, (n) % 256}, .record = {record, (n)*7 % sizeof(record)},          \
		.ttl = (n)*1000                                                                              \
	}
		for (size_t n = 0; n < counts[i]; n++) {
			r = REGISTRATION(n);
			total += rendezvous_registration_size(&r);
		}
		rendezvous_discover_head_write(&w, total, cookie_len);
		for (size_t n = 0; n < counts[i]; n++) {
			size_t before = writer_len(&w);

			r = REGISTRATION(n);
			rendezvous_registration_write(&w, &r);
			assert_int_equal(writer_len(&w) - before, rendezvous_registration_size(&r));
		}
		rendezvous_discover_tail_write(&w, cookie, cookie_len);
		assert_false(w.bad);

		struct reader whole = reader_of(out, writer_len(&w));
		struct span message = reader_span(&whole);

		assert_int_equal(reader_left(&whole), 0);
		assert_int_equal(rendezvous_answer_parse(message.bytes, message.len, &a), 0);
		assert_int_equal(a.type, RENDEZVOUS_DISCOVER_RESPONSE);
		assert_int_equal(a.status, RENDEZVOUS_OK);
		assert_int_equal(a.count, counts[i]);
		assert_int_equal(a.cookie.len, cookie_len);
		while (rendezvous_answer_next(&a, &got)) {
			r = REGISTRATION(number);
			assert_int_equal(got.ns.len, r.ns.len);
			assert_int_equal(got.record.len, r.record.len);
			assert_int_equal(got.ttl, r.ttl);
			number++;
		}
		assert_false(a.registrations.bad);
		assert_int_equal(number, counts[i]);
#undef REGISTRATION
	}
}

static void answers_read(void **state)
{
	struct bytes b = bytes_of_hex("0801 1a0b 0866 1204 6e6f7065 18a038"); /* with a status text */
	struct rendezvous_answer a;

	(void)state;
	assert_int_equal(rendezvous_answer_parse(b.at, b.len, &a), 0);
	assert_true(a.type == RENDEZVOUS_REGISTER_RESPONSE && a.status == RENDEZVOUS_INVALID_TTL &&
		    a.ttl == 7200);
	b = bytes_of_hex("0804 3203 1867 2200");
	assert_int_equal(rendezvous_answer_parse(b.at, b.len, &a),
			 -1); /* the refusal's length is one short */
	b = bytes_of_hex("0804 3204 1867 2200");
	assert_int_equal(rendezvous_answer_parse(b.at, b.len, &a), 0);
	assert_int_equal(a.status, RENDEZVOUS_INVALID_COOKIE);
	b = bytes_of_hex("0804 320b 18ffffffffffffffffff01");
	assert_int_equal(rendezvous_answer_parse(b.at, b.len, &a), 0);
	assert_true(a.status > RENDEZVOUS_UNAVAILABLE);
}

static void answers_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "0801",			/* no body */
	    "0804 1a00",		/* another's body */
	    "0800 1200",		/* a request */
	    "0804 0804 3200",		/* type twice */
	    "0804 3200 3200",		/* body twice */
	    "0804 3204 1800 1800",	/* status twice */
	    "0804 3204 1200 1200",	/* cookie twice */
	    "0804 3202 0801",		/* registration is a number */
	    "0804 3206 0a04 0a00 0a00", /* namespace twice */
	    "0804 3203 0a05 0a",	/* longer than its message */
	    "0804 3204 0a02 0a05",	/* the same, inside */
	    "0804 32ffffffff0f",
	};
	struct rendezvous_answer a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);

		if (rendezvous_answer_parse(b.at, b.len, &a) == 0)
			fail_msg("accepted %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_written),	       cmocka_unit_test(requests_read),
	    cmocka_unit_test(what_clients_leave_out),  cmocka_unit_test(any_namespace_bytes),
	    cmocka_unit_test(records_that_look_alike), cmocka_unit_test(beginning_of_a_record_at_the_end),
	    cmocka_unit_test(requests_refused),	       cmocka_unit_test(requests_truncated),
	    cmocka_unit_test(request_sizes),	       cmocka_unit_test(answers_written),
	    cmocka_unit_test(answers_in_pieces),       cmocka_unit_test(answers_read),
	    cmocka_unit_test(answers_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
