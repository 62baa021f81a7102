/* SPDX-License-Identifier: MIT
 *
 * A queue of bytes that grows: what waits to be written, and what came and is not whole yet.
 * Called by every file of probe. Trusts its caller with lengths; running out of memory ends the program, for
 * probe is a client tool.
 */
#ifndef PROBE_BYTES_H
#define PROBE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *data;
	size_t start;
	size_t end;
	size_t capacity;
};

size_t bytes_len(const struct bytes *b);
uint8_t *bytes_at(const struct bytes *b);
/* Room for `len` bytes behind the last one; bytes_added says how many were put there. */
uint8_t *bytes_room(struct bytes *b, size_t len);
void bytes_added(struct bytes *b, size_t len);
void bytes_append(struct bytes *b, const void *bytes, size_t len);
/* Drops the first `len` bytes. */
void bytes_consume(struct bytes *b, size_t len);
void bytes_free(struct bytes *b);

#endif
