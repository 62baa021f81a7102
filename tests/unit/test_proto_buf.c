/* SPDX-License-Identifier: MIT
 *
 * proto/buf.h, proto/utf8.h, proto/protobuf_field.h: bounds, varints, UTF-8, fields.
 */
#include "proto_vectors.h"

#include "proto/protobuf_field.h"
#include "proto/utf8.h"

static const struct {
	uint64_t value;
	const char *hex;
} varints[] = {
    {0, "00"},
    {1, "01"},
    {127, "7f"},
    {128, "8001"},
    {255, "ff01"},
    {300, "ac02"},
    {16383, "ff7f"},
    {16384, "808001"},
    {UINT32_MAX, "ffffffff0f"},
    {(uint64_t)1 << 63, "80808080808080808001"},
    {UINT64_MAX, "ffffffffffffffffff01"},
};

static void varints_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(varints); i++) {
		struct bytes b = bytes_of_hex(varints[i].hex);
		struct reader r = reader_of(b.at, b.len);
		uint8_t out[VARINT_MAX];
		struct writer w = writer_of(out, sizeof(out));

		assert_true(reader_varint(&r) == varints[i].value);
		assert_false(r.bad);
		assert_int_equal(reader_left(&r), 0);
		writer_varint(&w, varints[i].value);
		assert_written(&w, varints[i].hex);
		assert_int_equal(varint_size(varints[i].value), b.len);
	}
}

static void varints_refused(void **state)
{
	static const char *const bad[] = {
	    "",			      /* nothing */
	    "80",		      /* unfinished */
	    "8000",		      /* 0 in two bytes */
	    "ff00",		      /* 127 in two bytes */
	    "80808000",		      /* 0 in four bytes */
	    "ffffffffffffffffff02",   /* 65 bits */
	    "ffffffffffffffffff7f",   /* 70 bits */
	    "8080808080808080808001", /* eleven bytes */
	    "ffffffffffffffffffff01", /* eleven bytes */
	    "80808080808080808000",   /* overlong in the tenth byte */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);
		uint8_t *copy = exact_copy(b.at, b.len);
		struct reader r = reader_of(copy, b.len);

		assert_true(reader_varint(&r) == 0);
		assert_true(r.bad);
		assert_int_equal(reader_left(&r), 0);
		free(copy);
	}
}

static void reader_numbers(void **state)
{
	struct bytes b = bytes_of_hex("01 0203 04050607 02aabb 00");
	struct reader r = reader_of(b.at, b.len);

	(void)state;
	assert_int_equal(reader_u8(&r), 1);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_span(reader_span(&r), "aabb");
	assert_int_equal(reader_span(&r).len, 0);
	assert_false(r.bad);
	assert_int_equal(reader_left(&r), 0);
}

static void reader_past_the_end(void **state)
{
	static const uint8_t three[3] = {1, 2, 3};
	static const uint64_t lengths[] = {4, 255, UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX - 2, UINT64_MAX};
	struct reader r;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		r = reader_of(three, sizeof(three));
		assert_null(reader_bytes(&r, lengths[i]));
		assert_true(r.bad);
		assert_int_equal(reader_u8(&r), 0); /* spoilt for good */
		assert_null(reader_bytes(&r, 0));
	}
	r = reader_of(three, sizeof(three));
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.bad);
	r = reader_of(three, sizeof(three));
	assert_ptr_equal(reader_bytes(&r, 3), three);
	assert_ptr_equal(reader_bytes(&r, 0), three + 3);
	assert_false(r.bad);
	r = reader_of(NULL, 0);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(reader_u8(&r), 0);
	assert_true(r.bad);
}

static void spans_longer_than_the_rest(void **state)
{
	static const char *const bad[] = {"", "01", "0300 00", "ffffffffffffffffff01 00", "8000"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);
		struct reader r = reader_of(b.at, b.len);
		struct span s = reader_span(&r);

		assert_true(r.bad);
		assert_null(s.bytes);
		assert_int_equal(s.len, 0);
	}
}

static void writer_within_its_capacity(void **state)
{
	uint8_t out[10];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	writer_u8(&w, 1);
	writer_u16(&w, 0x0203);
	writer_u32(&w, 0x04050607);
	writer_span(&w, "ab", 2);
	assert_written(&w, "01020304050607026162");
	writer_bytes(&w, NULL, 0);
	assert_false(w.bad);
	writer_u8(&w, 9);
	assert_true(w.bad);
	assert_int_equal(writer_len(&w), 10);
}

static void writer_spoilt_stays_spoilt(void **state)
{
	uint8_t out[3] = {0xee, 0xee, 0xee};
	struct writer w = writer_of(out, 2);

	(void)state;
	writer_u8(&w, 1);
	writer_u16(&w, 2);
	assert_true(w.bad);
	writer_u8(&w, 3); /* would fit, but a hole must not be hidden */
	assert_int_equal(writer_len(&w), 1);
	assert_int_equal(out[1], 0xee);
	w = writer_of(NULL, 0);
	writer_u8(&w, 1);
	assert_true(w.bad);
	assert_int_equal(writer_len(&w), 0);
}

static void utf8(void **state)
{
	static const char *const good[] = {
	    "",	      "00",	"7f",	  "c280",     "dfbf",	  "e0a080",
	    "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf", "61c3a4e282acf09f9880",
	};
	static const char *const bad[] = {
	    "80",	/* continuation alone */
	    "bf",	/* continuation alone */
	    "c0af",	/* overlong slash */
	    "c1bf",	/* overlong */
	    "c2",	/* cut off */
	    "c27f",	/* no continuation */
	    "e08080",	/* overlong */
	    "e09fbf",	/* overlong */
	    "e282",	/* cut off */
	    "eda080",	/* surrogate */
	    "edbfbf",	/* surrogate */
	    "f08fbfbf", /* overlong */
	    "f4908080", /* above U+10FFFF */
	    "f5808080", /* above U+10FFFF */
	    "f09f98",	/* cut off */
	    "ff",	"fe", "61ff62",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct bytes b = bytes_of_hex(good[i]);

		assert_true(utf8_valid(b.at, b.len));
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);
		uint8_t *copy = exact_copy(b.at, b.len);

		if (utf8_valid(copy, b.len))
			fail_msg("accepted %s", bad[i]);
		free(copy);
	}
}

static void fields(void **state)
{
	struct bytes b = bytes_of_hex("08ac02 1203616263 191122334455667788 2511223344 7a00 fd010000 0000");
	struct reader r = reader_of(b.at, b.len);
	struct protobuf_field f;

	(void)state;
	assert_true(protobuf_field_next(&r, &f));
	assert_int_equal(f.number, 1);
	assert_int_equal(f.varint, 300);
	assert_true(protobuf_field_next(&r, &f));
	assert_int_equal(f.number, 2);
	assert_span(f.bytes, "616263");
	assert_true(protobuf_field_next(&r, &f));
	assert_int_equal(f.wire, PROTOBUF_FIXED64);
	assert_true(protobuf_field_next(&r, &f));
	assert_int_equal(f.wire, PROTOBUF_FIXED32);
	assert_true(protobuf_field_next(&r, &f));
	assert_int_equal(f.number, 15);
	assert_int_equal(f.bytes.len, 0);
	assert_true(protobuf_field_next(&r, &f));
	assert_int_equal(f.number, 31);
	assert_false(protobuf_field_next(&r, &f));
	assert_false(r.bad);
}

static void fields_refused(void **state)
{
	static const char *const bad[] = {
	    "00",		      /* field number 0, and no value */
	    "0000",		      /* field number 0 */
	    "020161",		      /* field number 0 */
	    "08",		      /* no value */
	    "0880",		      /* unfinished value */
	    "1201",		      /* length past the end */
	    "12ffffffffffffffffff01", /* enormous length */
	    "0b 0c",		      /* group */
	    "0c",		      /* end of a group */
	    "0e00",		      /* wire type 6 */
	    "0f00",		      /* wire type 7 */
	    "0911223344",	      /* short fixed 64 */
	    "0d1122",		      /* short fixed 32 */
	    "880001",		      /* tag not minimal */
	    "888080801001",	      /* tag of 33 bits */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);
		struct reader r = reader_of(b.at, b.len);
		struct protobuf_field f;

		while (protobuf_field_next(&r, &f))
			;
		if (!r.bad)
			fail_msg("accepted %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(varints_both_ways),
	    cmocka_unit_test(varints_refused),
	    cmocka_unit_test(reader_numbers),
	    cmocka_unit_test(reader_past_the_end),
	    cmocka_unit_test(spans_longer_than_the_rest),
	    cmocka_unit_test(writer_within_its_capacity),
	    cmocka_unit_test(writer_spoilt_stays_spoilt),
	    cmocka_unit_test(utf8),
	    cmocka_unit_test(fields),
	    cmocka_unit_test(fields_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
