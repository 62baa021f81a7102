/* SPDX-License-Identifier: MIT */
#include "netproc/upgrade.h"

#include <string.h>

#include "netproc/limits.h"
#include "netproc/net.h"
#include "netproc/noise.h"
#include "netproc/yamux.h"
#include "proto/multistream.h"

#define UPGRADE_NOISE	 "/noise"
#define UPGRADE_YAMUX	 "/yamux/1.0.0"
#define UPGRADE_ROUNDS	 16 /* refused proposals before it is enough */
#define UPGRADE_ANSWER_MAX (2 * MULTISTREAM_LINE_MAX)

/* One of the two negotiations: what is accepted, and how an answer leaves. */
struct upgrade_stage {
	const char *protocol;
	void (*send)(struct conn *conn, const uint8_t *bytes, size_t len);
};

static void upgrade_send_raw(struct conn *conn, const uint8_t *bytes, size_t len)
{
	uint8_t *out = conn_out_room(conn, len);

	if (out == NULL)
		return;
	memcpy(out, bytes, len);
	conn_out_add(conn, len);
}

/* Takes lines until one is accepted (true) or they run out; answers go out in one piece. */
static bool upgrade_lines(struct conn *conn, const struct upgrade_stage *stage, const uint8_t *bytes, size_t len, size_t *used)
{
	struct handshake *hs = conn->handshake;
	uint8_t answer[UPGRADE_ANSWER_MAX];
	struct writer w = writer_of(answer, sizeof(answer));
	enum close_reason reason = CLOSE_NONE;
	bool accepted = false;
	struct span line;
	size_t took;

	*used = 0;
	while (!accepted && reason == CLOSE_NONE) {
		enum multistream_result result = multistream_next(bytes + *used, len - *used, &line, &took);

		if (result == MULTISTREAM_MORE)
			break;
		*used += result == MULTISTREAM_LINE ? took : 0;
		if (result == MULTISTREAM_BAD) {
			reason = CLOSE_MULTISTREAM_MALFORMED;
		} else if (!hs->header_seen) {
			hs->header_seen = multistream_is(line, MULTISTREAM_HEADER);
			if (hs->header_seen)
				multistream_write_text(&w, MULTISTREAM_HEADER);
			else
				reason = CLOSE_MULTISTREAM_HEADER;
		} else if (multistream_is(line, stage->protocol)) {
			multistream_write_text(&w, stage->protocol);
			accepted = true;
		} else if (++hs->rounds > UPGRADE_ROUNDS) {
			reason = CLOSE_MULTISTREAM_ROUNDS;
		} else {
			multistream_write_text(&w, MULTISTREAM_NA);
			net_count(conn->net, NET_COUNT_PROTOCOL_REFUSED);
		}
	}
	if (writer_len(&w) > 0)
		stage->send(conn, answer, writer_len(&w));
	if (reason != CLOSE_NONE)
		conn_close(conn, reason);
	return accepted && conn_alive(conn);
}

/* --- inside Noise --- */

static const struct upgrade_stage upgrade_muxer_stage = {.protocol = UPGRADE_YAMUX, .send = noise_send};

static void upgrade_established(struct conn *conn)
{
	struct net *net = conn->net;
	struct peer_id id;
	struct log_peer peer;

	noise_handshake_free(conn);
	conn->state = CONN_READY;
	conn->active = (uint32_t)(net->now / 1000);
	wheel_arm(net, &conn->timer, net->settings.idle_timeout * 1000);
	limits_half_open_end(net, &conn->ip);
	net_count(net, NET_COUNT_HANDSHAKES_OK);
	net_count(net, NET_COUNT_CONNECTIONS_READY);
	conn_peer_id(conn, &id);
	peer = (struct log_peer){id.bytes, id.len};
	log_event(&net->log, LOG_EVENT_PEER_CONNECTED, &peer, NULL, net->counter[NET_COUNT_CONNECTIONS_READY], 0, 0, NULL, 0);
	yamux_start(conn);
	if (net->hooks.conn_established != NULL)
		net->hooks.conn_established(net, conn);
}

/* Keeps an unfinished line for the next record. */
static void upgrade_keep(struct conn *conn, const uint8_t *bytes, size_t len)
{
	struct handshake *hs = conn->handshake;

	if (hs == NULL || !conn_alive(conn))
		return;
	if (len > MULTISTREAM_LINE_MAX + 2) {
		conn_close(conn, CLOSE_MULTISTREAM_MALFORMED);
		return;
	}
	if (hs->message == NULL && len > 0)
		hs->message = pool_take(conn->net, MULTISTREAM_LINE_MAX + 2);
	if (len > 0 && hs->message == NULL) {
		conn_close(conn, CLOSE_MEMORY);
		return;
	}
	if (len > 0)
		memmove(hs->message->bytes, bytes, len);
	hs->line_len = (uint16_t)len;
}

/* An unfinished line is completed byte by byte in its buffer, so that what follows the accepted line stays where it was read. */
static size_t upgrade_muxer_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	struct handshake *hs = conn->handshake;
	size_t used = 0, at = 0;
	bool accepted = false;

	while (hs->line_len > 0 && at < len && !accepted && conn_alive(conn)) {
		hs->message->bytes[hs->line_len++] = bytes[at++];
		accepted = upgrade_lines(conn, &upgrade_muxer_stage, hs->message->bytes, hs->line_len, &used);
		if (!conn_alive(conn))
			return len;
		if (used > 0 || hs->line_len > MULTISTREAM_LINE_MAX + 1)
			hs->line_len = 0;
	}
	if (!accepted && at < len) {
		accepted = upgrade_lines(conn, &upgrade_muxer_stage, bytes + at, len - at, &used);
		if (!accepted)
			upgrade_keep(conn, bytes + at + used, len - at - used);
		at += used;
	}
	if (!accepted)
		return len;
	upgrade_established(conn);
	if (at < len && conn_alive(conn))
		conn->upper->input(conn, bytes + at, len - at);
	return len;
}

static const struct conn_layer upgrade_muxer = {.input = upgrade_muxer_input};

static void upgrade_noise_done(struct conn *conn)
{
	conn->handshake->header_seen = false;
	conn->handshake->rounds = 0;
	conn->upper = &upgrade_muxer;
}

/* --- on the bare socket --- */

static const struct upgrade_stage upgrade_security_stage = {.protocol = UPGRADE_NOISE, .send = upgrade_send_raw};

static size_t upgrade_security_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	size_t used;

	if (conn->handshake == NULL)
		conn->handshake = pool_alloc(conn->net, sizeof(*conn->handshake));
	if (conn->handshake == NULL) {
		conn_close(conn, CLOSE_MEMORY);
		return 0;
	}
	if (upgrade_lines(conn, &upgrade_security_stage, bytes, len, &used))
		noise_start(conn, upgrade_noise_done);
	return used;
}

static void upgrade_security_closed(struct conn *conn, enum close_reason reason)
{
	(void)reason;
	noise_handshake_free(conn);
}

const struct conn_layer upgrade_security = {.input = upgrade_security_input, .closed = upgrade_security_closed};
