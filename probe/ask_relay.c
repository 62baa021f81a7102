/* SPDX-License-Identifier: MIT */
#include "probe/ask_relay.h"

#include <stdlib.h>
#include <string.h>

const char *circuit_status_name(int status)
{
	switch (status) {
	case CIRCUIT_OK:
		return "OK";
	case CIRCUIT_RESERVATION_REFUSED:
		return "RESERVATION_REFUSED";
	case CIRCUIT_RESOURCE_LIMIT_EXCEEDED:
		return "RESOURCE_LIMIT_EXCEEDED";
	case CIRCUIT_PERMISSION_DENIED:
		return "PERMISSION_DENIED";
	case CIRCUIT_CONNECTION_FAILED:
		return "CONNECTION_FAILED";
	case CIRCUIT_NO_RESERVATION:
		return "NO_RESERVATION";
	case CIRCUIT_MALFORMED_MESSAGE:
		return "MALFORMED_MESSAGE";
	case CIRCUIT_UNEXPECTED_MESSAGE:
		return "UNEXPECTED_MESSAGE";
	default:
		return "an unknown status";
	}
}

static void ask_relay_send(struct exchange *x, const struct circuit_message *m)
{
	uint8_t out[256];
	struct writer w = writer_of(out, sizeof(out));

	hop_message_write(&w, m);
	exchange_write(x, out, writer_len(&w));
}

void ask_relay_send_reserve(struct exchange *x)
{
	ask_relay_send(x, &(struct circuit_message){.has_type = true, .type = HOP_RESERVE});
}

void ask_relay_send_connect(struct exchange *x, const struct peer_id *destination)
{
	struct circuit_message m = {.has_type = true, .type = HOP_CONNECT, .has_peer = true};

	m.peer = (struct span){destination->bytes, destination->len};
	ask_relay_send(x, &m);
}

static int ask_relay_keep_addrs(struct relay_answer *a, const struct circuit_message *m)
{
	for (size_t i = 0; i < m->addr_count; i++) {
		if (m->addrs[i].len > MULTIADDR_MAX)
			return -1;
		memcpy(a->addrs[i].bytes, m->addrs[i].bytes, m->addrs[i].len);
		a->addrs[i].len = (uint16_t)m->addrs[i].len;
	}
	a->addr_count = m->addr_count;
	return 0;
}

static int ask_relay_keep(struct relay_answer *a, const struct circuit_message *m)
{
	if (!m->has_type || m->type != HOP_STATUS || !m->has_status || m->voucher.len > sizeof(a->voucher))
		return -1;
	a->status = m->status;
	a->limit = m->limit;
	a->has_reservation = m->has_reservation;
	a->expire = m->expire;
	a->voucher_len = m->voucher.len;
	if (m->voucher.len > 0)
		memcpy(a->voucher, m->voucher.bytes, m->voucher.len);
	return ask_relay_keep_addrs(a, m);
}

int ask_relay_read(struct exchange *x, struct relay_answer *a)
{
	struct circuit_message m;
	struct span message;
	int result = exchange_message(x, CIRCUIT_MESSAGE_MAX, &message);

	memset(a, 0, sizeof(*a));
	if (result <= 0)
		return result;
	result =
	    hop_message_parse(message.bytes, message.len, &m) == 0 && ask_relay_keep(a, &m) == 0 ? 1 : -1;
	exchange_took(x, message);
	return result;
}

static const char *ask_relay_check_voucher(const struct relay_answer *a, const struct peer_id *relay,
					   const struct peer_id *me)
{
	struct envelope e;
	struct voucher v;
	struct peer_id signer;

	if (envelope_parse(a->voucher, a->voucher_len, &e) != ENVELOPE_OK ||
	    envelope_kind(&e) != ENVELOPE_VOUCHER)
		return "the voucher is not a voucher's envelope";
	if (envelope_verify(&e, ENVELOPE_VOUCHER) != ENVELOPE_OK)
		return "the voucher's signature is wrong";
	peer_id_from_ed25519(&signer, e.public_key);
	if (voucher_parse(e.payload.bytes, e.payload.len, &v) != 0)
		return "the voucher is malformed";
	if (!peer_id_equal(&signer, relay) || !peer_id_equal(&v.relay, relay))
		return "the voucher is of another relay";
	if (!peer_id_equal(&v.peer, me))
		return "the voucher is for another peer";
	return v.expiration == a->expire ? NULL : "the voucher expires at another time than the reservation";
}

/* An address that a rust client would take: it parses and ends in /p2p/<relay>. */
static bool ask_relay_addr_is_good(const struct multiaddr *a, const struct peer_id *relay)
{
	struct reader r = reader_of(a->bytes, a->len);
	struct multiaddr_part part = {0};
	struct multiaddr_part next;

	if (multiaddr_check(a->bytes, a->len) != 0)
		return false;
	while (multiaddr_next(&r, &next))
		part = next;
	return part.code == MULTIADDR_P2P && part.value.len == relay->len &&
	       memcmp(part.value.bytes, relay->bytes, relay->len) == 0;
}

const char *ask_relay_check(const struct relay_answer *a, const struct peer_id *relay,
			    const struct peer_id *me, uint64_t now)
{
	if (!a->has_reservation)
		return "status OK without a reservation";
	if (a->expire <= now)
		return "it has expired already (is a clock wrong?)";
	if (a->addr_count == 0)
		return "it holds no address: rust clients refuse it";
	for (size_t i = 0; i < a->addr_count; i++)
		if (!ask_relay_addr_is_good(&a->addrs[i], relay))
			return "an address in it does not end in /p2p/<relay>";
	if (a->limit.present && a->limit.duration == 0 && a->limit.data == 0)
		return "a limit of 0 marks connections as limited for go clients";
	return a->voucher_len > 0 ? ask_relay_check_voucher(a, relay, me) : NULL;
}

struct ask_relay_wait {
	struct exchange *x;
	struct relay_answer *answer;
	int result;
};

static bool ask_relay_answered(void *argument)
{
	struct ask_relay_wait *w = argument;

	w->result = ask_relay_read(w->x, w->answer);
	return w->result != 0;
}

static int ask_relay_wait(struct client **clients, size_t count, struct exchange *x, struct relay_answer *a,
			  const char *what)
{
	struct ask_relay_wait w = {.x = x, .answer = a};
	struct client *c = clients[0];

	if (client_wait_all(clients, count, ask_relay_answered, &w, c->timeout_ms, what) != 0)
		return -1;
	if (w.result > 0)
		return 0;
	if (x->state == EXCHANGE_REFUSED)
		return client_fail(c, "the relay does not speak %s", x->protocol);
	return client_fail(c, "the stream ended before %s came", what);
}

int ask_reserve(struct client *c, bool finish, struct relay_answer *a)
{
	struct exchange x;
	int result;

	if (exchange_open(&x, &c->session.mux, CIRCUIT_HOP_PROTOCOL) != 0)
		return client_fail(c, "the session is over");
	ask_relay_send_reserve(&x);
	if (finish)
		exchange_finish(&x);
	result = ask_relay_wait(&c, 1, &x, a, "the answer to RESERVE");
	if (result == 0)
		result = client_wait_over(c, &x, "the end of the RESERVE stream");
	exchange_finish(&x);
	exchange_close(&x);
	return result;
}

int ask_connect(struct client *c, struct exchange *x, const struct peer_id *destination,
		struct client **others, size_t count, struct relay_answer *a)
{
	struct client *clients[64] = {c};

	if (count > 63)
		abort();
	for (size_t i = 0; i < count; i++)
		clients[i + 1] = others[i];
	if (client_open(c, x, CIRCUIT_HOP_PROTOCOL) != 0)
		return -1;
	ask_relay_send_connect(x, destination);
	return ask_relay_wait(clients, count + 1, x, a, "the answer to CONNECT");
}
