/* SPDX-License-Identifier: MIT
 *
 * A connection before its handshake: what a stranger writes into the bare socket, in pieces; the key process
 * answers at once or never.
 */
#include "fuzz.h"

#include <unistd.h>

#include "net_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;

	world_begin(&world);
	world_connect(&world, 0);
	while (size > 1) {
		size_t len = data[0] < size - 1 ? data[0] : size - 1;
		struct conn *conn = conn_find(world_net(), world.conn[0]);

		if (conn == NULL || (len > 0 && write(world.far[0], data + 1, len) < 0))
			break;
		if (!conn->waiting)
			conn_read(conn, CONN_READ_HANDSHAKE);
		world_turn(&world, 1);
		data += 1 + len;
		size -= 1 + len;
	}
	world_end(&world);
	return 0;
}
