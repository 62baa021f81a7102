/* SPDX-License-Identifier: MIT */
#include "parent/external.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "parent/items.h"

/* What may stand in an external address, and where. */
static const struct {
	uint32_t code;
	bool host;
} external_codes[] = {
    {MULTIADDR_IP4, true},  {MULTIADDR_IP6, true},     {MULTIADDR_DNS, true},  {MULTIADDR_DNS4, true},
    {MULTIADDR_DNS6, true}, {MULTIADDR_DNSADDR, true}, {MULTIADDR_TCP, false}, {MULTIADDR_TLS, false},
    {MULTIADDR_WS, false},  {MULTIADDR_WSS, false},
};

static bool external_code(uint32_t code, bool host)
{
	for (size_t i = 0; i < sizeof(external_codes) / sizeof(external_codes[0]); i++) {
		if (external_codes[i].code == code)
			return external_codes[i].host == host;
	}
	return false;
}

/* 0.0.0.0, :: and port 0 name no place. */
static bool external_is_nowhere(const struct multiaddr_part *part)
{
	bool number =
	    part->code == MULTIADDR_IP4 || part->code == MULTIADDR_IP6 || part->code == MULTIADDR_TCP;

	for (size_t i = 0; number && i < part->value.len; i++) {
		if (part->value.bytes[i] != 0)
			return false;
	}
	return number;
}

/* Splits a binary address into what stands before /p2p and the id behind it. A host, its port, and no more
 * than tls and ws; nothing after the id. */
static int external_take(struct external_list *list, const struct multiaddr *address)
{
	struct reader reader = reader_of(address->bytes, address->len);
	struct multiaddr_part part;
	struct peer_id owner = {0};
	size_t parts = 0;
	size_t kept = 0;
	bool port = false;

	while (multiaddr_next(&reader, &part)) {
		if (owner.len > 0 || (part.code != MULTIADDR_P2P && !external_code(part.code, parts == 0)) ||
		    external_is_nowhere(&part))
			return -1;
		if (part.code == MULTIADDR_P2P &&
		    (parts == 0 || peer_id_parse(&owner, part.value.bytes, part.value.len) != 0))
			return -1;
		if (part.code != MULTIADDR_P2P)
			kept = (size_t)(reader.at - address->bytes);
		port = port || part.code == MULTIADDR_TCP || part.code == MULTIADDR_DNSADDR;
		parts++;
	}
	if (reader.bad || !port || kept > IMSG_ADDR_MAX)
		return -1;
	if (owner.len > 0 && list->owner.len > 0 && !peer_id_equal(&owner, &list->owner))
		return -1;
	if (owner.len > 0)
		list->owner = owner;
	for (size_t i = 0; i < list->count; i++) {
		if (list->address[i].len == kept && memcmp(list->address[i].bytes, address->bytes, kept) == 0)
			return 0;
	}
	if (list->count == IMSG_ADDRS)
		return -1;
	struct imsg_addr *row = &list->address[list->count];
	memset(row, 0, sizeof(*row));
	row->index = (uint16_t)list->count++;
	row->len = (uint16_t)kept;
	memcpy(row->bytes, address->bytes, kept);
	return 0;
}

/* The digits after a colon. */
static int external_port(uint16_t *port, const char *text)
{
	return items_port(port, text) == 0 && *port > 0 ? 0 : -1;
}

/* Letters, digits and hyphens in labels of 1 to 63, the last one with a letter. */
static bool external_is_name(const char *text)
{
	size_t len = strlen(text);
	size_t label = 0;
	bool letter = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' && (label == 0 || text[i - 1] == '-'))
			return false;
		bool hyphen = text[i] == '-' && label > 0;
		if (text[i] != '.' && !isalnum((unsigned char)text[i]) && !hyphen)
			return false;
		letter = text[i] == '.' ? i + 1 == len && letter : letter || isalpha((unsigned char)text[i]);
		label = text[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return letter && len <= 253 && text[len - 1] != '-' && text[len - 1] != '.';
}

/* `203.0.113.7`, `2001:db8::1`, `[2001:db8::1]:4001`, `relay.example.org:4001` as a multiaddr. */
static int external_plain(struct multiaddr *address, char *text, uint16_t port)
{
	struct in_addr four;
	struct in6_addr six;
	char *colon = strchr(text, ':');
	char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
	char name[ITEMS_LONGEST + 32];

	if (inet_pton(AF_INET6, text, &six) == 1)
		return multiaddr_from_ip(address, six.s6_addr, 16, port);
	if (bracket != NULL) {
		*bracket = '\0';
		if (bracket[1] != '\0' && (bracket[1] != ':' || external_port(&port, bracket + 2) != 0))
			return -1;
		return inet_pton(AF_INET6, text + 1, &six) == 1
			   ? multiaddr_from_ip(address, six.s6_addr, 16, port)
			   : -1;
	}
	if (colon != NULL) {
		*colon = '\0';
		if (external_port(&port, colon + 1) != 0)
			return -1;
	}
	if (inet_pton(AF_INET, text, &four) == 1)
		return multiaddr_from_ip(address, (const uint8_t *)&four.s_addr, 4, port);
	if (!external_is_name(text))
		return -1;
	snprintf(name, sizeof(name), "/dns4/%s/tcp/%u", text, port);
	return multiaddr_from_text(address, name);
}

static int external_item(struct external_list *list, char *text, uint16_t port)
{
	struct multiaddr address;
	int result =
	    text[0] == '/' ? multiaddr_from_text(&address, text) : external_plain(&address, text, port);

	return result == 0 ? external_take(list, &address) : -1;
}

int external_parse(struct external_list *list, const char *text, uint16_t port)
{
	char item[ITEMS_LONGEST];
	int more;

	memset(list, 0, sizeof(*list));
	while ((more = items_next(item, &text)) > 0) {
		if (external_item(list, item, port) != 0)
			return -1;
	}
	return more;
}

bool external_is_private(const struct external_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!multiaddr_is_private(list->address[i].bytes, list->address[i].len))
			return false;
	}
	return true;
}
