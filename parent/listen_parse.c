/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <string.h>

#include "parent/items.h"
#include "parent/listen.h"

static void listen_four(union listen_address *address, const void *ip, uint16_t port)
{
	address->four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	memcpy(&address->four.sin_addr, ip, 4);
}

static void listen_six(union listen_address *address, const void *ip, uint16_t port)
{
	address->six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&address->six.sin6_addr, ip, 16);
}

/* /ip4/... or /ip6/..., perhaps with /tcp, and nothing else. */
static int listen_parse_multiaddr(union listen_address *address, bool *port_named, const char *text)
{
	struct multiaddr multiaddr;
	struct multiaddr_part host;
	struct multiaddr_part tcp;
	uint16_t port = 0;

	if (multiaddr_from_text(&multiaddr, text) != 0)
		return -1;
	struct reader reader = reader_of(multiaddr.bytes, multiaddr.len);
	if (!multiaddr_next(&reader, &host))
		return -1;
	*port_named = multiaddr_next(&reader, &tcp);
	if (reader.bad || reader_left(&reader) > 0)
		return -1;
	if (*port_named) {
		if (tcp.code != MULTIADDR_TCP || tcp.value.len != 2)
			return -1;
		port = (uint16_t)(tcp.value.bytes[0] << 8 | tcp.value.bytes[1]);
	}
	if (host.code == MULTIADDR_IP4 && host.value.len == 4)
		listen_four(address, host.value.bytes, port);
	else if (host.code == MULTIADDR_IP6 && host.value.len == 16)
		listen_six(address, host.value.bytes, port);
	else
		return -1;
	return 0;
}

/* 0.0.0.0, 0.0.0.0:4001, ::, [::], [::]:4001 */
static int listen_parse_plain(union listen_address *address, bool *port_named, char *text)
{
	uint8_t ip[16];
	uint16_t port = 0;
	char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
	char *colon = bracket == NULL ? strchr(text, ':') : bracket[1] == ':' ? bracket + 1 : NULL;

	*port_named = false;
	if (inet_pton(AF_INET6, text, ip) == 1) {
		listen_six(address, ip, 0);
		return 0;
	}
	if (bracket != NULL && bracket[1] != '\0' && colon == NULL)
		return -1;
	if (colon != NULL) {
		if (items_port(&port, colon + 1) != 0)
			return -1;
		*port_named = true;
		*colon = '\0';
	}
	if (bracket != NULL) {
		*bracket = '\0';
		if (inet_pton(AF_INET6, text + 1, ip) != 1)
			return -1;
		listen_six(address, ip, port);
		return 0;
	}
	if (inet_pton(AF_INET, text, ip) != 1)
		return -1;
	listen_four(address, ip, port);
	return 0;
}

static int listen_parse_item(struct listen_wish *wish, char *text)
{
	union listen_address *address;
	bool *port_named;

	if (wish->count == IMSG_LISTENERS)
		return -1;
	address = &wish->item[wish->count].address;
	port_named = &wish->item[wish->count].port_named;
	wish->count++;
	return text[0] == '/' ? listen_parse_multiaddr(address, port_named, text)
			      : listen_parse_plain(address, port_named, text);
}

int listen_parse(struct listen_wish *wish, const char *text)
{
	char item[ITEMS_LONGEST];
	int more;

	memset(wish, 0, sizeof(*wish));
	while ((more = items_next(item, &text)) > 0) {
		if (listen_parse_item(wish, item) != 0)
			return -1;
	}
	return more == 0 && wish->count > 0 ? 0 : -1;
}
