/* SPDX-License-Identifier: MIT
 *
 * The check of a datagram, for each receiver, sender and phase: the first three bytes choose them, the rest
 * is the datagram, given twice. A handler is called only for a row that allows it, with a whole payload.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "imsg/imsg.h"

static const struct imsg_row *called;
static size_t payload_len;
static volatile uint8_t last_byte;

/* Reads every byte that a handler may: the sanitizer objects to one too many. */
static int handle(void *context, uint64_t id, const void *payload)
{
	const uint8_t *bytes = payload;

	(void)id;
	called = context;
	for (size_t i = 0; i < payload_len; i++)
		last_byte = bytes[i];
	return 0;
}

static struct imsg_table table_of(enum imsg_process self, enum imsg_phase phase, struct imsg_row *rows)
{
	struct imsg_table table = {.rows = rows, .context = rows, .phase = phase};

	for (size_t i = 0; i < imsg_row_count; i++) {
		if (imsg_rows[i].receiver != self)
			continue;
		rows[table.count] = imsg_rows[i];
		rows[table.count++].handle = handle;
	}
	return table;
}

static void check_call(const struct imsg_channel *channel, const struct imsg_table *table,
		       const uint8_t *datagram, size_t len)
{
	uint16_t type;

	memcpy(&type, datagram + 2, sizeof(type));
	const struct imsg_row *row = imsg_row_of(type);

	FUZZ_ASSERT(called != NULL && row != NULL && row->sender == channel->peer);
	FUZZ_ASSERT(len == 16u + row->size);
	FUZZ_ASSERT(row->phase == IMSG_PHASE_ANY || row->phase == table->phase);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct imsg_row rows[IMSG_TYPE_COUNT];

	if (size < 3)
		return 0;
	struct imsg_table table =
	    table_of((enum imsg_process)(data[0] % 3), (enum imsg_phase)(data[2] % 2), rows);
	struct imsg_channel channel = {.fd = -1, .peer = (enum imsg_process)(data[1] % 3)};
	size_t len = size - 3;
	uint8_t *datagram = malloc(len > 0 ? len : 1); /* exact, so that a read beyond it is seen */

	FUZZ_ASSERT(datagram != NULL);
	memcpy(datagram, data + 3, len);
	payload_len = len >= 16 ? len - 16 : 0;
	for (int i = 0; i < 2; i++) {
		called = NULL;
		if (imsg_dispatch(&channel, &table, datagram, len) == IMSG_OK)
			check_call(&channel, &table, datagram, len);
		else
			FUZZ_ASSERT(called == NULL && channel.breach != NULL);
	}
	free(datagram);
	return 0;
}
