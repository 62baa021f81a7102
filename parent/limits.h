/* SPDX-License-Identifier: MIT
 *
 * What this machine lets us have: descriptors and memory. Called by start.c before the children start, and by
 * check.c. Trusts the kernel's files.
 */
#ifndef PARENT_LIMITS_H
#define PARENT_LIMITS_H

#include <stdint.h>

#define LIMITS_RESERVE 64 /* descriptors of netproc that are no connections */

/* Raises the soft limit of descriptors towards `connections` and the reserve. Returns how many connections
 * fit. */
uint64_t limits_descriptors(uint64_t connections);
/* Three quarters of the smallest memory limit of our control groups, or of the machine's memory. */
uint64_t limits_memory(void);

#endif
