/* SPDX-License-Identifier: MIT
 *
 * Linear hashing: the table grows and shrinks by one bucket at a time, and each segment of buckets is as
 * large as all before it, so that the directory of segments never grows and no step walks more than a few
 * short chains. A segment is not cleared when it is allocated, since a bucket is written before it counts. */
#include "netproc/table.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SMALLEST 16 /* buckets of the first segment; a power of two */
#define TABLE_SEGMENTS 44 /* 2^47 buckets: more than memory holds */
#define TABLE_STEPS    2  /* buckets made or merged by one call: catches up after a growth that was put off */

uint64_t table_hash(const uint8_t key[16], const void *bytes, size_t len)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t hash;

	_Static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "SipHash-2-4");
	crypto_shorthash(out, bytes, len, key);
	memcpy(&hash, out, sizeof(hash));
	return hash;
}

/* Number of the segment that holds this bucket; the next one begins at twice its first bucket. */
static size_t segment_of(size_t bucket)
{
	if (bucket < TABLE_SMALLEST)
		return 0;
	return (size_t)(64 - __builtin_clzll(bucket / TABLE_SMALLEST));
}

static size_t segment_start(size_t segment)
{
	return segment == 0 ? 0 : (size_t)TABLE_SMALLEST << (segment - 1);
}

static size_t segment_size(size_t segment)
{
	return segment == 0 ? TABLE_SMALLEST : segment_start(segment);
}

static struct table_link **bucket_at(const struct table *table, size_t bucket)
{
	size_t segment = segment_of(bucket);

	return &table->segments[segment][bucket - segment_start(segment)];
}

/* The largest power of two that is at most `n`. */
static size_t power_below(size_t n)
{
	return (size_t)1 << (63 - __builtin_clzll(n));
}

/* Buckets below `buckets - power` are split already and use one bit more of the hash. */
static struct table_link **bucket_of(const struct table *table, uint64_t hash)
{
	size_t power = power_below(table->buckets);
	size_t bucket = (size_t)hash & (2 * power - 1);

	return bucket_at(table, bucket < table->buckets ? bucket : bucket & (power - 1));
}

int table_init(struct table *table)
{
	*table = (struct table){.segment_count = 1, .buckets = TABLE_SMALLEST};
	table->segments = calloc(TABLE_SEGMENTS, sizeof(*table->segments));
	if (table->segments == NULL)
		return -1;
	table->segments[0] = calloc(TABLE_SMALLEST, sizeof(struct table_link *));
	if (table->segments[0] != NULL)
		return 0;
	free(table->segments);
	table->segments = NULL;
	return -1;
}

void table_free(struct table *table)
{
	if (table->segments == NULL)
		return;
	for (size_t i = 0; i < table->segment_count; i++)
		free(table->segments[i]);
	free(table->segments);
	*table = (struct table){0};
}

/* gcc's analyzer loses sight of a pointer that is stored at an index, and calls it leaked. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
static int segment_ready(struct table *table, size_t segment)
{
	struct table_link **buckets;

	if (segment < table->segment_count)
		return 0;
	if (segment >= TABLE_SEGMENTS)
		return -1;
	buckets = malloc(segment_size(segment) * sizeof(*buckets));
	if (buckets == NULL)
		return -1;
	table->segment_count = segment + 1;
	table->segments[segment] = buckets;
	return 0;
}

/* Makes one bucket more and moves to it what belongs there from the one that it splits off. */
static bool grow(struct table *table)
{
	size_t bucket = table->buckets;
	struct table_link **from, **to;

	if (segment_ready(table, segment_of(bucket)) < 0)
		return false;
	from = bucket_at(table, bucket - power_below(bucket));
	to = bucket_at(table, bucket);
	*to = NULL;
	table->buckets++;
	while (*from != NULL) {
		struct table_link *link = *from;

		if (bucket_of(table, link->hash) != to) {
			from = &link->next;
			continue;
		}
		*from = link->next;
		link->next = *to;
		*to = link;
	}
	return true;
}

/* Takes the last bucket away; what it holds goes back to the one that it was split off. */
static void shrink(struct table *table)
{
	size_t bucket = table->buckets - 1;
	size_t last = table->segment_count - 1;
	struct table_link **end = bucket_at(table, bucket - power_below(bucket));

	while (*end != NULL)
		end = &(*end)->next;
	*end = *bucket_at(table, bucket);
	table->buckets = bucket;
	/* A quarter of a segment below: a count that swings does not allocate at each swing. */
	if (last > 0 && bucket <= segment_start(last) - segment_start(last) / 4) {
		free(table->segments[last]);
		table->segments[last] = NULL;
		table->segment_count = last;
	}
}

static struct table_link *same_hash(struct table_link *link, uint64_t hash)
{
	while (link != NULL && link->hash != hash)
		link = link->next;
	return link;
}

struct table_link *table_first(const struct table *table, uint64_t hash)
{
	return same_hash(*bucket_of(table, hash), hash);
}

struct table_link *table_next(const struct table_link *link, uint64_t hash)
{
	return same_hash(link->next, hash);
}

void table_insert(struct table *table, struct table_link *link, uint64_t hash)
{
	struct table_link **bucket = bucket_of(table, hash);

	link->hash = hash;
	link->next = *bucket;
	*bucket = link;
	table->count++;
	for (int i = 0; i < TABLE_STEPS && table->count > table->buckets; i++) {
		if (!grow(table))
			return;
	}
}

void table_remove(struct table *table, struct table_link *link)
{
	struct table_link **at = bucket_of(table, link->hash);

	while (*at != NULL && *at != link)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = link->next;
	link->next = NULL;
	table->count--;
	for (int i = 0;
	     i < TABLE_STEPS && table->buckets > TABLE_SMALLEST && table->count < table->buckets / 2; i++)
		shrink(table);
}
