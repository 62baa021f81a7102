/* SPDX-License-Identifier: MIT
 *
 * The bulk end of a circuit, cheap enough that one core of load keeps one core of relay busy. It takes over a
 * session of probe once the circuit stands. Sending: frames of one size, each in a record of its own, sealed
 * straight into the output from a payload that never changes. Receiving: yamux headers are decrypted where
 * they stand, payload is counted and left alone; every 64th record is opened and its tag checked. Called by
 * load_peer.c.
 */
#ifndef TESTS_BENCH_LOAD_WIRE_H
#define TESTS_BENCH_LOAD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/session.h"

#define LOAD_WRITE_MAX (SECURE_PLAIN_MAX - YAMUX_HEADER)

struct load_wire {
	bool active;
	uint32_t stream;
	uint32_t window; /* what our reader allows */
	uint64_t send_window;
	uint64_t due; /* taken, and not given back as credit yet */
	uint64_t received;
	uint64_t sent;
	uint64_t records;
	uint32_t payload_left;
	bool payload_ours;
	uint8_t header[YAMUX_HEADER];
	uint8_t header_len;
};

/* Takes the stream over; the caller forgets it. False while the session is in the middle of a frame. */
bool load_wire_begin(struct load_wire *w, struct session *s, struct mux_stream *stream, uint32_t window);
/* What was read: as session_input. Ends the session when the relay ends the circuit. */
void load_wire_input(struct load_wire *w, struct session *s, uint8_t *bytes, size_t len);
/* One frame of `len` payload bytes into the session's output; false when the window has no room for it. */
bool load_wire_send(struct load_wire *w, struct session *s, size_t len);

#endif
