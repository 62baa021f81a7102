/* SPDX-License-Identifier: MIT
 *
 * Scripted and misbehaving peers on probe's initiator: exactly chosen bytes at every layer of a connection,
 * split where a test wants them split, and the handshake taken step by step. Called by tests/e2e,
 * tests/attack and tests/bench. Knows nothing of the daemon but its port on 127.0.0.1. Every function that
 * can wait has a time limit and says -1 at its end, with the reason in the peer's `error`.
 */
#ifndef TESTS_PEER_PEER_H
#define TESTS_PEER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/accept_stop.h"
#include "probe/ask_identify.h"
#include "probe/ask_ping.h"
#include "probe/ask_relay.h"
#include "probe/ask_rendezvous.h"
#include "probe/client.h"

#define PEER_TIMEOUT_MS 5000 /* of each wait, unless a test sets another */

/* --- below Noise: a bare TCP connection --- */

struct peer_raw {
	int fd;
	struct bytes in;
	bool ended; /* the relay closed or reset it */
	char error[CLIENT_ERROR_MAX];
};

int peer_raw_open(struct peer_raw *p, uint16_t port);
int peer_raw_open_from(struct peer_raw *p, uint16_t port, uint8_t last);
/* All of it; an ended connection swallows the rest. */
void peer_raw_send(struct peer_raw *p, const void *bytes, size_t len);
void peer_raw_line(struct peer_raw *p, const char *text);
/* Until `len` bytes are in `in`. */
int peer_raw_read(struct peer_raw *p, size_t len, int timeout_ms);
/* Until the multistream-select line `text` came next; takes it off. */
int peer_raw_expect_line(struct peer_raw *p, const char *text);
/* Reads and drops until the relay ends the connection. */
int peer_raw_wait_end(struct peer_raw *p, int timeout_ms);
void peer_raw_close(struct peer_raw *p, bool reset);

/* Waits until the program at the other end of this loopback connection has read everything that was sent so
 * far. */
int peer_wait_taken(int fd, int timeout_ms);

/* --- whole sessions --- */

/* A session of a fresh identity, open. */
int peer_open(struct client *c, uint16_t port);
/* The same with options that the caller has set after client_init. */
int peer_open_as(struct client *c, uint16_t port);
/* From 127.0.0.`last` rather than 127.0.0.1: another IP address to the relay. */
int peer_open_from(struct client *c, uint16_t port, uint8_t last);
/* Connected, nothing sent yet but what session_start queued (look into c->session.out). */
int peer_begin(struct client *c, uint16_t port);
/* Noise message 2 has been read; message 3 is the test's, by session_send_message3. */
int peer_hold(struct client *c, uint16_t port);
/* Everything queued goes out in writes of `chunk` bytes, each taken by the relay before the next. */
int peer_trickle(struct client *c, size_t chunk);
/* The first `first` bytes of what is queued, taken by the relay; then the rest. */
int peer_split(struct client *c, size_t first);

/* --- inside Noise --- */

/* One record around these bytes, ahead of frames not sealed yet. */
void peer_record(struct client *c, const void *plain, size_t len);
/* Bytes as they are on the socket, sealed with nothing. */
void peer_socket_bytes(struct client *c, const void *bytes, size_t len);
/* A yamux header of any version, and payload. */
void peer_frame(struct client *c, uint8_t version, uint8_t type, uint16_t flags, uint32_t stream,
		uint32_t length, const void *payload, size_t len);
/* A length-prefixed message on a stream. */
void peer_message(struct exchange *x, const void *bytes, size_t len);
/* A stream of `protocol`, open. */
int peer_stream(struct client *c, struct exchange *x, const char *protocol);
/* Puts `len` bytes on the stream whatever its window says. */
void peer_overrun(struct exchange *x, const void *bytes, size_t len);

/* --- payloads of Noise message 3 --- */

enum peer_payload {
	PEER_PAYLOAD_GOOD,
	PEER_PAYLOAD_BAD_SIGNATURE,  /* one bit changed */
	PEER_PAYLOAD_OTHER_STATIC,   /* a signature over another Noise key */
	PEER_PAYLOAD_NON_CANONICAL,  /* the same key with a padded varint */
	PEER_PAYLOAD_SWAPPED_FIELDS, /* key data before key type */
	PEER_PAYLOAD_RSA,	     /* a key of type RSA, full of rubbish */
	PEER_PAYLOAD_SECP256K1,
	PEER_PAYLOAD_NO_KEY,
	PEER_PAYLOAD_NO_SIGNATURE,
	PEER_PAYLOAD_EMPTY,
	PEER_PAYLOAD_GARBAGE,
	PEER_PAYLOAD_ENDLESS,	    /* a field that says it is longer than the message */
	PEER_PAYLOAD_TOO_LONG,	    /* above NOISE_PAYLOAD_MAX */
	PEER_PAYLOAD_UNKNOWN_FIELDS /* good, with fields nobody knows: to be ignored */
};

size_t peer_payload_write(const struct client *c, enum peer_payload kind, uint8_t *out, size_t capacity);

#endif
