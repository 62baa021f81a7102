/* SPDX-License-Identifier: MIT
 *
 * Sealing and writing. Large frames are sealed in the place they were opened in, and neighbours go out in one
 * write; small frames are gathered into records of up to 16 KiB.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/limit.h"
#include "tests/bench/load_seal.h"

#define FORWARD_GATHER 16384
#define FORWARD_SEALED (256 * 1024)

static struct limit_conn *gather_to;
static uint8_t gather[FORWARD_GATHER];
static size_t gather_len;
static uint8_t sealed[FORWARD_SEALED + FORWARD_GATHER + 64];
static size_t sealed_len;
static struct limit_conn *run_to; /* records that stand one behind the other in the scratch of the read */
static uint8_t *run;
static size_t run_len;

void limit_flush(struct limit_conn *c)
{
	while (bytes_len(&c->out) > 0 && !c->dead) {
		ssize_t put = write(c->fd, bytes_at(&c->out), bytes_len(&c->out));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN)
			c->dead = true;
		if (put < 0)
			return;
		bytes_consume(&c->out, (size_t)put);
	}
}

void limit_write(struct limit_conn *c, const uint8_t *bytes, size_t len)
{
	ssize_t put = 0;

	if (c->dead)
		return;
	if (bytes_len(&c->out) == 0)
		put = write(c->fd, bytes, len);
	if (put < 0 && errno != EAGAIN && errno != EINTR)
		c->dead = true;
	put = put < 0 ? 0 : put;
	bytes_append(&c->out, bytes + put, len - (size_t)put);
}

static void run_end(void)
{
	if (run_to)
		limit_write(run_to, run, run_len);
	run_to = NULL;
}

static void gather_seal(void)
{
	if (gather_len == 0)
		return;
	load_seal(&gather_to->send, sealed + sealed_len, gather, gather_len);
	sealed_len += 2 + gather_len + SECURE_TAG;
	gather_len = 0;
}

static void gather_end(void)
{
	if (!gather_to)
		return;
	gather_seal();
	limit_write(gather_to, sealed, sealed_len);
	sealed_len = 0;
	gather_to = NULL;
}

void limit_send_end(void)
{
	run_end();
	gather_end();
}

void limit_send(struct limit_conn *to, const uint8_t *plain, size_t len)
{
	if (gather_to != to || run_to)
		limit_send_end();
	gather_to = to;
	while (len > 0) {
		size_t part = FORWARD_GATHER - gather_len;

		part = len < part ? len : part;
		memcpy(gather + gather_len, plain, part);
		gather_len += part;
		plain += part;
		len -= part;
		if (gather_len == FORWARD_GATHER)
			gather_seal();
		if (sealed_len > FORWARD_SEALED) {
			limit_write(to, sealed, sealed_len);
			sealed_len = 0;
		}
	}
}

void limit_send_record(struct limit_conn *to, uint8_t *record, size_t len)
{
	gather_end();
	if (run_to != to || run + run_len != record)
		run_end();
	if (!run_to) {
		run = record;
		run_len = 0;
	}
	run_to = to;
	load_seal(&to->send, record, record + 2, len);
	run_len += 2 + len + SECURE_TAG;
}
