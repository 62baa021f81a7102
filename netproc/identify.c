/* SPDX-License-Identifier: MIT
 *
 * The identify message: made anew for each stream, since the address seen differs; nothing is kept.
 */
#include "netproc/identify.h"

#include <string.h>

#include "netproc/conn.h"
#include "netproc/net.h"
#include "netproc/protocol_list.h"

#define PROTOCOL_VERSION "/dusk/relay/1.0.0"
#define AGENT_VERSION	 "dusk-relay/" DUSK_VERSION
#define IDENTIFY_STREAMS 8 /* a client asks once in minutes; js opens one more after each reservation */

static struct span span_of_text(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static void list_protocols(const struct net *net, struct identify_message *m)
{
	const struct net_settings *settings = &net->settings;
#define PROTOCOL_LIST(id, object, listed, wanted)                                                            \
	if ((listed) && (wanted))                                                                            \
		m->protocols[m->protocol_count++] = id;
	PROTOCOLS(PROTOCOL_LIST)
#undef PROTOCOL_LIST
	(void)settings;
}

static void describe(const struct net *net, const uint8_t public_key[PUBLIC_KEY_ED25519],
		     struct identify_message *m)
{
	m->public_key = (struct span){public_key, PUBLIC_KEY_ED25519};
	m->protocol_version = span_of_text(PROTOCOL_VERSION);
	m->agent_version = span_of_text(AGENT_VERSION);
	m->signed_record = (struct span){net->self.record, net->self.record_len};
	for (; m->addr_count < net->self.addr_count && m->addr_count < IMSG_ADDRS; m->addr_count++) {
		const struct multiaddr *addr = &net->self.addrs[m->addr_count];
		m->addrs[m->addr_count] = (struct span){addr->bytes, addr->len};
	}
	list_protocols(net, m);
}

/* rust reads 4096 bytes and no more. Eight long names twice do not fit: then the signed copy stays out, which
 * go and js do without. */
static size_t write_message(struct identify_message *m, uint8_t out[IDENTIFY_MESSAGE_MAX])
{
	struct writer w = writer_of(out, IDENTIFY_MESSAGE_MAX);
	identify_message_write(&w, m);
	if (w.bad) {
		m->signed_record = (struct span){0};
		w = writer_of(out, IDENTIFY_MESSAGE_MAX);
		identify_message_write(&w, m);
	}
	return w.bad ? 0 : writer_len(&w);
}

static void identify_open(struct stream *stream)
{
	struct net *net = stream->net;
	struct identify_message m = {0};
	struct multiaddr seen = {0};
	uint8_t public_key[PUBLIC_KEY_ED25519];
	uint8_t bytes[IDENTIFY_MESSAGE_MAX];

	conn_touch(stream->conn);
	public_key_write(public_key, net->self.key);
	describe(net, public_key, &m);
	if (net->settings.observed_address) {
		conn_remote_addr(stream->conn, &seen);
		m.observed = (struct span){seen.bytes, seen.len};
	}
	size_t len = write_message(&m, bytes);
	if (len == 0 || stream_write(stream, bytes, len) != 0) {
		stream_reset(stream, CLOSE_MEMORY);
		return;
	}
	net_count(net, NET_COUNT_IDENTIFY_SERVED);
	stream_finish(stream); /* go and js wait for it */
}

static void identify_closed(struct stream *stream, enum close_reason reason)
{
	(void)stream;
	(void)reason;
}

const struct stream_protocol identify_protocol = {
    .id = IDENTIFY_PROTOCOL,
    .max_streams = IDENTIFY_STREAMS,
    .counted = 2,
    .open = identify_open,
    .closed = identify_closed,
};

/* Our direction ends at once; what the peer pushes is dropped until it finishes. */
static void push_open(struct stream *stream)
{
	stream_finish(stream);
}

const struct stream_protocol identify_push_protocol = {
    .id = IDENTIFY_PUSH_PROTOCOL,
    .max_streams = IDENTIFY_STREAMS,
    .counted = 3,
    .open = push_open,
    .closed = identify_closed,
};
