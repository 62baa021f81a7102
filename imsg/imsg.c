/* SPDX-License-Identifier: MIT
 *
 * The channel: a header of 16 bytes, then the payload of exactly the row's size.
 * Called by every process of the daemon. Trusts nothing of what it reads; see imsg.h for the order of the
 * checks.
 */
#include "imsg/imsg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_MAGIC 0x4452u /* tells a stray datagram from one of ours; not a secret */

/* Both ends are the same build on the same machine: host byte order. */
struct header {
	uint16_t magic;
	uint16_t type;
	uint32_t size; /* bytes of the payload */
	uint64_t id;
};

/* One byte more than the longest message, so that a longer one shows as such: read(2) cuts it without a word.
 */
union datagram {
	struct header header; /* aligns the payload for every struct of the catalogue */
	uint8_t bytes[IMSG_MAX + 1];
};

_Static_assert(sizeof(struct header) + IMSG_PAYLOAD_MAX == IMSG_MAX, "the catalogue reserves 16 bytes");

int imsg_channel_open(struct imsg_channel *channel, int fd, enum imsg_process peer)
{
	int domain = 0, type = 0, room = IMSG_SEND_BUFFER;
	socklen_t len = sizeof(int);

	*channel = (struct imsg_channel){.fd = fd, .peer = peer};
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
		return -1;
	if (domain != AF_UNIX || type != SOCK_SEQPACKET) {
		errno = ENOTSUP;
		return -1;
	}
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

enum imsg_result imsg_send(struct imsg_channel *channel, enum imsg_type type, uint64_t id,
			   const void *payload, size_t size)
{
	const struct imsg_row *row = imsg_row_of((uint16_t)type);
	union datagram out;
	ssize_t n;

	if (row == NULL || row->receiver != channel->peer || row->size != size) {
		errno = EINVAL;
		return IMSG_ERROR;
	}
	out.header =
	    (struct header){.magic = HEADER_MAGIC, .type = (uint16_t)type, .size = (uint32_t)size, .id = id};
	if (size > 0)
		memcpy(out.bytes + sizeof(out.header), payload, size);
	do
		n = write(channel->fd, out.bytes, sizeof(out.header) + size);
	while (n < 0 && errno == EINTR);
	int error = errno;

	/* A payload may be a shared secret: no copy stays on the stack. */
	explicit_bzero(out.bytes, sizeof(out.header) + size);
	errno = error;
	if (n >= 0)
		return IMSG_OK;
	if (errno == EAGAIN)
		return IMSG_AGAIN;
	return errno == EPIPE || errno == ECONNRESET ? IMSG_CLOSED : IMSG_ERROR;
}

enum imsg_result imsg_receive(struct imsg_channel *channel, struct imsg_table *table)
{
	union datagram in;
	ssize_t n;

	/* A peer that ended with messages of ours unread makes the kernel say ECONNRESET once, before what
	 * the peer still had to say. */
	do
		n = read(channel->fd, in.bytes, sizeof(in.bytes));
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n > 0)
		return imsg_dispatch(channel, table, in.bytes, (size_t)n);
	/* An empty datagram reads like the end of the channel; no process sends one, so ending is right. */
	if (n == 0)
		return IMSG_CLOSED;
	return errno == EAGAIN ? IMSG_AGAIN : IMSG_ERROR;
}

static enum imsg_result breach(struct imsg_channel *channel, enum imsg_breach why)
{
	channel->breach = imsg_breach_text(why);
	return IMSG_BREACH;
}

static const struct imsg_row *find_row(const struct imsg_table *table, enum imsg_process sender,
				       uint16_t type)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].type == type && table->rows[i].sender == sender)
			return &table->rows[i];
	}
	return NULL;
}

/* Everything that the sender alone controls, before any byte of the payload is looked at. */
static enum imsg_breach check(const struct imsg_table *table, const struct imsg_row *row,
			      const struct header *header, size_t len)
{
	if (row == NULL || row->handle == NULL || row->type >= IMSG_TYPE_COUNT)
		return IMSG_BREACH_ROW;
	if (row->phase != IMSG_PHASE_ANY && row->phase != table->phase)
		return IMSG_BREACH_PHASE;
	if (row->once && table->seen[row->type])
		return IMSG_BREACH_REPEATED;
	if (header->size != row->size || len != sizeof(*header) + row->size)
		return IMSG_BREACH_SIZE;
	return IMSG_BREACH_NONE;
}

enum imsg_result imsg_dispatch(struct imsg_channel *channel, struct imsg_table *table,
			       const uint8_t *datagram, size_t len)
{
	struct header header;

	if (len < sizeof(header) || len > IMSG_MAX)
		return breach(channel, IMSG_BREACH_HEADER);
	memcpy(&header, datagram, sizeof(header));
	if (header.magic != HEADER_MAGIC)
		return breach(channel, IMSG_BREACH_HEADER);

	const struct imsg_row *row = find_row(table, channel->peer, header.type);
	enum imsg_breach why = check(table, row, &header, len);

	if (why != IMSG_BREACH_NONE)
		return breach(channel, why);
	table->seen[row->type] = true;
	int found = row->handle(table->context, header.id, datagram + sizeof(header));

	return found == 0 ? IMSG_OK
			  : breach(channel, found > 0 ? (enum imsg_breach)found : IMSG_BREACH_VALUE);
}

size_t imsg_compose(uint8_t out[IMSG_MAX], enum imsg_type type, uint64_t id, const void *payload, size_t size)
{
	struct header header = {
	    .magic = HEADER_MAGIC, .type = (uint16_t)type, .size = (uint32_t)size, .id = id};

	if (size > IMSG_PAYLOAD_MAX)
		return 0;
	memcpy(out, &header, sizeof(header));
	if (size > 0)
		memcpy(out + sizeof(header), payload, size);
	return sizeof(header) + size;
}
