/* SPDX-License-Identifier: MIT
 *
 * The way of a new connection up to its muxer: multistream-select for /noise, the handshake,
 * multistream-select for /yamux/1.0.0. Called by accept. Every byte is a stranger's; what lies
 * behind an accepted line belongs to the next layer (rust sends everything in one burst).
 */
#ifndef NETPROC_UPGRADE_H
#define NETPROC_UPGRADE_H

#include "netproc/conn.h"

extern const struct conn_layer upgrade_security;

#endif
