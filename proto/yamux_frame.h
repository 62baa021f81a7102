/* SPDX-License-Identifier: MIT
 *
 * The yamux frame header: 12 bytes, big-endian. hashicorp/yamux spec.md.
 * Called by netproc/yamux.c and probe. Inline, since every relayed frame passes here.
 */
#ifndef PROTO_YAMUX_FRAME_H
#define PROTO_YAMUX_FRAME_H

#include <stdint.h>

#define YAMUX_HEADER 12
#define YAMUX_WINDOW 262144 /* bytes of credit a stream starts with, in each direction */

enum yamux_type { YAMUX_DATA, YAMUX_WINDOW_UPDATE, YAMUX_PING, YAMUX_GO_AWAY };
enum yamux_flag { YAMUX_SYN = 1, YAMUX_ACK = 2, YAMUX_FIN = 4, YAMUX_RST = 8 };
enum yamux_go_away { YAMUX_GO_AWAY_NORMAL, YAMUX_GO_AWAY_PROTOCOL, YAMUX_GO_AWAY_INTERNAL };

struct yamux_frame {
	uint8_t version; /* 0 */
	uint8_t type;
	uint16_t flags;
	uint32_t stream;
	uint32_t length; /* payload bytes, credit, ping value or GoAway code, by type */
};

static inline struct yamux_frame yamux_frame_read(const uint8_t b[YAMUX_HEADER])
{
	return (struct yamux_frame){
	    .version = b[0],
	    .type = b[1],
	    .flags = (uint16_t)(b[2] << 8 | b[3]),
	    .stream = (uint32_t)b[4] << 24 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 8 | b[7],
	    .length = (uint32_t)b[8] << 24 | (uint32_t)b[9] << 16 | (uint32_t)b[10] << 8 | b[11],
	};
}

static inline void yamux_frame_write(uint8_t b[YAMUX_HEADER], uint8_t type, uint16_t flags, uint32_t stream,
				     uint32_t length)
{
	b[0] = 0;
	b[1] = type;
	b[2] = (uint8_t)(flags >> 8);
	b[3] = (uint8_t)flags;
	b[4] = (uint8_t)(stream >> 24);
	b[5] = (uint8_t)(stream >> 16);
	b[6] = (uint8_t)(stream >> 8);
	b[7] = (uint8_t)stream;
	b[8] = (uint8_t)(length >> 24);
	b[9] = (uint8_t)(length >> 16);
	b[10] = (uint8_t)(length >> 8);
	b[11] = (uint8_t)length;
}

#endif
