/* SPDX-License-Identifier: MIT
 *
 * The identify message.
 */
#include "fuzz.h"

#include "proto/identify_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identify_message m;

	if (identify_message_parse(data, size, &m) != 0)
		return 0;
	FUZZ_ASSERT(size <= IDENTIFY_MESSAGE_MAX);
	FUZZ_ASSERT(m.addr_count <= IDENTIFY_LIST_MAX && m.protocol_count <= IDENTIFY_LIST_MAX);
	fuzz_span_inside(m.public_key, data, size);
	fuzz_span_inside(m.observed, data, size);
	fuzz_span_inside(m.protocol_version, data, size);
	fuzz_span_inside(m.agent_version, data, size);
	fuzz_span_inside(m.signed_record, data, size);
	for (size_t i = 0; i < m.addr_count; i++)
		fuzz_span_inside(m.addrs[i], data, size);
	for (size_t i = 0; i < m.protocol_count; i++)
		fuzz_span_inside(m.protocol_spans[i], data, size);
	return 0;
}
