/* SPDX-License-Identifier: MIT
 *
 * A whole conversation with the handlers of metrics, by a parent that sends anything of the right size. Each
 * message is: a byte that chooses the type, a length byte, that many bytes of payload; the rest is zero.
 * After a breach nothing more is answered; what is answered is a pong with the question's bytes, or a line of
 * log.
 */
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "metrics/metrics.h"

static struct imsg_channel parent;
static struct metrics metrics;

static void open_once(void)
{
	int pair[2];

	if (parent.fd > 0)
		return;
	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	imsg_channel_open(&metrics.parent, pair[0], IMSG_PROCESS_PARENT);
	imsg_channel_open(&parent, pair[1], IMSG_PROCESS_METRICS);
}

/* Empties the parent's end; counts what came. Pongs must be the question again. */
static int drain(const uint8_t *asked)
{
	_Alignas(8) uint8_t in[IMSG_MAX];
	int count = 0;
	ssize_t n;

	while ((n = read(parent.fd, in, sizeof(in))) > 0) {
		const struct imsg_row *row = imsg_row_of((uint16_t)(in[2] | in[3] << 8));

		FUZZ_ASSERT(row != NULL && n == 16 + row->size && row->sender == IMSG_PROCESS_METRICS);
		if (row->type == IMSG_METRICS_PONG)
			FUZZ_ASSERT(memcmp(in + 16, asked, row->size) == 0);
		count++;
	}
	return count;
}

static void check_kept(const struct imsg_row *row, const uint8_t *payload)
{
	if (row->type == IMSG_METRICS_CONF)
		FUZZ_ASSERT(metrics.configured && metrics.conf.log_level <= LOG_LEVEL_TRACE);
	if (row->type == IMSG_METRICS_START)
		FUZZ_ASSERT(metrics.started && metrics.configured);
	if (row->type == IMSG_METRICS_COUNTERS)
		FUZZ_ASSERT(metrics_is_fresh(&metrics) && memcmp(&metrics.counters, payload, row->size) == 0);
}

/* One message; true while the conversation goes on. */
static bool give(const struct imsg_row *row, const uint8_t *bytes, size_t len)
{
	_Alignas(8) uint8_t datagram[IMSG_MAX], payload[IMSG_PAYLOAD_MAX] = {0};

	memcpy(payload, bytes, len < row->size ? len : row->size);
	size_t whole = imsg_compose(datagram, (enum imsg_type)row->type, 1, payload, row->size);
	enum imsg_result result = imsg_dispatch(&metrics.parent, &metrics.table, datagram, whole);
	int answers = drain(payload);

	FUZZ_ASSERT(result == IMSG_OK || (result == IMSG_BREACH && answers == 0));
	if (result == IMSG_OK)
		check_kept(row, payload);
	return result == IMSG_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_once();
	metrics.table = (struct imsg_table){
	    .rows = metrics_rows, .count = metrics_row_count, .context = &metrics, .phase = IMSG_PHASE_START};
	metrics.configured = metrics.started = metrics.counted = metrics.changed = false;
	log_init(&metrics.log, &metrics.parent, IMSG_METRICS_LOG, LOG_LEVEL_INFO);
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		if (!give(&metrics_rows[data[0] % metrics_row_count], data + 2, len))
			return 0;
		if (metrics.started)
			metrics.table.phase = IMSG_PHASE_RUN;
		data += 2 + len;
		size -= 2 + len;
	}
	return 0;
}
