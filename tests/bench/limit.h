/* SPDX-License-Identifier: MIT
 *
 * The bare forwarder: what a relay cannot do without, and nothing else. One process, epoll, the real
 * handshake, reservations and circuits for clients that behave; records opened and sealed where they stand,
 * small frames gathered; window updates passed through, so it keeps no windows. No limits, no deadlines, no
 * confinement, no checks: never to be run for anybody. The other programs are measured against it. Shared by
 * limit*.c.
 */
#ifndef TESTS_BENCH_LIMIT_H
#define TESTS_BENCH_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/bytes.h"
#include "probe/identity.h"
#include "probe/secure.h"
#include "proto/buf.h"
#include "proto/yamux_frame.h"

enum limit_stage { LIMIT_SECURITY, LIMIT_NOISE_1, LIMIT_NOISE_3, LIMIT_MUXER, LIMIT_OPEN };

struct limit_noise {
	uint8_t chain[32];
	uint8_t hash[32];
	struct secure_key key;
	uint8_t ephemeral[32];
};

struct limit_conn;

/* A stream that is not a circuit yet, or one half of a circuit. */
struct limit_stream {
	struct limit_stream *next;
	struct limit_conn *conn;
	struct limit_stream *other; /* the other half; NULL while its own request is under way */
	uint32_t id;
	bool linked;
	bool stop;     /* opened by us */
	uint8_t lines; /* multistream lines seen */
	bool hop;
	struct bytes in;
};

struct limit_conn {
	int fd;
	enum limit_stage stage;
	bool dead;
	struct limit_noise *noise;
	struct secure_key send;
	struct secure_key receive;
	uint8_t peer[32];
	uint32_t next_id;
	struct limit_conn *next; /* in the table of reservations */
	bool reserved;
	struct limit_stream *streams;
	struct bytes in;  /* a record that is not whole yet */
	struct bytes out; /* what the socket did not take */
	struct yamux_frame frame;
	uint8_t header[YAMUX_HEADER];
	uint8_t header_len;
	uint32_t payload_left;
};

struct limit_relay {
	struct identity me;
	uint8_t static_secret[32];
	uint8_t static_public[32];
	uint8_t signature[64];
	uint16_t port;
	int epoll;
	struct limit_conn *table[4096];
};

extern struct limit_relay relay;

/* limit_noise.c: the responder's side. Message 1 in, message 2 to `out` (its length returned); message 3 in.
 */
size_t limit_noise_answer(struct limit_conn *c, const uint8_t message1[32], uint8_t *out);
int limit_noise_finish(struct limit_conn *c, const uint8_t *message3, size_t len);

/* limit_forward.c: plain bytes for a connection, sealed and written by the end of the read at the latest. The
 * YAMUX_HEADER, length and tag around `record` (2 + len + SECURE_TAG bytes) may be overwritten when it is
 * given. */
void limit_send(struct limit_conn *to, const uint8_t *plain, size_t len);
void limit_send_record(struct limit_conn *to, uint8_t *record, size_t len);
void limit_send_end(void);
void limit_write(struct limit_conn *c, const uint8_t *bytes, size_t len);
void limit_flush(struct limit_conn *c);

/* limit_mux.c */
void limit_plain(struct limit_conn *c, uint8_t *record, uint8_t *plain, size_t len);
void limit_streams_end(struct limit_conn *c);

/* limit_hop.c */
void limit_stream_data(struct limit_stream *s, const uint8_t *bytes, size_t len);
void limit_stream_free(struct limit_stream *s);
struct limit_stream *limit_stream_new(struct limit_conn *c, uint32_t id);
void limit_table_remove(struct limit_conn *c);

#endif
