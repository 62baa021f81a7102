/* SPDX-License-Identifier: MIT
 *
 * Client of keyproc: requests go out in batches, answers come back by id; never waited for. Called by noise
 * and hop. At most IMSG_OUTSTANDING requests are out; the rest waits here, within the number of half-open
 * connections and streams.
 */
#ifndef NETPROC_KEY_H
#define NETPROC_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/imsg.h"
#include "netproc/conn.h"
#include "netproc/stream.h"

struct net;

/* 0, or -1 without memory. */
int key_init(struct net *net, struct imsg_channel *channel);
/* Asks for the Diffie-Hellman of the static key with `ephemeral`; noise_key_answer is called later if the
 * connection lives. */
void key_noise_dh(struct net *net, struct conn_ref conn, const uint8_t ephemeral[32],
		  void (*answer)(struct conn *conn, enum imsg_dh_status status, const uint8_t shared[32]));
/* Asks for a voucher; `answer` is called later if the stream lives, with len 0 when there is none. */
void key_voucher(struct net *net, struct stream_ref stream, const uint8_t peer[32], uint32_t lifetime,
		 void (*answer)(struct stream *stream, uint64_t expire, const uint8_t *envelope, size_t len));
/* Sends what waits; called once a turn by the loop. */
void key_flush(struct net *net);
/* Handlers of the catalogue: 0 or -1 for an answer nobody asked for. */
int key_answer_noise_dh(struct net *net, const struct imsg_noise_dh_answer *answer);
int key_answer_voucher(struct net *net, const struct imsg_voucher_answer *answer);

#endif
