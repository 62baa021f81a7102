/* SPDX-License-Identifier: MIT
 *
 * Requests per CPU second of rendezvous, from the bytes of a request to the bytes of its answer, and bytes
 * per registration beyond the record, at 1 000, 100 000 and 1 000 000 registrations. Prints and judges
 * nothing. Two layouts: everybody in one namespace, and what chat clients do: each peer in a namespace of
 * all, in one of its own, and in two of about fifty members.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "netproc/rendezvous_cookie.h"
#include "tests/unit/rendezvous_fixture.h"

#define RECORD_BYTES 300  /* of a record with one circuit address */
#define SIGNED	     4096 /* records that are really signed */
#define MEMBERS	     50
#define SECONDS	     0.5

enum layout { ONE_NAMESPACE, CHAT, LAYOUTS };

static const char *const layout_names[LAYOUTS] = {"one namespace", "chat"};
static const char everybody[] = "dusk/peers";

static struct fixture f;
static struct fixture_peer signers[SIGNED];
static struct fixture_record *signed_records; /* two of each */
static struct conn *conn;
static struct stream *stream;
static uint64_t record_bytes; /* of all records stored, each counted once */

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t random_below(uint32_t n)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x % n);
}

static void key_of(uint32_t peer, uint8_t key[32])
{
	memset(key, 0, 32);
	memcpy(key, &peer, sizeof(peer));
}

static struct span record_of(uint32_t peer)
{
	static uint8_t record[RECORD_BYTES];

	memcpy(record, &peer, sizeof(peer));
	return (struct span){record, sizeof(record)};
}

/* The `which`th namespace of a peer. */
static const char *namespace_of(enum layout layout, uint32_t peer, uint32_t which, uint32_t peers)
{
	static char name[80];
	uint32_t groups = peers / MEMBERS + 1;

	if (layout == ONE_NAMESPACE || which == 0)
		return everybody;
	if (which == 1)
		snprintf(name, sizeof(name), "dusk/peer/12D3KooWGQkCkACcibJPKzus7Q6U1aYngfTuS4gwYwmJ%08x",
			 peer);
	else
		snprintf(name, sizeof(name), "dusk/community/com_%016x", (peer * which) % groups);
	return name;
}

static uint32_t namespaces_of_peer(enum layout layout)
{
	return layout == ONE_NAMESPACE ? 1 : 4;
}

static void fill(enum layout layout, uint32_t peers)
{
	enum net_setting setting;
	uint8_t key[32];

	for (uint32_t which = 0; which < namespaces_of_peer(layout); which++)
		for (uint32_t peer = 0; peer < peers; peer++) {
			struct rendezvous_offer offer = {
			    .peer = key, .record = record_of(peer), .reserved = true};

			offer.ns = fixture_span(namespace_of(layout, peer, which, peers));
			offer.ttl = 3600 + random_below(3600);
			key_of(peer, key);
			if (rendezvous_store_put(&f.net.rendezvous->store, &offer, &setting) ==
			    RENDEZVOUS_PUT_REFUSED)
				abort();
		}
	record_bytes = (uint64_t)peers * RECORD_BYTES;
}

/* --- what is timed --- */

struct run {
	enum layout layout;
	uint32_t peers;
	uint64_t limit;
};

static void refresh(const struct run *run, uint32_t turn)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_REGISTER, .has_ns = true};
	uint32_t peer = random_below(run->peers);

	key_of(peer, conn->peer);
	q.ns =
	    fixture_span(namespace_of(run->layout, peer, turn % namespaces_of_peer(run->layout), run->peers));
	q.record = record_of(peer);
	fixture_request(stream, &q);
}

/* A record not seen before: verified. */
static void renew(const struct run *run, uint32_t turn)
{
	struct rendezvous_request q = {.type = RENDEZVOUS_REGISTER, .has_ns = true};
	const struct fixture_record *record = &signed_records[turn % (2 * SIGNED)];

	memcpy(conn->peer, signers[turn % SIGNED].public, 32);
	q.ns = fixture_span(namespace_of(run->layout, turn % SIGNED, 0, run->peers));
	q.record = (struct span){record->bytes, record->len};
	fixture_request(stream, &q);
}

/* From anywhere in the namespace of all. */
static void page(const struct run *run, uint32_t turn)
{
	uint8_t cookie[RENDEZVOUS_COOKIE_MAX];
	struct span ns = fixture_span(everybody);
	uint64_t serial = random_below((uint32_t)f.net.rendezvous->store.serial);
	size_t len = rendezvous_cookie_write(cookie, f.net.rendezvous->cookie_key, serial, ns);

	(void)turn;
	fixture_discover(stream, everybody, run->limit, (struct span){cookie, len});
}

/* The newest of all, as chat clients ask. */
static void newest(const struct run *run, uint32_t turn)
{
	(void)run;
	(void)turn;
	fixture_discover(stream, everybody, 0, (struct span){0});
}

/* A namespace of about fifty, whichever. */
static void community(const struct run *run, uint32_t turn)
{
	fixture_discover(stream, namespace_of(CHAT, random_below(run->peers), 2 + turn % 2, run->peers), 0,
			 (struct span){0});
}

static void measure(const char *name, const struct run *run,
		    void (*once)(const struct run *run, uint32_t turn))
{
	uint64_t served = f.net.counter[NET_COUNT_DISCOVER_SERVED];
	double began = cpu_seconds(), took;
	uint32_t done = 0;

	do {
		for (int i = 0; i < 64; i++) {
			stream->send_window = UINT32_MAX;
			once(run, done++);
		}
		took = cpu_seconds() - began;
	} while (took < SECONDS);
	served = f.net.counter[NET_COUNT_DISCOVER_SERVED] - served;
	printf("  %-34s %10.0f requests/s  %8.2f us", name, done / took, took * 1e6 / done);
	if (served > 0)
		printf("  %6.1f results each", (double)served / done);
	printf("\n");
}

static void measure_all(enum layout layout, uint32_t peers)
{
	struct run run = {.layout = layout, .peers = peers, .limit = 10};
	struct run many = {.layout = layout, .peers = peers, .limit = 1000};

	measure("REGISTER again, same record", &run, refresh);
	measure("REGISTER, record to verify", &run, renew);
	measure("DISCOVER 10 behind a cookie", &run, page);
	measure("DISCOVER 1000 behind a cookie", &many, page);
	measure("DISCOVER, newest of all", &run, newest);
	if (layout == CHAT)
		measure("DISCOVER, a community", &run, community);
}

static void settings_open(struct net_settings *settings)
{
	settings->max_registrations = settings->max_registrations_per_namespace = 100000000;
	settings->max_registrations_per_peer = 1000000;
	settings->max_registration_bytes = UINT64_C(1) << 40;
}

static void bench(enum layout layout, uint32_t registrations)
{
	uint32_t peers = registrations / namespaces_of_peer(layout);
	uint64_t heap, stored;

	fixture_init(&f, true);
	settings_open(&f.net.settings);
	f.discard = true;
	f.reserved = true;
	conn = fixture_conn(&f, &signers[0]);
	heap = mallinfo2().uordblks + mallinfo2().hblkhd;
	fill(layout, peers);
	stored = f.net.rendezvous->store.bytes;
	heap = mallinfo2().uordblks + mallinfo2().hblkhd - heap;
	printf("%u registrations, %s, %u peers: beyond the record %.0f bytes each accounted, %.0f of heap\n",
	       registrations, layout_names[layout], peers, (double)(stored - record_bytes) / registrations,
	       (double)(heap - record_bytes) / registrations);
	stream = fixture_stream(&f, conn);
	measure_all(layout, peers);
	fixture_conn_free(conn);
	fixture_free(&f);
}

static void sign(void)
{
	signed_records = calloc(2 * SIGNED, sizeof(*signed_records));
	if (signed_records == NULL)
		abort();
	fixture_init(&f, true);
	for (uint32_t i = 0; i < SIGNED; i++)
		fixture_peer(&signers[i], i);
	for (uint32_t i = 0; i < 2 * SIGNED; i++)
		fixture_record(&f, &signed_records[i], &signers[i % SIGNED], ENVELOPE_RECORD_LEGACY, i);
	fixture_free(&f);
}

int main(void)
{
	static const uint32_t sizes[] = {1000, 100000, 1000000};

	sign();
	for (int layout = 0; layout < LAYOUTS; layout++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			bench((enum layout)layout, sizes[i]);
	free(signed_records);
	return 0;
}
