/* SPDX-License-Identifier: MIT
 *
 * Rendezvous without a network: a net with pool, wheel and store, connections that are only names, and
 * streams whose bytes land in a buffer. What it stands in for (conn, limits, reservations) is set by the
 * fields of struct fixture. Used by the unit tests, the fuzzer and the benchmark of rendezvous.
 */
#ifndef TESTS_UNIT_RENDEZVOUS_FIXTURE_H
#define TESTS_UNIT_RENDEZVOUS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netproc/conn.h"
#include "netproc/net.h"
#include "netproc/rendezvous.h"
#include "netproc/rendezvous_state.h"
#include "netproc/stream.h"
#include "proto/envelope.h"

#define FIXTURE_RECORD_MAX (2 * ENVELOPE_MAX)
#define FIXTURE_POOL	   (UINT64_C(1) << 36)
#define FIXTURE_WINDOW	   (256 * 1024)

struct fixture_peer {
	uint8_t public[32];
	uint8_t secret[64];
	struct peer_id id;
};

struct fixture_record {
	size_t len;
	uint8_t bytes[FIXTURE_RECORD_MAX];
};

/* What became of a stream; by its slot. */
struct fixture_wire {
	struct stream *stream; /* NULL once it is gone */
	uint8_t *bytes;
	size_t len;
	size_t capacity;
	bool finished;
	bool gone;
	enum close_reason reason;
};

struct fixture {
	struct net net;
	struct fixture_peer relay;
	struct fixture_wire *wires;
	size_t wire_count;
	uint32_t conn_count;
	bool rate_full;
	bool denied;
	bool reserved;
	bool refuse;  /* no memory for what is written */
	bool discard; /* counts what is written and keeps nothing */
	uint64_t charged;
	uint64_t charge_most; /* above it answers are refused; 0: never */
	uint64_t written;
};

/* One at a time. Settings are those of profile dusk; `guard` is the privacy guard. */
void fixture_init(struct fixture *f, bool guard);
void fixture_free(struct fixture *f);
void fixture_peer(struct fixture_peer *peer, uint32_t number);
struct conn *fixture_conn(struct fixture *f, const struct fixture_peer *peer);
void fixture_conn_free(struct conn *conn);
struct stream *fixture_stream(struct fixture *f, struct conn *conn);
struct fixture_wire *fixture_wire(struct fixture *f, const struct stream *stream);
void fixture_wire_clear(struct fixture_wire *wire);
/* As the muxer does: bytes, the peer's FIN, the peer's reset, window. The stream may be gone. */
void fixture_data(struct stream *stream, const uint8_t *bytes, size_t len);
void fixture_fin(struct fixture *f, struct stream *stream);
void fixture_rst(struct stream *stream);
void fixture_window(struct stream *stream, uint32_t bytes);
void fixture_sleep(struct fixture *f, uint64_t milliseconds);

/* A signed record of these addresses. */
void fixture_record_of(struct fixture_record *record, const struct fixture_peer *peer,
		       enum envelope_kind kind, uint64_t seq, const struct multiaddr *addrs, size_t count);
/* With the one address of a dusk client: a circuit through the relay. */
void fixture_record(struct fixture *f, struct fixture_record *record, const struct fixture_peer *peer,
		    enum envelope_kind kind, uint64_t seq);

/* fixture_init, one peer that holds a reservation, its connection, and its record of this kind. */
struct conn *fixture_alone(struct fixture *f, bool guard, struct fixture_peer *peer,
			   struct fixture_record *record, enum envelope_kind kind);

void fixture_request(struct stream *stream, const struct rendezvous_request *q);
size_t fixture_request_bytes(const struct rendezvous_request *q, uint8_t *bytes, size_t capacity);
void fixture_register(struct stream *stream, const char *ns, const struct fixture_record *record,
		      uint64_t ttl);
void fixture_discover(struct stream *stream, const char *ns, uint64_t limit, struct span cookie);
/* Takes the next whole answer off the wire; false when there is none. */
bool fixture_answer(struct fixture_wire *wire, struct rendezvous_answer *answer, uint8_t *bytes,
		    size_t capacity);
/* Status of the next answer, -1 when there is none. */
int fixture_status(struct fixture_wire *wire);
struct span fixture_span(const char *text);

#endif
