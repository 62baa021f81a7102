/* SPDX-License-Identifier: MIT
 *
 * How a hop stream is answered.
 */
#include "netproc/hop.h"
#include "netproc/net.h"

int hop_write(struct stream *stream, const struct circuit_message *m)
{
	uint8_t bytes[CIRCUIT_MESSAGE_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));
	hop_message_write(&w, m);
	if (!w.bad && stream_write(stream, bytes, writer_len(&w)) == 0)
		return 0;
	stream_reset(stream, CLOSE_MEMORY);
	return -1;
}

void hop_end(struct stream *stream)
{
	struct hop *hop = stream->state;
	hop->state = HOP_DONE;
	stream_set_timer(stream, HOP_LINGER);
	stream_finish(stream);
}

void hop_name_fault(struct net *net, enum close_reason reason)
{
	net->closed[reason]++;
	log_event(&net->log, LOG_EVENT_STREAM_CLOSED, NULL, NULL, (uint64_t)reason, 0, 0, NULL, 0);
}

void hop_refuse(struct stream *stream, enum circuit_status status)
{
	struct circuit_message m = {
	    .has_type = true,
	    .type = HOP_STATUS,
	    .has_status = true,
	    .status = (int)status,
	};
	if (hop_write(stream, &m) == 0)
		hop_end(stream);
}
