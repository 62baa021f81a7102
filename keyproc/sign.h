/* SPDX-License-Identifier: MIT
 *
 * The typed operations: every byte that is signed or exchanged here is composed here. There is no operation
 * that signs bytes of a caller. Called by messages.c and main.c. Trusts its numbers, not points and peer ids:
 * those come from strangers and are answered with a status.
 */
#ifndef KEYPROC_SIGN_H
#define KEYPROC_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/catalogue.h"
#include "proto/buf.h"

/* Our Noise static key and the identity's signature over it. */
void key_sign_hello(struct imsg_hello *hello);
/* One shared secret for each point; returns how many points were refused. `ask->count` is 1 to IMSG_DH_BATCH.
 */
uint32_t key_sign_exchange(const struct imsg_noise_dh *ask, struct imsg_noise_dh_answer *answer);
/* A reservation voucher of ours for a peer, from `now` (unix seconds) for the lifetime asked, at most
 * `lifetime_max`. */
enum imsg_voucher_status key_sign_voucher(const struct imsg_voucher *ask, uint64_t now, uint32_t lifetime_max,
					  struct imsg_voucher_answer *answer);
/* Our signed peer record with these addresses, of standard flavour. Bytes written, 0 when they do not fit. */
size_t key_sign_record(const struct span *addrs, size_t count, uint64_t sequence, uint8_t *out,
		       size_t capacity);
/* False for a clock that was never set: what it signs would be expired everywhere. */
bool key_sign_clock_is_set(uint64_t now);

#endif
