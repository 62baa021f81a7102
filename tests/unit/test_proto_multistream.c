/* SPDX-License-Identifier: MIT
 *
 * proto/multistream.h and proto/yamux_frame.h. multistream-select 1.0.
 */
#include "proto_vectors.h"

#include "proto/multistream.h"
#include "proto/yamux_frame.h"

static void lines_written(void **state)
{
	static const struct {
		const char *text;
		const char *head; /* length byte */
	} lines[] = {
	    {MULTISTREAM_HEADER, "13"},
	    {MULTISTREAM_NA, "03"},
	    {"/noise", "07"},
	    {"/yamux/1.0.0", "0d"},
	    {"/libp2p/circuit/relay/0.2.0/hop", "20"},
	    {"/libp2p/circuit/relay/0.2.0/stop", "21"},
	    {"/ipfs/id/1.0.0", "0f"},
	    {"/ipfs/id/push/1.0.0", "14"},
	    {"/ipfs/ping/1.0.0", "11"},
	    {"/rendezvous/1.0.0", "12"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		uint8_t out[64];
		struct writer w = writer_of(out, sizeof(out));
		struct bytes head = bytes_of_hex(lines[i].head);
		struct span line;
		size_t used;

		multistream_write_text(&w, lines[i].text);
		assert_int_equal(out[0], head.at[0]);
		assert_int_equal(out[writer_len(&w) - 1], '\n');
		assert_int_equal(multistream_next(out, writer_len(&w), &line, &used), MULTISTREAM_LINE);
		assert_int_equal(used, writer_len(&w));
		assert_true(multistream_is(line, lines[i].text));
	}
}

static void na_vector(void **state)
{
	uint8_t out[8];
	struct writer w = writer_of(out, sizeof(out));

	(void)state;
	multistream_write_text(&w, "na");
	assert_written(&w, "036e610a");
}

/* Two messages and the next layer's bytes in one read: only what is a message's is used. */
static void leftovers_stay(void **state)
{
	struct bytes b = bytes_of_hex("072f6e6f6973650a 036e610a 0020aabb");
	struct span line;
	size_t used;

	(void)state;
	assert_int_equal(multistream_next(b.at, b.len, &line, &used), MULTISTREAM_LINE);
	assert_int_equal(used, 8);
	assert_true(multistream_is(line, "/noise"));
	assert_false(multistream_is(line, "/nois"));
	assert_false(multistream_is(line, "/noise2"));
	assert_int_equal(multistream_next(b.at + 8, b.len - 8, &line, &used), MULTISTREAM_LINE);
	assert_int_equal(used, 4);
	assert_true(multistream_is(line, MULTISTREAM_NA));
}

static void every_split(void **state)
{
	struct bytes b = bytes_of_hex("132f6d756c746973747265616d2f312e302e300a");
	struct span line;
	size_t used;

	(void)state;
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *copy = exact_copy(b.at, len);

		assert_int_equal(multistream_next(copy, len, &line, &used), MULTISTREAM_MORE);
		assert_int_equal(used, 0);
		free(copy);
	}
}

static void lines_refused(void **state)
{
	static const char *const bad[] = {
	    "00",		       /* nothing */
	    "010a",		       /* empty line */
	    "026161",		       /* no newline */
	    "0a 2f6e6f6973650a0a0a30", /* newline not last */
	    "8000",		       /* length not minimal */
	    "8100",		       /* length not minimal */
	    "8300 6e610a",	       /* length not minimal, line good */
	    "808001",		       /* length of three bytes */
	    "8180",		       /* length of three bytes */
	    "8108",		       /* 1025 */
	    "ff7f",		       /* 16383 */
	    "ffffffffffffffffff01",
	};
	struct span line;
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct bytes b = bytes_of_hex(bad[i]);

		if (multistream_next(b.at, b.len, &line, &used) != MULTISTREAM_BAD)
			fail_msg("not refused: %s", bad[i]);
		assert_int_equal(used, 0);
	}
}

static void longest_line(void **state)
{
	uint8_t out[2 + MULTISTREAM_LINE_MAX + 1];
	char text[MULTISTREAM_LINE_MAX + 1];
	struct writer w = writer_of(out, sizeof(out));
	struct span line;
	size_t used;

	(void)state;
	memset(text, 'a', sizeof(text));
	multistream_write(&w, text, MULTISTREAM_LINE_MAX - 1);
	assert_false(w.bad);
	assert_int_equal(writer_len(&w), 2 + MULTISTREAM_LINE_MAX);
	assert_int_equal(multistream_next(out, writer_len(&w), &line, &used), MULTISTREAM_LINE);
	assert_int_equal(line.len, MULTISTREAM_LINE_MAX - 1);
	w = writer_of(out, sizeof(out));
	multistream_write(&w, text, MULTISTREAM_LINE_MAX);
	assert_true(w.bad);
	assert_int_equal(writer_len(&w), 0);
}

static void yamux_header(void **state)
{
	uint8_t b[YAMUX_HEADER];
	struct yamux_frame f;

	(void)state;
	yamux_frame_write(b, YAMUX_WINDOW_UPDATE, YAMUX_SYN | YAMUX_FIN, 0x01020304, 0xfffefdfc);
	assert_bytes(b, sizeof(b), "00 01 0005 01020304 fffefdfc");
	f = yamux_frame_read(b);
	assert_int_equal(f.version, 0);
	assert_int_equal(f.type, YAMUX_WINDOW_UPDATE);
	assert_int_equal(f.flags, 5);
	assert_int_equal(f.stream, 0x01020304);
	assert_true(f.length == 0xfffefdfc);
	memset(b, 0xff, sizeof(b));
	f = yamux_frame_read(b);
	assert_int_equal(f.version, 255);
	assert_int_equal(f.flags, 0xffff);
	assert_true(f.stream == UINT32_MAX && f.length == UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_written),  cmocka_unit_test(na_vector),
	    cmocka_unit_test(leftovers_stay), cmocka_unit_test(every_split),
	    cmocka_unit_test(lines_refused),  cmocka_unit_test(longest_line),
	    cmocka_unit_test(yamux_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
