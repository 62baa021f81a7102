/* SPDX-License-Identifier: MIT
 *
 * Whole connections past their handshake: what three strangers send into yamux, in pieces, with time going
 * on. Some steps send a well-formed request, so that circuits and registrations are reached; all others are
 * bytes of the input as they are.
 */
#include "fuzz.h"

#include "net_world.h"
#include "proto/circuit_message.h"
#include "proto/multistream.h"
#include "proto/rendezvous_message.h"
#include "proto/yamux_frame.h"

static struct world world;

/* Streams that the script opened, odd numbers, for each peer. */
static uint32_t opened[WORLD_PEERS];

/* A frame of data on a new stream: multistream header, proposal, message. */
static void say(unsigned peer, const char *protocol, const uint8_t *message, size_t len, unsigned flags)
{
	uint8_t bytes[YAMUX_HEADER + 1024];
	struct writer w = writer_of(bytes + YAMUX_HEADER, sizeof(bytes) - YAMUX_HEADER);

	multistream_write_text(&w, MULTISTREAM_HEADER);
	multistream_write_text(&w, protocol);
	writer_bytes(&w, message, len);
	opened[peer] += 2;
	yamux_frame_write(bytes, YAMUX_DATA, (uint16_t)(YAMUX_SYN | flags), opened[peer] - 1,
			  (uint32_t)writer_len(&w));
	world_deliver(&world, peer, bytes, YAMUX_HEADER + writer_len(&w));
}

static void hop(unsigned peer, int type, unsigned other, unsigned flags)
{
	uint8_t bytes[256], key[32];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct circuit_message m = {.has_type = true, .type = type};
	struct peer_id id;

	memset(key, (int)other + 1, sizeof(key));
	peer_id_from_ed25519(&id, key);
	m.has_peer = type == HOP_CONNECT;
	m.peer = (struct span){id.bytes, id.len};
	hop_message_write(&w, &m);
	say(peer, CIRCUIT_HOP_PROTOCOL, bytes, writer_len(&w), flags);
}

/* The answer of a destination to the STOP on the relay's stream `id`: agreement and STATUS OK. */
static void stop_ok(unsigned peer, uint32_t id)
{
	static const uint8_t ok[] = {0x04, 0x08, 0x01, 0x20, 0x64};
	uint8_t bytes[YAMUX_HEADER + 128];
	struct writer w = writer_of(bytes + YAMUX_HEADER, sizeof(bytes) - YAMUX_HEADER);

	multistream_write_text(&w, MULTISTREAM_HEADER);
	multistream_write_text(&w, CIRCUIT_STOP_PROTOCOL);
	writer_bytes(&w, ok, sizeof(ok));
	yamux_frame_write(bytes, YAMUX_DATA, YAMUX_ACK, id, (uint32_t)writer_len(&w));
	world_deliver(&world, peer, bytes, YAMUX_HEADER + writer_len(&w));
}

/* Payload on a live stream, more than any small buffer. */
static void bulk(unsigned peer, uint32_t id, size_t len)
{
	static uint8_t bytes[YAMUX_HEADER + 65536];

	yamux_frame_write(bytes, YAMUX_DATA, 0, id, (uint32_t)len);
	world_deliver(&world, peer, bytes, YAMUX_HEADER + len);
}

static void frame(unsigned peer, uint8_t type, uint16_t flags, uint32_t id, uint32_t length)
{
	uint8_t bytes[YAMUX_HEADER];

	yamux_frame_write(bytes, type, flags, id, length);
	world_deliver(&world, peer, bytes, sizeof(bytes));
}

static void discover(unsigned peer)
{
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct rendezvous_request q = {
	    .type = RENDEZVOUS_DISCOVER, .has_ns = true, .ns = {(const uint8_t *)"a", 1}};

	rendezvous_request_write(&w, &q);
	say(peer, RENDEZVOUS_PROTOCOL, bytes, writer_len(&w), 0);
}

/* One step of the script; returns how many bytes it took. */
static size_t step(const uint8_t *data, size_t size)
{
	unsigned peer = data[0] % WORLD_PEERS, what = data[0] / WORLD_PEERS % 16;
	uint8_t a = size > 1 ? data[1] : 0, b = size > 2 ? data[2] : 0;
	size_t len = (size_t)a * 4;

	switch (what) {
	case 0:
		hop(peer, HOP_RESERVE, 0, (a & 1) ? YAMUX_FIN : 0);
		return 2;
	case 1:
		hop(peer, HOP_CONNECT, a % WORLD_PEERS, 0);
		return 2;
	case 2:
		stop_ok(peer, 2 * (uint32_t)(a % 16) + 2);
		return 2;
	case 3:
		bulk(peer, a, (size_t)(b + 1) * 256);
		return 3;
	case 4:
		frame(peer, YAMUX_WINDOW_UPDATE, b & 15, a, (uint32_t)b << 12);
		return 3;
	case 5:
		frame(peer, YAMUX_DATA, (a & 1) ? YAMUX_FIN : YAMUX_RST, b, 0);
		return 3;
	case 6:
		world_turn(&world, (uint64_t)a * (b & 1 ? 1 : 100));
		return 3;
	case 7:
		discover(peer);
		return 1;
	case 8:
		world_connect_ready(&world, peer);
		opened[peer] = 0;
		return 1;
	case 9:
		say(peer, (a & 1) ? "/ipfs/ping/1.0.0" : "/ipfs/id/1.0.0", data, size < 64 ? size : 64, 0);
		return 2;
	default:
		len = len < size - 1 ? len : size - 1;
		world_deliver(&world, peer, data + 1, len);
		return 1 + len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	world_begin(&world);
	for (unsigned peer = 0; peer < WORLD_PEERS; peer++) {
		world_connect_ready(&world, peer);
		opened[peer] = 0;
	}
	while (size > 0) {
		size_t took = step(data, size);

		took = took < size ? took : size;
		data += took;
		size -= took;
	}
	world_end(&world);
	return 0;
}
