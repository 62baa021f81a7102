/* SPDX-License-Identifier: MIT
 *
 * multistream-select 1.0 lines (multiformats/multistream-select). Called by netproc/negotiate.c and probe.
 * Trusts nothing; copies nothing.
 */
#ifndef PROTO_MULTISTREAM_H
#define PROTO_MULTISTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

#define MULTISTREAM_LINE_MAX                                                                                 \
	1024 /* bytes of one message with its newline; the length prefix is at most two bytes */
#define MULTISTREAM_HEADER "/multistream/1.0.0"
#define MULTISTREAM_NA	   "na"

enum multistream_result { MULTISTREAM_LINE, MULTISTREAM_MORE, MULTISTREAM_BAD };

/* Looks for one whole message at the start of `bytes`. MULTISTREAM_LINE: `line` is the text without newline
 * and `used` the bytes it took. MULTISTREAM_MORE: not whole yet. MULTISTREAM_BAD: too long, empty, or without
 * newline. */
enum multistream_result multistream_next(const uint8_t *bytes, size_t len, struct span *line, size_t *used);
bool multistream_is(struct span line, const char *text);
void multistream_write(struct writer *w, const void *text, size_t len);
void multistream_write_text(struct writer *w, const char *text);

#endif
