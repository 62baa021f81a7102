/* SPDX-License-Identifier: MIT
 *
 * The parent's handlers against children that send anything. The input is a row of messages: a byte that
 * chooses the sender (lowest bit) and the type, then the payload, cut or filled up to the row's size. No
 * message crashes the parent, and no line of its log holds anything that drives a terminal.
 */
#include "fuzz.h"

#include "parent/parent.h"

static struct parent parent;

static void start_again(void)
{
	memset(&parent, 0, sizeof(parent));
	logger_init(&parent.log, -1, LOG_LEVEL_TRACE);
	parent.child[PARENT_KEYPROC].name = "keyproc";
	parent.child[PARENT_NETPROC].name = "netproc";
	parent.listeners.count = 1;
	handlers_init(&parent, &parent.child[PARENT_KEYPROC], -1, IMSG_PROCESS_KEYPROC);
	handlers_init(&parent, &parent.child[PARENT_NETPROC], -1, IMSG_PROCESS_NETPROC);
	parent.child[PARENT_KEYPROC].ping_sent = 3;
	parent.child[PARENT_NETPROC].ping_sent = 3;
	parent.child[PARENT_KEYPROC].asked = true;
	parent.child[PARENT_NETPROC].asked = true;
	parent.draining = true;
}

static void check_log(void)
{
	for (size_t i = 0; i < parent.log.used; i++) {
		unsigned char c = (unsigned char)parent.log.queue[i];

		FUZZ_ASSERT((c >= 0x20 && c != 0x7f) || c == '\n');
	}
	FUZZ_ASSERT(strnlen(parent.last_words, sizeof(parent.last_words)) < sizeof(parent.last_words));
	parent.log.used = 0;
}

static size_t one_message(const uint8_t *data, size_t size)
{
	struct parent_child *child = &parent.child[data[0] & 1];
	enum imsg_type type = (enum imsg_type)(data[0] >> 1);
	const struct imsg_row *row = imsg_row_of((uint16_t)type);
	uint8_t datagram[IMSG_MAX] __attribute__((aligned(8)));
	uint8_t payload[IMSG_PAYLOAD_MAX] = {0};
	size_t wanted = row != NULL ? row->size : 0;
	size_t taken = size - 1 < wanted ? size - 1 : wanted;

	memcpy(payload, data + 1, taken);
	size_t len = imsg_compose(datagram, type, 0, payload, wanted);
	if (len > 0)
		imsg_dispatch(&child->channel, &child->table, datagram, len);
	check_log();
	return 1 + taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start_again();
	for (size_t at = 0; at < size;)
		at += one_message(data + at, size - at);
	return 0;
}
