/* SPDX-License-Identifier: MIT */
#include "netproc/upgrade.h"

#include <string.h>

#include "netproc/limits.h"
#include "netproc/net.h"
#include "netproc/noise.h"
#include "netproc/selection.h"
#include "netproc/yamux.h"

#define UPGRADE_NOISE "/noise"
#define UPGRADE_YAMUX "/yamux/1.0.0"

static bool upgrade_accepts(void *protocol, struct span proposal)
{
	return multistream_is(proposal, protocol);
}

/* Offers bytes to the selection of `protocol`; sends the answers; true once accepted. */
static bool upgrade_select(struct conn *conn, const char *protocol, const uint8_t *bytes, size_t len,
			   size_t *used, void (*send)(struct conn *conn, const uint8_t *bytes, size_t len))
{
	uint8_t answer[SELECTION_ANSWER_MAX];
	struct writer w = writer_of(answer, sizeof(answer));
	enum close_reason reason = CLOSE_NONE;
	enum selection_result result =
	    selection_input(conn->net, &conn->handshake->selection, bytes, len, used, upgrade_accepts,
			    (void *)(uintptr_t)protocol, &w, &reason);

	if (writer_len(&w) > 0)
		send(conn, answer, writer_len(&w));
	if (result == SELECTION_FAILED) {
		conn_flush(conn);
		conn_close(conn, reason);
	}
	return result == SELECTION_ACCEPTED && conn_alive(conn);
}

/* --- inside Noise: the muxer --- */

static void upgrade_log(struct conn *conn)
{
	struct net *net = conn->net;
	struct peer_id id;
	struct log_peer peer;

	conn_peer_id(conn, &id);
	peer = (struct log_peer){id.bytes, id.len};
	log_event(&net->log, LOG_EVENT_PEER_CONNECTED, &peer, NULL, net->counter[NET_COUNT_CONNECTIONS_READY],
		  0, 0, NULL, 0);
}

static void upgrade_established(struct conn *conn)
{
	struct net *net = conn->net;

	noise_handshake_free(conn);
	conn->state = CONN_READY;
	list_remove(&conn->opening);
	conn_touch(conn);
	conn_watch(conn);
	limits_half_open_end(net, &conn->ip);
	net_count(net, NET_COUNT_HANDSHAKES_OK);
	net_count(net, NET_COUNT_CONNECTIONS_READY);
	upgrade_log(conn);
	yamux_start(conn);
	if (net->hooks.conn_established != NULL)
		net->hooks.conn_established(net, conn);
}

static size_t upgrade_muxer_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	size_t used;

	if (!upgrade_select(conn, UPGRADE_YAMUX, bytes, len, &used, noise_send))
		return len;
	upgrade_established(conn);
	if (used < len && conn_alive(conn))
		conn->upper->input(conn, bytes + used, len - used);
	return len;
}

static const struct conn_layer upgrade_muxer = {.input = upgrade_muxer_input};

static void upgrade_noise_done(struct conn *conn)
{
	memset(&conn->handshake->selection, 0, sizeof(conn->handshake->selection));
	conn->upper = &upgrade_muxer;
}

/* --- on the bare socket: security --- */

static void upgrade_send_raw(struct conn *conn, const uint8_t *bytes, size_t len)
{
	uint8_t *out = conn_out_room(conn, len);

	if (out == NULL)
		return;
	memcpy(out, bytes, len);
	conn_out_add(conn, len);
}

static size_t upgrade_security_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	size_t used;

	if (conn->handshake == NULL)
		conn->handshake = pool_alloc(conn->net, sizeof(*conn->handshake));
	if (conn->handshake == NULL) {
		conn_close(conn, CLOSE_MEMORY);
		return 0;
	}
	if (upgrade_select(conn, UPGRADE_NOISE, bytes, len, &used, upgrade_send_raw))
		noise_start(conn, upgrade_noise_done);
	return used;
}

static void upgrade_security_closed(struct conn *conn, enum close_reason reason)
{
	(void)reason;
	noise_handshake_free(conn);
}

const struct conn_layer upgrade_security = {.input = upgrade_security_input,
					    .closed = upgrade_security_closed};
