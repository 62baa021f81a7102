/* SPDX-License-Identifier: MIT
 *
 * Messages of Circuit Relay v2: HopMessage and StopMessage. libp2p specs
 * relay/circuit-v2.md. Called by netproc/hop.c, netproc/stop.c and probe. Hides protobuf-c: callers see plain
 * structs; parsing allocates from a fixed arena on the stack and keeps no unknown field. Spans point into the
 * caller's bytes. Written messages carry their varint length prefix.
 */
#ifndef PROTO_CIRCUIT_MESSAGE_H
#define PROTO_CIRCUIT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/peer_id.h"

#define CIRCUIT_MESSAGE_MAX   4096 /* bytes of a message without its prefix, as rust, go and nim read */
#define CIRCUIT_ADDRS_MAX     16
#define CIRCUIT_HOP_PROTOCOL  "/libp2p/circuit/relay/0.2.0/hop"
#define CIRCUIT_STOP_PROTOCOL "/libp2p/circuit/relay/0.2.0/stop"

enum circuit_type { HOP_RESERVE = 0, HOP_CONNECT = 1, HOP_STATUS = 2, STOP_CONNECT = 0, STOP_STATUS = 1 };

enum circuit_status {
	CIRCUIT_UNUSED = 0,
	CIRCUIT_OK = 100,
	CIRCUIT_RESERVATION_REFUSED = 200,
	CIRCUIT_RESOURCE_LIMIT_EXCEEDED = 201,
	CIRCUIT_PERMISSION_DENIED = 202,
	CIRCUIT_CONNECTION_FAILED = 203,
	CIRCUIT_NO_RESERVATION = 204,
	CIRCUIT_MALFORMED_MESSAGE = 400,
	CIRCUIT_UNEXPECTED_MESSAGE = 401
};

struct circuit_limit {
	bool present;	   /* absent is unlimited; {0,0} is not written by us (go marks it limited) */
	uint32_t duration; /* seconds */
	uint64_t data;	   /* bytes */
};

struct circuit_message {
	bool has_type;
	int type; /* by the protocol it came over */
	bool has_peer;
	struct span peer; /* not yet parsed as a peer id */
	bool has_status;
	int status;
	struct circuit_limit limit;
	bool has_reservation;
	uint64_t expire; /* unix seconds */
	size_t addr_count;
	struct span addrs[CIRCUIT_ADDRS_MAX];
	struct span voucher; /* len 0: absent */
};

/* `bytes` is the message without its length prefix. 0 or -1. On 0 the spans point into `bytes`. */
int hop_message_parse(const uint8_t *bytes, size_t len, struct circuit_message *m);
int stop_message_parse(const uint8_t *bytes, size_t len, struct circuit_message *m);
/* With varint prefix. Type is always written, also when 0. */
void hop_message_write(struct writer *w, const struct circuit_message *m);
void stop_message_write(struct writer *w, const struct circuit_message *m);

#endif
