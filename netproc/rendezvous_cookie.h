/* SPDX-License-Identifier: MIT
 *
 * Cookies of DISCOVER: nothing is remembered for one. 24 bits that tell this start from others, the serial of
 * the last registration handed out, and the namespace (libp2p specs, rendezvous/README.md). Used by
 * rendezvous_discover. A cookie is a stranger's: what does not fit is an error or means "from the start"; a
 * forged one shows nobody anything that asking without cookie does not.
 */
#ifndef NETPROC_RENDEZVOUS_COOKIE_H
#define NETPROC_RENDEZVOUS_COOKIE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

#define RENDEZVOUS_COOKIE_HEAD 8

/* The tag of this start, from its hash key. */
uint32_t rendezvous_cookie_tag(const uint8_t hash_key[16]);
/* Bytes written: RENDEZVOUS_COOKIE_HEAD and the namespace, at most RENDEZVOUS_COOKIE_MAX. */
size_t rendezvous_cookie_write(uint8_t *out, uint32_t tag, uint64_t serial, struct span ns);
/* 0 and the serial behind which to go on; -1: no cookie of this namespace. `latest` is the highest serial
 * given so far. */
int rendezvous_cookie_read(struct span cookie, uint32_t tag, uint64_t latest, struct span ns,
			   uint64_t *after);

#endif
