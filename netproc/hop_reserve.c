/* SPDX-License-Identifier: MIT
 *
 * RESERVE. libp2p specs, relay/circuit-v2.md. The reservation stands before keyproc is asked: a voucher that
 * does not come costs the client nothing.
 */
#include <string.h>

#include "netproc/hop.h"
#include "netproc/key.h"
#include "netproc/net.h"
#include "netproc/reservation.h"

#define VOUCHER_TIME 2000 /* milliseconds that keyproc has */

/* --- the answer --- */

/* Addresses of ours with our id: rust refuses a reservation with none, with one that it cannot parse, or
 * without the id. */
struct addresses {
	size_t count;
	struct multiaddr addr[IMSG_ADDRS];
};

static void tell_private(const struct stream *stream, const struct addresses *addresses)
{
	struct net *net = stream->net;
	if (net->relay->told_private || stream->conn->ip.loopback)
		return;
	for (size_t i = 0; i < addresses->count; i++) {
		if (!multiaddr_is_private(addresses->addr[i].bytes, addresses->addr[i].len))
			continue;
		net->relay->told_private = true;
		log_event(&net->log, LOG_EVENT_PRIVATE_ADDRESS, NULL, NULL, 0, 0, 0, NULL, 0);
		return;
	}
}

/* The configured ones, else the one by which this very client came. */
static void gather(const struct stream *stream, struct addresses *addresses)
{
	const struct net_self *self = &stream->net->self;
	struct multiaddr local;
	addresses->count = 0;
	for (size_t i = 0; i < self->addr_count && i < IMSG_ADDRS; i++) {
		struct multiaddr *addr = &addresses->addr[addresses->count];
		*addr = self->addrs[i];
		if (multiaddr_append_p2p(addr, &self->id) == 0)
			addresses->count++;
	}
	if (addresses->count > 0 || conn_local_addr(stream->conn, &local) != 0)
		return;
	addresses->addr[0] = local;
	if (multiaddr_append_p2p(&addresses->addr[0], &self->id) == 0)
		addresses->count = 1;
}

static void refuse(struct stream *stream, enum circuit_status status, enum net_counter reason)
{
	net_count(stream->net, NET_COUNT_RESERVE_REJECTED);
	net_count(stream->net, reason);
	hop_refuse(stream, status);
}

static void answer(struct stream *stream, uint64_t expire, const uint8_t *voucher, size_t voucher_len)
{
	struct net *net = stream->net;
	struct addresses addresses;
	struct circuit_message m = {
	    .has_type = true,
	    .type = HOP_STATUS,
	    .has_status = true,
	    .status = CIRCUIT_OK,
	    .limit = stop_limit(net),
	    .has_reservation = true,
	    .expire = expire,
	    .voucher = {voucher, voucher_len},
	};
	gather(stream, &addresses);
	tell_private(stream, &addresses);
	for (; m.addr_count < addresses.count; m.addr_count++)
		m.addrs[m.addr_count] =
		    (struct span){addresses.addr[m.addr_count].bytes, addresses.addr[m.addr_count].len};
	if (hop_write(stream, &m) != 0) {
		net_count(net, NET_COUNT_RESERVE_ERROR);
		return;
	}
	net_count(net, NET_COUNT_RESERVE_OK);
	hop_end(stream);
}

/* --- the voucher --- */

static void signed_by_keyproc(struct stream *stream, uint64_t expire, const uint8_t *envelope, size_t len)
{
	struct hop *hop = stream->state;
	if (stream->protocol != &hop_protocol || hop == NULL || hop->state != HOP_SIGNING)
		return;
	if (len == 0)
		hop_reserve_unsigned(stream);
	else
		answer(stream, expire, envelope, len);
}

static void answer_unsigned(struct stream *stream)
{
	const struct net *net = stream->net;
	answer(stream, saturating_add(net->now_unix, net->settings.reservation_ttl), NULL, 0);
}

void hop_reserve_unsigned(struct stream *stream)
{
	net_count(stream->net, NET_COUNT_VOUCHER_KEYPROC);
	answer_unsigned(stream);
}

static void ask_keyproc(struct stream *stream)
{
	struct hop *hop = stream->state;
	struct net *net = stream->net;
	hop->state = HOP_SIGNING;
	stream_set_timer(stream, VOUCHER_TIME);
	key_voucher(net, stream_ref(stream), stream->conn->peer, (uint32_t)net->settings.reservation_ttl,
		    signed_by_keyproc);
}

/* --- the request --- */

/* True when the request may go on to the limits. */
static bool admitted(struct stream *stream)
{
	struct net *net = stream->net;
	if (limits_denied(net, stream->conn->peer)) {
		log_event(&net->log, LOG_EVENT_PEER_DENIED, NULL, NULL, 0, 0, 0, NULL, 0);
		refuse(stream, CIRCUIT_PERMISSION_DENIED, NET_COUNT_RESERVE_REFUSED_DENIED);
		return false;
	}
	if (!limits_reserve_rate(net, stream->conn)) {
		refuse(stream, CIRCUIT_RESOURCE_LIMIT_EXCEEDED, NET_COUNT_RESERVE_REFUSED_LIMIT);
		return false;
	}
	if (net->draining) {
		refuse(stream, CIRCUIT_RESERVATION_REFUSED, NET_COUNT_RESERVE_REFUSED_LIMIT);
		return false;
	}
	return true;
}

void hop_reserve(struct stream *stream)
{
	if (!admitted(stream))
		return;
	if (reservation_grant(stream->conn) == RESERVATION_REFUSED) {
		net_count(stream->net, NET_COUNT_RESERVE_REJECTED);
		hop_refuse(stream, CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
		return;
	}
	if (!stream->net->settings.voucher) {
		answer_unsigned(stream);
	} else if (limits_voucher(stream->net, stream->conn)) {
		ask_keyproc(stream);
	} else {
		net_count(stream->net, NET_COUNT_VOUCHER_RATE);
		answer_unsigned(stream);
	}
}
