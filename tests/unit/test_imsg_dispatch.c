/* SPDX-License-Identifier: MIT
 *
 * Every row of the catalogue against every way to break it: each sender, phase, repetition and size, stray
 * types and headers. The expected outcome is computed from the row alone, so a new row is tested by being
 * listed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imsg/imsg.h"

static int handled;
static int handler_says;

static int handle(void *context, uint64_t id, const void *payload)
{
	assert_ptr_equal(context, &handled);
	assert_int_equal(id, 77);
	assert_non_null(payload);
	assert_int_equal((uintptr_t)payload % 8, 0);
	handled++;
	return handler_says;
}

/* All rows of one receiver, each with the same handler. */
struct receiver {
	struct imsg_row rows[IMSG_TYPE_COUNT];
	struct imsg_table table;
	struct imsg_channel channel;
};

static void receiver_of(struct receiver *r, enum imsg_process self, enum imsg_process peer,
			enum imsg_phase phase)
{
	size_t count = 0;

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < imsg_row_count; i++) {
		if (imsg_rows[i].receiver != self)
			continue;
		r->rows[count] = imsg_rows[i];
		r->rows[count++].handle = handle;
	}
	r->table = (struct imsg_table){.rows = r->rows, .count = count, .context = &handled, .phase = phase};
	r->channel = (struct imsg_channel){.fd = -1, .peer = peer};
	handled = 0;
	handler_says = 0;
}

static enum imsg_result give(struct receiver *r, uint16_t type, size_t size)
{
	static const uint8_t zero[IMSG_PAYLOAD_MAX];
	_Alignas(8) uint8_t datagram[IMSG_MAX];
	size_t len = imsg_compose(datagram, (enum imsg_type)type, 77, zero, size);

	return imsg_dispatch(&r->channel, &r->table, datagram, len);
}

static const char *text(enum imsg_breach why)
{
	return imsg_breach_text(why);
}

static void test_rows_are_the_types(void **state)
{
	(void)state;
	assert_int_equal(imsg_row_count, IMSG_TYPE_COUNT - 1);
	for (size_t i = 0; i < imsg_row_count; i++) {
		assert_int_equal(imsg_rows[i].type, i + 1);
		assert_int_not_equal(imsg_rows[i].sender, imsg_rows[i].receiver);
		assert_null(imsg_rows[i].handle);
		assert_string_equal(imsg_type_name((uint16_t)(i + 1)), imsg_rows[i].name);
	}
	assert_string_equal(imsg_type_name(0), "unknown");
	assert_string_equal(imsg_type_name(IMSG_TYPE_COUNT), "unknown");
	assert_null(imsg_row_of(0));
	assert_null(imsg_row_of(UINT16_MAX));
}

static void test_every_row_in_order(void **state)
{
	static const enum imsg_phase phases[] = {IMSG_PHASE_START, IMSG_PHASE_RUN};

	(void)state;
	for (size_t i = 0; i < imsg_row_count; i++) {
		for (size_t p = 0; p < 2; p++) {
			const struct imsg_row *row = &imsg_rows[i];
			struct receiver r;
			int fits = row->phase == IMSG_PHASE_ANY || row->phase == phases[p];

			receiver_of(&r, row->receiver, row->sender, phases[p]);
			assert_int_equal(give(&r, row->type, row->size), fits ? IMSG_OK : IMSG_BREACH);
			assert_int_equal(handled, fits);
			if (!fits) {
				assert_string_equal(r.channel.breach, text(IMSG_BREACH_PHASE));
				continue;
			}
			assert_int_equal(give(&r, row->type, row->size), row->once ? IMSG_BREACH : IMSG_OK);
			assert_int_equal(handled, row->once ? 1 : 2);
			if (row->once)
				assert_string_equal(r.channel.breach, text(IMSG_BREACH_REPEATED));
		}
	}
}

static void test_every_sender(void **state)
{
	(void)state;
	for (size_t i = 0; i < imsg_row_count; i++) {
		for (int receiver = 0; receiver <= IMSG_PROCESS_METRICS; receiver++) {
			for (int sender = 0; sender <= IMSG_PROCESS_METRICS; sender++) {
				const struct imsg_row *row = &imsg_rows[i];
				struct receiver r;

				if (receiver == row->receiver && sender == row->sender)
					continue;
				receiver_of(&r, (enum imsg_process)receiver, (enum imsg_process)sender,
					    row->phase == IMSG_PHASE_START ? IMSG_PHASE_START
									   : IMSG_PHASE_RUN);
				assert_int_equal(give(&r, row->type, row->size), IMSG_BREACH);
				assert_string_equal(r.channel.breach, text(IMSG_BREACH_ROW));
				assert_int_equal(handled, 0);
			}
		}
	}
}

static void test_every_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < imsg_row_count; i++) {
		const struct imsg_row *row = &imsg_rows[i];
		struct receiver r;

		receiver_of(&r, row->receiver, row->sender,
			    row->phase == IMSG_PHASE_START ? IMSG_PHASE_START : IMSG_PHASE_RUN);
		for (size_t size = 0; size <= IMSG_PAYLOAD_MAX; size++) {
			if (size == row->size)
				continue;
			assert_int_equal(give(&r, row->type, size), IMSG_BREACH);
			assert_string_equal(r.channel.breach, text(IMSG_BREACH_SIZE));
		}
		assert_int_equal(handled, 0);
		/* A refused one does not count as seen. */
		assert_int_equal(give(&r, row->type, row->size), IMSG_OK);
	}
}

/* The header says one size, the datagram has another. */
static void test_header_against_datagram(void **state)
{
	_Alignas(8) uint8_t datagram[IMSG_MAX + 16] = {0};
	struct receiver r;
	size_t len;

	(void)state;
	receiver_of(&r, IMSG_PROCESS_KEYPROC, IMSG_PROCESS_PARENT, IMSG_PHASE_RUN);
	len = imsg_compose(datagram, IMSG_KEY_PING, 77, "12345678", 8);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(imsg_dispatch(&r.channel, &r.table, datagram, cut), IMSG_BREACH);
	for (size_t more = len + 1; more <= sizeof(datagram); more++)
		assert_int_equal(imsg_dispatch(&r.channel, &r.table, datagram, more), IMSG_BREACH);
	for (size_t byte = 0; byte < 8; byte++) {
		datagram[byte] ^= 0x80;
		assert_int_equal(imsg_dispatch(&r.channel, &r.table, datagram, len), IMSG_BREACH);
		datagram[byte] ^= 0x80;
	}
	assert_int_equal(handled, 0);
	assert_int_equal(imsg_dispatch(&r.channel, &r.table, datagram, len), IMSG_OK);
}

static void test_every_type_number(void **state)
{
	struct receiver r;

	(void)state;
	receiver_of(&r, IMSG_PROCESS_KEYPROC, IMSG_PROCESS_NETPROC, IMSG_PHASE_RUN);
	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		const struct imsg_row *row = imsg_row_of((uint16_t)type);

		if (row != NULL && row->receiver == IMSG_PROCESS_KEYPROC &&
		    row->sender == IMSG_PROCESS_NETPROC)
			continue;
		assert_int_equal(give(&r, (uint16_t)type, 0), IMSG_BREACH);
		assert_string_equal(r.channel.breach, text(IMSG_BREACH_ROW));
	}
	assert_int_equal(handled, 0);
}

static void test_a_handler_names_its_breach(void **state)
{
	struct receiver r;

	(void)state;
	receiver_of(&r, IMSG_PROCESS_KEYPROC, IMSG_PROCESS_PARENT, IMSG_PHASE_RUN);
	handler_says = IMSG_BREACH_PADDING;
	assert_int_equal(give(&r, IMSG_KEY_PING, 8), IMSG_BREACH);
	assert_string_equal(r.channel.breach, text(IMSG_BREACH_PADDING));
	handler_says = -1;
	assert_int_equal(give(&r, IMSG_KEY_PING, 8), IMSG_BREACH);
	assert_string_equal(r.channel.breach, text(IMSG_BREACH_VALUE));
	handler_says = 12345;
	assert_int_equal(give(&r, IMSG_KEY_PING, 8), IMSG_BREACH);
	assert_string_equal(r.channel.breach, text(IMSG_BREACH_VALUE));
}

/* A table without a handler for one of its rows must not be jumped through. */
static void test_a_row_without_handler(void **state)
{
	struct receiver r;

	(void)state;
	receiver_of(&r, IMSG_PROCESS_KEYPROC, IMSG_PROCESS_PARENT, IMSG_PHASE_RUN);
	for (size_t i = 0; i < r.table.count; i++)
		r.rows[i].handle = NULL;
	assert_int_equal(give(&r, IMSG_KEY_PING, 8), IMSG_BREACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows_are_the_types),
	    cmocka_unit_test(test_every_row_in_order),
	    cmocka_unit_test(test_every_sender),
	    cmocka_unit_test(test_every_size),
	    cmocka_unit_test(test_header_against_datagram),
	    cmocka_unit_test(test_every_type_number),
	    cmocka_unit_test(test_a_handler_names_its_breach),
	    cmocka_unit_test(test_a_row_without_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
