/* SPDX-License-Identifier: MIT
 *
 * A chained hash table with links inside the entries. Grows and shrinks one bucket at a time (linear
 * hashing), so that no step costs more as the table grows. Hashes of what a stranger chose are keyed
 * (table_hash). Used by limits, relay, rendezvous.
 */
#ifndef NETPROC_TABLE_H
#define NETPROC_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "netproc/list.h"

struct table_link {
	struct table_link *next;
	uint64_t hash;
};

struct table {
	struct table_link ***segments; /* segments of buckets; addressed by bucket number */
	size_t segment_count;
	size_t buckets;
	size_t count;
};

/* SipHash-2-4 of `bytes` under the 16-byte key of the net. */
uint64_t table_hash(const uint8_t key[16], const void *bytes, size_t len);
/* 0, or -1 without memory. */
int table_init(struct table *table);
void table_free(struct table *table); /* not the entries */
/* The first entry of this hash, then the next one of the same hash; NULL at the end. The caller compares the
 * keys. */
struct table_link *table_first(const struct table *table, uint64_t hash);
struct table_link *table_next(const struct table_link *link, uint64_t hash);
/* Always succeeds once table_init did: growth that finds no memory is put off to a later insert. */
void table_insert(struct table *table, struct table_link *link, uint64_t hash);
void table_remove(struct table *table, struct table_link *link);

#endif
