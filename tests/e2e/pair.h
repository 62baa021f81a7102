/* SPDX-License-Identifier: MIT
 *
 * Two peers and the circuit between them, for the tests of circuits.
 */
#ifndef TESTS_E2E_PAIR_H
#define TESTS_E2E_PAIR_H

#include "tests/e2e/fixture.h"

struct pair {
	struct client a;
	struct client b;
	struct client *both[2];
	struct exchange x;  /* at a */
	struct exchange *y; /* at b */
};

void pair_open(struct pair *p);
void pair_close(struct pair *p);
/* Until these bytes came at this end; takes them off. */
void pair_read(struct pair *p, struct exchange *at, const void *wanted, size_t len);
/* Until at least so many bytes wait at this end. */
void pair_wait_bytes(struct pair *p, struct exchange *at, size_t len);
/* Until the other side finished or reset this end. */
void pair_wait_over(struct pair *p, struct exchange *at);
/* For client_wait: the argument is an exchange. */
bool pair_is_over(void *argument);

#endif
