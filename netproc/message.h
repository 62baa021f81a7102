/* SPDX-License-Identifier: MIT
 *
 * Reads one message with a varint length in front from whatever pieces a stream brings. Called by hop, stop
 * and rendezvous from their data callbacks. Trusts nothing: the length is checked against the caller's bound
 * before a byte is held. Memory is held only between the first and the last piece: a few bytes in place, else
 * one buffer of the pool.
 */
#ifndef NETPROC_MESSAGE_H
#define NETPROC_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

#define MESSAGE_IN_PLACE 56 /* bytes of a piece kept without a buffer */

struct net;
struct pool_buffer;

/* Zeroed is empty. */
struct message {
	struct pool_buffer *buffer;
	uint32_t length;  /* of the message, as far as its prefix is read */
	uint32_t have;	  /* bytes of it kept */
	uint8_t prefix;	  /* bytes of the prefix read */
	uint8_t complete; /* the prefix is whole */
	uint8_t bytes[MESSAGE_IN_PLACE];
};

enum message_result {
	MESSAGE_WHOLE,	   /* `whole` is the message without its prefix */
	MESSAGE_MORE,	   /* all bytes were taken, more must come */
	MESSAGE_TOO_LONG,  /* longer than `most` */
	MESSAGE_MALFORMED, /* the prefix is no minimal varint */
	MESSAGE_NO_MEMORY  /* the pool refused */
};

/* Takes bytes until one message is whole. `used` are those taken: what lies behind belongs to the caller.
 * `whole` points into `bytes` or into `m` and is good until either changes; then message_clear makes `m`
 * ready for the next one. */
enum message_result message_take(struct net *net, struct message *m, size_t most, const uint8_t *bytes,
				 size_t len, size_t *used, struct span *whole);
/* True while a piece of a message is held: the peer finished in the middle. */
int message_started(const struct message *m);
/* Bytes of the pool that it holds. */
size_t message_held(const struct message *m);
void message_clear(struct net *net, struct message *m);

#endif
