/* SPDX-License-Identifier: MIT
 *
 * Cookies of DISCOVER: nothing is remembered for one. The serial of the last registration handed out, sealed
 * so that it tells nobody how many registrations there are, and the namespace (libp2p specs,
 * rendezvous/README.md). Used by rendezvous_discover. A cookie is a stranger's: what does not fit is an
 * error, and one of another start, or made up, unseals to a serial far above all that were given, which means
 * "from the start".
 */
#ifndef NETPROC_RENDEZVOUS_COOKIE_H
#define NETPROC_RENDEZVOUS_COOKIE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

#define RENDEZVOUS_COOKIE_HEAD 8

/* The key of this start, from its hash key. */
void rendezvous_cookie_key(uint8_t key[16], const uint8_t hash_key[16]);
/* Bytes written: RENDEZVOUS_COOKIE_HEAD and the namespace, at most RENDEZVOUS_COOKIE_MAX. */
size_t rendezvous_cookie_write(uint8_t *out, const uint8_t key[16], uint64_t serial, struct span ns);
/* 0 and the serial behind which to go on; -1: no cookie of this namespace. `latest` is the highest serial
 * given so far. */
int rendezvous_cookie_read(struct span cookie, const uint8_t key[16], uint64_t latest, struct span ns,
			   uint64_t *after);

#endif
