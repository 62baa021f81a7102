/* SPDX-License-Identifier: MIT */
#include "tests/bench/soak_vandal.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "probe/client.h"
#include "proto/circuit_message.h"
#include "tests/bench/load_meter.h"

#define VANDAL_WAIT_MS 2000
#define VANDAL_PAUSE   0.01

/* --- before anybody is known
 * -------------------------------------------------------------------------------------------- */

static void vandal_garbage(const struct dial_address *relay)
{
	uint8_t bytes[300];
	int fd = dial_connect(relay, VANDAL_WAIT_MS);

	if (fd < 0)
		return;
	randombytes_buf(bytes, sizeof(bytes));
	if (write(fd, bytes, 1 + randombytes_uniform(sizeof(bytes))) < 0)
		perror("vandal");
	load_sleep(VANDAL_PAUSE);
	close(fd);
}

/* The beginning of an honest session, cut anywhere. */
static void vandal_cut(const struct dial_address *relay)
{
	struct client c;
	int fd = dial_connect(relay, VANDAL_WAIT_MS);
	size_t len;

	if (fd < 0)
		return;
	client_init(&c, VANDAL_WAIT_MS);
	client_prepare(&c, fd);
	len = 1 + randombytes_uniform((uint32_t)bytes_len(&c.session.out));
	if (write(fd, bytes_at(&c.session.out), len) < 0)
		perror("vandal");
	load_sleep(VANDAL_PAUSE);
	client_drop(&c, randombytes_uniform(2) == 0);
	client_free(&c);
}

/* --- as a peer
 * ------------------------------------------------------------------------------------------------------------
 */

static void vandal_frame(struct client *c)
{
	uint8_t bytes[64];

	randombytes_buf(bytes, sizeof(bytes));
	mux_frame(&c->session.mux, (uint8_t)randombytes_uniform(6), (uint16_t)randombytes_uniform(16),
		  randombytes_uniform(9), randombytes_uniform(100000), bytes, sizeof(bytes));
}

static void vandal_streams(struct client *c)
{
	static struct exchange x[40];

	for (size_t i = 0; i < 40; i++)
		if (exchange_open(&x[i], &c->session.mux,
				  i % 3 == 0 ? "/no/such/protocol" : CIRCUIT_HOP_PROTOCOL) == 0)
			exchange_write(&x[i], "\377\377\377\377 not a message", 18);
	client_flush(c);
	load_sleep(VANDAL_PAUSE);
	for (size_t i = 0; i < 40; i++)
		exchange_close(&x[i]);
}

static void vandal_flood(struct client *c)
{
	for (uint32_t i = 0; i < 2000; i++)
		mux_ping(&c->session.mux, i);
	c->deaf = true;
}

static void vandal_record(struct client *c)
{
	uint8_t bytes[100];

	randombytes_buf(bytes, sizeof(bytes));
	session_pending(&c->session);
	bytes_append(&c->session.out, bytes, sizeof(bytes));
}

static void vandal_peer(const struct dial_address *relay)
{
	static void (*const acts[])(struct client * c) = {vandal_frame, vandal_streams, vandal_flood,
							  vandal_record};
	struct client c;

	client_init(&c, VANDAL_WAIT_MS);
	if (client_connect(&c, relay) == 0) {
		acts[randombytes_uniform(4)](&c);
		client_flush(&c);
		load_sleep(VANDAL_PAUSE);
	}
	client_drop(&c, randombytes_uniform(2) == 0);
	client_free(&c);
}

pid_t soak_vandal_start(const struct dial_address *relay, int core, uint64_t *tries)
{
	static void (*const acts[])(const struct dial_address *relay) = {vandal_garbage, vandal_cut,
									 vandal_peer};
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	load_pin(0, core);
	for (;; (*tries)++)
		acts[randombytes_uniform(3)](relay);
}
