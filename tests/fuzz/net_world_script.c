/* SPDX-License-Identifier: MIT */
#include "net_world_script.h"

#include <sodium.h>
#include <unistd.h>

#include "fuzz.h"
#include "netproc/stream.h"
#include "netproc/yamux.h"
#include "proto/circuit_message.h"
#include "proto/envelope.h"
#include "proto/multiaddr.h"
#include "proto/multistream.h"
#include "proto/noise_wire.h"
#include "proto/rendezvous_message.h"
#include "proto/yamux_frame.h"

#define LATEST 0xf0 /* from here on a number means the latest stream of the peer */

/* A frame of data on a new stream: multistream header, proposal, message. */
static void say(struct world *world, unsigned peer, const char *protocol, const uint8_t *message, size_t len,
		unsigned flags)
{
	uint8_t bytes[YAMUX_HEADER + 2048];
	struct writer w = writer_of(bytes + YAMUX_HEADER, sizeof(bytes) - YAMUX_HEADER);

	multistream_write_text(&w, MULTISTREAM_HEADER);
	multistream_write_text(&w, protocol);
	writer_bytes(&w, message, len);
	world->opened[peer] += 2;
	yamux_frame_write(bytes, YAMUX_DATA, (uint16_t)(YAMUX_SYN | flags), world->opened[peer] - 1,
			  (uint32_t)writer_len(&w));
	world_deliver(world, peer, bytes, YAMUX_HEADER + writer_len(&w));
}

static void hop(struct world *world, unsigned peer, int type, unsigned other, unsigned flags)
{
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct circuit_message m = {.has_type = true, .type = type};
	struct peer_id id;

	peer_id_from_ed25519(&id, world_identity(other)->key);
	m.has_peer = type == HOP_CONNECT;
	m.peer = (struct span){id.bytes, id.len};
	hop_message_write(&w, &m);
	say(world, peer, CIRCUIT_HOP_PROTOCOL, bytes, writer_len(&w), flags);
}

/* The answer of a destination to the STOP on the relay's stream `id`: agreement and STATUS OK. */
static void stop_ok(struct world *world, unsigned peer, uint32_t id)
{
	static const uint8_t ok[] = {0x04, 0x08, 0x01, 0x20, 0x64};
	uint8_t bytes[YAMUX_HEADER + 128];
	struct writer w = writer_of(bytes + YAMUX_HEADER, sizeof(bytes) - YAMUX_HEADER);

	multistream_write_text(&w, MULTISTREAM_HEADER);
	multistream_write_text(&w, CIRCUIT_STOP_PROTOCOL);
	writer_bytes(&w, ok, sizeof(ok));
	yamux_frame_write(bytes, YAMUX_DATA, YAMUX_ACK, id, (uint32_t)writer_len(&w));
	world_deliver(world, peer, bytes, YAMUX_HEADER + writer_len(&w));
}

/* The same on the latest stream of the relay, while it waits. */
static void stop_ok_latest(struct world *world, unsigned peer)
{
	struct conn *conn = conn_find(world_net(), world->conn[peer]);
	struct stream *stream =
	    conn == NULL || conn->upper == NULL ? NULL : yamux_find(&conn->yamux, conn->yamux.next_local - 2);

	if (stream != NULL && !stream->acknowledged)
		stop_ok(world, peer, stream->id);
}

/* Payload on a live stream, more than any small buffer. */
static void bulk(struct world *world, unsigned peer, uint32_t id, size_t len)
{
	static uint8_t bytes[YAMUX_HEADER + 65536];

	yamux_frame_write(bytes, YAMUX_DATA, 0, id, (uint32_t)len);
	world_deliver(world, peer, bytes, YAMUX_HEADER + len);
}

static void frame(struct world *world, unsigned peer, uint8_t type, uint16_t flags, uint32_t id,
		  uint32_t length)
{
	uint8_t bytes[YAMUX_HEADER];

	yamux_frame_write(bytes, type, flags, id, length);
	world_deliver(world, peer, bytes, sizeof(bytes));
}

static void discover(struct world *world, unsigned peer)
{
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_DISCOVER, .has_ns = true, .ns = {(const uint8_t *)"a", 1}};

	rendezvous_request_write(&w, &q);
	say(world, peer, RENDEZVOUS_PROTOCOL, bytes, writer_len(&w), 0);
}

/* A signed record with one address: a circuit through this relay. */
static size_t record_of(unsigned peer, uint64_t seq, uint8_t *bytes, size_t capacity)
{
	const struct world_identity *who = world_identity(peer);
	uint8_t payload[512], part[1024], signature[64];
	struct writer p = writer_of(payload, sizeof(payload)), s = writer_of(part, sizeof(part));
	struct writer w = writer_of(bytes, capacity);
	struct multiaddr addr = world_net()->self.addrs[0];
	struct peer_id id;

	peer_id_from_ed25519(&id, who->key);
	multiaddr_append_p2p(&addr, &world_net()->self.id);
	multiaddr_append_circuit(&addr);
	multiaddr_append_p2p(&addr, &id);
	peer_record_write(&p, &id, seq, &(struct span){addr.bytes, addr.len}, 1);
	envelope_write_signed_part(&s, ENVELOPE_RECORD, payload, writer_len(&p));
	crypto_sign_detached(signature, NULL, part, writer_len(&s), who->secret);
	envelope_write(&w, ENVELOPE_RECORD, who->key, payload, writer_len(&p), signature);
	return writer_len(&w);
}

static void announce(struct world *world, unsigned peer, uint8_t a)
{
	static const char names[] = "abcdef";
	uint8_t bytes[1800], record[1024];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct rendezvous_request q = {.type = a & 0x80 ? RENDEZVOUS_UNREGISTER : RENDEZVOUS_REGISTER,
				       .has_ns = true,
				       .ns = {(const uint8_t *)names + a % 6, 1}};

	if (q.type == RENDEZVOUS_REGISTER)
		q.record = (struct span){record, record_of(peer, a, record, sizeof(record))};
	rendezvous_request_write(&w, &q);
	say(world, peer, RENDEZVOUS_PROTOCOL, bytes, writer_len(&w), 0);
}

/* The place's connection begins again, with the start of a handshake: its first `len` bytes, and junk. */
static void knock(struct world *world, unsigned peer, size_t len)
{
	uint8_t bytes[256] = "\x13/multistream/1.0.0\n\x07/noise\n\x00\x20";
	struct conn *conn = world_connect(world, peer);

	memset(bytes + 30, (int)len + 1, sizeof(bytes) - 30);
	world->opened[peer] = 0;
	FUZZ_ASSERT(len == 0 || write(world->far[peer], bytes, len) == (ssize_t)len);
	conn_read(conn, CONN_READ_HANDSHAKE);
}

size_t world_script_step(struct world *world, const uint8_t *data, size_t size)
{
	unsigned peer = data[0] % WORLD_PEERS, what = data[0] / WORLD_PEERS % 16;
	uint8_t a = size > 1 ? data[1] : 0, b = size > 2 ? data[2] : 0;
	size_t len = (size_t)a * 4;

	switch (what) {
	case 0:
		hop(world, peer, HOP_RESERVE, 0, (a & 1) ? YAMUX_FIN : 0);
		return 2;
	case 1:
		hop(world, peer, HOP_CONNECT, a % WORLD_PEERS, 0);
		return 2;
	case 2:
		stop_ok(world, peer, 2 * (uint32_t)(a % 16) + 2);
		return 2;
	case 3:
		bulk(world, peer, a >= LATEST ? world->opened[peer] - 1 : a, (size_t)(b + 1) * 256);
		return 3;
	case 4:
		frame(world, peer, YAMUX_WINDOW_UPDATE, b & 15, a, (uint32_t)b << 12);
		return 3;
	case 5:
		frame(world, peer, YAMUX_DATA, (a & 1) ? YAMUX_FIN : YAMUX_RST, b, 0);
		return 3;
	case 6:
		world_turn(world, (uint64_t)a * (b & 1 ? 1 : 100));
		return 3;
	case 7:
		discover(world, peer);
		return 1;
	case 8:
		world_connect_ready(world, peer);
		world->opened[peer] = 0;
		return 1;
	case 9:
		say(world, peer, (a & 1) ? "/ipfs/ping/1.0.0" : "/ipfs/id/1.0.0", data, size < 64 ? size : 64,
		    0);
		return 2;
	case 10:
		announce(world, peer, a);
		return 2;
	case 11:
		world_vanish(world, peer);
		return 1;
	case 12:
		world->stalled[peer] = a & 1;
		return 2;
	case 13:
		knock(world, peer, a);
		return 2;
	case 14:
		stop_ok_latest(world, peer);
		return 1;
	default:
		len = len < size - 1 ? len : size - 1;
		world_deliver(world, peer, data + 1, len);
		return 1 + len;
	}
}
