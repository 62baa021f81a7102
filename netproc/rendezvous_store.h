/* SPDX-License-Identifier: MIT
 *
 * The registrations: who stands under which namespace with which signed record, until when.
 * rendezvous_store.c finds, puts and removes them, rendezvous_room.c says what there is room for,
 * rendezvous_share.c owns the memory (what is shared is counted, every byte is accounted),
 * rendezvous_expiry.c ends them by time. Called by rendezvous_register and
 * rendezvous_discover. Knows nothing of streams or messages; trusts that what is put was verified, and that
 * lengths were checked. No call costs more as the registry grows, but for the logarithm of one namespace.
 */
#ifndef NETPROC_RENDEZVOUS_STORE_H
#define NETPROC_RENDEZVOUS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/settings.h"
#include "netproc/list.h"
#include "netproc/rendezvous_order.h"
#include "netproc/table.h"
#include "netproc/wheel.h"
#include "proto/buf.h"

#define RENDEZVOUS_GRACE	   60 /* seconds that circuits stay listed after the last reservation ended */
#define RENDEZVOUS_EXPIRY_SECONDS  (1 << 18) /* above the longest ttl, 259200 */
#define RENDEZVOUS_EXPIRY_STEP	   1024	     /* registrations ended by time in one tick */
#define RENDEZVOUS_EXPIRY_TICK_MS  500
#define RENDEZVOUS_EXPIRY_AGAIN_MS 64

struct ip_key;
struct net;
struct rendezvous_entry;

/* Which requesters a record is for (rust-libp2p signs in a way of its own). */
enum rendezvous_kind { RENDEZVOUS_LEGACY, RENDEZVOUS_STANDARD, RENDEZVOUS_KINDS };

/* An IPv4 /24 or IPv6 /48 that registrations came from. The address itself is not kept: the hash of the link,
 * which nobody outside can reckon, stands for it. */
struct rendezvous_range {
	struct table_link link;
	uint64_t bytes;	     /* that its registrations would take if each stood alone */
	uint32_t count;	     /* of them */
	uint32_t references; /* of envelopes */
};

/* One signed record, shared by all registrations of its peer and range that carry the same bytes. */
struct rendezvous_envelope {
	struct rendezvous_range *range; /* NULL: of a source that no share holds for */
	uint32_t references;
	uint16_t len;
	uint8_t kind;  /* enum rendezvous_kind */
	bool circuits; /* every address is a circuit through this relay, and there is one */
	uint8_t bytes[];
};

struct rendezvous_namespace {
	struct table_link link;
	struct order order[RENDEZVOUS_KINDS];
	uint32_t live;	     /* registrations in the orders */
	uint32_t references; /* those, and the ones that only answers in progress still hold */
	uint8_t len;
	uint8_t name[];
};

/* A peer with at least one registration. */
struct rendezvous_owner {
	struct table_link link;
	uint8_t peer[32];
	struct rendezvous_entry *entries[2]; /* [1]: whose addresses are all circuits through this relay */
	struct rendezvous_envelope *latest;
	struct list grace;
	uint32_t grace_ends; /* second of net->now */
	uint32_t count;
};

/* One registration. It never changes but for its links: registering again makes another, so that answers may
 * hold it. What an answer reads stands in front: in a large registry each line is a miss. */
struct rendezvous_entry {
	struct rendezvous_namespace *namespace;
	struct rendezvous_envelope *envelope;
	uint64_t serial;
	uint32_t expires;		/* second of net->now */
	uint32_t references;		/* the store's and those of answers */
	struct table_link link;		/* by owner and namespace */
	struct rendezvous_owner *owner; /* NULL once it is out of the store */
	struct rendezvous_entry *owner_next;
	struct rendezvous_entry **owner_link;
	struct rendezvous_entry *expiry_next;
	struct rendezvous_entry **expiry_link;
};

struct rendezvous_store {
	struct net *net;
	struct table namespaces;
	struct table owners;
	struct table entries;
	struct table ranges;
	struct order_memory chunks;	    /* of all orders */
	struct order all[RENDEZVOUS_KINDS]; /* kept only while DISCOVER of all namespaces is served */
	uint64_t serial;		    /* of the latest registration */
	uint64_t
	    bytes; /* of all that grows here, allocator's and tables' share included; in the pool's account */
	struct rendezvous_entry **expiry; /* by second, modulo RENDEZVOUS_EXPIRY_SECONDS */
	uint32_t expired;		  /* seconds up to here are done */
	struct list graces;		  /* owners without reservation; the first ends first */
	struct wheel_timer timer;
};

/* What is to be registered, verified by the caller. */
struct rendezvous_offer {
	const uint8_t *peer;	   /* 32 bytes */
	const struct ip_key *from; /* NULL: no share of addresses holds for it */
	struct span ns;		   /* at most 255 bytes */
	struct span record;
	enum rendezvous_kind kind;
	bool circuits;
	bool reserved; /* the peer holds a reservation */
	uint32_t ttl;  /* seconds, at most 259200 */
};

enum rendezvous_put {
	RENDEZVOUS_PUT_NEW,
	RENDEZVOUS_PUT_AGAIN,
	RENDEZVOUS_PUT_REFUSED,
	RENDEZVOUS_PUT_OVER_SHARE /* refused, too: its range of addresses has its share of a full registry */
};

/* 0, or -1 without memory. */
int rendezvous_store_init(struct rendezvous_store *store, struct net *net);
/* Ends everything; no answer may hold anything. For tests and the end of the program. */
void rendezvous_store_free(struct rendezvous_store *store);
/* Registers, in place of what the peer had in this namespace. When refused, `refused_by` is the setting that
 * lifts it. */
enum rendezvous_put rendezvous_store_put(struct rendezvous_store *store, const struct rendezvous_offer *offer,
					 enum net_setting *refused_by);
/* The envelope of these very bytes that the peer registered last; NULL: verify. */
const struct rendezvous_envelope *rendezvous_store_known(const struct rendezvous_store *store,
							 const uint8_t peer[32], struct span record);
struct rendezvous_entry *rendezvous_store_find(const struct rendezvous_store *store, const uint8_t peer[32],
					       struct span ns);
struct rendezvous_namespace *rendezvous_store_namespace(const struct rendezvous_store *store, struct span ns);
/* Takes it out; it lives on while answers hold it. Its peer is gone with its last one. */
void rendezvous_store_remove(struct rendezvous_store *store, struct rendezvous_entry *entry);
/* Answers hold what they will still write. */
void rendezvous_entry_hold(struct rendezvous_entry *entry);
void rendezvous_entry_release(struct rendezvous_store *store, struct rendezvous_entry *entry);
/* The peer got its first, or lost its last, reservation. */
void rendezvous_store_reserved(struct rendezvous_store *store, const uint8_t peer[32], bool held);
/* Seconds left to it, at least 1. */
uint32_t rendezvous_entry_left(const struct rendezvous_entry *entry, uint32_t now);
uint32_t rendezvous_now(const struct net *net);

/* --- rendezvous_expiry.c, for rendezvous_store.c --- */

int rendezvous_expiry_init(struct rendezvous_store *store);
void rendezvous_expiry_add(struct rendezvous_store *store, struct rendezvous_entry *entry, uint32_t ttl);
void rendezvous_expiry_remove(struct rendezvous_entry *entry);
void rendezvous_grace_enter(struct rendezvous_store *store, struct rendezvous_owner *owner);
void rendezvous_grace_leave(struct rendezvous_owner *owner);

/* --- rendezvous_room.c, for rendezvous_store.c --- */

/* May it be put, in place of `old` (NULL: of nothing)? RENDEZVOUS_PUT_NEW or _AGAIN; or refused, by that
 * setting. `owner` and `namespace` are NULL where there is none yet. */
enum rendezvous_put rendezvous_room(const struct rendezvous_store *store,
				    const struct rendezvous_offer *offer,
				    const struct rendezvous_owner *owner,
				    const struct rendezvous_namespace *namespace,
				    const struct rendezvous_entry *old, enum net_setting *refused_by);

/* --- rendezvous_share.c, for rendezvous_store.c and rendezvous_room.c --- */

/* Bytes that a registration takes at most beyond what is there; what an envelope of `len` bytes takes. */
size_t rendezvous_cost_entry(size_t ns_len);
size_t rendezvous_cost_envelope(size_t len);
bool rendezvous_envelope_equal(const struct rendezvous_envelope *envelope, struct span record);
/* True when the owner's latest envelope serves this offer, too. */
bool rendezvous_envelope_serves(const struct rendezvous_store *store, const struct rendezvous_owner *owner,
				const struct rendezvous_offer *offer);
/* NULL: none is counted for it. */
struct rendezvous_range *rendezvous_range_find(const struct rendezvous_store *store,
					       const struct ip_key *from);
/* Each returns NULL without memory, and holds nothing then. */
struct rendezvous_envelope *rendezvous_envelope_new(struct rendezvous_store *store,
						    const struct rendezvous_offer *offer);
struct rendezvous_namespace *rendezvous_namespace_new(struct rendezvous_store *store, struct span ns);
struct rendezvous_owner *rendezvous_owner_new(struct rendezvous_store *store, const uint8_t peer[32]);
/* Takes over the caller's hold on both. */
struct rendezvous_entry *rendezvous_entry_new(struct rendezvous_store *store,
					      struct rendezvous_namespace *namespace,
					      struct rendezvous_envelope *envelope);
struct order_memory rendezvous_chunks_of(struct rendezvous_store *store);
void rendezvous_envelope_release(struct rendezvous_store *store, struct rendezvous_envelope *envelope);
void rendezvous_namespace_release(struct rendezvous_store *store, struct rendezvous_namespace *namespace);
void rendezvous_owner_delete(struct rendezvous_store *store, struct rendezvous_owner *owner);
void rendezvous_entry_delete(struct rendezvous_store *store, struct rendezvous_entry *entry);
struct rendezvous_owner *rendezvous_owner_find(const struct rendezvous_store *store, const uint8_t peer[32]);

#endif
