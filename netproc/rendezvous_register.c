/* SPDX-License-Identifier: MIT
 *
 * REGISTER and UNREGISTER. Everything that any client would check of a record is checked here, since one that
 * a client cannot read destroys the answer for everybody who discovers the namespace. Bytes
 * that the peer registered before are not verified again: what was true of them still is. */
#include "netproc/rendezvous_state.h"

#include "netproc/conn.h"
#include "netproc/limits.h"
#include "netproc/net.h"
#include "netproc/pool.h"
#include "netproc/relay.h"
#include "proto/envelope.h"
#include "proto/utf8.h"

#define TTL_DEFAULT 7200
#define TTL_MOST    259200

static void log_request(const struct conn *conn, enum log_event event, struct span ns)
{
	struct peer_id id;
	struct log_peer peer;

	if (log_event_rows[event].level > conn->net->log.level)
		return;
	conn_peer_id(conn, &id);
	peer = (struct log_peer){id.bytes, id.len};
	log_event(&conn->net->log, event, &peer, NULL, 0, 0, 0, ns.bytes, ns.len);
}

bool rendezvous_namespace_valid(struct span ns)
{
	return ns.len <= RENDEZVOUS_NAMESPACE_MAX && utf8_valid(ns.bytes, ns.len);
}

/* The seconds asked for, or the default when none or 0 are. */
static enum rendezvous_status take_ttl(const struct net *net, const struct rendezvous_request *q,
				       uint64_t *ttl)
{
	*ttl = !q->has_ttl || q->ttl == 0 ? TTL_DEFAULT : q->ttl;
	if (*ttl > TTL_MOST || *ttl < net->settings.min_registration_ttl)
		return RENDEZVOUS_INVALID_TTL;
	return RENDEZVOUS_OK;
}

struct addresses {
	size_t count;
	size_t circuits; /* of those, through this relay and to nobody but the registrant */
};

static struct addresses look_at_addresses(const struct net *net, struct peer_record record)
{
	struct addresses seen = {0};
	struct span addr;

	while (peer_record_next(&record, &addr)) {
		seen.count++;
		if (multiaddr_is_circuit_of(addr.bytes, addr.len, &net->self.id, &record.peer))
			seen.circuits++;
	}
	return seen;
}

static enum rendezvous_status refuse_by_guard(struct net *net)
{
	net_count(net, NET_COUNT_REGISTER_GUARD);
	log_event(&net->log, LOG_EVENT_GUARD_REFUSED, NULL, NULL, 0, 0, 0, NULL, 0);
	return RENDEZVOUS_NOT_AUTHORIZED;
}

static enum rendezvous_status verify(const struct conn *conn, struct rendezvous_offer *offer)
{
	struct net *net = conn->net;
	struct envelope envelope;
	struct peer_record record;
	enum envelope_kind kind;
	struct addresses seen;
	struct peer_id id;

	if (net->rendezvous->checks > 0)
		net->rendezvous->checks--;
	if (peer_record_open(offer->record.bytes, offer->record.len, &envelope, &kind, &record) !=
	    ENVELOPE_OK)
		return RENDEZVOUS_INVALID_SIGNED_PEER_RECORD;
	conn_peer_id(conn, &id);
	if (!peer_id_equal(&id, &record.peer)) {
		net_count(net, NET_COUNT_REGISTER_NOT_AUTHORIZED);
		return RENDEZVOUS_NOT_AUTHORIZED;
	}
	seen = look_at_addresses(net, record);
	if (net->settings.privacy_guard && seen.circuits < seen.count)
		return refuse_by_guard(net);
	offer->kind = kind == ENVELOPE_RECORD ? RENDEZVOUS_STANDARD : RENDEZVOUS_LEGACY;
	offer->circuits = seen.count > 0 && seen.circuits == seen.count;
	return RENDEZVOUS_OK;
}

static enum rendezvous_status take_record(const struct conn *conn, const struct rendezvous_request *q,
					  struct rendezvous_offer *offer)
{
	const struct rendezvous_envelope *known;

	offer->record = q->record;
	if (q->record.len == 0 || q->record.len > ENVELOPE_MAX)
		return RENDEZVOUS_INVALID_SIGNED_PEER_RECORD;
	known = rendezvous_store_known(&conn->net->rendezvous->store, conn->peer, q->record);
	if (known == NULL)
		return verify(conn, offer);
	offer->kind = known->kind;
	offer->circuits = known->circuits;
	return RENDEZVOUS_OK;
}

bool rendezvous_register_must_wait(const struct conn *conn, const struct rendezvous_request *q)
{
	const struct rendezvous *rendezvous = conn->net->rendezvous;

	return rendezvous->turns && rendezvous->checks == 0 && q->record.len > 0 &&
	       rendezvous_store_known(&rendezvous->store, conn->peer, q->record) == NULL;
}

static uint64_t limit_of(const struct net *net, enum net_setting setting)
{
	const struct net_settings *settings = &net->settings;

	switch (setting) {
	case NET_SETTING_max_registrations_per_peer:
		return settings->max_registrations_per_peer;
	case NET_SETTING_max_registrations_per_namespace:
		return settings->max_registrations_per_namespace;
	case NET_SETTING_max_registrations:
		return settings->max_registrations;
	case NET_SETTING_max_memory:
		return pool_cap(net);
	default:
		return settings->max_registration_bytes;
	}
}

static enum rendezvous_status put(struct conn *conn, const struct rendezvous_offer *offer)
{
	struct net *net = conn->net;
	enum net_setting setting;

	switch (rendezvous_store_put(&net->rendezvous->store, offer, &setting)) {
	case RENDEZVOUS_PUT_NEW:
		net_count(net, NET_COUNT_REGISTER_OK);
		log_request(conn, LOG_EVENT_REGISTERED, offer->ns);
		break;
	case RENDEZVOUS_PUT_AGAIN:
		net_count(net, NET_COUNT_REGISTER_REFRESHED);
		log_request(conn, LOG_EVENT_REGISTERED_AGAIN, offer->ns);
		break;
	case RENDEZVOUS_PUT_OVER_SHARE:
		net_count(net, NET_COUNT_REGISTER_SHARE);
		log_event(&net->log, LOG_EVENT_REGISTER_REFUSED_SHARE, NULL, NULL, 0, setting, 0, NULL, 0);
		return RENDEZVOUS_UNAVAILABLE;
	default:
		net_count(net, NET_COUNT_REGISTER_UNAVAILABLE);
		log_event(&net->log, LOG_EVENT_REGISTER_REFUSED, NULL, NULL, limit_of(net, setting), setting,
			  0, NULL, 0);
		return RENDEZVOUS_UNAVAILABLE;
	}
	conn->registered_kind = true;
	conn->kind_standard = offer->kind == RENDEZVOUS_STANDARD;
	return RENDEZVOUS_OK;
}

/* Who may not, and what is not worth looking at. */
static enum rendezvous_status admit(struct conn *conn, const struct rendezvous_request *q, uint64_t *ttl)
{
	struct net *net = conn->net;

	if (!limits_rendezvous_rate(net, conn)) {
		net_count(net, NET_COUNT_REGISTER_RATE);
		return RENDEZVOUS_UNAVAILABLE;
	}
	if (limits_denied(net, conn->peer)) {
		net_count(net, NET_COUNT_REGISTER_NOT_AUTHORIZED);
		log_event(&net->log, LOG_EVENT_PEER_DENIED, NULL, NULL, 0, 0, 0, NULL, 0);
		return RENDEZVOUS_NOT_AUTHORIZED;
	}
	if (!q->has_ns || !rendezvous_namespace_valid(q->ns)) {
		net_count(net, NET_COUNT_REGISTER_INVALID_NAMESPACE);
		return RENDEZVOUS_INVALID_NAMESPACE;
	}
	if (take_ttl(net, q, ttl) != RENDEZVOUS_OK) {
		net_count(net, NET_COUNT_REGISTER_INVALID_TTL);
		return RENDEZVOUS_INVALID_TTL;
	}
	return RENDEZVOUS_OK;
}

enum rendezvous_status rendezvous_register(struct conn *conn, const struct rendezvous_request *q,
					   uint64_t *ttl)
{
	struct net *net = conn->net;
	struct rendezvous_offer offer = {
	    .peer = conn->peer, .from = conn->ip.exempt ? NULL : &conn->ip, .ns = q->ns};
	enum rendezvous_status status = admit(conn, q, ttl);

	if (status == RENDEZVOUS_OK) {
		status = take_record(conn, q, &offer);
		if (status == RENDEZVOUS_INVALID_SIGNED_PEER_RECORD)
			net_count(net, NET_COUNT_REGISTER_INVALID_RECORD);
	}
	if (status == RENDEZVOUS_OK) {
		offer.ttl = (uint32_t)*ttl;
		offer.reserved = reservation_held(net, conn->peer);
		status = put(conn, &offer);
	}
	if (status != RENDEZVOUS_OK)
		log_request(conn, LOG_EVENT_REGISTER_REJECTED, q->ns);
	return status;
}

/* Not counted against the rate: it costs a look-up, there is no answer to refuse it with, and it must not be
 * lost. */
void rendezvous_unregister(struct conn *conn, const struct rendezvous_request *q)
{
	struct rendezvous_store *store = &conn->net->rendezvous->store;
	struct rendezvous_entry *entry = NULL;

	net_count(conn->net, NET_COUNT_UNREGISTER);
	if (q->ns.len <= RENDEZVOUS_NAMESPACE_MAX)
		entry = rendezvous_store_find(store, conn->peer, q->ns);
	if (entry == NULL)
		return;
	rendezvous_store_remove(store, entry);
	log_request(conn, LOG_EVENT_UNREGISTERED, q->ns);
}
