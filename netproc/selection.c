/* SPDX-License-Identifier: MIT */
#include "netproc/selection.h"

#include <string.h>

#include "netproc/net.h"

struct selection_call {
	struct net *net;
	bool (*accepts)(void *context, struct span proposal);
	void *context;
	struct writer *answer;
	enum close_reason *reason;
};

static enum selection_result selection_fail(const struct selection_call *call, enum close_reason reason)
{
	*call->reason = reason;
	return SELECTION_FAILED;
}

static enum selection_result selection_line(struct selection *selection, const struct selection_call *call,
					    struct span line)
{
	if (!selection->header_seen) {
		if (!multistream_is(line, MULTISTREAM_HEADER))
			return selection_fail(call, CLOSE_MULTISTREAM_HEADER);
		selection->header_seen = true;
		multistream_write_text(call->answer, MULTISTREAM_HEADER);
		return SELECTION_MORE;
	}
	if (call->accepts(call->context, line)) {
		multistream_write(call->answer, line.bytes, line.len);
		return SELECTION_ACCEPTED;
	}
	if (++selection->rounds > SELECTION_ROUNDS)
		return selection_fail(call, CLOSE_MULTISTREAM_ROUNDS);
	multistream_write_text(call->answer, MULTISTREAM_NA);
	net_count(call->net, NET_COUNT_PROTOCOL_REFUSED);
	return SELECTION_MORE;
}

/* Whole lines at the front of `bytes`. */
static enum selection_result selection_lines(struct selection *selection, const struct selection_call *call,
					     const uint8_t *bytes, size_t len, size_t *used)
{
	enum selection_result result = SELECTION_MORE;

	*used = 0;
	while (result == SELECTION_MORE) {
		struct span line;
		size_t took;

		switch (multistream_next(bytes + *used, len - *used, &line, &took)) {
		case MULTISTREAM_MORE:
			return SELECTION_MORE;
		case MULTISTREAM_BAD:
			return selection_fail(call, CLOSE_MULTISTREAM_MALFORMED);
		case MULTISTREAM_LINE:
			*used += took;
			result = selection_line(selection, call, line);
		}
	}
	return result;
}

/* Whoever speaks another protocol (HTTP, say) is told apart at the first byte that differs, not at the end of
 * a line that never comes. */
static bool selection_header_begins(const uint8_t *bytes, size_t len)
{
	static const char header[] = "\x13" MULTISTREAM_HEADER "\n";
	size_t most = sizeof(header) - 1;

	return memcmp(bytes, header, len < most ? len : most) == 0;
}

/* Keeps an unfinished line: shorter than the longest whole one, or it would have been refused. */
static enum selection_result selection_keep(struct selection *selection, const struct selection_call *call,
					    const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return SELECTION_MORE;
	if (!selection->header_seen && !selection_header_begins(bytes, len))
		return selection_fail(call, CLOSE_MULTISTREAM_HEADER);
	if (selection->line == NULL)
		selection->line = pool_take(call->net, MULTISTREAM_LINE_MAX + 2);
	if (selection->line == NULL)
		return selection_fail(call, CLOSE_MEMORY);
	memcpy(selection->line->bytes, bytes, len);
	selection->line->end = (uint32_t)len;
	return SELECTION_MORE;
}

/* Completes the unfinished line byte by byte, so that what follows it stays where it is. */
static enum selection_result selection_complete(struct selection *selection,
						const struct selection_call *call, const uint8_t *bytes,
						size_t len, size_t *used)
{
	enum selection_result result = SELECTION_MORE;
	struct pool_buffer *line = selection->line;
	size_t taken = 0;

	for (*used = 0; *used < len && taken == 0 && result == SELECTION_MORE; ++*used) {
		line->bytes[line->end++] = bytes[*used];
		if (!selection->header_seen && !selection_header_begins(line->bytes, line->end))
			return selection_fail(call, CLOSE_MULTISTREAM_HEADER);
		result = selection_lines(selection, call, line->bytes, line->end, &taken);
	}
	if (taken > 0)
		selection_free(call->net, selection);
	return result;
}

enum selection_result selection_input(struct net *net, struct selection *selection, const uint8_t *bytes,
				      size_t len, size_t *used,
				      bool (*accepts)(void *context, struct span proposal), void *context,
				      struct writer *answer, enum close_reason *reason)
{
	struct selection_call call = {net, accepts, context, answer, reason};
	enum selection_result result = SELECTION_MORE;
	size_t first = 0, rest = 0;

	if (selection->line != NULL)
		result = selection_complete(selection, &call, bytes, len, &first);
	if (result == SELECTION_MORE && selection->line == NULL) {
		result = selection_lines(selection, &call, bytes + first, len - first, &rest);
		if (result == SELECTION_MORE) {
			result = selection_keep(selection, &call, bytes + first + rest, len - first - rest);
			rest = len - first;
		}
	}
	*used = first + rest;
	return result;
}

void selection_free(struct net *net, struct selection *selection)
{
	pool_give(net, selection->line);
	selection->line = NULL;
}
