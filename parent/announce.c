/* SPDX-License-Identifier: MIT
 *
 * The lines at start, as the Rust relay prints them where it does. Called by main.c. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "imsg/harden.h"
#include "parent/parent.h"

#define ANNOUNCE_LAYERS 256
#define ANNOUNCE_STDOUT 4096 /* what a pipe takes at once when it polls writable */
#define ANNOUNCE_WAIT	1000 /* milliseconds for stdout to take it */

void announce_key(struct parent *parent)
{
	if (parent->key.created == 0) {
		logger_line(&parent->log, LOG_LEVEL_INFO, "loaded existing keypair from %.800s",
			    parent->keydir.file);
		return;
	}
	logger_line(&parent->log, LOG_LEVEL_INFO, "saved new keypair to %.800s", parent->keydir.file);
	logger_line(
	    &parent->log, LOG_LEVEL_WARN,
	    "a NEW identity was made: clients that know this relay by another peer id will not find it;"
	    " if it had one before, is its volume or folder missing?");
}

/* An address of ours with our id behind. */
static void announce_address(char text[MULTIADDR_TEXT_MAX], const uint8_t *bytes, size_t len,
			     const struct peer_id *id)
{
	struct multiaddr address = {.len = (uint16_t)len};

	memcpy(address.bytes, bytes, len);
	multiaddr_append_p2p(&address, id);
	multiaddr_to_text(address.bytes, address.len, text);
}

static void announce_stdout(const char *text, size_t len)
{
	struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};

	/* Nobody has to read it: a full pipe must not keep the relay from running. */
	while (len > 0) {
		ssize_t written = poll(&room, 1, ANNOUNCE_WAIT) > 0 ? write(STDOUT_FILENO, text, len) : -1;
		if (written <= 0)
			return;
		text += written;
		len -= (size_t)written;
	}
}

static void announce_line(char *page, size_t *used, const char *head, const char *text)
{
	int len = snprintf(page + *used, ANNOUNCE_STDOUT - *used, "  %s: %s\n", head, text);

	if (len > 0 && (size_t)len < ANNOUNCE_STDOUT - *used)
		*used += (size_t)len;
}

static void announce_page(struct parent *parent, const struct peer_id *id)
{
	char page[ANNOUNCE_STDOUT];
	char text[MULTIADDR_TEXT_MAX];
	struct multiaddr address;
	size_t used = 0;

	page[used++] = '\n';
	listen_multiaddr(&address, &parent->listeners.address[0]);
	announce_address(text, address.bytes, address.len, id);
	announce_line(page, &used, "relay address", text);
	for (size_t i = 0; i < parent->settings.external.count; i++) {
		const struct imsg_addr *external = &parent->settings.external.address[i];

		announce_address(text, external->bytes, external->len, id);
		announce_line(page, &used, "external address", text);
	}
	if (used < sizeof(page))
		page[used++] = '\n';
	announce_stdout(page, used);
}

static void announce_listeners(struct parent *parent, const struct peer_id *id)
{
	char text[MULTIADDR_TEXT_MAX];

	for (size_t i = 0; i < parent->listeners.count; i++) {
		struct multiaddr address;

		listen_multiaddr(&address, &parent->listeners.address[i]);
		announce_address(text, address.bytes, address.len, id);
		logger_line(&parent->log, LOG_LEVEL_DEBUG, "listening on: %s", text);
	}
}

static void announce_confinement(struct parent *parent)
{
	char own[ANNOUNCE_LAYERS];
	char key[ANNOUNCE_LAYERS];
	char net[ANNOUNCE_LAYERS];
	char metrics[ANNOUNCE_LAYERS];

	harden_layers_text(parent->layers, own, sizeof(own));
	harden_layers_text(parent->child[PARENT_KEYPROC].layers, key, sizeof(key));
	harden_layers_text(parent->child[PARENT_NETPROC].layers, net, sizeof(net));
	harden_layers_text(parent->child[PARENT_METRICS].layers, metrics, sizeof(metrics));
	logger_line(&parent->log, LOG_LEVEL_INFO, "confinement parent=%s key=%s net=%s%s%s", own, key, net,
		    metrics[0] != '\0' ? " metrics=" : "", metrics);
}

static void announce_external(struct parent *parent)
{
	uint16_t port = listen_port(&parent->listeners.address[0]);

	if (parent->settings.external.count == 0)
		logger_line(
		    &parent->log, LOG_LEVEL_WARN,
		    "no external address is set: clients are told the local one. Set the public one:"
		    " DUSK_RELAY_EXTERNAL_ADDR=/dns4/relay.example.org/tcp/%u (or /ip4/203.0.113.7/tcp/%u)",
		    port, port);
	else if (external_is_private(&parent->settings.external))
		logger_line(&parent->log, LOG_LEVEL_WARN,
			    "DUSK_RELAY_EXTERNAL_ADDR holds private addresses only: clients elsewhere cannot "
			    "reach the relay at them");
}

void announce_relay(struct parent *parent)
{
	char text[PEER_ID_TEXT_MAX];
	struct peer_id id;

	peer_id_from_ed25519(&id, parent->key.identity);
	peer_id_to_text(&id, text);
	logger_line(&parent->log, LOG_LEVEL_INFO, "dusk relay server starting");
	logger_line(&parent->log, LOG_LEVEL_INFO, "peer id: %s", text);
	announce_page(parent, &id);
	announce_listeners(parent, &id);
	announce_confinement(parent);
	announce_external(parent);
	metrics_announce(parent);
}
