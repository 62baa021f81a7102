/* SPDX-License-Identifier: MIT
 *
 * Multiaddresses as text: /ip4/203.0.113.7/tcp/4001/p2p/12D3KooW... See multiaddr.h.
 */
#include "proto/multiaddr.h"

#include <arpa/inet.h>
#include <string.h>

#include "proto/base_text.h"
#include "proto/multiaddr_protocols.h"

#define CERTHASH_MAX	    (20 + 64) /* two varints and a digest */
#define CERTHASH_TEXT_MAX   (1 + (CERTHASH_MAX * 8 + 5) / 6)
#define PORT_DIGITS_MAX	    5
#define MULTIBASE_BASE64URL 'u'

/* ---- text to binary ---- */

static void ip_from_text(struct writer *w, int family, size_t size, struct span text)
{
	char terminated[INET6_ADDRSTRLEN];
	uint8_t ip[16];

	if (text.len >= sizeof(terminated) || memchr(text.bytes, '\0', text.len) != NULL) {
		w->bad = true;
		return;
	}
	memcpy(terminated, text.bytes, text.len);
	terminated[text.len] = '\0';
	if (inet_pton(family, terminated, ip) != 1)
		w->bad = true;
	else
		writer_bytes(w, ip, size);
}

/* Decimal, no sign and no leading zero: one text for each port. */
static void port_from_text(struct writer *w, struct span text)
{
	uint32_t port = 0;

	if (text.len == 0 || text.len > PORT_DIGITS_MAX || (text.bytes[0] == '0' && text.len > 1))
		w->bad = true;
	for (size_t i = 0; i < text.len && !w->bad; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			w->bad = true;
		port = port * 10 + (uint32_t)(text.bytes[i] - '0');
	}
	if (port > UINT16_MAX)
		w->bad = true;
	writer_u16(w, (uint16_t)port);
}

static void peer_id_part_from_text(struct writer *w, struct span text)
{
	struct peer_id id;

	if (peer_id_from_text(&id, (const char *)text.bytes, text.len) != 0)
		w->bad = true;
	else
		writer_span(w, id.bytes, id.len);
}

static void certhash_from_text(struct writer *w, struct span text)
{
	uint8_t hash[CERTHASH_MAX];
	size_t len = 0;

	if (text.len > 1 && text.bytes[0] == MULTIBASE_BASE64URL)
		len = base_bits_decode(BASE64URL_ALPHABET, (const char *)text.bytes + 1, text.len - 1, hash,
				       sizeof(hash));
	if (len == 0)
		w->bad = true;
	else
		writer_span(w, hash, len);
}

static void value_from_text(struct writer *w, enum multiaddr_value shape, struct span text)
{
	switch (shape) {
	case VALUE_NONE:
		break;
	case VALUE_IP4:
		ip_from_text(w, AF_INET, 4, text);
		break;
	case VALUE_IP6:
		ip_from_text(w, AF_INET6, 16, text);
		break;
	case VALUE_PORT:
		port_from_text(w, text);
		break;
	case VALUE_NAME: /* multiaddr_check looks at it at the end */
		writer_span(w, text.bytes, text.len);
		break;
	case VALUE_PEER_ID:
		peer_id_part_from_text(w, text);
		break;
	case VALUE_CERTHASH:
		certhash_from_text(w, text);
		break;
	}
}

/* A slash and what follows it up to the next one; moves `text` there. False without a slash. */
static bool text_next(const char **text, struct span *word)
{
	if (**text != '/')
		return false;

	const char *start = *text + 1;
	size_t len = strcspn(start, "/");

	*word = (struct span){.bytes = (const uint8_t *)start, .len = len};
	*text = start + len;
	return true;
}

int multiaddr_from_text(struct multiaddr *a, const char *text)
{
	struct writer w = writer_of(a->bytes, sizeof(a->bytes));
	struct span word;

	a->len = 0;
	while (!w.bad && text_next(&text, &word)) {
		const struct multiaddr_protocol *protocol =
		    multiaddr_protocol_by_name((const char *)word.bytes, word.len);

		if (protocol == NULL)
			return -1;
		writer_varint(&w, protocol->code);
		if (protocol->value != VALUE_NONE && !text_next(&text, &word))
			return -1;
		value_from_text(&w, protocol->value, word);
	}
	if (w.bad || *text != '\0' || multiaddr_check(a->bytes, writer_len(&w)) != 0)
		return -1;
	a->len = (uint16_t)writer_len(&w);
	return 0;
}

/* ---- binary to text ---- */

static void text_write(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text));
}

static void ip_to_text(struct writer *w, int family, struct span ip)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family, ip.bytes, text, sizeof(text)) == NULL)
		w->bad = true;
	else
		text_write(w, text);
}

static void port_to_text(struct writer *w, struct span value)
{
	unsigned port = (unsigned)(value.bytes[0] << 8 | value.bytes[1]);
	char text[PORT_DIGITS_MAX + 1] = {0};
	size_t at = PORT_DIGITS_MAX;

	do {
		text[--at] = (char)('0' + port % 10);
		port /= 10;
	} while (port > 0);
	text_write(w, text + at);
}

static void peer_id_part_to_text(struct writer *w, struct span value)
{
	struct peer_id id;
	char text[PEER_ID_TEXT_MAX];

	if (peer_id_parse(&id, value.bytes, value.len) != 0)
		w->bad = true;
	else
		writer_bytes(w, text, peer_id_to_text(&id, text));
}

static void certhash_to_text(struct writer *w, struct span value)
{
	char text[CERTHASH_TEXT_MAX];
	size_t len = base_bits_encode(BASE64URL_ALPHABET, value.bytes, value.len, text, sizeof(text));

	writer_u8(w, MULTIBASE_BASE64URL);
	if (len == 0)
		w->bad = true;
	writer_bytes(w, text, len);
}

static void value_to_text(struct writer *w, enum multiaddr_value shape, struct span value)
{
	if (shape != VALUE_NONE)
		writer_u8(w, '/');
	switch (shape) {
	case VALUE_NONE:
		break;
	case VALUE_IP4:
		ip_to_text(w, AF_INET, value);
		break;
	case VALUE_IP6:
		ip_to_text(w, AF_INET6, value);
		break;
	case VALUE_PORT:
		port_to_text(w, value);
		break;
	case VALUE_NAME:
		writer_bytes(w, value.bytes, value.len);
		break;
	case VALUE_PEER_ID:
		peer_id_part_to_text(w, value);
		break;
	case VALUE_CERTHASH:
		certhash_to_text(w, value);
		break;
	}
}

int multiaddr_to_text(const uint8_t *bytes, size_t len, char text[MULTIADDR_TEXT_MAX])
{
	struct writer w = writer_of(text, MULTIADDR_TEXT_MAX - 1);
	struct reader r = reader_of(bytes, len);
	const struct multiaddr_protocol *protocol;
	struct multiaddr_part part;

	text[0] = '\0';
	if (multiaddr_check(bytes, len) != 0)
		return -1;
	while ((protocol = multiaddr_read(&r, &part)) != NULL) {
		writer_u8(&w, '/');
		text_write(&w, protocol->name);
		value_to_text(&w, protocol->value, part.value);
	}
	text[w.bad ? 0 : writer_len(&w)] = '\0';
	return w.bad ? -1 : 0;
}
