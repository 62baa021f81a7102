/* SPDX-License-Identifier: MIT
 *
 * The record layer behind the handshake: opens what one read brought, record behind record, and seals what
 * goes out.
 */
#include "netproc/net.h"
#include "netproc/noise.h"

/* Opens whole records behind one another into the plain scratch (never overlapping), as many as are there;
 * returns the raw bytes used and the plaintext's length. */
static size_t noise_open_records(struct conn *conn, const uint8_t *bytes, size_t len, uint8_t *plain,
				 size_t *plain_len)
{
	size_t used = 0, opened = 0;

	while (len - used >= 2) {
		size_t size = (size_t)bytes[used] << 8 | bytes[used + 1];

		if (size < AEAD_TAG) {
			conn_close(conn, CLOSE_NOISE_SIZE);
			break;
		}
		if (len - used - 2 < size)
			break;
		if (aead_open(conn->net, &conn->receive, plain + opened, bytes + used + 2, size) != 0) {
			conn_close(conn, CLOSE_NOISE_DECRYPT);
			break;
		}
		opened += size - AEAD_TAG;
		used += 2 + size;
	}
	*plain_len = opened;
	return used;
}

size_t noise_needs(const uint8_t *bytes, size_t len)
{
	return len < 2 ? 2 : 2 + ((size_t)bytes[0] << 8 | bytes[1]);
}

/* A record that fails closes the connection; nothing of the same read is acted on then. */
static size_t noise_records_input(struct conn *conn, uint8_t *bytes, size_t len)
{
	uint8_t *plain = conn->net->conns->plain + CONN_HEADROOM;
	size_t plain_len;
	size_t used = noise_open_records(conn, bytes, len, plain, &plain_len);

	if (plain_len > 0 && conn_alive(conn))
		conn->upper->input(conn, plain, plain_len);
	return used;
}

static void noise_records_output(struct conn *conn)
{
	if (conn->upper->output != NULL)
		conn->upper->output(conn);
}

static void noise_records_closed(struct conn *conn, enum close_reason reason)
{
	if (conn->upper != NULL && conn->upper->closed != NULL)
		conn->upper->closed(conn, reason);
	noise_handshake_free(conn);
}

const struct conn_layer noise_records = {
    .input = noise_records_input,
    .needs = noise_needs,
    .output = noise_records_output,
    .closed = noise_records_closed,
};

void noise_send(struct conn *conn, const uint8_t *bytes, size_t len)
{
	while (len > 0 && conn_alive(conn)) {
		size_t part = len < NOISE_RECORD_MOST ? len : NOISE_RECORD_MOST;
		size_t sealed = part + AEAD_TAG;
		uint8_t *out = conn_out_room(conn, 2 + sealed);

		if (out == NULL)
			return;
		out[0] = (uint8_t)(sealed >> 8);
		out[1] = (uint8_t)sealed;
		if (aead_seal(conn->net, &conn->send, out + 2, bytes, part) != 0) {
			conn_doom(conn, CLOSE_NOISE_NONCE);
			return;
		}
		conn_out_add(conn, 2 + sealed);
		bytes += part;
		len -= part;
	}
}
