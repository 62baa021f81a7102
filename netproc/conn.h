/* SPDX-License-Identifier: MIT
 *
 * One transport connection: socket, buffers, deadlines, close reason; and who is at the other end. Called by
 * accept (makes it), loop (reads and writes when it may), noise and yamux (layers above, through conn_layer),
 * protocols (who is this?). Every byte that comes up is a stranger's.
 */
#ifndef NETPROC_CONN_H
#define NETPROC_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imsg/reasons.h"
#include "netproc/aead.h"
#include "netproc/ip_key.h"
#include "netproc/list.h"
#include "netproc/poller.h"
#include "netproc/pool.h"
#include "netproc/wheel.h"
#include "netproc/yamux_session.h"
#include "proto/multiaddr.h"

#define CONN_KERNEL	 5120	 /* bytes that the kernel holds for an idle connection (measured) */
#define CONN_SEALED_MOST 65536	 /* bytes sealed and unsent above which payload waits as plaintext */
#define CONN_SEALED_RUN	 262144	 /* the same where the socket takes whatever comes */
#define CONN_PUMP_MOST	 1048576 /* bytes written to one connection in a turn before others have theirs */

struct conn;
struct handshake;
struct net;
struct reservation;

/* What the layer that reads a connection now does. Below Noise: security negotiation, then the handshake,
 * then records; above its records (`upper`): muxer negotiation, then the muxer. */
struct conn_layer {
	/* Takes bytes from the front; returns how many it used. The rest is offered again with more behind it
	 * (an upper layer always uses all and keeps what is unfinished itself). STREAM_HEADROOM bytes in
	 * front may be overwritten. */
	size_t (*input)(struct conn *conn, uint8_t *bytes, size_t len);
	/* How many bytes it needs before it can use the first `len`, at most 2, of those that are held; NULL:
	 * it is asked at each read. */
	size_t (*needs)(const uint8_t *bytes, size_t len);
	/* Less than conn_sealed_most waits and the socket takes bytes: seal more. NULL: nothing to do. */
	void (*output)(struct conn *conn);
	/* The connection is closed: free what the layer holds. NULL: nothing to do. */
	void (*closed)(struct conn *conn, enum close_reason reason);
};

enum conn_state { CONN_HANDSHAKE, CONN_READY, CONN_CLOSED };

#define CONN_READ_HANDSHAKE 4096   /* bytes of one read before the peer is known */
#define CONN_READ_LIGHT	    65536  /* of a connection that is not bulk, and of bulk beside light circuits */
#define CONN_READ_SHARED    196608 /* of bulk where several connections have some */
#define CONN_READ_BULK	    262144 /* of bulk alone */
#define CONN_RECORD_MOST    65537  /* a Noise message with its length */
#define CONN_HEADROOM	    64	   /* in front of both scratches */
#define CONN_SCRATCH	    (CONN_HEADROOM + CONN_READ_BULK + CONN_RECORD_MOST)

struct conn_ref {
	uint32_t slot;
	uint32_t generation;
};

struct conn {
	struct poller_watch watch;
	struct net *net;
	const struct conn_layer *layer;
	const struct conn_layer *upper;
	const struct stream_muxer *muxer; /* once established */
	struct list
	    ready; /* readable or writable: the loop's light or bulk list, or the list of handshake steps */
	struct list flush;	       /* has output */
	struct list opening;	       /* in the handshake, oldest first */
	struct list checks;	       /* rendezvous: its streams whose REGISTER waits */
	struct list check_turn;	       /* in the line of connections that have such */
	struct list ended;	       /* to be closed, or closed and to be freed */
	struct handshake *handshake;   /* until established */
	struct pool_buffer *held;      /* bytes of an unfinished record */
	struct pool_buffer *out_first; /* sealed and unsent */
	struct pool_buffer *out_last;
	uint32_t out_len;
	uint32_t slot;
	uint32_t generation;
	int fd;
	uint8_t state;	/* enum conn_state */
	uint8_t reason; /* enum close_reason, once closed */
	bool readable : 1;
	bool writable : 1;
	bool bulk : 1;		  /* its last reads were large */
	bool waiting : 1;	  /* for keyproc or for a handshake step: not read meanwhile */
	bool ending : 1;	  /* the peer's end was announced */
	bool went_away : 1;	  /* our GoAway is out */
	bool doomed : 1;	  /* to be closed for `reason` at the next safe point */
	bool has_muxers : 1;	  /* its Noise payload named muxers: go or js */
	bool registered_kind : 1; /* rendezvous: its latest REGISTER decides */
	bool kind_standard : 1;
	uint8_t whole : 3; /* large writes in a row that the socket took whole; as many as fit: its reader
			      keeps up */
	uint16_t local_port;
	uint32_t round_trip; /* microseconds, conn_timed; 0: not known */
	uint16_t circuits;
	uint16_t keep; /* reservation and circuits: not idle while above 0 */
	struct cipher receive;
	struct cipher send;
	uint8_t peer[32]; /* Ed25519 public key, once established */
	struct ip_key ip;
	uint8_t remote[16]; /* IPv6, or IPv4 mapped */
	uint16_t remote_port;
	uint32_t held_since; /* seconds of net->now when the unfinished record began */
	uint32_t active;     /* seconds of net->now of the last request */
	uint32_t progress;   /* milliseconds of net->now, low half, when a write last took bytes or there was
				nothing to write */
	uint64_t vouchers;   /* microseconds of net->now: it may have its full burst of vouchers again */
	struct reservation *reservation; /* what this connection holds */
	struct wheel_timer timer;
	struct yamux_session yamux;
};

/* All connections by slot, and the lists the loop works through. */
struct conn_place {
	struct conn *conn; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

/* Frames for one destination that follow one another in the plain scratch, to be sealed together. */
struct conn_run {
	struct conn *conn; /* NULL: none */
	uint8_t *start;
	uint8_t *end;
};

struct conn_table {
	struct conn_place *place;
	uint32_t places;
	uint32_t first_free;
	struct list light;
	struct list bulk;
	struct list steps; /* connections that wait for a handshake step */
	struct list opening;
	struct list flush;
	struct list later; /* to be flushed in the next turn */
	struct list doomed;
	struct list closed;
	uint64_t light_at; /* net->now when a light circuit last moved bytes */
	uint64_t short_at; /* and when one last moved a short message */
	uint8_t *raw;	   /* scratch: what one read brought; CONN_SCRATCH bytes */
	uint8_t *plain;	   /* scratch: its records, opened one behind the other */
	uint8_t *gather;   /* scratch: frames gathered for one record */
	bool gathering;
	bool bulk_read; /* what is in the scratches came by a large read */
	struct conn_run run;
};

/* --- for accept and loop --- */

/* 0, or -1 without memory. */
int conn_table_init(struct net *net);
/* Takes over an accepted, non-blocking socket; NULL without memory (the caller closes it). The first layer is
 * `layer`. */
struct conn *conn_new(struct net *net, int fd, const struct sockaddr_in6 *from, uint16_t local_port,
		      const struct conn_layer *layer);
/* Reads once, at most `most` bytes, and lets the layers have them. */
void conn_read(struct conn *conn, size_t most);
/* Offers what was held back to the layer again, after `waiting` ended. */
void conn_resume(struct conn *conn);
/* Writes and seals as far as the socket takes it; after CONN_PUMP_MOST bytes the rest waits for the next
 * turn. */
void conn_pump(struct conn *conn);
/* A turn is over: what had to wait for the next one is to be flushed. */
void conn_flush_next(struct net *net);
/* From now on looks after a while at what may take too long (the handshake is over). */
void conn_watch(struct conn *conn);
/* Puts the connection into the list that fits what it may do now. */
void conn_schedule(struct conn *conn);
/* Closes what is doomed, frees what is closed: the end of a turn. */
void conn_reap(struct net *net);

/* --- for the layers above --- */

/* Room for `len` bytes behind what is sealed; NULL (and the connection doomed) when the pool refuses. Then
 * conn_out_add. */
uint8_t *conn_out_room(struct conn *conn, size_t len);
void conn_out_add(struct conn *conn, size_t len);
/* How many bytes may be sealed before the socket has taken any of them. */
size_t conn_sealed_most(const struct conn *conn);
/* Writes what is sealed, as far as the socket takes it. */
void conn_flush(struct conn *conn);
/* Sends at the end of the turn. */
void conn_want_flush(struct conn *conn);
/* Closes at the next safe point: for use in the middle of someone else's input. */
void conn_doom(struct conn *conn, enum close_reason reason);
/* A round trip was timed. The shortest counts: in a longer one the question waited in queues of ours. Since
 * paths change it may rise, slowly. At most a second: who answers late on purpose gets no larger window for
 * it. */
void conn_timed(struct conn *conn, uint64_t microseconds);
/* False for a closed or doomed one. */
bool conn_alive(const struct conn *conn);

/* --- for protocols --- */

/* Peer id from the key. */
void conn_peer_id(const struct conn *conn, struct peer_id *id);
/* The address we see, /ip4|ip6/tcp. */
void conn_remote_addr(const struct conn *conn, struct multiaddr *addr);
/* The local address of this very connection (getsockname). 0 or -1. */
int conn_local_addr(const struct conn *conn, struct multiaddr *addr);
/* True when the client reads the standard flavour of peer records (rust signs records in a way of its own).
 */
bool conn_kind_standard(const struct conn *conn);
/* A request happened: not idle. */
void conn_touch(struct conn *conn);
struct conn_ref conn_ref(const struct conn *conn);
/* NULL when it is gone or closing. */
struct conn *conn_find(struct net *net, struct conn_ref ref);
/* Live streams of any kind. */
unsigned conn_streams(const struct conn *conn);
/* Closes: streams get `closed`, hooks are called, the socket is closed; the memory lives until the end of the
 * turn. */
void conn_close(struct conn *conn, enum close_reason reason);

#endif
